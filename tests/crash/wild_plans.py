#!/usr/bin/python3
"""Wild schemas, wild changes: every plan there and back on a real PostgreSQL, with psql alone.

    tests/crash/wild_plans.py [--seed N] [--count N] [--only OPERATION,…] [-v]

For each seed: a random schema and change (tests/lib/wild.py), drafted. Either refused with a reason,
or a plan: its steps run forward while clients write, up to the end or to a random step, then back.
A mirror database takes the same writes without any change: as long as the old shape lives, both must
accept the same writes and show the same rows. The end is compared with what the plain statement
makes, each step back with the catalog before that step, the way back with the mirror's rows.
Strong locks are measured: none may come with a scan or a rewrite of a table that has rows.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), os.path.join(os.path.dirname(HERE), "scenario")]
import whole  # noqa: E402
import wild  # noqa: E402
import wild_dress as dress  # noqa: E402
from psql_session import Session, SqlError  # noqa: E402
from test_compile import CATALOG, Lab  # noqa: E402
from wild import q  # noqa: E402

STRONG = ("AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock")


class Defect(Exception):
    """What was found, in a line or more."""


def code(out):
    found = re.search(r"ERROR:\s+(\w{5}):", out)
    return found[1] if found else ""


class Trial:
    def __init__(self, lab, seed, verbose):
        self.lab, self.seed, self.verbose = lab, seed, verbose
        self.case = wild.case(seed)
        self.rng = wild.random.Random(seed + 1)
        self.table, self.column = self.case["table"], self.case["column"]
        self.lossy = self.wrote = self.migrated = False
        self.n = 1000
        self.base = f"wild_{os.getpid()}"
        self.log = []

    # -- databases ----

    def make(self, name, *scripts):
        self.lab.psql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')
        self.lab.psql("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0;')
        for script in scripts:
            done = self.lab.psql(name, script, check=False)
            if done.returncode:
                return done.stderr
        return ""

    def catalog(self):
        out = self.db.ok(CATALOG)
        self.db.ok("RESET search_path")
        return sorted(re.sub("(statistics .* ON )(.*)( FROM )", Lab.by_name, line) for line in out.split("\n") if line) + \
            whole.catalog(self.db.ok)

    def columns(self, session=None):
        return (session or self.db).ok(
            f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass({wild.lit(q(self.table.name))}) AND attnum > 0 "
            "AND NOT attisdropped").split("\n")

    # -- plan ----

    def draft(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/change.yaml"
            more = []
            if self.rng.random() < 0.2:
                with open(folder + "/change.sql", "w", encoding="utf-8") as out:
                    out.write(self.case["plain"] + "\n")
                more, path = ["--sql", folder + "/change.sql"], None
            else:
                with open(path, "w", encoding="utf-8") as out:
                    json.dump({"title": "wild", "intents": [
                        {op: dict(keys, service="svc") for op, keys in one.items()} for one in self.case["intents"]]}, out,
                        ensure_ascii=False)
            dsn = f"host={self.lab.dir} port={self.lab.port} user=postgres dbname={self.base}"
            argv = [os.environ.get("FLOTILLA_BUILD", "build") + "/flotilla", "draft"] + ([path] if path else []) + more + [
                "--service", "svc", "--dsn", dsn, "--format", "json", "--assume-rows", "*=5000000"]
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        self.how = "sql" if more else "intent"
        return done

    def refusal(self, done):
        if done.returncode not in (0, 1):
            raise Defect(f"draft: exit {done.returncode}\n{done.stderr[-2000:]}")
        if done.returncode == 1 and (not done.stderr.strip() or re.search("internal|AddressSan|assert", done.stderr)):
            raise Defect("draft: no clear refusal\n" + done.stderr[-2000:])
        return done.stderr.strip() if done.returncode else None

    # -- clients ----

    def both(self, sql, ours=None):
        a, b = self.db.run(ours or sql), self.mirror.run(sql)
        if bool(code(a)) != bool(code(b)):
            raise Defect(f"a client's write: ours {a or 'fine'}\n mirror {b or 'fine'}\n--- {ours or sql}")

    def key(self, n):
        t = self.table
        return " AND ".join(f"{q(k)} = {t.get(k).value(n)}" for k in t.keys) if t.keys else None

    def write(self):
        """What clients of the shapes that live now do."""
        t, c, now = self.table, self.column, self.columns()
        if t.name not in self.known or t.nulls:
            return
        rename = self.case["rename"]
        shapes = []
        if c.name in now and (not rename or rename[1] not in now or not self.swapped()):
            shapes.append({})
        if rename and rename[1] in now and self.migrated:
            shapes.append({c.name: rename[1]})
        if self.case["operation"] == "drop_column" and c.name not in now:
            if not c.key and not c.generated:
                self.both(t.insert(self.numbers(t), 2), t.insert(self.n, 2, skip=c.name))
                self.wrote = True
            return
        if self.case["operation"] == "set_not_null" and self.in_contract:
            return
        for shape in shapes:
            self.writes(t, c, shape)
        self.same_rows()

    def swapped(self):
        return self.in_contract and self.case["rename"][0] not in self.columns()

    def numbers(self, t):
        self.n += 10
        if any(x.type == "smallint" or x.type == "char(6)" for x in t.columns):
            self.n = 1000 + (self.n % 8000)
        return self.n

    def ours(self, make):
        """SQL as clients write it that know a column's new type."""
        to = self.case["intents"][0].get("change_type", {}).get("to")
        now = self.db.ok("SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass("
                         f"{wild.lit(q(self.table.name))}) AND attname = {wild.lit(self.column.name)}") if to else ""
        self.column.cast = f"::{to}" if now and now == self.db.ok(f"SELECT {wild.lit(to)}::regtype") else ""
        try:
            return make()
        finally:
            self.column.cast = ""

    def writes(self, t, c, shape):
        n = self.numbers(t)
        insert = t.insert(n, 2)
        self.both(insert, self.ours(lambda: t.insert(n, 2, rename=shape)))
        where = self.key(n)
        if where and not c.generated and not c.key:
            real = self.ours(lambda: self.key(n))
            for change in (self.rng.choice([x for x in t.columns if not x.generated and not x.key and not x.parent] or [c]) if c.parent else c, self.rng.choice([x for x in t.columns if not x.generated and not x.key and not x.parent] or [c])):
                name = shape.get(change.name, change.name)
                self.both(f"UPDATE {q(t.name)} SET {q(change.name)} = {change.value(n + 3)} WHERE {where}",
                          f"UPDATE {q(t.name)} SET {q(name)} = {self.ours(lambda x=change: x.value(n + 3))} WHERE {real}")
                if not change.not_null and self.case["operation"] != "set_not_null" and self.case["operation"] != "change_type":
                    if not (shape and change is c and change.default):
                        k = self.key(2 + self.n % 30)
                        self.both(f"UPDATE {q(t.name)} SET {q(change.name)} = NULL WHERE {k}",
                                  f"UPDATE {q(t.name)} SET {q(name)} = NULL WHERE {k}")
            for k in (n + 1, 5 + self.n // 10 % 30):
                self.both(f"DELETE FROM {q(t.name)} WHERE {self.key(k)}",
                          f"DELETE FROM {q(t.name)} WHERE {self.ours(lambda x=k: self.key(x))}")
        elif where and c.key:
            other = [x for x in t.columns if not x.generated and not x.key]
            for x in other[:1]:
                ours = self.ours(lambda: " AND ".join(f"{q(shape.get(k, k))} = {t.get(k).value(n)}" for k in t.keys))
                self.both(f"UPDATE {q(t.name)} SET {q(x.name)} = {x.value(n + 3)} WHERE {where}",
                          f"UPDATE {q(t.name)} SET {q(x.name)} = {x.value(n + 3)} WHERE {ours}")
                self.both(f"DELETE FROM {q(t.name)} WHERE {where}", f"DELETE FROM {q(t.name)} WHERE {ours}")
        self.wrote = True

    def shown(self, session, names, skip=()):
        listed = ", ".join(f"{q(n)}::text" for n in names if n not in skip)
        return sorted(session.ok(f"SELECT {listed} FROM {q(self.table.name)}").split("\n"))

    def same_rows(self, final=False):
        t, c, now = self.table, self.column, self.columns()
        skip = set() if final else {x for x in ([c.name] if self.case["operation"] in ("change_type", "set_not_null") and self.in_contract else [])}
        if self.case["operation"] == "set_not_null" or (final and self.lossy):
            skip.add(c.name)
        mine = [x.name if x.name in now else self.case["rename"][1] if self.case["rename"] else x.name for x in t.columns
                if x.name not in skip]
        theirs = [x.name for x in t.columns if x.name not in skip]
        if any(x not in now for x in mine):
            return
        self.differ(self.shown(self.mirror, theirs), self.shown(self.db, mine), "rows: the mirror's (-) and ours (+)")

    def differ(self, a, b, what):
        gone, extra = list(a), list(b)
        for x in a:
            if x in extra:
                extra.remove(x)
                gone.remove(x)
        if gone or extra:
            raise Defect(what + "\n" + "\n".join(["  - " + x for x in gone[:12]] + ["  + " + x for x in extra[:12]]))

    # -- steps ----

    def measured(self, statements, step, way):
        before = self.db.ok(FILES)
        rows = dict(line.rsplit("|", 2)[0::2] for line in before.split("\n") if line)
        files = {line.rsplit("|", 2)[0]: line.rsplit("|", 2)[1] for line in before.split("\n") if line}
        scanned = dict(line.rsplit("|", 3)[0::3] for line in self.db.ok(SCANS).split("\n") if line)
        out = self.db.run("BEGIN;\n" + ";\n".join(statements) + ";\n\\echo ~~measure~~\n" + MEASURE)
        if "ERROR:" in out:
            self.db.run("ROLLBACK")
            raise Defect(f"{way} of {step['id']} ({step['what']}): {out}\n--- " + ";\n".join(statements)[:2500])
        self.db.ok("COMMIT")
        for line in out.split("~~measure~~\n")[-1].split("\n"):
            parts = line.rsplit("|", 3)
            if len(parts) != 4 or parts[0] not in rows or rows[parts[0]] == "0":
                continue
            oid, file, mode, scans = parts
            if mode in STRONG and (int(scans) > int(scanned.get(oid, 0)) or files[oid] != file) and way == "up":
                self.log.append(f"strong lock {mode} with {'rewrite' if files[oid] != file else 'scan'} of {oid} in {way} of "
                                f"{step['id']} ({step['what']}): {statements}")

    def sql(self, step, way):
        statements = [s.rstrip().rstrip(";") for s in step.get(way, [])]
        if statements and step["transaction"]:
            self.measured(statements, step, way)
        for statement in statements if not step["transaction"] else []:
            out = self.db.run(statement)
            if way == "down" and step["kind"] == "concurrently" and code(out) == "23505":
                self.db.ok(step["up"][0])  # as the agent does: without it, and said
                continue
            if "ERROR:" in out:
                raise Defect(f"{way} of {step['id']} ({step['what']}): {out}\n--- {statement}")

    def of(self, step):
        return ".".join(q(p) for p in split_name(step["of"]))

    def snapshot(self, step):
        columns = ", ".join(q(c) for c in step["key"] + step["columns"])
        now = "".join(f", {e} AS now_{i}" for i, e in enumerate(step.get("current", [])) if e)
        self.db.ok(f"CREATE SCHEMA IF NOT EXISTS flotilla; CREATE TABLE flotilla.{q(step['id'])} AS SELECT {columns}{now} "
                   f"FROM {self.of(step)}")

    def restore(self, step):
        same = " AND ".join(f"t.{q(k)} = s.{q(k)}" for k in step["key"])
        for i, column in enumerate(step["columns"]):
            now = step.get("current", [""] * 9)[i]
            inverse = step.get("inverse", [""] * 9)[i]
            is_now = f"(SELECT {now} FROM (SELECT t.*) x)" if inverse else f"t.{q(column)}"
            keep = f" AND record_image_eq(ROW({is_now}), ROW(s.now_{i}))" if now else ""
            self.db.ok(f"UPDATE {self.of(step)} t SET {q(column)} = s.{q(column)} FROM flotilla.{q(step['id'])} s WHERE {same}{keep}")
            if inverse and inverse != q(column):
                self.db.ok(f"UPDATE {self.of(step)} t SET {q(column)} = {inverse} WHERE NOT EXISTS (SELECT FROM "
                           f"flotilla.{q(step['id'])} s WHERE {same}{keep})")
        self.db.ok(f"DROP TABLE flotilla.{q(step['id'])}")

    def up(self, step):
        nothing = all(s.startswith("SELECT 'nothing to do") for s in step.get("up", []))
        if step["kind"] == "verify":
            if self.db.ok(step["check"]) != "t":
                raise Defect(f"{step['id']} {step['what']}: not true: {step['check']}")
        elif step["kind"] == "snapshot":
            self.snapshot(step)
        elif step.get("up"):
            if "probe" in step and not nothing and self.db.ok(step["probe"]) != "f":
                raise Defect(f"{step['id']} {step['what']}: done before it began: {step['probe']}")
            self.sql(step, "up")
            if "probe" in step and self.db.ok(step["probe"]) != "t":
                raise Defect(f"{step['id']} {step['what']}: not done: {step['probe']}")

    def down(self, step):
        if step["kind"] == "snapshot":
            self.restore(step)
        elif step["kind"] not in ("verify", "acknowledge", "wait"):
            if not step.get("down") and "irreversible" not in step:
                raise Defect(f"{step['id']} has no way back")
            self.sql(step, "down")

    # -- one seed ----

    def run(self):
        """A word on how it went; raises Defect."""
        tables, hangers = dress.tables(self.seed), dress.hangers(self.seed)
        broken = self.make(self.base, self.case["schema"], tables, self.case["dependents"], hangers)
        if broken:
            self.how = "-"
            return "bad schema: " + broken.strip()[:200]
        self.make(self.base + "_m", self.case["schema"], tables, self.case["dependents"], hangers)
        plain_fails = self.make(self.base + "_p", self.case["schema"], tables, self.case["plain"], self.case["dependents"], hangers)
        self.db, self.mirror = Session(self.lab, self.base), Session(self.lab, self.base + "_m")
        try:
            done = self.draft()
            refused = self.refusal(done)
            if refused:
                return f"refused: {refused[:400]}" + (f"\n      (plain fails too: {plain_fails.strip()[:150]})" if plain_fails else "")
            self.plan = json.loads(done.stdout)
            return self.walk(plain_fails)
        finally:
            self.db.close()
            self.mirror.close()

    def walk(self, plain_fails):
        steps = [(p["phase"], s) for p in self.plan["phases"] for part in p["services"] for s in part["steps"]]
        if not steps:
            return "nothing to do"
        self.known = [self.table.name]
        writing = self.rng.random() < 0.65
        stop = len(steps) if self.rng.random() < 0.6 else self.rng.randint(1, len(steps))
        states, self.in_contract = [], False
        self.lossy = False
        for i, (phase, step) in enumerate(steps[:stop]):
            self.in_contract = phase == "contract"
            self.migrated = self.in_contract
            if i == 0:
                states.append(self.catalog())
            if step["kind"] == "verify" and self.case["operation"] == "set_not_null" and "by hand" in step["what"]:
                continue
            self.up(step)
            if writing:
                self.write()
        self.lossy = self.wrote and self.in_contract and self.case["operation"] in ("change_type", "drop_column")
        if stop == len(steps) and not plain_fails:
            self.end()
        for i in reversed(range(stop)):
            self.down(steps[i][1])
        self.come_back(states[0])
        self.in_contract = False
        if self.wrote or self.case["operation"] != "set_not_null":
            self.same_rows(final=True)
        left = self.db.ok("SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = to_regnamespace('flotilla')")
        if left:
            raise Defect("functions left in flotilla: " + left)
        if self.log:
            raise Defect("\n".join(self.log))
        return f"fine: {stop} of {len(steps)} steps{', with clients' if self.wrote else ''}" + (" (plain fails)" if plain_fails else "")

    def come_back(self, before):
        """The catalog is what it was; where rows came without a value, but for the NOT NULL that those forbid."""
        after, c = self.catalog(), self.column
        if self.case["operation"] == "drop_column" and c.not_null and self.db.ok(
                f"SELECT count(*) FROM {q(self.table.name)} WHERE {q(c.name)} IS NULL") != "0":
            check = [x.split(": ")[1] for x in after if x.startswith("pg_constraint: ") and "conbin = CHECK ((" in x
                     and "IS NOT NULL)) NOT VALID" in x and x not in before]
            if len(check) != 1:
                raise Defect("rows have no value, and no check holds new ones")
            gone = [check[0]]
            for x in before:  # a primary key without values is none
                if c.key and "indisprimary = true" in x and x not in after:
                    gone.append(x.split(": ")[1].split(".")[-1])
            name = check[0].split("constraint ")[1].split(" on table")[0]
            column = f"column {q(c.name)} of", f"column {c.name} of"
            before, after = ([x.replace(" not null", "") for x in lines if not any(g in x for g in gone + [f".{name} CHECK"])
                              and not ("attnotnull" in x and any(n in x for n in column)) and "relchecks" not in x
                              and "relreplident" not in x] for lines in (before, after))
        self.differ(before, after, "the way back: the start's catalog (-) and now (+)")

    def end(self):
        mine = self.catalog()
        self.db.close()
        self.db = Session(self.lab, self.base + "_p")
        theirs = self.catalog()
        self.db.close()
        self.db = Session(self.lab, self.base)
        if self.case["rename"]:
            mine = [x for x in mine if not re.match("function|SELECT|\\$|AS| LANG|BEGIN", x)]
            theirs = [x for x in theirs if not re.match("function|SELECT|\\$|AS| LANG|BEGIN", x)]
        self.differ(theirs, mine, "the end: the plain statement's (-) and ours (+)")


SCANS = """SELECT c.oid::regclass || '|x|x|' || pg_stat_get_xact_numscans(c.oid) FROM pg_class c WHERE relkind = 'r'
    AND relnamespace::regnamespace::text !~ '^(pg_|information|flotilla)'"""
FILES = """SELECT c.oid::regclass || '|' || relfilenode || '|' || (xpath('/row/n/text()', query_to_xml(format(
    'SELECT count(*) AS n FROM (SELECT FROM %s LIMIT 1) x', c.oid::regclass), false, true, '')))[1]
    FROM pg_class c WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information|flotilla)'"""
MEASURE = """SELECT c.oid::regclass || '|' || relfilenode || '|' || mode || '|' || coalesce(pg_stat_get_xact_numscans(c.oid), 0)
    FROM pg_locks l JOIN pg_class c ON c.oid = relation WHERE pid = pg_backend_pid() AND relkind = 'r'
    AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relnamespace::regnamespace::text !~ '^(pg_|information|flotilla)'"""


def split_name(name):
    return [p[1:-1].replace('""', '"') if p.startswith('"') else p for p in re.findall(r'"(?:[^"]|"")*"|[^."]+', name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=25)
    parser.add_argument("--only", help="operations, with commas: other seeds are passed over")
    parser.add_argument("-v", action="store_true")
    asked = parser.parse_args()
    lab = Lab()
    lab.psql("postgres", "DO $$ BEGIN IF to_regrole('reader') IS NULL THEN CREATE ROLE reader; CREATE ROLE writer; "
                         "CREATE ROLE wild_keeper; END IF; END $$;")
    lab.psql("postgres", dress.PREPARE, check=not os.environ.get("COMPILE_SOCKET"))
    failed = 0
    try:
        for seed in range(asked.seed, asked.seed + asked.count):
            if asked.only and wild.case(seed)["operation"] not in asked.only.split(","):
                continue
            trial = Trial(lab, seed, asked.v)
            try:
                word = trial.run()
            except (Defect, SqlError) as defect:
                failed += 1
                word = "DEFECT\n      " + str(defect).replace("\n", "\n      ")
            print(f"{seed:5} {trial.case['operation']:16} {getattr(trial, 'how', '-'):6} {word}", flush=True)
            if asked.v or word.startswith("DEFECT"):
                print(f"      intent {trial.case['intents']}\n      plain {trial.case['plain']}", flush=True)
            if asked.v:
                print(trial.case["schema"] + "\n" + trial.case["dependents"])
    finally:
        for suffix in ("", "_m", "_p"):
            lab.psql("postgres", f'DROP DATABASE IF EXISTS "wild_{os.getpid()}{suffix}" WITH (FORCE);')
        lab.stop()
    print(f"{asked.count} seeds, {failed} defects")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
