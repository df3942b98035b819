"""What takes findings back: comments, ours and squawk's, and .flotilla-lint.yaml with its schema."""

import json
import os
import unittest

import jsonschema
import yaml

import testing

DROP = "SET lock_timeout = '2s';\nALTER TABLE t DROP COLUMN a;\n"
INDEX = "CREATE INDEX i ON t (a);\n"
SCHEMA = json.loads(testing.read("schemas/lint-config.schema.json"))

GOOD = [
    "",
    "# nothing but a comment\n",
    "rule-set: all\n",
    "rules: { drop-column: off, type-timestamp: error, drop-table: on }\n",
    "exclude: [legacy/*, '*.old.sql']\npg-version: 18\n",
    "assume-rows: { orders: 50000000, '*': 0 }\nassume-transaction: true\n",
    "small-table: 1\nfail-on: never\ndown: full\n",
]
# text, and what is said of it: the schema must refuse the same
BAD = [
    ("rules: { drop-colum: off }\n", "1:10: there is no rule \"drop-colum\", did you mean \"drop-column\"?"),
    ("rules: { drop-column: no }\n", "1:23: "),
    ("rules: [drop-column]\n", "1:8: "),
    ("rulez: {}\n", "1:1: "),
    ("pg-version: 3\n", "1:13: "),
    ("pg-version: '16'\n", "1:13: "),
    ("assume-transaction: 1\n", "1:21: "),
    ("assume-rows: { t: -1 }\n", "1:19: "),
    ("assume-rows: { t: many }\n", "1:19: "),
    ("exclude: legacy\n", "1:10: "),
    ("exclude: ['']\n", "1:11: "),
    ("fail-on: notice\n", "1:10: "),
    ("down: maybe\n", "1:7: "),
    ("small-table: 0\n", "1:14: "),
    ("rule-set: none\n", "1:11: "),
    ("- a list\n", "1:1: "),
]


class Lint(testing.Case):
    def found(self, *arguments, **options):
        result = self.flotilla("lint", *arguments, "--format", "json", **options)
        self.assertIn(result.code, (0, 2), result.err)
        return [(os.path.basename(f["path"]), s["line"], x["rule"], x["severity"])
                for f in json.loads(result.out)["files"] for s in f["statements"] for x in s["findings"]]

    def rules(self, sql, *arguments):
        return [rule for _, _, rule, _ in self.found("-", *arguments, stdin=sql)]


class Comments(Lint):
    def test_on_the_line_and_before(self):
        for comment in ("-- flotilla: ignore drop-column it is empty", "-- flotilla: ignore drop-column",
                        "-- flotilla: ignore drop-table, drop-column two at once",
                        "-- flotilla: ignore all", "/* flotilla: ignore drop-column */",
                        "-- squawk-ignore ban-drop-column", "-- squawk-ignore drop-column",
                        "-- squawk-ignore", "-- squawk-ignore ban-drop-table, ban-drop-column"):
            self.assertEqual([], self.rules(DROP.replace("ALTER", comment + "\nALTER")), comment)
            self.assertEqual([], self.rules(DROP.replace("a;\n", f"a; {comment}\n")), comment)
        self.assertEqual(["drop-column"], self.rules("-- flotilla: ignore drop-column far away\n" + DROP))
        self.assertEqual(["drop-column"], self.rules(DROP.replace("ALTER", "-- flotilla: ignore drop-table x\nALTER")))

    def test_for_the_file(self):
        for comment in ("-- flotilla: ignore-file drop-column tracked elsewhere", "-- squawk-ignore-file",
                        "-- squawk-ignore-file ban-drop-column"):
            self.assertEqual([], self.rules(comment + "\n" + DROP))
        down = "-- flotilla: ignore-file txn-forbidden both ways\n-- +goose Up\nSELECT 1;\n-- +goose Down\nVACUUM t;\n"
        self.assertEqual([], self.rules(down))
        self.assertEqual(["txn-forbidden"], self.rules(down.replace("ignore-file", "ignored-file")))

    def test_a_rule_that_does_not_exist_is_named(self):
        for comment in ("-- flotilla: ignore drop-colum x", "-- squawk-ignore ban-drop-colum",
                        "-- flotilla: ignore", "-- flotilla: ignore-file drop-colum x"):
            result = self.flotilla("lint", "-", stdin=comment + "\n" + DROP)
            self.assertIn("stdin.sql:1: warning suppression-unknown", result.out)
            self.assertIn("drop-colum" if "colum" in comment else "names no rule", result.out)
            self.assertEqual(2, result.code)

    def test_what_is_not_needed_is_a_note_under_all(self):
        sql = "-- flotilla: ignore drop-table it was one\nSELECT 1;\n" + DROP.replace(
            "ALTER", "-- flotilla: ignore drop-column used\nALTER")
        self.assertEqual([], self.rules(sql))
        found = [f for f in self.found("-", "--rules", "all", stdin=sql) if f[2].startswith("suppression")]
        self.assertEqual([("stdin.sql", 2, "suppression-unused", "info")], found)
        # Of a rule that is not looked at nobody can say whether the comment is needed.
        self.assertEqual([], self.rules(sql, "--rules", "suppression-unused"))

    def test_all_of_squawks_names_are_known(self):
        names = testing.read("controller/rules/suppress.c").split("squawk[] = {")[1].split("};")[0]
        ids = {r["id"] for r in json.loads(self.flotilla("lint", "--list-rules", "--format", "json").out)}
        pairs = [line.split('"')[1::2] for line in names.splitlines() if '"' in line]
        self.assertGreaterEqual(len({theirs for theirs, _ in pairs}), 39)
        for theirs, ours in pairs:
            self.assertIn(ours, ids)
            self.assertNotIn("suppression-unknown", self.rules(f"-- squawk-ignore {theirs}\nSELECT 1;"))


