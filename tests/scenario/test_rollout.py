"""A rollout from a change file to the end, over real agents and databases: gates, verbs, refusals."""

import json
import os
import pathlib
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from rolling import RENAME, Rolling  # noqa: E402

USERS = """
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
INSERT INTO users (email) SELECT 'u' || g || '@example.org' FROM generate_series(1, 20000) g;
"""

ADD = """
title: Add a nickname
author: tester
intents:
  - add_column: { service: users, table: users, column: nickname, type: text, default: "'none'" }
"""

UNKNOWN = """
title: A column that nobody can see beforehand
author: tester
intents:
  - sql:
      service: users
      up: DO $$ BEGIN EXECUTE format('ALTER TABLE users ADD COLUMN %I text', (SELECT 'seen')); END $$
      down: ALTER TABLE users DROP COLUMN seen
      note: The name comes from elsewhere
"""

BY_HAND = """
title: Half of them go
author: tester
intents:
  - sql: { service: users, up: "DELETE FROM users WHERE id % 2 = 0", down: "SELECT 1", note: They are of tests }
"""


class Rollout(Rolling):
    schema = USERS

    def acks(self, plan="plan.yaml"):
        self.fleet.ok("ack", "users", "--plan", plan, "--note", "v2 is out")

    def columns(self):
        return [r[0] for r in self.fleet.sql(
            "users", "SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass "
                     "AND attnum > 0 AND NOT attisdropped ORDER BY 1")]

    # --- the way forward ---------------------------------------------------------------------

    def test_add_column_runs_to_the_end(self):
        self.signed(ADD)
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 0, run)
        self.assertTrue(run.out.startswith("rollout r-"), run)
        self.assertIn("nickname", self.columns())
        self.assertEqual(self.status()["status"], "done")

    def test_what_could_not_be_analysed_waits_for_a_person(self):
        self.signed(UNKNOWN)
        plan = self.fleet.ok("show", "plan.yaml").out
        self.assertIn("unknown]", plan)
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        self.assertIn("expand waits for promote: step expand/users/1 could not be analysed", run.out)
        self.assertNotIn("seen", self.columns())
        self.fleet.ok("promote")
        self.assertIn("seen", self.columns())
        self.assertEqual(self.status()["status"], "done")

    def test_rename_waits_at_every_gate_and_comes_back(self):
        before_rows, before_catalog = self.fleet.rows("users"), self.fleet.catalog("users")
        self.signed(RENAME)
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        self.assertIn("waits for the word of users", run.out)
        self.assertIn("email_address", self.columns())
        self.acks()
        run = self.fleet.flotilla("resume")
        self.assertEqual(run.code, 3, run)
        self.assertIn("waits for promote", run.out)
        self.fleet.ok("promote")
        self.assertEqual(self.columns(), ["email_address", "id"])
        rollout = self.status()["rollout"]
        kept = json.loads(self.fleet.ok("snapshot", "verify", rollout, "--format", "json").out)["instances"][0]["snapshots"]
        self.assertEqual([(s["rows"], s["ok"]) for s in kept], [(20000, True)])
        self.assertIn("20,000 rows", self.fleet.ok("snapshot", "list").out)
        self.assertEqual(self.fleet.flotilla("snapshot", "restore").code, 1)
        self.fleet.sql("users", "INSERT INTO users (email_address) VALUES ('new@example.org')")
        self.fleet.ok("rollback")
        self.assertEqual(self.columns(), ["email", "id"])
        self.assertEqual(self.fleet.value(
            "users", "SELECT count(*) FROM users WHERE email = 'new@example.org'"), "1")
        self.fleet.sql("users", "DELETE FROM users WHERE email = 'new@example.org'")
        self.assertEqual(self.fleet.rows("users"), before_rows)
        self.assertEqual(self.fleet.catalog("users"), before_catalog)
        self.assertEqual(self.status()["status"], "rolled_back")

    def test_sql_as_written_goes_back_with_its_rows(self):
        before = self.fleet.rows("users")
        self.signed(BY_HAND)
        self.assertIn("Keep the rows of users aside", self.fleet.ok("show", "plan.yaml").out)
        self.fleet.ok("start", "plan.yaml")
        self.assertEqual(self.fleet.value("users", "SELECT count(*) FROM users"), "10000")
        kept = json.loads(self.fleet.ok("snapshot", "verify", self.status()["rollout"], "--format", "json").out)
        self.assertEqual([(s["rows"], s["ok"]) for s in kept["instances"][0]["snapshots"]], [(20000, True)])
        self.fleet.sql("users", "INSERT INTO users (email) VALUES ('new@example.org')")
        self.fleet.ok("rollback")
        self.fleet.sql("users", "DELETE FROM users WHERE email = 'new@example.org'")
        self.assertEqual(self.fleet.rows("users"), before)

    def test_partial_way_back_and_forward_again(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        clean = self.fleet.flotilla("agent", "clean")  # nothing runs, but the way back needs the journal
        self.assertEqual(1, clean.code, clean.out)
        self.assertIn("has not ended and needs the journal of", clean.err)
        run = self.fleet.flotilla("rollback", "--to", "expand")
        self.assertEqual(run.code, 3, run)
        self.assertIn("undone as asked: what comes after expand", run.out)
        run = self.fleet.flotilla("rollback", "--to", "contract")
        self.assertEqual(run.code, 1, run)
        self.assertIn("nothing comes after contract", run.err)
        self.fleet.ok("resume", codes=(3,))
        self.acks()
        self.fleet.ok("promote")
        self.assertEqual(self.columns(), ["email_address", "id"])

    def test_until(self):
        self.signed(RENAME)
        run = self.fleet.flotilla("start", "plan.yaml", "--until", "expand")
        self.assertEqual(run.code, 3, run)
        self.assertIn("--until", run.out)
        self.assertEqual(self.fleet.value(
            "users", "SELECT count(*) FROM users WHERE email_address IS NOT NULL"), "0")

    def test_dry_run_touches_nothing(self):
        self.signed(RENAME)
        before = self.fleet.catalog("users")
        run = self.fleet.ok("start", "plan.yaml", "--dry-run")
        self.assertIn("nothing was done", run.out)
        self.assertEqual(self.fleet.catalog("users"), before)

    def test_names_that_need_quotes(self):
        """A plan's locks name relations as everything else in it does: the host takes them by these names."""
        self.fleet.sql("users", 'CREATE TABLE "dot.t" (id int PRIMARY KEY); CREATE TABLE "q""t" (id int PRIMARY KEY);'
                                'INSERT INTO "dot.t" VALUES (1); INSERT INTO "q""t" VALUES (1);', role="users_owner")
        for number, table in enumerate(("\'\"dot.t\"\'", "\'\"q\"\"t\"\'")):
            self.signed(ADD.replace("table: users,", f"table: {table},"), f"plan{number}.yaml")
            run = self.fleet.flotilla("start", f"plan{number}.yaml")
            self.assertEqual(run.code, 0, run)

    # --- refusals ----------------------------------------------------------------------------

    def test_unsigned_phase_waits(self):
        self.draft(ADD)
        self.fleet.ok("rehearse", "plan.yaml")
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        self.assertIn("flotilla approve", run.out)
        self.assertNotIn("nickname", self.columns())

    def test_unrehearsed_plan_waits(self):
        self.draft(ADD)
        self.fleet.approve("plan.yaml")
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        self.assertIn("rehearse", run.out)

    def test_tampered_plan(self):
        self.signed(ADD)
        path = os.path.join(self.fleet.work, "plan.yaml")
        text = pathlib.Path(path).read_text()
        pathlib.Path(path).write_text(text.replace("nickname", "nickmane"))
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 1, run)
        self.assertIn("not what its digest says", run.err)

    def test_drift_is_named(self):
        self.signed(ADD)
        self.fleet.sql("users", "ALTER TABLE users ADD COLUMN surprise int")
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 1, run)
        self.assertIn("public.users", run.out + run.err)
        self.assertNotIn("nickname", self.columns())

    def test_signature_of_another_plan(self):
        self.signed(RENAME, "other.yaml")
        self.draft(ADD)
        self.fleet.ok("rehearse", "plan.yaml")
        source = pathlib.Path(self.fleet.work) / "other.approvals"
        target = pathlib.Path(self.fleet.work) / "plan.approvals"
        target.mkdir(exist_ok=True)
        for file in source.iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        self.assertNotIn("nickname", self.columns())

    def test_second_rollout_on_the_same_table(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        self.signed(ADD, "second.yaml")  # rehearsed on clones without the first one's triggers
        run = self.fleet.flotilla("start", "second.yaml")
        self.assertEqual(run.code, 1, run)
        self.assertIn("public.users", run.err)

    # --- interruptions -----------------------------------------------------------------------

    def test_status_shows_all_that_have_not_ended(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        self.fleet.sql("users", "CREATE TABLE notes (id int PRIMARY KEY); ALTER TABLE notes OWNER TO users_owner;")
        self.draft(ADD.replace("table: users", "table: notes"), "other.yaml")
        self.fleet.ok("rehearse", "other.yaml")
        run = self.fleet.ok("start", "other.yaml", codes=(3,))
        self.assertIn("next: `flotilla approve other.yaml --as NAME --phase expand`", run.out)
        run = self.fleet.ok("status", codes=(3,))
        for words in ("Rename email  waits at a gate", "next: `flotilla ack users --plan plan.yaml`",
                      "Add a nickname  waits at a gate"):
            self.assertIn(words, run.out)
        for command in (["status", "--format", "json"], ["promote"]):
            run = self.fleet.ok(*command, codes=(1,))
            self.assertIn("several rollouts have not ended", run.err)
            self.assertIn("name the one that is meant", run.err)

    def test_killed_controller_goes_on(self):
        self.signed(RENAME)
        process = self.fleet.popen("start", "plan.yaml")
        time.sleep(0.4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 3, run)
        done = [e["step"] for e in self.events() if e["event"] == "step_done"]
        self.assertEqual(len(done), len(set(done)), done)
        self.assertEqual(self.fleet.value(
            "users", "SELECT count(*) FROM users WHERE email IS DISTINCT FROM email_address"), "0")

    def test_abort_then_retry(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", "--until", "expand", codes=(3,))
        self.fleet.flotilla("abort")
        self.assertEqual(self.status()["status"], "aborted")
        run = self.fleet.flotilla("retry")
        self.assertEqual(run.code, 3, run)

    def test_lost_state_is_rebuilt(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        for file in (pathlib.Path(self.fleet.work) / ".flotilla").iterdir():
            file.unlink()
        run = self.fleet.ok("recover", "plan.yaml")
        self.assertIn("aborted", run.out)
        self.fleet.ok("rollback")
        self.assertEqual(self.columns(), ["email", "id"])


if __name__ == "__main__":
    unittest.main()
