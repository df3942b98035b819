"""The command `flotilla lint`: exit codes, what each format looks like, how it finds its files, and
that nothing hostile stops it. What the rules say is tested by tests/unit/test_lint.c."""

import json
import os
import subprocess
import tempfile
import unittest
import xml.dom.minidom

FLOTILLA = os.path.join(os.environ.get("FLOTILLA_BUILD", "build"), "flotilla")
UNSAFE = "SET lock_timeout = '2s';\nCREATE INDEX i ON t (a);\n"
SAFE = "CREATE INDEX CONCURRENTLY i ON t (a);\n"


def lint(*arguments, data=b""):
    done = subprocess.run([FLOTILLA, "lint", *arguments], input=data, capture_output=True,
                          check=False, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def linted(sql, *arguments):
    code, out, err = lint("-", "--format", "json", *arguments, data=sql.encode())
    return code, json.loads(out)["files"][0]["statements"], err


def valid(value, schema, root, where="$"):
    """As much of JSON Schema as schemas/lint.schema.json uses."""
    if "$ref" in schema:
        return valid(value, root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root, where)
    names = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
             "null": type(None)}
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(type(value) is names[k] for k in kinds):
        raise AssertionError(f"{where}: {value!r} is not {kinds}")
    if "enum" in schema and value not in schema["enum"]:
        raise AssertionError(f"{where}: {value!r} is not one of {schema['enum']}")
    if isinstance(value, dict):
        for key in schema.get("required", []):
            if key not in value:
                raise AssertionError(f"{where}: no {key}")
        for key, item in value.items():
            if key not in schema.get("properties", {}):
                raise AssertionError(f"{where}.{key}: not in the schema")
            valid(item, schema["properties"][key], root, f"{where}.{key}")
    for i, item in enumerate(value if isinstance(value, list) else []):
        valid(item, schema["items"], root, f"{where}[{i}]")
    return None


