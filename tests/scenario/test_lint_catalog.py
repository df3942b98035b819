"""flotilla lint beside a real database: what only its catalog and its rows tell, and safe rewrites that
do what the statement was to do, on a PostgreSQL server."""

import json
import os
import subprocess
import unittest

import fleet

SCHEMA = """
CREATE TABLE t (id bigint PRIMARY KEY, a int, b int NOT NULL DEFAULT 0, vc varchar(50), d date, m text);
INSERT INTO t SELECT g, nullif(g, 7), g % 3, 'x' || g, '2020-01-01', CASE WHEN g % 2 = 0 THEN 'old' END FROM generate_series(1, 3000) g;
CREATE TABLE p (id bigint PRIMARY KEY); INSERT INTO p SELECT generate_series(1, 10);
CREATE TABLE c (id bigint PRIMARY KEY, pid bigint, y bigint); INSERT INTO c SELECT g, g, 99 FROM generate_series(1, 10) g;
CREATE INDEX c_pid ON c (pid);
CREATE TABLE nokey (a int); INSERT INTO nokey VALUES (1);
CREATE TABLE heap (a bigint NOT NULL, b bigint); INSERT INTO heap SELECT g, g FROM generate_series(1, 100) g;
CREATE UNIQUE INDEX heap_b ON heap (b);
CREATE TABLE pt (id bigint, k int NOT NULL) PARTITION BY RANGE (k);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (10); CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (10) TO (20);
CREATE TABLE ptn (id bigint, k int NOT NULL); INSERT INTO ptn VALUES (1, 25);
CREATE VIEW v AS SELECT id FROM t; GRANT SELECT ON v TO PUBLIC;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM t; CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE DOMAIN pos AS int; CREATE TABLE dom (q pos);
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE INDEX t_a ON t (a);
"""

AFTER = "CREATE PUBLICATION feed FOR TABLE t, nokey; ANALYZE;"

# rules wanted among the findings (all of them), statement
FOUND = [
    ("rows-violate not-null-scan", "ALTER TABLE t ALTER COLUMN a SET NOT NULL"),
    ("rows-violate check-validating", "ALTER TABLE t ADD CONSTRAINT k CHECK (b > 1)"),
    ("rows-violate", "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (y) REFERENCES p (id) NOT VALID"),
    ("rows-violate", "CREATE UNIQUE INDEX CONCURRENTLY u ON t (b)"),
    ("rows-violate type-narrowing", "ALTER TABLE t ALTER COLUMN vc TYPE varchar(3)"),
    ("rows-violate pk-blocking", "ALTER TABLE c ADD PRIMARY KEY (y)"),
    ("extension-unavailable", "CREATE EXTENSION no_such_thing"),
    ("published-table-change", "ALTER TABLE t ADD COLUMN z int"),
    ("published-table-change", "ALTER TABLE t RENAME COLUMN m TO n"),
    ("replica-identity-missing", "UPDATE nokey SET a = 2"),
    ("replica-identity-missing", "ALTER TABLE t DROP CONSTRAINT t_pkey"),
    ("privileges-lost", "DROP VIEW v; CREATE VIEW v AS SELECT id, a FROM t"),
    ("invalid-index-leftover", "CREATE INDEX CONCURRENTLY IF NOT EXISTS broken ON t (b)"),
    ("name-collision", "CREATE TABLE p (id bigint PRIMARY KEY)"),
    ("pk-index-nullable-scan", "ALTER TABLE heap ADD PRIMARY KEY USING INDEX heap_b"),
]
CLEAN = [
    "ALTER TABLE t ALTER COLUMN b SET NOT NULL",
    "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (pid) REFERENCES p (id) NOT VALID",
    "CREATE UNIQUE INDEX CONCURRENTLY u ON t (vc)",
    "CREATE EXTENSION IF NOT EXISTS plpgsql",
    "CREATE TABLE IF NOT EXISTS p (id bigint PRIMARY KEY)",
    "CREATE OR REPLACE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE IF EXISTS nothing_of_that_name",
]

# The rule whose rewrite is run; the statement; a query whose result must be the same after either.
COLUMNS = ("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass"
           " AND attnum > 0 AND NOT attisdropped ORDER BY attname")
CONSTRAINTS = ("SELECT conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE connamespace ="
               " 'public'::regnamespace ORDER BY conname")
INDEXES = ("SELECT c.relname, i.indisvalid, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
           " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1")
