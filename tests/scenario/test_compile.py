#!/usr/bin/python3
"""What the compiler plans, on a real PostgreSQL, with nothing but psql.

For every intent and a schema with traps: all steps forward end in the catalog that the plain
statement makes; all steps back, in exact reverse, end in the catalog and the rows of the start. In
between old-shape and new-shape clients write. Column order and the schema flotilla do not count.
Snapshots, which only an agent takes, are done here as the plan says it is done by hand.
"""

import json
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import PG, Fleet, LANG  # noqa: E402
from psql_session import Session  # noqa: E402
import whole  # noqa: E402
from compile_cases import CASES, REFUSED  # noqa: E402
from compile_scripts import SCRIPTS  # noqa: E402

with open(os.path.join(os.path.dirname(HERE), "lib", "catalog.sql"), encoding="utf-8") as file:
    CATALOG = file.read()
ROWS = """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema', 'flotilla')
    AND nspname NOT LIKE 'pg\\_%' ORDER BY 1"""


class Lab:
    """One server; databases come and go."""

    def __init__(self):
        self.dir = os.environ.get("COMPILE_SOCKET")
        self.fleet = None
        if self.dir:
            self.port = os.environ["COMPILE_PORT"]
            return
        self.fleet = Fleet(transport="local")
        self.fleet.host("db1")
        self.fleet.owner("team", "ana@example.org")
        self.fleet.service("lab", host="db1", owners=["team"], schema="SELECT 1;")
        self.fleet.start()
        host = self.fleet.hosts["db1"]
        self.dir, self.port = host.socket, str(host.port)

    def stop(self):
        if self.fleet:
            self.fleet.stop()

    def psql(self, database, sql, one=False, check=True):
        argv = [f"{PG}/psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-p", self.port,
                "-U", "postgres", "-d", database] + (["-1"] if one else [])
        done = subprocess.run(argv, input=sql, capture_output=True, text=True, check=False,
                              env=dict(LANG, PGOPTIONS="-c client_min_messages=error"), timeout=120)
        if check and done.returncode:
            raise AssertionError(f"{done.stderr}\n--- {sql[:3000]}")
        return done.stdout.strip() if check else done

    def make(self, database, *scripts):
        self.psql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE);')
        self.psql("postgres", f'CREATE DATABASE "{database}" TEMPLATE template0;')
        for script in scripts:
            self.psql(database, script)

    def catalog(self, database):
        lines = self.psql(database, CATALOG).split("\n")
        return sorted(re.sub("(statistics .* ON )(.*)( FROM )", self.by_name, line.rstrip()) for line in lines if line)

    @staticmethod
    def by_name(found):
        """PostgreSQL prints the columns of extended statistics in the table's order."""
        return found[1] + ", ".join(sorted(found[2].split(", "))) + found[3]

    def data(self, database, rename=()):
        """{table: sorted rows}; a row is its columns by name, values as text."""
        found = {}
        for table in filter(None, self.psql(database, ROWS).split("\n")):
            text = self.psql(database, f"SELECT to_jsonb(t)::text FROM {table} t;")
            rows = []
            for line in filter(None, text.split("\n")):
                row = json.loads(line)
                for old, new in rename:
                    if old in row:
                        row[new] = row.pop(old)
                rows.append(json.dumps(row, sort_keys=True))
            found[table] = sorted(rows)
        return found

    def draft(self, database, change, *more):
        build = os.environ.get("FLOTILLA_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))
        dsn = f"host={self.dir} port={self.port} user=postgres dbname={database}"
        return subprocess.run([f"{build}/flotilla", "draft", change, "--service", "svc", "--dsn", dsn,
                               "--format", "json", *more], capture_output=True, text=True, check=False, timeout=60)


class Runner:
    """Steps with psql."""

    def __init__(self, lab, database, plan):
        self.lab, self.database = lab, database
        self.phases = [[step for part in phase["services"] for step in part["steps"]] for phase in plan["phases"]]

    def sql(self, step, way):
        statements = [s.rstrip().rstrip(";") + ";" for s in step.get(way, [])]
        if not statements:
            return
        if step["transaction"]:
            self.lab.psql(self.database, "\n".join(statements), one=True)
        else:
            for statement in statements:
                self.lab.psql(self.database, statement)

    def snapshot(self, step):
        snap = step
        columns = ", ".join('"%s"' % c for c in snap["key"] + snap["columns"])
        now = "".join(f", {e} AS now_{i}" for i, e in enumerate(snap.get("current", [])) if e)
        table = ".".join(re.findall(r'"(?:[^"]|"")*"|[^."]+', snap["of"])) if '"' in snap["of"] else ".".join(
            f'"{p}"' for p in snap["of"].split("."))
        self.lab.psql(self.database, f'CREATE SCHEMA IF NOT EXISTS flotilla; CREATE TABLE flotilla."{step["id"]}" '
                      f"AS SELECT {columns}{now} FROM {table}")

    def restore(self, step):
        snap = step
        table = ".".join(re.findall(r'"(?:[^"]|"")*"|[^."]+', snap["of"])) if '"' in snap["of"] else ".".join(
            f'"{p}"' for p in snap["of"].split("."))
        same = " AND ".join(f't."{k}" = s."{k}"' for k in snap["key"])
        for i, column in enumerate(snap["columns"]):
            now = snap.get("current", [""] * 9)[i]
            inverse = snap.get("inverse", [""] * 9)[i]
            is_now = f"(SELECT {now} FROM (SELECT t.*) x)" if inverse else f't."{column}"'
            keep = f" AND record_image_eq(ROW({is_now}), ROW(s.now_{i}))" if now else ""
            self.lab.psql(self.database, f'UPDATE {table} t SET "{column}" = s."{column}" '
                          f'FROM flotilla."{step["id"]}" s WHERE {same}{keep};')
            if inverse and inverse != f'"{column}"':
                self.lab.psql(self.database, f'UPDATE {table} t SET "{column}" = {inverse} WHERE NOT EXISTS ('
                              f'SELECT FROM flotilla."{step["id"]}" s WHERE {same}{keep});')
        self.lab.psql(self.database, f'DROP TABLE flotilla."{step["id"]}"')

    def up(self, phase):
        for step in self.phases[phase]:
            name = f'{step["id"]} {step["what"]}'
            nothing = all(s.startswith("SELECT 'nothing to do") for s in step.get("up", []))
            if step["kind"] == "verify":
                if self.lab.psql(self.database, step["check"]) != "t":
                    raise AssertionError(f"{name}: {step['check']}")
            elif step["kind"] == "snapshot":
                self.snapshot(step)
            elif step.get("up"):
                if "probe" in step and not nothing and self.lab.psql(self.database, step["probe"]) != "f":
                    raise AssertionError(f"{name}: done before it began: {step['probe']}")
                self.sql(step, "up")
                if "probe" in step and self.lab.psql(self.database, step["probe"]) != "t":
                    raise AssertionError(f"{name}: not done: {step['probe']}")
                if step["kind"] == "backfill" and not nothing:
                    self.comes_to_an_end(step)

    def comes_to_an_end(self, step):
        """An agent sweeps until nothing is left to do: a row that is done is not found again."""
        for statement in step["up"]:
            left = self.lab.psql(self.database, f"WITH again AS ({statement.rstrip().rstrip(';')} RETURNING 1) "
                                 "SELECT count(*) FROM again;")
            if left != "0":
                raise AssertionError(f"{step['id']}: {left} rows would be changed again: {statement}")

    def down(self, phase):
        for step in reversed(self.phases[phase]):
            if step["kind"] == "snapshot":
                self.restore(step)
            elif step["kind"] in ("verify", "acknowledge"):
                continue
            else:
                if not step.get("down") and "irreversible" not in step:
                    raise AssertionError(f"{step['id']} has no way back")
                self.sql(step, "down")


class Compile(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.stop)
        cls.lab.psql("postgres", "DO $$ BEGIN IF to_regrole('reader') IS NULL THEN CREATE ROLE reader; CREATE ROLE "
                     "writer; END IF; END $$;")

    def plan(self, database, case):
        path = f"/tmp/compile-{os.getpid()}.yaml"
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"title": case["name"], "intents": [
                {op: dict(keys, service="svc") for op, keys in one.items()} for one in case["intents"]]}, out)
        try:
            return self.lab.draft(database, path)
        finally:
            os.unlink(path)

    def script(self, database, case):
        path = f"/tmp/compile-{os.getpid()}.sql"
        with open(path, "w", encoding="utf-8") as out:
            out.write(case["script"])
        build = os.environ.get("FLOTILLA_BUILD", os.path.join(os.path.dirname(os.path.dirname(HERE)), "build"))
        dsn = f"host={self.lab.dir} port={self.lab.port} user=postgres dbname={database}"
        try:
            return subprocess.run([f"{build}/flotilla", "draft", "--sql", path, "--service", "svc", "--dsn", dsn,
                                   "--assume-rows", "*=50000000", "--format", "json"],
                                  capture_output=True, text=True, check=False, timeout=60)
        finally:
            os.unlink(path)

    def same(self, a, b, what):
        gone, extra = sorted(set(a) - set(b)), sorted(set(b) - set(a))
        self.assertFalse(gone or extra, what + "\n" + "\n".join(["- " + x for x in gone] + ["+ " + x for x in extra]))

    def walk(self, case, writes):
        lab, database = self.lab, "case_" + case["name"]
        lab.make(database, case["schema"])
        lab.make(database + "_plain", case["schema"])
        plain = lab.psql(database + "_plain", case["plain"]) if case.get("plain") else ""
        self.assertEqual(plain, "")
        start, rows = lab.catalog(database), lab.data(database)
        done = self.script(database, case) if case.get("script") else self.plan(database, case)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(case.get("plan_says", ""), done.stdout)
        runner = Runner(lab, database, json.loads(done.stdout))
        names = [p["phase"] for p in json.loads(done.stdout)["phases"]]
        clients = {"expand": ["old"], "migrate": ["new"], "contract": ["after"]}
        states = []
        kept = Session(lab, database)
        self.addCleanup(kept.close)
        everything = whole.catalog(kept.ok) if case.get("whole") else []
        for i, name in enumerate(names):
            states.append(lab.catalog(database))
            kept.ok(case.get("keeps", "SELECT 1") if writes else "SELECT 1")
            runner.up(i)
            kept.ok(case.get("keeps", "SELECT 1") if writes else "SELECT 1")
            for shape in clients[name] if writes else []:
                if case.get(shape):
                    lab.psql(database, case[shape])
        if case.get("plain"):
            self.same(lab.catalog(database + "_plain"), lab.catalog(database),
                      "forward: the plain statement's end (-) and ours (+)")
        wrote = lab.data(database, case.get("rename", ()))
        for i in reversed(range(len(names))):
            runner.down(i)
            kept.ok(case.get("keeps", "SELECT 1") if writes else "SELECT 1")
            if writes and i == 2 and case.get("back"):
                lab.psql(database, case["back"])
            self.same(states[i], lab.catalog(database), f"back to before {names[i]}")
        self.same(start, lab.catalog(database), "the way back")
        self.same(everything, whole.catalog(kept.ok) if everything else [], "the way back, all of pg_catalog")
        if not writes:
            self.assertEqual(rows, lab.data(database))
        elif not case.get("back") and not case.get("lossy"):
            self.assertEqual(wrote, lab.data(database, case.get("rename", ())))
        for extra in (database, database + "_plain"):
            lab.psql("postgres", f'DROP DATABASE "{extra}" WITH (FORCE);')


CLIENT_KEYS = ("old", "new", "after", "back", "keeps")


def add(case):
    setattr(Compile, f"test_{case['name']}", lambda self: self.walk(case, False))
    if any(key in case for key in CLIENT_KEYS):
        setattr(Compile, f"test_{case['name']}_with_clients", lambda self: self.walk(case, True))


def add_refused(case):
    def refused(self):
        database = "refused_" + case["name"]
        self.lab.make(database, case["schema"])
        done = self.plan(database, case)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(case["says"], done.stderr)
        self.assertEqual(done.stdout, "")
        self.lab.psql("postgres", f'DROP DATABASE "{database}" WITH (FORCE);')
    setattr(Compile, f"test_refused_{case['name']}", refused)


for one_case in CASES:
    add(one_case)
for one_case in SCRIPTS:
    add(dict(one_case, plain=one_case["script"]))
for one_case in REFUSED:
    add_refused(one_case)

if __name__ == "__main__":
    unittest.main()
