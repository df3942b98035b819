"""Reading catalogs of real databases: everything is there, no lock is waited for, nothing secret leaves."""

import json
import os
import subprocess
import threading
import time
import unittest

import jsonschema

import fleet
from pooler import pooler
import testing

RICH = """
CREATE SCHEMA app; CREATE SCHEMA flotilla; CREATE TABLE flotilla.journal (a int);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN mail AS text CHECK (VALUE ~ '@');
CREATE TYPE app.pair AS (a int, "B b" text);
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text COLLATE "C" NOT NULL UNIQUE,
    m mood DEFAULT 'ok', low text GENERATED ALWAYS AS (lower(email)) STORED, contact mail);
ALTER TABLE users ADD CONSTRAINT short CHECK (length(email) < 100) NOT VALID;
ALTER TABLE users ALTER low SET STATISTICS 500, ALTER low SET STORAGE EXTERNAL;
COMMENT ON TABLE users IS 'people'; COMMENT ON COLUMN users.email IS 'where to write';
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id int NOT NULL REFERENCES users ON DELETE CASCADE DEFERRABLE,
    total numeric(10,2), at timestamptz NOT NULL DEFAULT now());
CREATE INDEX orders_total ON orders (user_id, (total * 2)) INCLUDE (at) WHERE total > 5;
CREATE STATISTICS orders_st ON user_id, total FROM orders;
CREATE RULE keep AS ON DELETE TO orders DO ALSO NOTIFY gone;
CREATE TABLE app."odd.Name" ("Select" int); ALTER TABLE app."odd.Name" ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON app."odd.Name" FOR SELECT USING ("Select" > 0);
CREATE TABLE events (id bigint, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE VIEW mails AS SELECT u.id, u.email, (SELECT count(*) FROM orders) AS n FROM users u;
CREATE MATERIALIZED VIEW mail_copy AS SELECT email FROM mails;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := trim(NEW.email); RETURN NEW; END $$;
CREATE FUNCTION mail_of(i int) RETURNS text BEGIN ATOMIC SELECT email FROM users WHERE id = i; END;
CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE SEQUENCE app.tickets AS int INCREMENT 5 CYCLE;
GRANT SELECT ON users TO PUBLIC; GRANT UPDATE (email) ON users TO PUBLIC;
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
CREATE TABLE schema_migrations (version varchar PRIMARY KEY);
INSERT INTO users (email) SELECT 's3cret' || n || '@x' FROM generate_series(1, 50) n;
INSERT INTO events SELECT n, '2026-02-01' FROM generate_series(1, 70) n;
"""

AFTER = """
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db1', port '5433', dbname 'x');
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'u', password 's3cret');
CREATE FOREIGN TABLE far_users (uid int OPTIONS (column_name 'id'), email text) SERVER far OPTIONS (table_name 'users');
CREATE PUBLICATION feed FOR TABLE users (id, email), orders; CREATE PUBLICATION app_feed FOR TABLES IN SCHEMA app;
ANALYZE;
"""


def other_service(f):
    """A foreign table on the service users, and a subscription to its publication that never connects."""
    host = f.hosts["db1"]
    return f"""
CREATE SERVER users_server FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host.address}', port '{host.port}', dbname 'users');
CREATE FOREIGN TABLE remote_users (uid int OPTIONS (column_name 'id'), email text) SERVER users_server OPTIONS (table_name 'users');
CREATE TABLE users (id int PRIMARY KEY, email text, low text);
CREATE SUBSCRIPTION copy CONNECTION 'host=nowhere password=s3cret' PUBLICATION feed WITH (connect = false, slot_name = NONE);
"""