class Lint(unittest.TestCase):
    def test_exit_codes(self):
        self.assertEqual(lint("-", data=SAFE.encode())[0], 0)
        self.assertEqual(lint("-", data=UNSAFE.encode())[0], 2)
        self.assertEqual(lint("-", "--fail-on", "never", data=UNSAFE.encode())[0], 0)
        self.assertEqual(lint("-", "--rules", "drop-table", data=UNSAFE.encode())[0], 0)
        for wrong in (["/nowhere.sql"], [], ["-", "--rules", "no-such-rule"],
                      ["-", "--fail-on", "x"], ["-", "--format", "x"], ["-", "--pg-version", "x"],
                      ["-", "--assume-rows", "t"], ["-", "--catalog", "/nowhere.json"]):
            code, _, err = lint(*wrong, data=SAFE.encode())
            self.assertEqual(code, 1, wrong)
            self.assertTrue(err, wrong)

    def test_json_is_the_contract(self):
        with open("schemas/lint.schema.json", encoding="utf-8") as file:
            schema = json.load(file)
        sql = (UNSAFE + "ALTER TABEL t;\nDO $$ BEGIN EXECUTE x; END $$;\nDROP TABLE ä;\n"
               "VACUUM t; UPDATE t SET a = 1; CREATE TABLE n (id serial);\n")
        code, out, _ = lint("-", "--format", "json", "--rules", "all", data=sql.encode())
        self.assertEqual(code, 2)
        valid(json.loads(out), schema, schema)
        _, statements, _ = linted(UNSAFE)
        self.assertEqual([s["index"] for s in statements], [1, 2])
        self.assertEqual(statements[1]["line"], 2)
        self.assertEqual(statements[1]["locks"], [{"relation": "public.t", "mode": "SHARE"}])
        self.assertEqual(statements[1]["findings"][0]["rewrite_sql"],
                         "CREATE INDEX CONCURRENTLY i ON t (a);")

    def test_every_format_is_well_formed(self):
        for data in (UNSAFE, SAFE, 'DROP TABLE "a<&>\\""";'):
            args = ["-", "--stdin-filename", "a&b,c:d.sql"]
            sarif = json.loads(lint(*args, "--format", "sarif", data=data.encode())[1])
            gitlab = json.loads(lint(*args, "--format", "gitlab", data=data.encode())[1])
            self.assertEqual(len(sarif["runs"][0]["results"]), len(gitlab))
            xml.dom.minidom.parseString(lint(*args, "--format", "junit", data=data.encode())[1])
            github = lint(*args, "--format", "github", data=data.encode())[1]
            self.assertEqual(len(github.splitlines()), len(gitlab))
            self.assertTrue(all(l.startswith("::") for l in github.splitlines()))

    def test_finds_files_in_their_order(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("10.sql", "9.sql", "9.down.sql", "x.txt", "sub/1.sql", ".hidden.sql"):
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(UNSAFE)
            files = json.loads(lint(folder, "--format", "json")[1])["files"]
            names = [os.path.relpath(f["path"], folder) for f in files]
            self.assertEqual(names, ["9.sql", "10.sql", "sub/1.sql", "9.down.sql"])

    def test_knows_the_layouts(self):
        goose = "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP TABLE t;\n"
        _, statements, _ = linted(goose)
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], ["txn-forbidden"])
        self.assertEqual(statements[0]["line"], 2)
        _, statements, _ = linted("-- +goose NO TRANSACTION\n" + goose)
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], [])
        _, statements, _ = linted(goose, "--assume-transaction", "no")
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], [])

    def test_hostile_files_cost_a_message(self):
        with tempfile.TemporaryDirectory() as folder:
            hostile = {"a.sql": b"SELECT \xff\xfe;", "b.sql": b"SELECT 1" + b"+1" * 300000,
                       "c.sql": b"(" * 500000, "d.sql": b"'", "e.sql": b"\0", "f.sql": b"",
                       "g.sql": b"SELECT f(" * 2000, "h.sql": b"$$", "i.sql": UNSAFE.encode(),
                       "j.sql": b"CREATE TABLE a () INHERITS (a); ALTER TABLE a ADD b int;" * 500}
            for name, data in hostile.items():
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
            code, out, err = lint(folder, "--format", "json")
            files = {os.path.basename(f["path"]): f for f in json.loads(out)["files"]}
            self.assertEqual(code, 1)
            self.assertIn("a.sql", err)
            self.assertIn("e.sql", err)
            rules = [f["rule"] for s in files["i.sql"]["statements"] for f in s["findings"]]
            self.assertEqual(rules, ["index-create-blocking"])
            for name in ("b.sql", "c.sql", "d.sql"):
                self.assertEqual(files[name]["statements"][0]["tags"], ["unknown"], name)

    def test_explains_every_rule(self):
        rules = json.loads(lint("--list-rules", "--format", "json")[1])
        self.assertGreaterEqual(len(rules), 103)
        for rule in rules:
            code, out, _ = lint("--explain", rule["id"])
            self.assertEqual(code, 0)
            self.assertIn(rule["why"], out)
        self.assertEqual(lint("--explain", "no-such-rule")[0], 1)

    def test_sizes_and_versions_are_told(self):
        _, statements, _ = linted(UNSAFE, "--assume-rows", "t=50")
        self.assertEqual(statements[1]["findings"][0]["severity"], "info")
        _, statements, _ = linted(UNSAFE, "--assume-rows", "*=50000000")
        self.assertEqual(statements[1]["findings"][0]["severity"], "error")
        self.assertGreater(statements[1]["estimate_ms"], 10000)
        newer = "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID;"
        self.assertFalse(linted(newer)[1][0]["version_ok"])
        self.assertTrue(linted(newer, "--pg-version", "18")[1][0]["version_ok"])


if __name__ == "__main__":
    unittest.main()
