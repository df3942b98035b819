"""flotilla lint where its own grammar ends, and for databases of one service that differ: the server
is asked through --dsn and through an agent, and every kind of instance is judged once."""

import json
import os
import unittest

import fleet

# The parser here refuses so many; a server reads them.
DEEP = "SELECT " + "(" * 3500 + "1" + ")" * 3500
GARBAGE = "ALTER TABLE t FROBNICATE"
BLOCK = "DO $$ BEGIN this is no statement; END $$"


class Grammar(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        f = cls.fleet = fleet.Fleet(transport="local")
        f.host("db1")
        f.host("db2", cluster="db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("orders", hosts=["db1", "db2"], owners=["team"],
                  schema="CREATE TABLE t (id bigint PRIMARY KEY, a int);"
                         " INSERT INTO t SELECT g, g FROM generate_series(1, 100) g; ANALYZE t;")
        f.start()
        cls.addClassCleanup(f.stop)

    def lint(self, sql, *arguments):
        path = os.path.join(self.fleet.work, "x.sql")
        self.fleet.write("x.sql", sql + ";\n")
        run = self.fleet.flotilla("lint", path, "--format", "json", *arguments)
        self.assertIn(run.code, (0, 2), run)
        return json.loads(run.out)["files"][0]["statements"]

    def asked(self, *arguments):
        deep, = self.lint(DEEP, *arguments)
        self.assertEqual(["unknown"], deep["tags"])
        self.assertTrue(deep["version_ok"] and deep["rewrite"])
        self.assertEqual(["not-analysed"], [f["rule"] for f in deep["findings"]])
        garbage, = self.lint(GARBAGE, *arguments)
        self.assertFalse(garbage["version_ok"])
        self.assertIn('refuses it: syntax error at or near "FROBNICATE"', garbage["fails"])
        self.assertEqual([{"relation": "public.t", "mode": "ACCESS EXCLUSIVE"}], garbage["locks"])
        block, = self.lint(BLOCK, *arguments)
        self.assertIn("refuses the block", block["fails"])
        good, = self.lint("ALTER TABLE t ADD COLUMN b int", *arguments)
        self.assertEqual(["additive"], good["tags"])

    def dsn(self):
        host = self.fleet.hosts["db1"]
        return f"host={host.socket} port={host.port} user=postgres dbname=orders_1"

    def test_the_database_of_dsn_is_asked(self):
        self.asked("--dsn", self.dsn())

    def test_the_agent_asks_in_a_scratch_database(self):
        self.asked("--service", "orders")
        left = self.fleet.sql("orders", "SELECT datname FROM pg_database WHERE datname ~ '^flotilla_'")
        self.assertEqual([], left)

    def draft(self, form, sql, *arguments):
        indented = "\n".join("      " + line for line in sql.splitlines())
        if form == "sql":
            text = f"title: x\nsql:\n  orders: |\n{indented}\n"
        else:
            text = ("title: x\nintents:\n  - sql:\n      service: orders\n      note: newer\n"
                    f"      irreversible: yes it is\n      up:\n        - |\n    {indented}\n")
        self.fleet.write("change.yaml", text)
        return self.fleet.flotilla("draft", os.path.join(self.fleet.work, "change.yaml"),
                                   "--format", "json", *arguments)

    def test_a_draft_asks_too(self):
        deep = "ALTER TABLE t ADD CONSTRAINT deep CHECK " + "(" * 3500 + "a > 0" + ")" * 3500 + " NOT VALID"
        for form in ("sql", "intents"):
            for where in ((), ("--dsn", self.dsn(), "--service", "orders")):
                with self.subTest(form=form, where=where):
                    run = self.draft(form, deep, *where)
                    self.assertEqual(0, run.code, run.err[:2000])
                    steps = [s for phase in json.loads(run.out)["phases"] for service in phase["services"]
                             for s in service["steps"] if "CONSTRAINT deep" in str(s.get("up"))]
                    self.assertEqual(1, len(steps))
                    self.assertIn("unknown", steps[0]["tags"])
                    self.fleet.write("plan.json", run.out)
                    shown = self.fleet.flotilla("show", os.path.join(self.fleet.work, "plan.json"))
                    self.assertEqual(0, shown.code, shown.err[:2000])
                    run = self.draft(form, GARBAGE, *where)
                    self.assertEqual(1, run.code)
                    self.assertIn('PostgreSQL 15 refuses it: syntax error at or near "FROBNICATE"', run.err)
                    self.assertIn("change.yaml:", run.err)
        known = self.fleet.ok("inspect", "--service", "orders", "--format", "json")
        self.fleet.write("saved.json", known.out)
        run = self.draft("sql", deep, "--catalog", os.path.join(self.fleet.work, "saved.json"))
        self.assertEqual(1, run.code)  # nobody to ask

    def test_nobody_to_ask_is_the_worst(self):
        deep, = self.lint(DEEP)
        self.assertEqual(["unknown"], deep["tags"])
        self.assertTrue(deep["rewrite"] and deep["full_scan"] and not deep["version_ok"])
        self.assertEqual(["syntax-error"], [f["rule"] for f in deep["findings"]])

    def test_instances_that_differ_are_judged_each(self):
        self.fleet.sql(("orders", 2), "ALTER TABLE t ADD CONSTRAINT nn CHECK (a IS NOT NULL)")
        try:
            sql = "SET lock_timeout = '1s'; ALTER TABLE t ALTER COLUMN a SET NOT NULL"
            both = self.lint(sql, "--service", "orders")[1]
            self.assertTrue(both["full_scan"])
            self.assertIn("not-null-scan", [f["rule"] for f in both["findings"]])
            self.fleet.sql(("orders", 1), "ALTER TABLE t ADD CONSTRAINT nn CHECK (a IS NOT NULL)")
            self.assertFalse(self.lint(sql, "--service", "orders")[1]["full_scan"])
            self.fleet.sql(("orders", 2), "ALTER TABLE t DROP CONSTRAINT nn")
            second = self.lint(sql, "--service", "orders")[1]
            self.assertIn("on orders-2 (PostgreSQL 15): ",
                          {f["rule"]: f["message"] for f in second["findings"]}["not-null-scan"])
        finally:
            for n in (1, 2):
                self.fleet.sql(("orders", n), "ALTER TABLE t DROP CONSTRAINT IF EXISTS nn")

    def test_a_fleet_of_several_versions(self):
        run = self.fleet.ok("inspect", "--service", "orders", "--all-instances", "--format", "json")
        known = json.loads(run.out)
        several = json.loads(run.out)
        items = several["catalogs"]
        items[1]["server_version"] = 180000
        self.assertEqual(len(items), 2)
        self.fleet.write("several.json", json.dumps(several))
        self.fleet.write("known.json", json.dumps(known))
        path = os.path.join(self.fleet.work, "several.json")
        newer = "ALTER TABLE t ADD CONSTRAINT nn NOT NULL a NOT VALID"
        said, = self.lint(newer, "--catalog", path, "--service", "orders")
        self.assertFalse(said["version_ok"])
        self.assertIn("version-unsupported", [f["rule"] for f in said["findings"]])
        granted, = self.lint("GRANT SELECT ON t TO PUBLIC", "--catalog", path, "--service", "orders")
        self.assertEqual([{"relation": "public.t", "mode": "ACCESS SHARE"}], granted["locks"])
        alike, = self.lint("GRANT SELECT ON t TO PUBLIC", "--catalog",
                           os.path.join(self.fleet.work, "known.json"), "--service", "orders")
        self.assertEqual([], alike["locks"])


if __name__ == "__main__":
    unittest.main()
