#!/usr/bin/python3
"""Where new objects land and whose they are. The agent's role has a schema of its own name and owns
nothing of the application's: what a plan makes is found where the application looks, and belongs to
the role that owns what is there."""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import Fleet  # noqa: E402

SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, name text, number bigserial, price numeric);
INSERT INTO items (id, name) SELECT i, 'n' || i FROM generate_series(1, 500) i;
CREATE SCHEMA app; CREATE TABLE app.lists (id int PRIMARY KEY);
ANALYZE;
"""
DDL = """
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 9);
CREATE SEQUENCE numbers;
CREATE TABLE notes (id serial PRIMARY KEY, mood mood, short short);
CREATE TABLE IF NOT EXISTS items (id int);
CREATE VIEW cheap AS SELECT id FROM items WHERE price < 10;
CREATE MATERIALIZED VIEW names AS SELECT name FROM items;
CREATE SCHEMA extra;
"""
OWNED = """
SELECT n.nspname, c.relname, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'v', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'flotilla')
AND n.nspname !~ '^pg_' AND c.relname !~ '^pg_stat'
UNION ALL SELECT n.nspname, typname, pg_get_userbyid(typowner) FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
WHERE typtype IN ('e', 'd') AND n.nspname IN ('public', 'flotilla')
UNION ALL SELECT 'schema', nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname IN ('extra', 'app')
UNION ALL SELECT 'flotilla', relname, 'misplaced' FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = 'flotilla' AND relname IN ('notes', 'cheap', 'names', 'numbers') ORDER BY 1, 2
"""


class Owners(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.fleet = Fleet(transport="local")
        self.fleet.host("db1")
        self.fleet.owner("team", "ana@example.org", "raj@example.org")
        self.fleet.service("shop", host="db1", owners=["team"], schema=SCHEMA)
        self.fleet.start()
        self.addCleanup(self.fleet.stop)

    def through(self, **change):
        f = self.fleet
        before = f.catalog("shop"), f.rows("shop")
        f.write("change.yaml", json.dumps(dict(title="New", author="kim@example.org", **change)))
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        f.ok("start", "plan.yaml", codes=(0, 3))
        f.flotilla("ack", "shop", "--plan", "plan.yaml")
        f.ok("promote", codes=(0, 1))
        self.assertIn("done", f.ok("status").out)
        return before

    def back(self, before):
        self.fleet.ok("rollback")
        self.assertEqual(before[0], self.fleet.catalog("shop"))
        self.assertEqual(before[1], self.fleet.rows("shop"))

    def all_owned(self):
        found = self.fleet.sql("shop", OWNED)
        self.assertEqual(set(), {tuple(row) for row in found if row[2] != "shop_owner"})
        return {row[1] for row in found}

    def test_ddl(self):
        before = self.through(sql={"shop": DDL})
        self.assertLessEqual({"notes", "mood", "short", "numbers", "cheap", "names", "extra", "notes_id_seq"},
                             self.all_owned())
        self.assertEqual("0", self.fleet.value("shop", "SELECT count(*) FROM notes", role="shop_owner"))
        self.back(before)

    def test_intents(self):
        before = self.through(intents=[
            {"create_table": {"service": "shop", "table": "new", "primary_key": ["id"], "columns": [
                {"column": "id", "type": "int", "nullable": False}]}},
            {"add_column": {"service": "shop", "table": "items", "column": "again", "type": "int",
                            "identity": "always"}},
            {"sql": {"service": "shop", "up": "CREATE VIEW all_items AS SELECT * FROM items",
                     "down": "DROP VIEW all_items"}}])
        self.assertLessEqual({"new", "all_items", "items_again_seq"}, self.all_owned())
        self.back(before)

    def test_a_sequence_comes_back_as_its_table_s_owner(self):
        before = self.through(intents=[{"drop_column": {"service": "shop", "table": "items", "column": "number"}}])
        self.back(before)
        self.all_owned()

    def test_a_search_path_of_the_database(self):
        self.fleet.sql("shop", "ALTER DATABASE shop SET search_path = \"$user\", app, public")
        before = self.through(sql={"shop": "CREATE TABLE entries (id int PRIMARY KEY REFERENCES lists);"})
        self.assertEqual([["app", "shop_owner"]], self.fleet.sql("shop", """
            SELECT nspname, pg_get_userbyid(relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relname = 'entries'"""))
        self.back(before)


if __name__ == "__main__":
    unittest.main()