REWRITES = [
    ("index-create-blocking", "CREATE INDEX i ON t (b)", INDEXES),
    ("index-create-blocking", "CREATE INDEX i ON pt (id)", "SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass"),
    ("index-drop-blocking", "DROP INDEX t_a", INDEXES),
    ("reindex-blocking", "REINDEX TABLE t", INDEXES),
    ("fk-validating", "ALTER TABLE c ADD CONSTRAINT k FOREIGN KEY (pid) REFERENCES p (id)", CONSTRAINTS),
    ("fk-validating", "ALTER TABLE t ADD COLUMN z bigint DEFAULT 1 REFERENCES p", CONSTRAINTS),
    ("check-validating", "ALTER TABLE t ADD CONSTRAINT k CHECK (b >= 0)", CONSTRAINTS),
    ("unique-blocking", "ALTER TABLE t ADD CONSTRAINT u UNIQUE (vc)", CONSTRAINTS),
    ("unique-blocking", "ALTER TABLE t ADD COLUMN z int UNIQUE", CONSTRAINTS),
    ("pk-blocking", "ALTER TABLE heap ADD PRIMARY KEY (a)", CONSTRAINTS),
    ("pk-index-nullable-scan", "ALTER TABLE heap ADD PRIMARY KEY USING INDEX heap_b", CONSTRAINTS),
    ("not-null-scan", "ALTER TABLE t ALTER COLUMN d SET NOT NULL", COLUMNS),
    ("domain-constraint-scan", "ALTER DOMAIN pos ADD CONSTRAINT k CHECK (VALUE > 0)",
     "SELECT conname FROM pg_constraint WHERE contypid <> 0"),
    ("add-column-volatile-default", "ALTER TABLE t ADD COLUMN z float8 DEFAULT random()", COLUMNS),
    ("add-column-autoincrement", "ALTER TABLE t ADD COLUMN z bigserial",
     "SELECT attnotnull, pg_get_serial_sequence('t', 'z') FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'z'"),
    ("add-column-stored-generated", "ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (b * 2) STORED",
     "SELECT sum(z), count(z) FROM t"),
    ("add-column-inline-check-scan", "ALTER TABLE t ADD COLUMN z int CHECK (z > 0)", CONSTRAINTS),
    ("partition-attach-scan", "ALTER TABLE pt ATTACH PARTITION ptn FOR VALUES FROM (20) TO (30)",
     "SELECT inhrelid::regclass FROM pg_inherits ORDER BY 1::text"),
    ("partition-create-parent-lock", "CREATE TABLE pt9 PARTITION OF pt FOR VALUES FROM (90) TO (99)",
     "SELECT inhrelid::regclass FROM pg_inherits ORDER BY 1::text"),
    ("partition-detach-blocking", "ALTER TABLE pt DETACH PARTITION pt2", "SELECT inhrelid::regclass FROM pg_inherits ORDER BY 1::text"),
    ("matview-refresh-blocking", "REFRESH MATERIALIZED VIEW mv", "SELECT count(*) FROM mv"),
    ("multi-alter-same-table", "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD COLUMN y int", COLUMNS),
    ("delete-unbounded", "DELETE FROM t WHERE d < '2021-01-01'", "SELECT count(*) FROM t"),
    ("truncate", "TRUNCATE t", "SELECT count(*) FROM t"),
    ("backfill-unbatched", "UPDATE t SET m = 'new' WHERE m IS NULL", "SELECT m, count(*) FROM t GROUP BY m ORDER BY m"),
    ("rename-table", "ALTER TABLE p RENAME TO q", "SELECT count(*) FROM q"),
    ("rename-enum-value", "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "SELECT 'fine'::mood"),
    ("create-table-as-large", "CREATE TABLE n AS SELECT * FROM t", "SELECT attname FROM pg_attribute WHERE attrelid = 'n'::regclass ORDER BY 1"),
    ("type-narrowing", "ALTER TABLE t ALTER COLUMN vc TYPE varchar(20)", "SELECT max(char_length(vc)) <= 20 FROM t"),
    ("trigger-lock", "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION trg()", "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"),
    ("definer-search-path", "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'", "SELECT f()"),
    ("add-json-column", "CREATE TABLE n (id bigint PRIMARY KEY, doc json)", "SELECT count(*) FROM n"),
    ("type-int-key", "CREATE TABLE n (id int PRIMARY KEY, b int)", "SELECT count(*) FROM n"),
    ("unlogged-table", "CREATE UNLOGGED TABLE n (id bigint PRIMARY KEY)", "SELECT count(*) FROM n"),
]


class Lint(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = fleet.Fleet(transport="local")
        f.host("db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("shop", host="db1", schema=SCHEMA, after=AFTER)
        f.service("billing", host="db1", schema="CREATE TABLE bills (id bigint PRIMARY KEY);", extensions=["postgres_fdw"],
                  after=lambda fleet: f"""
                    CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{fleet.hosts["db1"].address}', port '{fleet.hosts["db1"].port}', dbname 'shop');
                    CREATE FOREIGN TABLE their_t (id bigint, a int) SERVER s OPTIONS (table_name 't');""")
        f.start()
        cls.addClassCleanup(f.stop)
        cls.host = f.hosts["db1"]
        cls.psql("shop", "CREATE UNIQUE INDEX CONCURRENTLY broken ON t (b)", fails=True)

    @classmethod
    def psql(cls, database, script, fails=False):
        """Statement by statement, outside of transactions of ours, as the database's superuser."""
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", cls.host.socket, "-p", str(cls.host.port),
                               "-U", "postgres", "-d", database], input=script, capture_output=True, text=True, check=False)
        if not fails and done.returncode != 0:
            raise AssertionError(f"{script}\n{done.stderr}")
        return done.stdout

    def dsn(self, database):
        return f"host={self.host.socket} port={self.host.port} user=postgres dbname={database}"

    def lint(self, sql, *args, database="shop"):
        done = subprocess.run([self.fleet_flotilla(), "lint", "-", "--format", "json", "--fail-on", "never", "--dsn",
                               self.dsn(database), *args], input=sql, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [f for s in json.loads(done.stdout)["files"][0]["statements"] for f in s["findings"]]

    def fleet_flotilla(self):
        return os.path.join(os.environ.get("FLOTILLA_BUILD", "build"), "flotilla")

    def test_what_the_catalog_and_the_rows_tell(self):
        for wanted, sql in FOUND:
            with self.subTest(sql):
                rules = {f["rule"] for f in self.lint("SET lock_timeout = '2s';\n" + sql + ";")}
                self.assertLessEqual(set(wanted.split()), rules)

    def test_what_the_catalog_allows(self):
        for sql in CLEAN:
            with self.subTest(sql):
                found = self.lint("SET lock_timeout = '2s';\n" + sql + ";")
                self.assertEqual([f for f in found if f["rule"] != "published-table-change"], [])

    def test_readers_in_other_services(self):
        f = self.fleet
        f.write("fleet.json", f.ok("inspect", "--format", "json").out)
        for sql, hit in (("ALTER TABLE t DROP COLUMN a", True), ("DROP TABLE t", True), ("ALTER TABLE t RENAME COLUMN a TO z", True),
                         ("ALTER TABLE t DROP COLUMN m", False), ("DROP TABLE p", False)):
            for source in ([], ["--catalog", "fleet.json"]):
                done = f.flotilla("lint", "-", "--format", "json", "--fail-on", "never", "--service", "shop", *source, stdin=sql + ";")
                self.assertEqual(done.code, 0, done)
                rules = {x["rule"] for s in json.loads(done.out)["files"][0]["statements"] for x in s["findings"]}
                self.assertEqual("dependents-elsewhere" in rules, hit, f"{sql} {source}")

    def test_rewrites_do_what_the_statement_was_to_do(self):
        self.psql("postgres", "CREATE DATABASE model")
        self.psql("model", SCHEMA)
        for number, (rule, sql, query) in enumerate(REWRITES):
            with self.subTest(f"{rule}: {sql}"):
                plain, safe = f"plain{number}", f"safe{number}"
                for name in (plain, safe):
                    self.psql("postgres", f"CREATE DATABASE {name} TEMPLATE model")
                found = self.lint(sql + ";", "--rules", rule, "--assume-rows", "*=1000000", database=safe)
                rewrite = found[0]["rewrite_sql"]
                self.assertIsNotNone(rewrite)
                self.assertEqual([f for f in self.lint(rewrite, "--rules", rule + ",syntax-error", database=safe)], [], rewrite)
                self.psql(plain, sql + ";")
                for _ in range(4 if "again" in rewrite or "in batches" in rewrite else 1):
                    if "again" in rewrite and "ALTER" not in rewrite:
                        self.psql(safe, rewrite)
                    elif "LIMIT 1000" in rewrite:
                        self.psql(safe, rewrite.replace("LIMIT 1000", "LIMIT 100000"))
                        break
                    else:
                        self.psql(safe, rewrite)
                self.assertEqual(self.psql(safe, query), self.psql(plain, query), rewrite)
                for name in (plain, safe):
                    self.psql("postgres", f"DROP DATABASE {name}")


if __name__ == "__main__":
    unittest.main()
