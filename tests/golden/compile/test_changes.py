"""Change files: which are read, which are refused and where; and the plans of those that are read.

good/*.yaml become plans/*.yaml over the saved catalogs users.json and orders.json (ids and digests
are left out). bad/*.yaml are refused with plans/NAME.txt. schemas/change.schema.json judges the same files.
UPDATE=1 rewrites what is expected, after a look at the difference.
"""

import glob
import json
import os
import re
import unittest

import jsonschema
import yaml

import testing

HERE = "tests/golden/compile"
FILES = {kind: sorted(glob.glob(os.path.join(testing.ROOT, HERE, kind, "*.yaml"))) for kind in ("good", "bad")}


class Changes(testing.Case):
    def draft(self, path, *more):
        saved = [word for name in ("users", "orders") for word in
                 ("--catalog", f"{name}={testing.ROOT}/{HERE}/{name}.json")]
        self.write("fleet.yaml", testing.read(f"{HERE}/fleet.yaml"))
        self.write("change.yaml", testing.read(path))
        return self.flotilla("draft", "change.yaml", *saved, *more)

    def test_plans(self):
        for path in FILES["good"]:
            name = os.path.basename(path)
            with self.subTest(name):
                run = self.ok(self.draft(path))
                text = re.sub(r"(?m)^id: .*$", "id: ID", re.sub(r"sha256:[0-9a-f]{64}", "sha256:DIGEST", run.out))
                self.golden(f"{HERE}/plans/{name}", text + "".join("# " + line + "\n" for line in run.err.splitlines()))

    def test_plans_are_made_again_the_same(self):
        for path in FILES["good"]:
            with self.subTest(os.path.basename(path)):
                self.ok(self.draft(path, "-o", "plan.yaml"))
                first = testing.read(self.path("plan.yaml"))
                self.ok(self.draft(path, "-o", "plan.yaml"))
                self.assertEqual(first, testing.read(self.path("plan.yaml")))

    def test_check(self):
        self.assertEqual(2, self.draft(f"{HERE}/good/widen.yaml", "--check").code)
        self.assertEqual(0, self.draft(f"{HERE}/good/nothing.yaml", "--check").code)

    def test_json_is_the_same_plan(self):
        plan = json.loads(self.ok(self.draft(f"{HERE}/good/rename.yaml", "--format", "json")).out)
        self.assertEqual(["expand", "migrate", "contract"], [phase["phase"] for phase in plan["phases"]])

    def test_assumed_rows(self):
        plan = json.loads(self.ok(self.draft(f"{HERE}/good/rename.yaml", "--format", "json", "--assume-rows",
                                             "users=50000000")).out)
        rows = [step["estimate"]["rows"] for phase in plan["phases"] for part in phase["services"]
                for step in part["steps"] if step["kind"] == "backfill" and step["tags"] == ["backfill"]]
        self.assertEqual([50000000], rows)
        self.assertEqual(1, self.draft(f"{HERE}/good/rename.yaml", "--assume-rows", "nobody=5").code)

    def test_refused(self):
        for path in FILES["bad"]:
            name = os.path.basename(path)[:-5]
            with self.subTest(name):
                run = self.draft(path)
                self.assertEqual((1, ""), (run.code, run.out))
                self.golden(f"{HERE}/plans/{name}.txt", run.err)

    def test_shards_are_compared(self):
        users = json.loads(testing.read(f"{HERE}/users.json"))
        other = json.loads(testing.read(f"{HERE}/users.json"))
        other["relations"] = [r for r in other["relations"] if r["name"] != "sessions"]
        next(r for r in other["relations"] if r["name"] == "users")["columns"][1].update(type="varchar(80)")
        self.write("fleet.yaml", testing.read(f"{HERE}/fleet.yaml"))
        self.write("change.yaml", testing.read(f"{HERE}/good/rename.yaml"))
        for shard, refused in ((users, False), (other, True)):
            self.write("all.json", json.dumps({"catalogs": [
                dict(catalog, service="users", instance=name) for catalog, name in ((users, "users-1"), (shard, "users-2"))]
                + [dict(json.loads(testing.read(f"{HERE}/orders.json")), service="orders", instance="orders-1")]}))
            run = self.flotilla("draft", "change.yaml", "--catalog", "all.json")
            with self.subTest(refused=refused):
                self.assertEqual(1 if refused else 0, run.code, run.err)
                self.assertEqual(1 if refused else 0, run.err.count("public.users of instance users-2"), run.err)

    def raw(self, up, down="SELECT 1", **more):
        intent = dict({"service": "users", "up": up, "down": down}, **more)
        return self.draft(self.write("raw.yaml", json.dumps(
            {"title": "Raw", "author": "ana@example.org", "intents": [{"sql": intent}]})))

    def test_items_are_one_statement_each(self):
        view = "CREATE VIEW v AS SELECT 1"
        for up, down, expected in [
                (["-- nothing"], "SELECT 1", "up cannot run: it holds 0 statements"),
                (["BEGIN", view, "COMMIT"], "DROP VIEW v", "up cannot run: it begins or ends a transaction"),
                ([view], "COMMIT", "down cannot run: it begins or ends a transaction"),
                (["\\i other.sql"], "SELECT 1", "a command of psql"),
                (["CREATE INDEX CONCURRENTLY i ON users (email)"], "DROP INDEX i", "transaction: false")]:
            with self.subTest(up):
                run = self.raw(up, down)
                self.assertEqual(1, run.code, run)
                self.assertIn(expected, run.err)
        run = self.ok(self.raw(f"{view};\n-- and\nCREATE VIEW w AS SELECT 2;", "DROP VIEW w; DROP VIEW v"))
        step = yaml.safe_load(run.out)["phases"][0]["services"][0]["steps"][0]
        owner = 'ALTER VIEW "%s" OWNER TO "postgres"'
        self.assertEqual(([view, owner % "v", "CREATE VIEW w AS SELECT 2", owner % "w"],
                          ["DROP VIEW w", "DROP VIEW v"]), (step["up"], step["down"]))
        self.ok(self.raw(["CREATE INDEX CONCURRENTLY i ON users (email)"], "DROP INDEX i", transaction=False))

    def test_raw_sql_is_bound_and_counted(self):
        run = self.ok(self.raw(["ALTER TABLE users DROP COLUMN email CASCADE"], note="Nobody reads it", accept_loss=True))
        part = yaml.safe_load(run.out)["phases"][0]["services"][0]
        self.assertIn("destructive", part["steps"][0]["tags"])
        self.assertEqual(2, part["approvals"]["need"])
        self.assertIn("public.users", part["catalog"])
        self.assertIn("what it destroys is not kept: Nobody reads it", part["steps"][0]["risks"])

    def test_what_raw_sql_drops_is_kept_aside_before(self):
        for up, of, columns in [
                ("ALTER TABLE users DROP COLUMN full_name", "public.users", ["full_name"]),
                ("ALTER TABLE public.users DROP full_name, DROP IF EXISTS email", "public.users", ["full_name", "email"]),
                ("DROP TABLE IF EXISTS users", "public.users", None), ("TRUNCATE ONLY users", "public.users", None),
                ("WITH gone AS (DELETE FROM users WHERE id < 5 RETURNING id) SELECT count(*) FROM gone", "public.users", None)]:
            with self.subTest(up):
                steps = yaml.safe_load(self.ok(self.raw([up], note="By hand")).out)["phases"][0]["services"][0]["steps"]
                self.assertEqual(["snapshot", "statement"], [step["kind"] for step in steps])
                self.assertEqual((of, ["id"], columns), (steps[0]["of"], steps[0]["key"], steps[0].get("columns")))
        for up in ("DROP TABLE users CASCADE", "ALTER TABLE users DROP COLUMN id", "DROP SCHEMA app",
                   "TRUNCATE users CASCADE", "DELETE FROM nobody"):
            with self.subTest(up):
                run = self.raw([up], note="By hand")
                self.assertEqual(1, run.code, run)
                self.assertIn("it destroys what no snapshot can keep", run.err)
                self.ok(self.raw([up], note="By hand", accept_loss=True))
        self.assertEqual(1, self.raw(["TRUNCATE users CASCADE"], accept_loss=True).code, "a loss has a reason")

    def test_an_error_is_accepted_in_words_or_refused(self):
        drop = "ALTER TABLE users DROP COLUMN full_name"
        run = self.raw([drop])
        self.assertEqual((1, ""), (run.code, run.out))
        self.assertIn('error: expand/users/2: drop-column: the values of "full_name" are gone', run.err)
        self.assertIn("say in it why you accept that", run.err)
        plan = yaml.safe_load(self.ok(self.raw([drop], note="Nobody reads it")).out)
        found = [f for f in plan["findings"] if f["rule"] == "drop-column"]
        self.assertEqual([("warning", "expand/users/2", 'the values of "full_name" are gone; accepted: Nobody reads it')],
                         [(f["severity"], f["step"], f["message"]) for f in found])
        plan = yaml.safe_load(self.ok(self.raw([f"-- flotilla: ignore drop-column nobody reads it\n{drop}"])).out)
        self.assertEqual([], [f for f in plan["findings"] if f["rule"] == "drop-column"])
        self.assertIn("ignore drop-column nobody", plan["phases"][0]["services"][0]["steps"][1]["up"][0])
        build = self.raw(["CREATE INDEX CONCURRENTLY i ON users (email)"], "DROP INDEX i", note="I know")
        self.assertEqual(1, build.code, "what the server cannot do nobody can accept")

    def test_a_comment_in_ddl_accepts_what_it_names(self):
        def drafted(sql):
            self.write("given.sql", sql)
            return self.draft(self.write("ddl.yaml", json.dumps(
                {"title": "DDL", "author": "ana@example.org", "sql": {"users": sql}})))
        rewrite = "ALTER TABLE users SET UNLOGGED;"
        self.assertIn("table-rewrite-other", drafted(rewrite).err)
        self.assertEqual(1, drafted(rewrite).code)
        self.assertEqual(1, drafted("-- flotilla: ignore drop-column not this one\n" + rewrite).code)
        plan = yaml.safe_load(self.ok(drafted(
            "CREATE TABLE n (id bigint PRIMARY KEY);\n"
            "-- flotilla: ignore index-create-blocking, table-rewrite-other at night\n" + rewrite)).out)
        [found] = [f for f in plan["findings"]
                   if f["rule"] == "table-rewrite-other" and "way back" not in f["message"]]
        self.assertEqual("warning", found["severity"])
        self.assertIn("; accepted: ignore index-create-blocking, table-rewrite-other at night", found["message"])

    def test_a_way_back_is_judged_too(self):
        run = self.raw(["ALTER TABLE users ADD COLUMN n int"], "ALTER TABLE users DROP COLUMN full_name")
        self.assertEqual(1, run.code)
        self.assertIn('drop-column: on the way back: the values of "full_name" are gone', run.err)
        self.ok(self.raw(["ALTER TABLE users ADD COLUMN n int"], "ALTER TABLE users DROP COLUMN n"))

    def test_every_error_of_every_plan_is_discharged(self):
        for path in FILES["good"]:
            for rows in ("0", "50000000"):
                with self.subTest(path, rows=rows):
                    plan = json.loads(self.ok(self.draft(path, "--format", "json", "--assume-rows", f"*={rows}")).out)
                    self.assertEqual([], [f for f in plan["findings"] if f["severity"] != "info" and f["rule"] != "drop-not-null"])
                    steps = {step["id"] for phase in plan["phases"] for part in phase["services"]
                             for step in part["steps"]}
                    self.assertLessEqual({d["step"] for d in plan.get("discharged", [])}, steps)

    def test_who_acknowledges_is_told_every_column(self):
        for names, columns in [((("full_name", "name"), ("email", "mail")), ["full_name", "email"]),
                               ((("email", "mail"), ("full_name", "email")), ["email", "full_name"])]:
            intents = [{"rename_column": {"service": "users", "table": "users", "column": old, "to": new}}
                       for old, new in names]
            with self.subTest(intents):
                plan = json.loads(self.ok(self.draft(self.write("wish.yaml", json.dumps(
                    {"title": "T", "author": "ana@example.org", "intents": intents})), "--format", "json")).out)
                steps = {step["from"]: step["what"] for phase in plan["phases"] for part in phase["services"]
                         for step in part["steps"] if step["kind"] == "acknowledge"}
                self.assertEqual({"users", "orders"}, set(steps))
                self.assertIn(f"shape of {', '.join('users.' + name for name in columns)} (`", steps["users"])
                self.assertIn(f"shape of {', '.join('users:users.' + name for name in columns)} (`", steps["orders"])

    def test_schema(self):
        with open(os.path.join(testing.ROOT, "schemas/intents.schema.json"), encoding="utf-8") as file:
            intents = json.load(file)
        change = json.loads(testing.read("schemas/change.schema.json"))
        change["$defs"] = intents.pop("$defs")
        change["properties"]["intents"] = {k: v for k, v in intents.items() if k not in ("$schema", "$id", "title")}
        validator = jsonschema.Draft202012Validator(change)
        for kind, good in (("good", True), ("bad", False)):
            for path in FILES[kind]:
                with open(path, encoding="utf-8") as file, self.subTest(path):
                    text = file.read()
                    change = yaml.safe_load(text)
                    self.assertEqual(good or "# schema: cannot" in text, validator.is_valid(change))
                    for intent in change["intents"] if "# schema: each" in text else []:
                        self.assertFalse(validator.is_valid(dict(change, intents=[intent])), intent)


if __name__ == "__main__":
    unittest.main()
