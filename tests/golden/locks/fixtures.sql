-- The tables that the measurements in truth.tsv were made on, as far as their answers depend on them.
-- fx:t
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int NOT NULL DEFAULT 0, si smallint, n numeric(10,2),
  vc varchar(50), tx text, ch char(10), ts timestamp, tz timestamptz, dt date, iv interval(3),
  j json, jb jsonb, fl real, u uuid, vb varbit(10), ip cidr, arr varchar(10)[]);
-- fx:p
CREATE TABLE p (id bigint PRIMARY KEY);
-- fx:c
CREATE TABLE c (id bigint PRIMARY KEY, pid bigint, y int);
CREATE INDEX c_pid ON c (pid);
-- fx:part
CREATE TABLE pt (id bigint, k int NOT NULL, v int) PARTITION BY RANGE (k);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (1000);
CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (1000) TO (2000);
-- fx:dflt
CREATE TABLE ptd PARTITION OF pt DEFAULT;
-- fx:ptn
CREATE TABLE ptn (id bigint, k int NOT NULL, v int);
-- fx:fn
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
-- fx:en
CREATE TYPE mood AS ENUM ('sad', 'ok');
ALTER TABLE t ADD COLUMN m mood DEFAULT 'ok';
-- fx:mv
CREATE MATERIALIZED VIEW mv AS SELECT id, a FROM t;
CREATE UNIQUE INDEX mv_id ON mv (id);
-- fx:v
CREATE VIEW v AS SELECT id, a FROM t;
