"""The command `flotilla lint`: exit codes, what each format looks like, how it finds its files, and
that nothing hostile stops it. What the rules say is tested by tests/unit/test_lint.c."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

import jsonschema

FLOTILLA = os.path.join(os.environ.get("FLOTILLA_BUILD", "build"), "flotilla")
UNSAFE = "SET lock_timeout = '2s';\nCREATE INDEX i ON t (a);\n"
SAFE = "CREATE INDEX CONCURRENTLY i ON t (a);\n"


# What a layout decides about: few rules, so that their growth elsewhere changes nothing here.
WITH_ORDER = "txn-forbidden,txn-nesting,txn-uncommitted,drop-table,history-nonlinear,syntax-error"


def lint(*arguments, data=b""):
    done = subprocess.run([FLOTILLA, "lint", *arguments], input=data, capture_output=True,
                          check=False, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def linted(sql, *arguments):
    code, out, err = lint("-", "--format", "json", *arguments, data=sql.encode())
    return code, json.loads(out)["files"][0]["statements"], err


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
        for part in schema["$defs"].values():
            part["additionalProperties"] = False  # nothing undocumented
        sql = (UNSAFE + "ALTER TABEL t;\nDO $$ BEGIN EXECUTE x; END $$;\nDROP TABLE ä;\n"
               "VACUUM t; UPDATE t SET a = 1; CREATE TABLE n (id serial);\n")
        code, out, _ = lint("-", "--format", "json", "--rules", "all", data=sql.encode())
        self.assertEqual(code, 2)
        jsonschema.validate(json.loads(out), schema)
        out = lint("tests/golden/lint/layouts", "/nowhere.sql", "--format", "json")[1]
        jsonschema.validate(json.loads(out), schema)
        _, statements, _ = linted(UNSAFE)
        self.assertEqual([s["index"] for s in statements], [1, 2])
        self.assertEqual(statements[1]["line"], 2)
        self.assertEqual(statements[1]["locks"], [{"relation": "public.t", "mode": "SHARE"}])
        self.assertEqual(statements[1]["findings"][0]["rewrite_sql"],
                         "CREATE INDEX CONCURRENTLY i ON t (a);")

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

    def test_layouts_of_tools(self):
        """Trees as tools have them: order, parts, which statements a runner's transaction breaks.
        UPDATE=1 writes what is expected."""
        top = "tests/golden/lint/layouts"
        for tool in sorted(os.listdir(top)):
            if not os.path.isdir(os.path.join(top, tool)):
                continue
            lines = []
            _, out, err = lint(os.path.join(top, tool), "--format", "json", "--rules", WITH_ORDER)
            for file in json.loads(out)["files"]:
                name = os.path.relpath(file["path"], os.path.join(top, tool))
                lines.append(f"{name} ({file.get('layout', 'none')})")
                for s in file["statements"]:
                    found = ", ".join(f"{f['rule']} {f['severity']}" for f in s["findings"])
                    lines.append(f"  {s['line']:3} {s.get('part', 'up'):6} {s['kind']}" + (f": {found}" if found else ""))
            expected = os.path.join(top, tool + ".txt")
            got = "\n".join(lines) + "\n" + err
            if os.environ.get("UPDATE"):
                with open(expected, "w", encoding="utf-8") as file:
                    file.write(got)
            with open(expected, encoding="utf-8") as file:
                self.assertEqual(file.read(), got, tool)

    def test_knows_the_layouts(self):
        goose = "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP TABLE t;\n"
        _, statements, _ = linted(goose)
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], ["txn-forbidden"])
        self.assertEqual(statements[0]["line"], 2)
        _, statements, _ = linted("-- +goose NO TRANSACTION\n" + goose)
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], [])
        _, statements, _ = linted(goose, "--assume-transaction", "no")
        self.assertEqual([f["rule"] for s in statements for f in s["findings"]], [])

    def test_earlier_files_of_a_tool_tell_what_is_there(self):
        history = {
            "V1__init.sql": "CREATE TABLE authors (id bigint PRIMARY KEY, name varchar(100), email text);\n"
                            "CREATE TABLE books (id bigint PRIMARY KEY, author bigint);\n",
            "V2__check.sql": "ALTER TABLE authors ADD CONSTRAINT c CHECK (email IS NOT NULL) NOT VALID;\n",
            "V3__validate.sql": "ALTER TABLE authors VALIDATE CONSTRAINT c;\n",
            "V4__now.sql": "ALTER TABLE authors ALTER COLUMN email SET NOT NULL;\n",
            "V5__widen.sql": "ALTER TABLE authors ALTER COLUMN name TYPE varchar(200);\n",
            "V6__key.sql": "ALTER TABLE books ADD CONSTRAINT k FOREIGN KEY (author) REFERENCES authors NOT VALID;\n",
            "V7__index.sql": "CREATE INDEX authors_name ON authors (name);\n",  # it may have rows by now
            "V8__again.sql": "CREATE TABLE authors (id bigint PRIMARY KEY);\nALTER TABLE authors DROP COLUMN x;\n",
            "V9__type.sql": "ALTER TABLE authors ALTER COLUMN id TYPE numeric;\n",
        }
        expected = {"V6__key.sql": ["fk-missing-index"], "V7__index.sql": ["index-create-blocking"],
                    "V8__again.sql": ["drop-column"], "V9__type.sql": ["column-type-rewrite"]}
        alone = {"V4__now.sql": ["not-null-scan"], "V5__widen.sql": ["column-type-rewrite"],
                 "V7__index.sql": ["index-create-blocking"], "V9__type.sql": ["column-type-rewrite"]}

        def found(*arguments):
            _, out, _ = lint(*arguments, "--format", "json", "--no-config")
            files = {os.path.basename(f["path"]): f["statements"] for f in json.loads(out)["files"]}
            self.assertEqual([], [s["fails"] for f in files.values() for s in f if "fails" in s])
            return {name: [x["rule"] for s in f for x in s["findings"]]
                    for name, f in files.items() if any(s["findings"] for s in f)}

        with tempfile.TemporaryDirectory() as folder:
            for name, sql in history.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write("SET lock_timeout = '1s';\n" + sql)
            self.assertEqual(expected, found(folder))
            each = {}
            for name in history:
                each |= found(os.path.join(folder, name))
            self.assertEqual(alone, each)
            for name in history:  # not a tool's names: each for itself
                os.rename(os.path.join(folder, name), os.path.join(folder, name[1:]))
            self.assertEqual({name[1:]: rules for name, rules in alone.items()}, found(folder))

    def test_hostile_files_cost_a_message(self):
        with tempfile.TemporaryDirectory() as folder:
            hostile = {"a.sql": b"SELECT \xff\xfe;", "b.sql": b"SELECT 1" + b"+1" * 300000,
                       "c.sql": b"(" * 500000, "d.sql": b"'", "e.sql": b"\0", "f.sql": b"",
                       "k.sql": b"-- +goose Up\n\0\n" + b"SELECT 1;\n" * 999 + b"-- +goose Down\n",
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
            self.assertIn("k.sql: the script is not UTF-8", err)
            rules = [f["rule"] for s in files["i.sql"]["statements"] for f in s["findings"]]
            self.assertEqual(rules, ["index-create-blocking"])
            for name in ("b.sql", "c.sql", "d.sql"):
                self.assertEqual(files[name]["statements"][0]["tags"], ["unknown"], name)

    def test_an_analysis_that_hangs_or_dies_costs_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.sql", "c.sql", "d.sql"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(UNSAFE)
            hangs = os.path.join(folder, "b.sql")
            os.mkfifo(hangs)
            writer = os.open(hangs, os.O_RDWR)  # a reader waits for what never comes
            try:
                code, out, err = lint(folder, "--format", "json", "--timeout", "300ms")
                self.check_the_rest(code, out)
                self.assertIn("b.sql: given up after 300 ms", err)
                with subprocess.Popen([FLOTILLA, "lint", folder, "--format", "json"], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True) as run:
                    os.kill(self.last_child(run.pid), signal.SIGKILL)
                    out, err = run.communicate(timeout=60)
                self.check_the_rest(run.returncode, out)
                self.assertIn("b.sql: its analysis died (signal 9)", err)
            finally:
                os.close(writer)

    def check_the_rest(self, code, out):
        files = {os.path.basename(f["path"]): f for f in json.loads(out)["files"]}
        self.assertEqual(1, code)
        self.assertEqual(["a.sql", "b.sql", "c.sql", "d.sql"], list(files))
        self.assertEqual(["b.sql"], [name for name, f in files.items() if "problem" in f])
        for name in ("a.sql", "c.sql", "d.sql"):
            self.assertEqual(2, len(files[name]["statements"]))

    @staticmethod
    def last_child(pid):
        """The worker that is left when the others have nothing more to do: it has the file that hangs."""
        alone = 0
        while alone < 20:
            children = []
            for entry in os.listdir("/proc"):
                try:
                    with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                        fields = file.read().rsplit(")", 1)[1].split()
                    if entry.isdigit() and int(fields[1]) == pid and fields[0] not in "ZX":
                        children.append(int(entry))
                except (OSError, IndexError):
                    continue
            alone = alone + 1 if len(children) == 1 else 0
            time.sleep(0.01)
        return children[0]

    def test_what_is_taken_for_granted_is_told(self):
        for sql, assumes in (
                ("ALTER TABLE t ALTER COLUMN a TYPE text", "the column's old type is stored in another way"),
                ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "no validated check proves it already"),
                ("ALTER TABLE t ADD COLUMN a int", "the table has no partitions or children"),
                ("ALTER TABLE t ADD COLUMN a int DEFAULT f()", "the default's function is volatile"),
                ("CREATE INDEX i ON t (a)", "the table has no partitions"),
                ("DROP TABLE t", "no foreign key refers to it or leaves it"),
                ("UPDATE t SET a = 1", "no trigger and no foreign key follows"),
                ("CREATE TABLE t (a int)", None), ("SELECT 1", None)):
            self.assertEqual(assumes, linted(sql + ";\n")[1][0].get("assumes"), sql)
        fresh = "CREATE TABLE t (a int);\nALTER TABLE t ALTER COLUMN a TYPE text;\n"
        self.assertNotIn("assumes", linted(fresh)[1][1])
        self.assertIn("taken for granted, without a catalog: the table has no partitions\n",
                      lint("-", "--no-color", data=UNSAFE.encode())[1])

    def test_sizes_and_versions_are_told(self):
        _, statements, _ = linted(UNSAFE, "--assume-rows", "t=50")
        self.assertEqual(statements[1]["findings"], [])
        _, statements, _ = linted(UNSAFE, "--assume-rows", "t=50", "--rules", "all")
        severities = {f["rule"]: f["severity"] for f in statements[1]["findings"]}
        self.assertEqual(severities["index-create-blocking"], "info")
        _, statements, _ = linted(UNSAFE, "--assume-rows", "*=50000000")
        self.assertEqual(statements[1]["findings"][0]["severity"], "error")
        self.assertGreater(statements[1]["estimate_ms"], 10000)
        newer = "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID;"
        self.assertFalse(linted(newer)[1][0]["version_ok"])
        self.assertTrue(linted(newer, "--pg-version", "18")[1][0]["version_ok"])


if __name__ == "__main__":
    unittest.main()
