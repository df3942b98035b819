#!/usr/bin/python3
"""Wild schemas, wild changes, through real agents, while clients write all the time.

    tests/crash/wild_rollouts.py [--seed N] [--count N] [--only OPERATION,…] [--writers N] [-v]

For each seed: a random schema and change (tests/lib/wild.py) is drafted, rehearsed, signed and rolled
out by the programs. Writers of the old shape write from before the start until the gate of contract,
writers of the new shape from there until its end, each in sessions of its own; what they do is done to
a mirror database without any change as well. A client's statement that fails here and not there is a
defect; so are rows that differ in the end, or after the way back.
"""

import argparse
import json
import os
import random
import sys
import threading
import time
import types

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "lib"), os.path.join(os.path.dirname(HERE), "scenario")]
from fleet import Fleet  # noqa: E402
from psql_session import Session, SqlError  # noqa: E402
import wild  # noqa: E402
from wild import q  # noqa: E402
from wild_plans import Defect, Trial, code  # noqa: E402

KEEPS_NOTHING = ("change_type", "drop_column")  # what was written after contract cannot all be kept on the way back


class Writer(threading.Thread):
    """Inserts, updates and deletes rows of its own, here and in the mirror, until it is stopped."""

    def __init__(self, rollout, number, shape, skip):
        super().__init__(daemon=True)
        self.rollout, self.shape, self.skip = rollout, shape, skip
        self.rng = random.Random(rollout.seed * 31 + number)
        self.n, self.done, self.over, self.defect = 1000 + number * 1000, 0, threading.Event(), None

    def run(self):
        db, mirror = Session(self.rollout.lab, "svc"), Session(self.rollout.lab, "svc_m")
        try:
            while not self.over.is_set() and self.done < 900:
                for ours, theirs in self.statements():
                    self.both(db, mirror, ours, theirs)
                self.done += 1
                time.sleep(0.004)
        except (Defect, SqlError) as defect:
            self.defect = defect
        finally:
            db.close()
            mirror.close()

    def statements(self):
        t, c, n = self.rollout.table, self.rollout.column, self.n
        self.n += 2
        yield t.insert(n, 2, skip=self.skip, rename=self.shape), t.insert(n, 2)
        if not t.keys:
            return
        def where(k, shape):
            return " AND ".join(f"{q(shape.get(x, x))} = {t.get(x).value(k)}" for x in t.keys)
        free = [x for x in t.columns if not x.generated and not x.key and not x.parent and x.name != self.skip]
        for x in self.rng.sample(free, min(2, len(free))):
            name, value = self.shape.get(x.name, x.name), x.value(n + 1)
            nullable = not x.not_null and self.rollout.case["operation"] not in ("set_not_null", "change_type")
            value = "NULL" if nullable and self.rng.random() < 0.2 and not (self.shape and x is c) else value
            yield (f"UPDATE {q(t.name)} SET {q(name)} = {value} WHERE {where(n, self.shape)}",
                   f"UPDATE {q(t.name)} SET {q(x.name)} = {value} WHERE {where(n, {})}")
        if self.rng.random() < 0.5:
            k = n - 2 * self.rng.randrange(1, 10) + 1
            if k > self.n - 1000:
                yield f"DELETE FROM {q(t.name)} WHERE {where(k, self.shape)}", f"DELETE FROM {q(t.name)} WHERE {where(k, {})}"

    def both(self, db, mirror, ours, theirs):
        """Where rows of different writers may collide, in one order; elsewhere as it comes."""
        with self.rollout.order:
            a, b = db.run(ours), mirror.run(theirs)
        if bool(code(a)) != bool(code(b)):
            raise Defect(f"a client's write while it ran: ours {a or 'fine'}\n mirror {b or 'fine'}\n--- {ours}")


class Nothing:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


