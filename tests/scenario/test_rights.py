"""A clone belongs to the role of rehearsals, so whatever is rehearsed there is allowed there. What the real
role may not do in the real database is found by asking that, before anything is signed."""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import Fleet  # noqa: E402  pylint: disable=wrong-import-position

SCHEMA = "CREATE TABLE items (id int PRIMARY KEY, name text); INSERT INTO items SELECT n, 'n' FROM generate_series(1, 9) n;"
# after the owner's schema, by a superuser: what other people have in the same database
OTHERS = """
CREATE ROLE auditors; CREATE ROLE bob;
CREATE SCHEMA attic AUTHORIZATION bob;
CREATE TABLE attic.things (id int PRIMARY KEY, n int); ALTER TABLE attic.things OWNER TO bob;
CREATE FUNCTION attic.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
ALTER FUNCTION attic.stamp() OWNER TO bob;
CREATE TYPE attic.mood AS ENUM ('good'); ALTER TYPE attic.mood OWNER TO bob;
CREATE TABLE hidden (id int PRIMARY KEY, n int); ALTER TABLE hidden OWNER TO bob; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON hidden USING (id < 3);
GRANT USAGE ON SCHEMA attic TO flotilla; GRANT ALL ON hidden TO flotilla;
"""


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = Fleet(transport="local")
        f.host("db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("shop", host="db1", owners=["team"], schema=SCHEMA)
        f.start()
        cls.addClassCleanup(f.stop)
        f.sql("shop", OTHERS)

    def rehearsed(self, up, down="SELECT 1", **more):
        sql = dict({"service": "shop", "up": up, "note": "By hand"}, **more)
        if down:
            sql["down"] = down
        self.fleet.write("change.yaml", json.dumps(
            {"title": "Rights", "author": "kim@example.org", "intents": [{"sql": sql}]}))
        self.fleet.ok("draft", "change.yaml", "-o", "plan.yaml")
        return self.fleet.flotilla("rehearse", "plan.yaml")

    def test_each_right_that_is_missing_is_named_with_its_grant(self):
        cases = [
            ("ALTER TABLE items OWNER TO auditors", "is no member of auditors", "GRANT auditors TO flotilla"),
            ("ALTER TABLE items OWNER TO nobody_here", "there is no role nobody_here", "CREATE ROLE nobody_here"),
            ("ALTER TABLE attic.things ADD COLUMN m int", "must own attic.things, which belongs to bob",
             "GRANT bob TO flotilla"),
            ("CREATE INDEX things_n ON attic.things (n)", "must own attic.things", "GRANT bob"),
            ("COMMENT ON COLUMN attic.things.n IS 'x'", "must own attic.things", "GRANT bob"),
            ("CREATE TABLE attic.more (id int)", "may not create objects in schema attic",
             "GRANT CREATE ON SCHEMA attic TO flotilla"),
            ("ALTER TABLE items ADD FOREIGN KEY (id) REFERENCES attic.things NOT VALID",
             "has no right to REFERENCES attic.things", "GRANT REFERENCES ON attic.things TO flotilla"),
            ("INSERT INTO attic.things VALUES (1, 1)", "has no right to INSERT attic.things", "GRANT INSERT"),
            ("ALTER FUNCTION attic.stamp() STABLE", "must own function attic.stamp()", "GRANT bob"),
            ("ALTER TYPE attic.mood RENAME VALUE 'good' TO 'fine'", "must own type attic.mood", "GRANT bob"),
            ("ALTER SCHEMA attic RENAME TO cellar", "must own schema attic", "GRANT bob"),
            ("UPDATE hidden SET n = 1 WHERE id = 5", "is kept from rows of hidden by row security", "BYPASSRLS"),
        ]
        for up, message, fix in cases:
            with self.subTest(up):
                run = self.rehearsed([up], irreversible="a test", down=None) if "RENAME" in up else self.rehearsed([up])
                self.assertEqual(run.code, 1, run)
                self.assertIn("NOT PROVEN", run.out)
                self.assertIn(message, run.out)
                self.assertIn(fix, run.out)

    def test_with_the_grant_it_is_proven_and_goes_through(self):
        f, up = self.fleet, ["ALTER TABLE items OWNER TO auditors"]
        down = ["ALTER TABLE items OWNER TO shop_owner"]
        self.assertEqual(self.rehearsed(up, down).code, 1)
        f.approve("plan.yaml")
        waiting = f.flotilla("start", "plan.yaml")
        self.assertEqual(waiting.code, 3, waiting)
        self.assertIn("rehears", waiting.out + waiting.err)
        f.sql("shop", "GRANT auditors TO flotilla;")
        run = self.rehearsed(up, down)
        self.assertIn("role auditors, which is to receive an object in schema public, may not create any there", run.out)
        f.sql("shop", "GRANT CREATE ON SCHEMA public TO auditors;")
        self.addCleanup(f.sql, "shop", "REVOKE auditors FROM flotilla; REVOKE CREATE ON SCHEMA public FROM auditors;")
        self.assertEqual(self.rehearsed(up, down).code, 0)
        f.approve("plan.yaml")
        f.ok("resume")
        self.assertEqual(f.value("shop", "SELECT relowner::regrole FROM pg_class WHERE relname = 'items'"), "auditors")
        f.ok("rollback")
        self.assertEqual(f.value("shop", "SELECT relowner::regrole FROM pg_class WHERE relname = 'items'"), "shop_owner")


if __name__ == "__main__":
    unittest.main()