class Config(Lint):
    def test_the_schema_is_one_and_knows_every_rule(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        ids = [r["id"] for r in json.loads(self.flotilla("lint", "--list-rules", "--format", "json").out)]
        self.assertEqual(sorted(ids), SCHEMA["properties"]["rules"]["propertyNames"]["enum"])

    def test_schema_and_loader_agree(self):
        judge = jsonschema.Draft202012Validator(SCHEMA)
        self.write("x.sql", "SELECT 1;\n")
        for text in GOOD:
            self.write(".flotilla-lint.yaml", text)
            self.ok(self.flotilla("lint", "x.sql"))
            self.assertTrue(judge.is_valid(yaml.safe_load(text.replace(" off", " 'off'").replace(" on ", " 'on' ")) or {}),
                            text)
        for text, said in BAD:
            self.write(".flotilla-lint.yaml", text)
            result = self.flotilla("lint", "x.sql")
            self.assertEqual(1, result.code, text)
            self.assertIn(".flotilla-lint.yaml:" + said, result.err)
            self.assertFalse(judge.is_valid(yaml.safe_load(text.replace(" off", " 'off'"))), text)

    def test_every_mistake_is_named_at_once(self):
        self.write("x.sql", "SELECT 1;\n")
        self.write(".flotilla-lint.yaml", "rulez: {}\nfail-on: x\n")
        self.assertIn("1 more", self.flotilla("lint", "x.sql").err)

    def test_rules_and_severities(self):
        self.write("x.sql", DROP + INDEX)
        self.write(".flotilla-lint.yaml", "rules: { drop-column: off, index-create-blocking: warning, robust-if-exists: on }\n")
        found = {(rule, severity) for _, _, rule, severity in self.found("x.sql")}
        self.assertEqual({("index-create-blocking", "warning"), ("robust-if-exists", "info")}, found)
        chosen = {rule for _, _, rule, _ in self.found("x.sql", "--rules", "drop-column")}
        self.assertEqual({"drop-column"}, chosen)
        self.assertIn("drop-column", {rule for _, _, rule, _ in self.found("x.sql", "--no-config")})

    def test_the_nearest_upward_to_the_repository(self):
        self.write("a/b/x.sql", DROP)
        self.write("a/y.sql", DROP)
        self.write(".flotilla-lint.yaml", "rules: { drop-column: info }\n")
        self.write("a/b/.flotilla-lint.yaml", "rules: { drop-column: warning }\n")
        self.assertEqual([("x.sql", 2, "drop-column", "warning"), ("y.sql", 2, "drop-column", "info")], self.found("a"))
        self.write("a/.git/HEAD", "")
        self.assertEqual([("x.sql", 2, "drop-column", "warning"), ("y.sql", 2, "drop-column", "error")], self.found("a"))
        self.write("other.yaml", "rules: { drop-column: off }\n")
        self.assertEqual([], self.found("a", "--config", "other.yaml"))
        self.assertEqual(1, self.flotilla("lint", "a", "--config", "nowhere.yaml").code)

    def test_standard_input_has_the_configuration_of_its_name(self):
        self.write("a/.flotilla-lint.yaml", "rules: { drop-column: off }\nexclude: ['skip*']\n")
        self.assertEqual([], self.found("-", "--stdin-filename", "a/x.sql", stdin=DROP))
        self.assertEqual(["drop-column"], self.rules(DROP, "--stdin-filename", "b/x.sql"))
        self.assertEqual([], self.found("-", "--stdin-filename", "a/skip.sql", stdin="ALTER TABEL;"))

    def test_exclude(self):
        for name in ("keep/1.sql", "legacy/1.sql", "legacy/deep/2.sql", "keep/x.old.sql", "keep/legacy.sql"):
            self.write(name, DROP)
        self.write(".flotilla-lint.yaml", "exclude: [legacy, '*.old.sql']\n")
        self.assertEqual(["1.sql", "legacy.sql"], [f[0] for f in self.found(".")])
        self.assertEqual([], self.found("legacy/1.sql"))

    def test_words_that_a_tool_replaces(self):
        tool = ("ALTER TABLE ${schema}.users ADD COLUMN x int;\nGRANT SELECT ON t TO :ROLE;\n"
                "ALTER TABLE :\"schema\".t ADD y text DEFAULT '12:30'::text; -- ${not} :this\n"
                "ALTER TABLE {{ .schema }}.${prefix}_t ADD y int;\nALTER TABLE ${t:-big} ADD y int;\n"
                "SELECT a[1:2], '${text}', '{{1,2}}'::int[], JSON_OBJECT('k' :v);\n"
                "DO $$ BEGIN ALTER TABLE ${schema}.u ADD x int; END $$;\nREVOKE ALL ON t FROM @owner@;\n")

        def told():
            run = self.flotilla("lint", "x.sql", "--format", "json", "--fail-on", "never")
            return json.loads(run.out)["files"][0]

        self.write("x.sql", tool)
        file = told()
        self.assertEqual(["${schema}", ":ROLE", ':"schema"', "{{ .schema }}", "${prefix}"], file["placeholders"])
        sql = [s["sql"] for s in file["statements"]]
        self.assertEqual("ALTER TABLE users ADD COLUMN x int", sql[0])
        self.assertEqual('GRANT SELECT ON t TO "ROLE"', sql[1])
        self.assertEqual("ALTER TABLE t ADD y text DEFAULT '12:30'::text", sql[2])
        self.assertEqual("ALTER TABLE prefix_t ADD y int", sql[3])
        self.assertEqual("ALTER TABLE big ADD y int", sql[4])
        self.assertEqual("SELECT a[1:2], '${text}', '{{1,2}}'::int[], JSON_OBJECT('k' :v)", sql[5])
        self.assertEqual([7, 8], [s["line"] for s in file["statements"][6:]])
        self.assertEqual(["unknown"], file["statements"][7]["tags"])  # nobody told of @owner@
        self.write(".flotilla-lint.yaml", 'placeholders: { schema: app, prefix: p, ROLE: web, "@owner@": boss }\n')
        file = told()
        self.assertNotIn("placeholders", file)
        self.assertEqual([{"relation": "app.users", "mode": "ACCESS EXCLUSIVE"}], file["statements"][0]["locks"])
        self.assertEqual("ALTER TABLE app.p_t ADD y int", file["statements"][3]["sql"])
        self.assertEqual("REVOKE ALL ON t FROM boss", file["statements"][7]["sql"])

    def test_the_rest_and_that_flags_win(self):
        self.write("x.sql", "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID;\n" + INDEX +
                   "CREATE INDEX CONCURRENTLY k ON t (b);\n")
        self.write(".flotilla-lint.yaml", "pg-version: 18\nassume-transaction: true\nassume-rows: { t: 5 }\n")
        found = {(rule, severity) for _, _, rule, severity in self.found("x.sql")}
        self.assertNotIn(("version-unsupported", "error"), found)
        self.assertIn(("txn-forbidden", "error"), found)
        self.assertNotIn("index-create-blocking", {rule for rule, _ in found})
        found = {(rule, severity) for _, _, rule, severity in self.found(
            "x.sql", "--pg-version", "15", "--assume-transaction", "no", "--assume-rows", "t=50000000")}
        self.assertIn(("version-unsupported", "error"), found)
        self.assertNotIn(("txn-forbidden", "error"), found)
        self.assertIn(("index-create-blocking", "error"), found)
        self.assertIn(("index-create-blocking", "error"), found)

    def test_what_fails(self):
        self.write("x.sql", DROP)
        self.write("z.down.sql", "CREATE INDEX i ON t (a);\nDROP TABLE t;\n")
        for text, arguments, code in (("fail-on: never\n", [], 0), ("fail-on: error\n", [], 2),
                                      ("fail-on: never\n", ["--fail-on", "error"], 2),
                                      ("rules: { drop-column: info }\n", [], 0),
                                      ("rules: { drop-column: info }\nfail-on: info\n", [], 2)):
            self.write(".flotilla-lint.yaml", text)
            self.assertEqual(code, self.flotilla("lint", "x.sql", *arguments).code, text)
        self.write(".flotilla-lint.yaml", "{}\n")
        self.assertEqual([("z.down.sql", 1, "index-create-blocking", "info")], self.found("z.down.sql"))
        self.assertEqual([], self.found("z.down.sql", "--down", "skip"))
        self.write(".flotilla-lint.yaml", "down: full\n")
        self.assertIn(("z.down.sql", 2, "drop-table", "error"), self.found("z.down.sql"))


if __name__ == "__main__":
    unittest.main()
