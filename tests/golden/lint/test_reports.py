"""What `flotilla lint` prints for other tools, and the pages made from the table of rules."""

import json
import re
import subprocess
import unittest
import urllib.parse
import xml.etree.ElementTree

import testing

UNSAFE = "SET lock_timeout = '2s';\nCREATE INDEX i ON t (a);\nDROP TABLE t;\nDROP TABLE t;\n"
NAMES = {"a&b,c:d.sql": UNSAFE, "clean.sql": "SELECT 1;\n", "ü %<\">.sql": 'DROP TABLE "a<&>\\"";',
         "broken.sql": b"SELECT '\xff';"}


class Reports(testing.Case):
    def lint(self, *arguments):
        for name, text in NAMES.items():
            self.write(name, text)
        return self.flotilla("lint", *NAMES, *arguments)

    def found(self):
        files = json.loads(self.lint("--format", "json").out)["files"]
        return [(f["path"], x) for f in files for s in f["statements"] for x in s["findings"]]

    def test_a_file_that_cannot_be_read_is_in_every_report(self):
        for form in ("text", "json", "sarif", "github", "gitlab", "junit"):
            result = self.lint("--format", form)
            self.assertEqual(1, result.code, form)
            self.assertIn("broken.sql: the script is not UTF-8 text", result.err)
            if form != "text":
                self.assertIn("not UTF-8", result.out, form)

    def test_sarif(self):
        """Facts of the SARIF 2.1.0 schema (OASIS): what must be there, and of which kind."""
        log = json.loads(self.lint("--format", "sarif").out)
        self.assertEqual("2.1.0", log["version"])
        run, = log["runs"]
        driver = run["tool"]["driver"]
        self.assertTrue(driver["name"] and driver["version"])
        rules = {r["id"]: r for r in driver["rules"]}
        self.assertEqual(len(rules), len(driver["rules"]))
        for rule in rules.values():
            self.assertTrue(rule["shortDescription"]["text"] and rule["fullDescription"]["text"])
            self.assertNotIn("helpUri", rule)  # there is no page on the web: the manual is told instead
            self.assertIn(f"flotilla lint --explain {rule['id']}, or docs/RULES.md#{rule['id']}",
                          rule["help"]["text"])
            self.assertIn(rule["defaultConfiguration"]["level"], ("none", "note", "warning", "error"))
        found = self.found()
        self.assertEqual(len(found), len(run["results"]))
        for (path, finding), result in zip(found, run["results"]):
            self.assertIn(result["ruleId"], rules)
            self.assertIn(result["level"], ("none", "note", "warning", "error"))
            self.assertIn(finding["hint"], result["message"]["text"])
            place, = [l["physicalLocation"] for l in result["locations"]]
            uri = place["artifactLocation"]["uri"]
            self.assertRegex(uri, r"^[A-Za-z0-9._~/%-]+$")
            self.assertEqual(path, urllib.parse.unquote(uri))
            self.assertEqual(finding["line"], place["region"]["startLine"])
            self.assertGreaterEqual(place["region"]["endLine"], place["region"]["startLine"])
        prints = [json.dumps(r["partialFingerprints"]) for r in run["results"]]
        self.assertEqual(len(prints), len(set(prints)))
        call, = run["invocations"]
        self.assertIs(False, call["executionSuccessful"])
        self.assertEqual(1, len(call["toolExecutionNotifications"]))

    def test_gitlab(self):
        """Facts of GitLab's Code Quality report format."""
        issues = json.loads(self.lint("--format", "gitlab").out)
        self.assertEqual(len(self.found()) + 1, len(issues))
        for issue in issues:
            self.assertIn(issue["severity"], ("info", "minor", "major", "critical", "blocker"))
            self.assertTrue(issue["description"] and issue["check_name"])
            self.assertFalse(issue["location"]["path"].startswith(("/", "./")))
            self.assertGreaterEqual(issue["location"]["lines"]["begin"], 1)
        self.assertEqual(len(issues), len({i["fingerprint"] for i in issues}))

    def test_github(self):
        """GitHub's workflow commands: one a line; %, line ends, and in properties : and , escaped."""
        lines = self.lint("--format", "github").out.splitlines()
        self.assertEqual(len(self.found()) + 1, len(lines))
        for line in lines:
            self.assertRegex(line, r"^::(notice|warning|error) file=[^:,]+(,[a-z]+=[^:,]+)*::.")
        self.assertIn("file=a&b%2Cc%3Ad.sql,line=2,title=index-create-blocking::", "\n".join(lines))

    def test_junit(self):
        suite = xml.etree.ElementTree.fromstring(self.lint("--format", "junit").out)
        self.assertEqual("testsuite", suite.tag)
        cases = suite.findall("testcase")
        failing = [x for _, x in self.found() if x["severity"] != "info"]
        self.assertEqual(len(failing), len(suite.findall("testcase/failure")))
        self.assertEqual(1, len(suite.findall("testcase/error")))
        self.assertEqual(set(NAMES), {c.get("classname") for c in cases})

    def test_text_has_frame_rewrite_and_link(self):
        out = self.lint().out
        self.assertIn("     2 | CREATE INDEX i ON t (a)\n", out)
        self.assertIn("    CREATE INDEX CONCURRENTLY i ON t (a);\n", out)
        self.assertIn("why: flotilla lint --explain index-create-blocking, or docs/RULES.md#index-create-blocking\n", out)
        self.assertIn("3 files, 6 statements", out)

    def test_json_is_the_same_each_time(self):
        self.assertEqual(1, len({self.lint("--format", "json").out for _ in range(5)}))