class Rollout(Trial):
    def __init__(self, fleet, seed, writers, verbose):
        host = fleet.hosts["db1"]
        super().__init__(types.SimpleNamespace(dir=host.socket, port=str(host.port)), seed, verbose)
        self.fleet, self.writers = fleet, writers
        self.wrote = 0
        self.how = "-"

    def load(self):
        f, script = self.fleet, self.case["schema"] + "\n" + self.case["dependents"]
        f.reset("svc")
        host = f.hosts["db1"]
        f._psql(host, "postgres", "postgres", 'DROP DATABASE IF EXISTS svc_m WITH (FORCE);\n'
                                              'CREATE DATABASE svc_m OWNER svc_owner;')
        for database in ("svc", "svc_m"):
            f._psql(host, database, "svc_owner", script)

    def run(self):
        f = self.fleet
        try:
            self.load()
        except RuntimeError as error:
            return "bad schema: " + str(error).strip()[:160]
        f.write("change.yaml", json.dumps({"title": "wild", "author": "dev@example.org", "intents": [
            {op: dict(keys, service="svc") for op, keys in one.items()} for one in self.case["intents"]]}))
        done = f.flotilla("draft", "change.yaml", "-o", "plan.yaml")
        refused = self.refusal(types.SimpleNamespace(returncode=done.code, stderr=done.err))
        if refused:
            return f"refused: {refused[:160]}"
        plan = json.loads(f.ok("show", "plan.yaml", "--format", "json").out)
        if not plan["phases"]:
            return "nothing to do"
        self.clients(f.flotilla("rehearse", "plan.yaml"))
        f.approve("plan.yaml")
        self.db, self.mirror = Session(self.lab, "svc"), Session(self.lab, "svc_m")
        try:
            return self.roll({p["phase"] for p in plan["phases"]})
        finally:
            self.db.close()
            self.mirror.close()

    @staticmethod
    def clients(run, codes=(0,)):
        if run.code not in codes:
            raise Defect(str(run)[-3000:])
        return run

    def shown(self, session, names, skip=()):
        listed = "".join(f", {q(n)}::text" for n in names if n not in skip)
        return sorted(session.ok(f"SELECT 'row'{listed} FROM {q(self.table.name)}").split("\n"))

    def unique(self):
        return self.db.ok("SELECT count(*) FROM pg_index WHERE (indisunique OR indisexclusion) AND NOT indisprimary"
                          f" AND indrelid = to_regclass('{q(self.table.name).replace(chr(39), chr(39) * 2)}')") != "0"

    def during(self, shape, skip, work):
        """Does the work while writers write; gives its result."""
        threads = [Writer(self, self.group * self.writers + i, shape, skip) for i in range(self.writers)]
        self.group += 1
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.1)
            result = work()
        finally:
            for thread in threads:
                thread.over.set()
            for thread in threads:
                thread.join(60)
        self.wrote += sum(t.done for t in threads)
        for thread in threads:
            if thread.defect:
                raise thread.defect
        return result

    def roll(self, phases):
        f, case, c = self.fleet, self.case, self.column
        self.known, self.group, self.in_contract, self.migrated = [self.table.name], 0, False, False
        self.order = threading.Lock() if self.unique() or not self.table.keys or case["operation"] == "add_index" else Nothing()
        self.lossy = False
        before = self.catalog()
        run = self.during({}, None, lambda: f.flotilla("start", "plan.yaml", timeout=180))
        self.clients(run, (0, 3))
        self.same_rows()
        if run.code == 3:
            f.ok("ack", "svc", "--plan", "plan.yaml", codes=(0, 1))
            self.in_contract = self.migrated = "contract" in phases
            shape = dict([case["rename"]]) if case["rename"] else {}
            skip = c.name if case["operation"] == "drop_column" else None
            if case["operation"] == "set_not_null" or (skip and c.key) or self.table.nulls:
                run = f.flotilla("promote", timeout=180)
            else:
                run = self.during(shape, skip, lambda: f.flotilla("promote", timeout=180))
            self.clients(run)
            self.lossy = case["operation"] in KEEPS_NOTHING
            self.same_rows()
        run = f.flotilla("rollback", timeout=180)
        self.clients(run)
        self.in_contract = False
        self.come_back(before)
        self.same_rows(final=True)
        return f"fine, {self.wrote} rounds of {self.writers} writers"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--only", help="operations, with commas: other seeds are passed over")
    parser.add_argument("-v", action="store_true")
    asked = parser.parse_args()
    failed = rounds = rolled = 0
    fleet = Fleet(transport="local")
    fleet.host("db1")
    fleet.owner("team", "ana@example.org", "raj@example.org")
    fleet.service("svc", host="db1", schema="")
    with fleet:
        fleet._psql(fleet.hosts["db1"], "postgres", "postgres", "CREATE ROLE reader; CREATE ROLE writer;")
        for seed in range(asked.seed, asked.seed + asked.count):
            if asked.only and wild.case(seed)["operation"] not in asked.only.split(","):
                continue
            trial = Rollout(fleet, seed, asked.writers, asked.v)
            try:
                word = trial.run()
                rolled += word.startswith("fine")
            except (Defect, SqlError, AssertionError, RuntimeError) as defect:
                failed += 1
                word = "DEFECT\n      " + str(defect)[:4000].replace("\n", "\n      ")
            rounds += trial.wrote
            print(f"{seed:5} {trial.case['operation']:16} {word}", flush=True)
            if asked.v or word.startswith("DEFECT"):
                print(f"      intent {trial.case['intents']}", flush=True)
    print(f"{asked.count} seeds, {rolled} rolled out and back, {rounds} rounds of writes, {failed} defects")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
