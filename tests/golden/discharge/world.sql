-- world.json is what `flotilla inspect --dsn … --format json` says of this.
CREATE ROLE reader;
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int NOT NULL DEFAULT 0, c text, big int, n int, j json, base int, g int GENERATED ALWAYS AS (base * 2) STORED,
    CONSTRAINT positive CHECK (b >= 0), CONSTRAINT t_c_key UNIQUE (c));
CREATE INDEX t_a ON t (a);
GRANT SELECT ON t TO reader;
CREATE TABLE p (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE child (id bigint PRIMARY KEY, pid bigint REFERENCES p (id), note text);
CREATE VIEW v AS SELECT id, c FROM t;
GRANT SELECT ON v TO reader;
CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.c := lower(NEW.c); RETURN NEW; END$$;
CREATE TRIGGER lower_c BEFORE UPDATE OF c ON t FOR EACH ROW EXECUTE FUNCTION low();
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON t FOR SELECT TO reader USING (b > 7);
CREATE FUNCTION large() RETURNS SETOF text LANGUAGE sql AS $$SELECT big::text FROM t$$;
CREATE SEQUENCE counted OWNED BY t.n;
CREATE INDEX t_bad ON t (b);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_bad'::regclass;
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE parted (id bigint NOT NULL, at date NOT NULL, n int) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
UPDATE pg_class SET reltuples = 5000000, relpages = 50000 WHERE relname IN ('t','p','child','parted_1','parted_2');
GRANT SELECT, USAGE ON SEQUENCE counted TO reader;
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE far (id int NOT NULL) SERVER elsewhere;