class Rules(testing.Case):
    def rules(self):
        return json.loads(self.flotilla("lint", "--list-rules", "--format", "json").out)

    def test_every_rule_is_explained(self):
        rules = self.rules()
        self.assertGreaterEqual(len(rules), 103)
        for rule in rules:
            out = self.ok(self.flotilla("lint", "--explain", rule["id"])).out
            for key in ("what", "why", "instead", "example"):
                self.assertTrue(rule[key] in out, (rule["id"], key))
        result = self.flotilla("lint", "--explain", "drop-tabel")
        self.assertEqual(1, result.code)
        self.assertIn("drop-table", result.err)

    def test_the_page_of_rules_is_the_table(self):
        out = self.flotilla("lint", "--list-rules", "--format", "markdown").out
        self.assertTrue(testing.read("docs/RULES.md") == out, "stale: UPDATE=1 tests/style/run rules")
        self.assertEqual(sorted(r["id"] for r in self.rules()), sorted(re.findall("^### (.*)$", out, re.M)))
        for rule in self.rules():
            for key in ("what", "why", "instead", "example"):
                self.assertTrue(rule[key] in out, (rule["id"], key))

    def test_every_document_about_rules_names_ones_that_exist(self):
        ids = {r["id"] for r in self.rules()}
        for page in ("docs/LINT.md", "README.md", "docs/OPERATING.md"):
            for named in re.findall(r"flotilla: ignore(?:-file)? ([a-z][a-z-]+)", testing.read(page)):
                self.assertIn(named, ids, page)

    def test_the_hook_is_as_documented(self):
        hook = testing.read(".pre-commit-hooks.yaml")
        self.assertIn("entry: flotilla lint", hook)
        self.assertIn("- id: flotilla-lint", testing.read("docs/LINT.md"))
        self.assertIn("- id: flotilla-lint", hook)

    def test_examples_of_the_help_run(self):
        self.write("change.sql", "SELECT 1;\n")
        self.write("new.sql", "SELECT 1;\n")
        self.write("migrations/1.sql", "SELECT 1;\n")
        self.write("orders.json", json.dumps({"flotilla": "catalog"}))
        out = self.flotilla("lint", "--help").out
        examples = re.findall(r"^  flotilla (lint .*)$", out, re.M)
        self.assertGreaterEqual(len(examples), 5)
        for example in examples:
            if "--dsn" in example or "--catalog" in example:
                continue  # they need a database
            done = subprocess.run(["sh", "-c", testing.FLOTILLA + " " + example], cwd=self.folder,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(0, done.returncode, example + "\n" + done.stderr)


if __name__ == "__main__":
    unittest.main()
