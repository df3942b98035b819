#!/usr/bin/python3
"""Ways back that rows written since stand in the way of: each ends, and says what it had to leave.

A column or constraint is dropped to the end, clients write what only the new shape allows, and the
rollout is taken back by the programs. Where the intent says how to fill, nothing is left; where it does
not, what cannot be is named in the event, in the status, and was announced in the plan.
"""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import Fleet  # noqa: E402

TABLE = """CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT n FROM generate_series(1, 50) n;
CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL, w text NOT NULL DEFAULT 'w', n serial, u int,
    p int CONSTRAINT to_parent REFERENCES parent (id), CONSTRAINT short CHECK (length(v) < 9), CONSTRAINT one UNIQUE (u));
COMMENT ON CONSTRAINT one ON t IS 'each once';
INSERT INTO t (id, v, u, p) SELECT n, 'v' || n, n, n FROM generate_series(1, 50) n;
"""


class WaysBack(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(transport="local")
        cls.fleet.host("db1")
        cls.fleet.owner("team", "ana@example.org", "raj@example.org")
        cls.fleet.service("svc", host="db1", schema=TABLE)
        cls.fleet.start()
        cls.addClassCleanup(cls.fleet.stop)

    def setUp(self):
        self.fleet.reset("svc")

    def psql(self, sql):
        f = self.fleet
        return f._psql(f.hosts["db1"], "svc", "svc_owner", "\\pset format unaligned\n\\pset tuples_only on\n" + sql).strip()

    def there(self, intent):
        """The change to its end."""
        f = self.fleet
        f.write("change.yaml", json.dumps({"title": "away", "author": "dev@example.org", "intents": [
            {op: dict(keys, service="svc") for op, keys in one.items()} for one in intent]}))
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        f.ok("start", "plan.yaml", codes=(0, 3))
        f.ok("ack", "svc", "--plan", "plan.yaml", codes=(0, 1))
        f.ok("promote")
        return f.ok("show", "plan.yaml", "--format", "json").out

    def back(self):
        """Goes back; gives what was left, which the events and the status say alike."""
        f = self.fleet
        f.ok("rollback")
        status = json.loads(f.ok("status", "--format", "json").out)
        self.assertEqual(status["status"], "rolled_back")
        left = [line for task in status["tasks"] for line in task.get("left", "").split("\n") if line]
        told = [line for event in map(json.loads, f.ok("logs", "--format", "ndjson").out.strip().split("\n"))
                for line in event.get("measured", {}).get("left", [])]
        self.assertEqual(sorted(set(told)), sorted(left))
        shown = f.ok("status").out
        for line in left:
            self.assertIn("left: " + line, shown)
        return left

    def column(self, name):
        return self.psql("SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = "
                         f"'{name}'")

    def test_a_required_column_without_a_value(self):
        shown = self.there([{"drop_column": {"table": "t", "column": "v"}}])
        self.assertIn("without NOT NULL, with the check v_not_null (NOT VALID)", shown)
        self.psql("INSERT INTO t (id) VALUES (77); UPDATE t SET w = 'x' WHERE id = 3")
        left = self.back()
        self.assertEqual(len(left), 1, left)
        self.assertIn("public.t: v may be null", left[0])
        self.assertEqual(self.column("v"), "f")
        self.assertEqual(self.psql("SELECT count(*) FROM t WHERE v = 'v' || id"), "50")
        self.assertEqual(self.psql("SELECT convalidated FROM pg_constraint WHERE conname = 'v_not_null'"), "f")
        with self.assertRaises(RuntimeError):
            self.psql("INSERT INTO t (id) VALUES (78)")
        # what the message says to do
        self.psql("UPDATE t SET v = 'late' WHERE v IS NULL; ALTER TABLE t VALIDATE CONSTRAINT v_not_null;"
                  "ALTER TABLE t ALTER v SET NOT NULL; ALTER TABLE t DROP CONSTRAINT v_not_null")

    def test_nothing_written_since(self):
        before = self.fleet.catalog("svc")
        self.there([{"drop_column": {"table": "t", "column": "v"}}, {"drop_column": {"table": "t", "column": "n"}}])
        self.assertEqual(self.back(), [])
        self.assertEqual(before, self.fleet.catalog("svc"))

    def test_fill_gives_it_one(self):
        before = self.fleet.catalog("svc")
        self.there([{"drop_column": {"table": "t", "column": "v", "fill": "'f' || id"}}])
        self.psql("INSERT INTO t (id) VALUES (77)")
        self.assertEqual(self.back(), [])
        self.assertEqual(self.psql("SELECT v FROM t WHERE id = 77"), "f77")
        self.assertEqual(before, self.fleet.catalog("svc"))

    def test_numbers_go_on(self):
        before = self.fleet.catalog("svc")
        self.there([{"drop_column": {"table": "t", "column": "n"}}])
        self.psql("INSERT INTO t (id, v) VALUES (77, 'v'), (78, 'v')")
        self.assertEqual(self.back(), [])
        self.assertEqual(self.psql("SELECT count(*), count(DISTINCT n), max(n) FROM t"), "52|52|52")
        self.assertEqual(self.psql("INSERT INTO t (id, v) VALUES (79, 'v') RETURNING n"), "53")
        self.assertEqual(before, self.fleet.catalog("svc"))

    def test_duplicates(self):
        self.there([{"drop_constraint": {"table": "t", "name": "one"}}])
        self.psql("INSERT INTO t (id, v, u) VALUES (77, 'v', 7)")
        left = self.back()
        self.assertEqual(len(left), 2, left)
        self.assertTrue(any("duplicates" in line and "CREATE UNIQUE INDEX CONCURRENTLY" in line for line in left), left)
        self.assertTrue(any("ADD CONSTRAINT" in line for line in left), left)
        self.assertEqual(self.psql("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass"), "1")

    def test_rows_that_break_a_check_and_a_key(self):
        self.there([{"drop_constraint": {"table": "t", "name": "short"}}, {"drop_constraint": {"table": "t", "name": "to_parent"}}])
        self.psql("INSERT INTO t (id, v, p) VALUES (77, 'longer than before', 99)")
        left = self.back()
        self.assertEqual(len(left), 2, left)
        self.assertEqual(self.psql("SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE conrelid = "
                                   "'t'::regclass AND NOT convalidated"), "short to_parent")

    def test_a_column_that_may_be_null(self):
        self.there([{"drop_not_null": {"table": "t", "column": "v"}}])
        self.psql("INSERT INTO t (id) VALUES (77)")
        self.assertEqual(len(self.back()), 1)
        self.fleet.reset("svc")
        before = self.there([{"drop_not_null": {"table": "t", "column": "v", "fill": "w"}}])
        self.assertTrue(before)
        self.psql("INSERT INTO t (id) VALUES (77)")
        self.assertEqual(self.back(), [])
        self.assertEqual(self.psql("SELECT v FROM t WHERE id = 77"), "w")
        self.assertEqual(self.column("v"), "t")

    def test_values_written_since_stay(self):
        before = self.fleet.catalog("svc")
        self.psql("UPDATE t SET u = NULL WHERE id > 40")
        self.there([{"data_backfill": {"table": "t", "set": {"w": "'all'"}}},
                    {"data_backfill": {"table": "t", "set": {"v": "upper(v)"}, "where": "id > 10"}},
                    {"set_not_null": {"table": "t", "column": "u", "backfill": "-id"}}])
        self.assertEqual(self.psql("SELECT count(*) FROM t WHERE w = 'all'"), "50")
        self.psql("UPDATE t SET w = 'mine', v = 'mine', u = 900 WHERE id = 45")
        self.assertEqual(self.back(), [])
        self.assertEqual(self.psql("SELECT w, v, u FROM t WHERE id = 45"), "mine|mine|900")
        self.assertEqual(self.psql("SELECT count(*) FROM t WHERE w = 'w' AND v = 'v' || id"), "49")
        self.assertEqual(self.psql("SELECT count(*) FROM t WHERE u IS NULL"), "9")
        self.assertEqual(before, self.fleet.catalog("svc"))


if __name__ == "__main__":
    unittest.main()
