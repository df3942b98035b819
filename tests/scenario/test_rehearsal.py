"""Rehearsals: clones that look like the database, up, down, up, and what they bring to light."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import fleet  # noqa: E402  pylint: disable=wrong-import-position
from agent import Agent, AgentError, Part  # noqa: E402  pylint: disable=wrong-import-position

SHOP = """
CREATE EXTENSION IF NOT EXISTS citext;
CREATE SCHEMA "Odd one";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN price AS numeric(10,2) DEFAULT 0 CONSTRAINT positive CHECK (VALUE >= 0);
CREATE TYPE pair AS (a integer, b text);
CREATE SEQUENCE numbers INCREMENT 5 START 100;
CREATE FUNCTION doubled(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY (START 7) PRIMARY KEY, email citext UNIQUE NOT NULL,
  feel mood DEFAULT 'sad', twice integer GENERATED ALWAYS AS (length(email)) STORED, number integer DEFAULT nextval('numbers'),
  cost price, two pair, note varchar(40) COLLATE "C", old_id serial, CONSTRAINT "Long note" CHECK (length(note) < 30));
CREATE FUNCTION standard(n integer) RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM users WHERE id = n; END;
COMMENT ON COLUMN users.note IS 'what''s up';
CREATE INDEX users_lower ON users (lower(note)) WHERE feel <> 'sad';
CREATE TABLE "Odd one"."Order" (id bigint PRIMARY KEY, user_id integer NOT NULL REFERENCES public.users ON DELETE CASCADE, at timestamptz DEFAULT now());
CREATE TABLE events (id bigint, at date NOT NULL, user_id integer REFERENCES users, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE INDEX events_user ON events (user_id);
CREATE VIEW moods AS SELECT id, feel, doubled(id) AS d FROM users;
CREATE VIEW second AS SELECT * FROM moods;
CREATE MATERIALIZED VIEW counts AS SELECT feel, count(*) AS n FROM second GROUP BY feel;
CREATE UNIQUE INDEX counts_feel ON counts (feel);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE OF note ON users FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER off AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE events DISABLE TRIGGER off;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON users FOR SELECT TO PUBLIC USING (id > 0);
CREATE POLICY put ON users FOR INSERT TO flotilla WITH CHECK (true);
CREATE STATISTICS more (dependencies) ON id, note FROM users;
GRANT SELECT, UPDATE (note) ON users TO flotilla;
GRANT SELECT ON moods TO flotilla WITH GRANT OPTION;
CREATE PUBLICATION news FOR TABLE users (id, note), events;
CREATE RULE nothing AS ON DELETE TO "Odd one"."Order" WHERE (old.id < 0) DO INSTEAD NOTHING;
INSERT INTO users (email) SELECT 'u' || n FROM generate_series(1, 100) n;
"""

ADD = dict(kind="statement", up=["ALTER TABLE public.users ADD COLUMN age integer"],
           down=["ALTER TABLE public.users DROP COLUMN age"], tags=["additive"],
           locks=[{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}])
INDEX = dict(kind="concurrently", up=["CREATE INDEX CONCURRENTLY users_age ON public.users (age)"],
             down=["DROP INDEX CONCURRENTLY public.users_age"], transaction=False, tags=["additive"])
FILL = dict(kind="backfill", up=["UPDATE public.users SET age = length(email) WHERE age IS NULL"],
            batch={"relation": "public.users", "by": "ctid"}, transaction=False, tags=["backfill"])
KEEP = dict(kind="snapshot", of="public.users", key=["id"], columns=["note"])
DROP = dict(kind="statement", up=["ALTER TABLE public.users ALTER COLUMN cost TYPE numeric(12,4)"],
            down=["ALTER TABLE public.users ALTER COLUMN cost TYPE price"], tags=["contract"])
WAIT = dict([("kind", "wait"), ("for", "1h")])
ASK = dict([("kind", "acknowledge"), ("from", "orders")])


class Rehearsal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = fleet.of_users(cls, SHOP)
        cls.agent = Agent(f, "db1")
        cls.addClassCleanup(cls.agent.stop)

    def part(self, phase, *steps):
        return Part(self.fleet, "users", phase, [dict(s) for s in steps])

    def rehearse(self, *parts):
        return self.agent.call("rehearse", database="users", parts=[p.json for p in parts])

    def tearDown(self):
        left = self.fleet.sql("users", "SELECT datname FROM pg_database WHERE datname LIKE 'flotilla_rehearsal%';")
        self.assertEqual(left, [])
        runs = os.path.join(self.agent.spool, "runs")
        self.assertEqual([n for n in os.listdir(runs) if n.startswith("rehearsal")], [])

    def test_up_down_up(self):
        before, rows = self.fleet.catalog("users"), self.fleet.rows("users")
        found = self.rehearse(self.part("expand", ADD, INDEX), self.part("migrate", FILL, WAIT, ASK),
                              self.part("contract", KEEP, DROP))
        self.assertNotIn("error", found)
        self.assertEqual(found["differences"], [])
        self.assertTrue(found["equal"])
        steps = {s["id"]: s for s in found["steps"]}
        self.assertEqual([s["ok"] for s in found["steps"]], [True] * 7)
        self.assertEqual(steps["expand/users/1"]["locks"], [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}])
        self.assertFalse(steps["expand/users/1"]["rewrite"])
        self.assertTrue(steps["contract/users/2"]["rewrite"])
        self.assertGreater(steps["migrate/users/1"]["rows"], 0)
        self.assertEqual(self.fleet.catalog("users"), before)
        self.assertEqual(self.fleet.rows("users"), rows)
        self.assertEqual(self.fleet.value("users", "SELECT to_regnamespace('flotilla') IS NULL"), "t")

    def test_a_way_back_that_is_not_one_is_found(self):
        found = self.rehearse(self.part("expand", dict(ADD, down=["ALTER TABLE public.users RENAME COLUMN age TO aged"])))
        self.assertFalse(found["equal"])
        self.assertTrue(any("aged" in line for line in found["differences"]), found)

    def test_a_statement_that_fails_is_named(self):
        found = self.rehearse(self.part("expand", ADD, dict(ADD, up=["ALTER TABLE public.users ADD COLUMN age text"])))
        self.assertFalse(found["equal"])
        self.assertEqual(found["steps"][1]["error"]["sqlstate"], "42701")
        self.assertIn("expand/users/2", found["error"]["message"])

    def test_made_up_rows_that_do_not_fit(self):
        note = dict(ADD, up=["ALTER TABLE public.users ADD COLUMN day date"],
                    down=["ALTER TABLE public.users DROP COLUMN day"])
        fill = dict(FILL, up=["UPDATE public.users SET day = note::date WHERE day IS NULL AND note IS NOT NULL"])
        found = self.rehearse(self.part("expand", note), self.part("migrate", fill))
        self.assertNotIn("error", found)
        self.assertTrue(found["equal"], found)
        self.assertTrue(any("rows that were made up do not fit" in line for line in found["notes"]), found["notes"])
        check = dict(ADD, up=["ALTER TABLE public.users ADD CONSTRAINT far CHECK (id > 1000)"],
                     down=["ALTER TABLE public.users DROP CONSTRAINT far"])
        self.assertTrue(self.rehearse(self.part("expand", check))["equal"])

    def test_made_up_rows_prove_nothing_about_real_ones(self):
        # no key to tell rows apart; one value for all
        self.fleet.sql("users", "CREATE TABLE plain (code text, feel mood); ALTER TABLE plain OWNER TO users_owner")
        self.addCleanup(self.fleet.sql, "users", "DROP TABLE plain")
        for column in ("code", "feel"):
            proof = dict(kind="verify", locks=[{"relation": "public.plain", "mode": "ACCESS SHARE"}],
                         check=f"SELECT NOT EXISTS (SELECT FROM public.plain GROUP BY {column} HAVING count(*) > 1)")
            found = self.rehearse(self.part("expand", proof))
            self.assertNotIn("error", found)

    def test_the_clone_looks_like_the_database(self):
        """A clone that is missing something would fail a step that names it."""
        holds = [
            "(SELECT count(*) FROM pg_policies) = 2",
            "(SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid AND relkind = 'r') = 2",
            "(SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.events_user'::regclass)",
            "to_regclass('public.events_1_pkey') IS NOT NULL AND to_regclass('public.counts_feel') IS NOT NULL",
            "(SELECT tgenabled FROM pg_trigger WHERE tgname = 'off' AND tgrelid = 'public.events'::regclass) = 'D'",
            "col_description('public.users'::regclass, 8) = 'what''s up'",
            "has_column_privilege('flotilla', 'public.users', 'note', 'UPDATE')",
            "(SELECT count(*) FROM pg_publication_rel) = 2",
            "(SELECT count(*) FROM pg_rules WHERE schemaname = 'Odd one') = 1",
            "pg_get_serial_sequence('public.users', 'old_id') = 'public.users_old_id_seq'",
            "(SELECT seqstart FROM pg_sequence WHERE seqrelid = 'public.users_id_seq'::regclass) = 7",
            "(SELECT count(*) FROM pg_statistic_ext) = 1",
            "(SELECT count(*) FROM public.users) > 0 AND (SELECT count(*) FROM \"Odd one\".\"Order\") > 0"]
        found = self.rehearse(self.part("expand", *[dict(kind="verify", check="SELECT " + h) for h in holds]))
        self.assertTrue(found["equal"], [found, holds[len(found["steps"]) - 1]])
        self.assertEqual([n for n in found["notes"] if "pg_stat_statements" not in n], [])

    def test_without_a_scratch_database_it_says_what_to_write(self):
        host, yaml = self.fleet.hosts["db1"], None
        with open(host.agent_yaml, encoding="utf-8") as f:
            yaml = f.read()
        config = self.fleet.agent_config("db1")
        del config["databases"]["users_scratch"]
        self.fleet.write(host.agent_yaml, fleet.yaml_text(config))
        try:
            other = Agent(self.fleet, "db1")
            self.addCleanup(other.stop)
            with self.assertRaises(AgentError) as caught:
                other.call("rehearse", database="users", parts=[self.part("expand", ADD).json])
        finally:
            self.fleet.write(host.agent_yaml, yaml)
        self.assertEqual(caught.exception.code, "refused")
        self.assertIn("purpose: scratch", caught.exception.error["hint"])

    def test_what_a_crash_left_is_dropped_later(self):
        name = "flotilla_rehearsal_1600000000_00aabbcc"
        self.fleet.sql("users", f"CREATE DATABASE {name} OWNER flotilla_scratch;")
        self.assertTrue(self.rehearse(self.part("expand", ADD))["equal"])

    def test_count_clean_and_snapshots(self):
        agent = self.agent
        self.assertEqual(agent.call("count", database="users", relation="users", predicate="id > 100")["count"], 6)
        with self.assertRaises(AgentError):
            agent.call("count", database="users", relation="users", predicate="nextval('numbers') > 0")
        part = Part(self.fleet, "users", "contract", [dict(KEEP), dict(ADD)])
        self.assertEqual(agent.run(part, rollout="clean").state, "done")
        kept = agent.call("snapshot", database="users", action="verify")["snapshots"]
        self.assertEqual([(s["rows"], s["ok"]) for s in kept], [(100, True)])
        self.assertEqual(agent.back(part, rollout="clean").state, "undone")
        self.assertEqual(agent.call("clean", database="users")["removed"], ["schema flotilla"])
        self.assertEqual(agent.call("clean", database="users")["removed"], [])


if __name__ == "__main__":
    unittest.main()
