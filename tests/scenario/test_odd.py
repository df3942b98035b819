#!/usr/bin/python3
"""Every intent over every column of a schema with traps (tests/lib/odd_schema.py), with psql alone.

Each change is refused with a reason, and then nothing is there of it, or planned: forward it ends in the
catalog of the plain statement, back in the catalog and the rows of the start. ODD=all runs all of them (make
sweep); without it a seventh, another one on each day of the week.
"""

import collections
import datetime
import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"), HERE]
import odd_schema  # noqa: E402
from test_compile import Lab, Runner  # noqa: E402

COMMENTS = """SET search_path = ''; SELECT format('%s says %s', pg_catalog.pg_describe_object(classoid, objoid, objsubid), description)
    FROM pg_catalog.pg_description WHERE objoid > 16384 AND pg_catalog.pg_describe_object(classoid, objoid, objsubid) !~ 'extension|btree_gist|gbt_|gist_'"""


class Odd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.stop)
        cls.lab.psql("postgres", "DO $$ BEGIN IF to_regrole('reader') IS NULL THEN CREATE ROLE reader; CREATE ROLE "
                     "writer; END IF; END $$;")
        cls.lab.make("odd_template", odd_schema.SCHEMA)

    def state(self, database):
        return self.lab.catalog(database) + sorted(filter(None, self.lab.psql(database, COMMENTS).split("\n")))

    def clone(self, database):
        self.lab.psql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE);')
        self.lab.psql("postgres", f'CREATE DATABASE "{database}" TEMPLATE odd_template;')

    def change(self, name, intents, plain):
        """What came of it: ok, refused, no change; or a defect in words."""
        lab, path = self.lab, f"/tmp/odd-{os.getpid()}.json"
        self.clone("odd_mine")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"title": name, "intents": [{op: dict(keys, service="svc") for op, keys in one.items()} for one in intents]}, out)
        done = lab.draft("odd_mine", path)
        os.unlink(path)
        if done.returncode:
            fine = done.returncode == 1 and "error: " in done.stderr and "hint: " in done.stderr and "please report" not in done.stderr
            why = [line for line in done.stderr.split("\n") if " error: " in line or "draft:" in line]
            return ("refused", why[0] if why else done.stderr) if fine else ("crash", done.stderr)
        plan = json.loads(done.stdout)
        start, rows = self.state("odd_mine"), lab.data("odd_mine")
        runner = Runner(lab, "odd_mine", plan)
        goes = None
        if plain:
            self.clone("odd_plain")
            run = lab.psql("odd_plain", plain, check=False)
            goes = run.returncode == 0
        try:
            for i in range(len(runner.phases)):
                runner.up(i)
        except AssertionError as error:
            return ("stops", str(error)[:300]) if goes is False else ("step fails", str(error)[:900])
        if goes is False and runner.phases:
            goes = None
        end = self.state("odd_mine")
        if goes:
            wanted = self.state("odd_plain")
            if name.endswith("rename"): # bodies of functions follow ours and do not follow a plain rename
                wanted, end = ([x for x in lines if not x.startswith("function ") and "\n" not in x] for lines in (wanted, end))
                wanted, end = ([x for x in lines if "BEGIN" not in x] for lines in (wanted, end))
            if wanted != end:
                return "end differs", self.difference(wanted, end)
        try:
            for i in reversed(range(len(runner.phases))):
                runner.down(i)
        except AssertionError as error:
            return "undo fails", str(error)[:900]
        back = self.state("odd_mine")
        if back != start:
            return "undo differs", self.difference(start, back)
        if lab.data("odd_mine") != rows:
            return "rows differ", ""
        return ("ok" if runner.phases else "nothing to do"), ""

    @staticmethod
    def difference(a, b):
        return "\n".join(["- " + x for x in sorted(set(a) - set(b))] + ["+ " + x for x in sorted(set(b) - set(a))])[:1500]

    def test_every_intent_on_every_column(self):
        day = datetime.date.today().weekday()
        counts = collections.Counter()
        everything = os.environ.get("ODD", "")
        for i, (name, intents, plain) in enumerate(odd_schema.changes()):
            if everything not in ("", "all") and everything not in name:
                continue
            if not everything and i % 7 != day:
                continue
            came, detail = self.change(name, intents, plain)
            counts[came] += 1
            if came == "refused" and everything:
                print(f"refused  {name}: {detail}", file=sys.stderr)
            with self.subTest(name):
                self.assertIn(came, ("ok", "refused", "nothing to do", "stops"), detail)
        print(dict(counts), file=sys.stderr)
        self.assertGreater(counts["ok"], 2 * counts["refused"])


if __name__ == "__main__":
    unittest.main()