class Inspect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = fleet.Fleet(transport="local")
        f.host("db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("users", host="db1", schema=RICH, extensions=["postgres_fdw"], after=AFTER)
        f.service("orders", host="db1", schema="CREATE TABLE t (id int PRIMARY KEY);",
                  extensions=["postgres_fdw"], after=other_service, references=["t(id) -> users:users(id)"])
        f.start()
        cls.addClassCleanup(f.stop)
        cls.dsn = f.conninfo("db1", "users", "flotilla")

    def catalog(self, *args):
        return json.loads(self.fleet.ok("inspect", *(args or ["--service", "users"]), "--format", "json").out)

    def relation(self, catalog, name):
        return next(r for r in catalog["relations"] if r["name"] == name)

    def test_each_object_has_a_fingerprint(self):
        before = self.catalog()["fingerprints"]
        self.assertLessEqual({"public.users", "type public.mood", "publication feed", "server far"}, set(before))
        self.fleet.sql("users", "COMMENT ON TABLE orders IS 'changed'")
        after = self.catalog()["fingerprints"]
        self.fleet.sql("users", "COMMENT ON TABLE orders IS NULL")
        self.assertEqual({"public.orders"}, {k for k in set(before) | set(after) if before.get(k) != after.get(k)})

    def test_everything_is_there(self):
        c = self.catalog()
        self.assertEqual([], c["unreadable"])
        self.assertNotIn("s3cret", json.dumps(c))
        self.assertNotIn("flotilla", [s["name"] for s in c["schemas"]])
        users = self.relation(c, "users")
        column = {x["name"]: x for x in users["columns"]}
        self.assertEqual("always", column["id"]["identity"])
        self.assertEqual(("where to write", 'pg_catalog."C"'), (column["email"]["comment"], column["email"]["collation"]))
        self.assertEqual(("public.mood", "'ok'::public.mood"), (column["m"]["type"], column["m"]["default_expr"]))
        self.assertEqual(("stored", 500, "EXTERNAL"), tuple(column["low"][k] for k in ("generated", "statistics", "storage")))
        self.assertEqual((50, "people"), (users["rows"], users["comment"]))
        self.assertFalse(next(k for k in users["constraints"] if k["name"] == "short")["validated"])
        self.assertEqual("public.touch", users["triggers"][0]["function"])
        orders = self.relation(c, "orders")
        key = next(k for k in orders["constraints"] if k["kind"] == "foreign key")
        self.assertEqual(("users", ["id"], "cascade", True),
                         tuple(key[k] for k in ("ref_table", "ref_columns", "on_delete", "deferrable")))
        index = next(i for i in orders["indexes"] if i["name"] == "orders_total")
        self.assertEqual((["user_id", "", "at"], 2, True), tuple(index[k] for k in ("columns", "key_count", "has_expressions")))
        self.assertIn("total > ", index["predicate"])
        self.assertTrue(orders["rules"] and orders["statistics"])
        self.assertEqual(['public.orders.*', 'public.users.email', 'public.users.id'], self.relation(c, "mails")["reads"])
        events = self.relation(c, "events")
        self.assertEqual(("RANGE (at)", 70), (events["partition_key"], events["rows"]))
        self.assertEqual("public.events", self.relation(c, "events_2026")["parent"])
        far = self.relation(c, "far_users")
        self.assertEqual(("far", "public", "users", "column_name=id"),
                         (far["server"], far["foreign_schema"], far["foreign_table"], far["columns"][0]["options"]))
        self.assertEqual({"name": "far", "wrapper": "postgres_fdw", "owner": "postgres", "host": "db1", "port": "5433",
                          "database": "x"}, c["servers"][0])
        published = {p["name"]: p["tables"] for p in c["publications"]}
        self.assertEqual({"feed": ["public.orders", "public.users(email, id)"], "app_feed": ['app."odd.Name"']}, published)
        self.assertEqual(["public.users.email", "public.users.id"],
                         next(f for f in c["functions"] if f["name"] == "mail_of")["reads"])
        self.assertNotIn("postgres_fdw_handler", [f["name"] for f in c["functions"]])
        self.assertEqual({"Alembic", "dbmate"}, {h["tool"] for h in c["histories"]})
        self.assertEqual({"public.mood", "public.mail", "app.pair"}, {f"{t['schema']}.{t['name']}" for t in c["types"]})
        jsonschema.validate(c, json.loads(testing.read("schemas/catalog.schema.json")))

    def test_every_way_gives_the_same(self):
        by_agent, direct = self.catalog(), self.catalog("--dsn", self.dsn)
        self.assertEqual(by_agent["fingerprint"], direct["fingerprint"])
        for key in ("relations", "functions", "types", "sequences"):
            self.assertEqual([dict(x, bytes=0, indexes=0) for x in by_agent[key]],
                             [dict(x, bytes=0, indexes=0) for x in direct[key]])
        saved = self.fleet.write("users.json", json.dumps(by_agent)) or os.path.join(self.fleet.work, "users.json")
        self.assertEqual(by_agent, self.catalog("--catalog", saved))
        text = self.fleet.ok("inspect", "--service", "users").out
        for words in ("users (users-1): database users, PostgreSQL", "1 NOT VALID constraint", "2 partitions",
                      "reads public.users of server far", "Alembic, in public.alembic_version"):
            self.assertIn(words, text)

    def test_the_whole_fleet(self):
        whole = self.catalog("--manifest", "fleet.yaml")
        self.assertEqual({"users", "orders"}, {c["service"] for c in whole["catalogs"]})
        graph = json.loads(self.fleet.ok("graph", "--format", "json").out)
        self.assertNotIn("s3cret", json.dumps(whole))
        across = [(e["from"], e["to"], e["kind"], e["confidence"]) for e in graph["edges"] if e["from"].startswith("orders")]
        self.assertEqual([("orders:remote_users(email)", "users:users(email)", "foreign_table", 100),
                          ("orders:remote_users(uid)", "users:users(id)", "foreign_table", 100),
                          ("orders:t(id)", "users:users(id)", "reference", 100),
                          ("orders:users(email)", "users:users(email)", "publication", 100),
                          ("orders:users(id)", "users:users(id)", "publication", 100)], sorted(across))
        self.assertEqual([["users"], ["orders"]], graph["waves"])
        self.fleet.write("whole.json", json.dumps(whole))
        again = json.loads(self.fleet.ok("graph", "--catalog", "whole.json", "--format", "json").out)
        self.assertEqual(graph, again)

    def test_a_locked_table_is_not_waited_for(self):
        f = self.fleet
        before = self.catalog()
        holder = subprocess.Popen(["psql", "-qAt", "-d", f.conninfo("db1", "users", "postgres") + " application_name=migrator"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.kill)
        holder.stdin.write("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_backend_pid();\n")
        holder.stdin.flush()
        pid = holder.stdout.readline().strip()
        began = time.monotonic()
        c = self.catalog()
        text = f.ok("inspect", "--service", "users").out
        # Both ended while the lock was held; had they waited, they would wait for ever.
        self.assertLess(time.monotonic() - began, 100)
        users = self.relation(c, "users")
        self.assertTrue(users["incomplete"])
        self.assertEqual(["id", "email", "m", "low", "contact"], [x["name"] for x in users["columns"]])
        reasons = {u["object"]: u["reason"] for u in c["unreadable"]}
        self.assertEqual({f"locked by pid {pid} (migrator)"}, set(reasons.values()))
        self.assertIn("public.users: generated column low", reasons)
        self.assertIn("public.users: index users_pkey", reasons)
        # What has no columns of the table in it can be read all the same.
        self.assertEqual("'ok'::public.mood", users["columns"][2]["default_expr"])
        self.assertEqual("PRIMARY KEY (id)", next(k for k in users["constraints"] if k["kind"] == "primary key")["definition"])
        self.assertIn("EXECUTE FUNCTION public.touch()", users["triggers"][0]["definition"])
        self.assertIn("definition of public.mails", reasons)
        self.assertNotIn("public.orders: index orders_total", reasons)
        self.assertEqual(self.relation(before, "orders")["constraints"], self.relation(c, "orders")["constraints"])
        self.assertIn(f"locked by pid {pid} (migrator)", text)
        self.assertIn(f"definition of public.mails could not be read (locked by pid {pid} (migrator)): edges of it may "
                      "be missing\n", f.ok("graph").err)
        holder.communicate("ROLLBACK;\n")
        self.assertEqual(before["fingerprint"], self.catalog()["fingerprint"])

    def test_a_catalog_that_moves_is_read_again(self):
        f, stop = self.fleet, threading.Event()

        def change():
            quiet = {**os.environ, "PGOPTIONS": "-c client_min_messages=error"}
            with subprocess.Popen(["psql", "-q", "-d", f.conninfo("db1", "users", "postgres")], text=True,
                                  stdin=subprocess.PIPE, env=quiet) as psql:
                n = 0
                while not stop.is_set():
                    n += 1
                    psql.stdin.write(f"CREATE TABLE app.moving (a int DEFAULT {n}, b text DEFAULT 'x');\n"
                                     f"CREATE VIEW app.moving_view AS SELECT a FROM app.moving;\n"
                                     "DROP TABLE app.moving CASCADE;\n")
                    psql.stdin.flush()
                    time.sleep(0.002)

        worker = threading.Thread(target=change)
        worker.start()
        try:
            for _ in range(6):
                c = self.catalog("--dsn", self.dsn)
                warned = [u for u in c["unreadable"] if u["object"] == "catalog"]
                for r in c["relations"]:
                    if r["name"] == "moving" and not warned:
                        self.assertTrue(all("default_expr" in x for x in r["columns"]), r)
        finally:
            stop.set()
            worker.join()
        self.assertEqual([], self.catalog()["unreadable"])

    def test_what_cannot_be_reached_is_named(self):
        run = self.fleet.flotilla("inspect", "--service", "user")
        self.assertEqual(1, run.code)
        self.assertIn('did you mean "users"?', run.err)
        run = self.fleet.flotilla("inspect", "--dsn", self.dsn.replace("dbname=users", "dbname=nowhere"))
        self.assertEqual(1, run.code)
        self.assertIn('database "nowhere" does not exist', run.err)
        run = self.fleet.flotilla("inspect", "--dsn", "host=x password s3cret")
        self.assertEqual(1, run.code)
        self.assertNotIn("s3cret", run.err)

    def test_the_connection_itself(self):
        program = os.path.join(testing.BUILD, "tests/test_connection")
        run = subprocess.run([program], capture_output=True, text=True, check=False,
                             env={**os.environ, "FLOTILLA_TEST_CONNINFO": self.fleet.conninfo("db1", "orders", "postgres"),
                                  "CMOCKA_MESSAGE_OUTPUT": "STDOUT"})
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertIn("copies_stream_both_ways", run.stdout + run.stderr)

    def test_a_pooler_is_refused(self):
        f, port = self.fleet, pooler(self, self.fleet, "postgres")
        run = None
        for _ in range(100):
            run = f.flotilla("inspect", "--dsn", f"host=127.0.0.1 port={port} dbname=users user=postgres")
            if "Connection refused" not in run.err:
                break
            time.sleep(0.1)
        self.assertEqual(1, run.code)
        self.assertIn("a connection pooler is in between", run.err)


if __name__ == "__main__":
    unittest.main()
