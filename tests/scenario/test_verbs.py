"""The verbs on a rollout that is at work: what they promise while a backfill runs, a lock is held, a
gate is closed. Every event and every status that any of it prints is checked against its schema."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import time
import unittest

import jsonschema

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "lib"))
from fleet import PG  # noqa: E402
from rolling import ROWS, SLOW_USERS, Rolling  # noqa: E402

UNIQUE = """
title: Emails are unique
author: tester
intents:
  - add_unique: { service: users, table: users, name: users_email_key, columns: [email] }
"""

def schema(name):
    content = json.loads((TESTS.parent / "schemas" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


EVENTS, STATUS = schema("events.schema.json"), schema("status.schema.json")
FORECAST, SNAPSHOTS = schema("forecast.schema.json"), schema("snapshots.schema.json")
NAMES = set(EVENTS.schema["properties"]["event"]["enum"])


class Verbs(Rolling):
    schema = SLOW_USERS

    def setUp(self):
        self.fleet.policy = {}
        self.fleet.write_files()
        super().setUp()

    def tearDown(self):
        super().tearDown()
        if os.path.exists(self.state) and self.status():
            self.events()

    # --- words of the tests --------------------------------------------------------------------

    def signed(self, *args, **more):
        super().signed(*args, **more)
        self.before = self.fleet.rows("users"), self.fleet.catalog("users")

    def at_work(self, *args):
        """A rollout whose backfill has begun and is far from its end."""
        self.signed()
        process = self.begin("start", "plan.yaml", *args)
        self.until("the backfill begins", lambda: self.filled() > 20)
        self.assertLess(self.filled(), ROWS)
        return process

    def events(self):
        events = super().events()
        for event in events:
            problems = [e.message for e in EVENTS.iter_errors(event)]
            self.assertEqual(problems, [], event)
        self.assertEqual([e["seq"] for e in events], sorted({e["seq"] for e in events}))
        return events

    def names(self):
        return [e["event"] for e in self.events()]

    def status(self):
        run = self.fleet.flotilla("status", "--format", "json")
        if run.code == 1:
            self.assertIn("there is no rollout", run.err)
            return {}
        status = json.loads(run.out)
        self.assertEqual([e.message for e in STATUS.iter_errors(status)], [], status)
        return status

    def once(self):
        """No step was done twice."""
        done = [e["step"] for e in self.events() if e["event"] == "step_done"]
        self.assertEqual(len(done), len(set(done)), done)

    def as_before(self):
        self.assertEqual(self.fleet.rows("users"), self.before[0])
        self.assertEqual(self.fleet.catalog("users"), self.before[1])

    # --- pause, abort, rollback while a backfill runs ------------------------------------------

    def test_several_at_once_at_a_gate(self):
        self.signed()
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        for _ in range(3):  # one drives and is done at once: the others must not wait for it
            several = [self.begin(*words) for words in 3 * [("start", "plan.yaml"), ("resume",)]]
            for process in several:
                code, out, err = self.ended(process)
                self.assertEqual((3, ""), (code, err), out)
        with sqlite3.connect(self.state / "state.db") as state:
            self.assertEqual([(0,)], state.execute("SELECT count(*) FROM control WHERE answer IS NULL").fetchall())

    def test_pause_stops_the_writing_and_resume_goes_on(self):
        process = self.at_work()
        run = self.fleet.ok("pause")
        self.assertIn("paused", run.out)
        self.assertEqual(self.status()["status"], "paused")
        self.until("its runner waits", lambda: [
            e for e in self.events() if e["event"] == "paused" and "instance" in e])
        at = self.filled()
        self.assertLess(at, ROWS)
        time.sleep(1)
        self.assertEqual(self.filled(), at)
        self.assertIsNone(process.poll(), "the driver stays")
        run = self.fleet.ok("resume", codes=(3,))
        self.assertIn("waits for the word of users", run.out)
        self.assertEqual(self.ended(process)[0], 3)
        self.assertEqual(self.filled(), ROWS)
        self.once()

    def test_abort_in_a_backfill_then_retry(self):
        process = self.at_work()
        run = self.fleet.ok("abort")
        self.assertIn("flotilla retry", run.out)
        self.assertEqual(self.ended(process)[0], 1)
        self.assertEqual(self.status()["status"], "aborted")
        at = self.filled()
        self.assertLess(at, ROWS)
        time.sleep(0.5)
        self.assertEqual(self.filled(), at)
        self.fleet.ok("retry", codes=(3,))
        self.assertEqual(self.filled(), ROWS)
        self.once()
        rows = [e["measured"]["rows"] for e in self.events()
                if e["event"] == "step_done" and e["measured"].get("batches")]
        self.assertEqual(rows, [ROWS], "what the first run moved counts, and counts once")

    def test_rollback_in_a_backfill(self):
        process = self.at_work()
        self.fleet.ok("rollback")
        self.assertEqual(self.ended(process)[0], 0)
        self.assertEqual(self.status()["status"], "rolled_back")
        self.as_before()

    def test_rollback_of_a_paused_one(self):
        process = self.at_work()
        self.fleet.ok("pause")
        self.fleet.ok("rollback")
        self.assertEqual(self.ended(process)[0], 0)
        self.as_before()

    def test_detached_then_watched(self):
        self.signed()
        run = self.fleet.ok("start", "plan.yaml", "--detach")
        self.assertRegex(run.out, r"^rollout r-\w+")
        run = self.fleet.flotilla("watch", "--format", "ndjson", timeout=60)
        self.assertEqual(run.code, 3, run)
        events = [json.loads(line) for line in run.out.splitlines()]
        for event in events:
            self.assertEqual([e.message for e in EVENTS.iter_errors(event)], [], event)
        self.assertEqual(events[-1]["event"], "gate_waiting")
        self.assertIn("progress", {e["event"] for e in events})
        self.assertEqual(self.filled(), ROWS)

    def test_watch_says_that_nobody_drives(self):
        process = self.at_work()
        process.kill()
        run = self.fleet.ok("watch", codes=(1,))
        self.assertIn("no process drives it", run.err)
        self.assertIn("no process drives it", self.fleet.ok("logs", "-f", codes=(1,)).err)
        self.assertIn("flotilla resume", run.err)
        self.fleet.ok("resume", codes=(3,))
        self.assertEqual(self.filled(), ROWS)
        self.once()

    def test_progress_lines_are_few(self):
        process = self.at_work()
        _, out, _ = self.ended(process)
        lines = [line for line in out.splitlines() if re.search(r"\bprogress\b", line)]
        seconds = [line.split()[0] for line in lines]
        self.assertGreater(len([e for e in self.names() if e == "progress"]), len(lines))
        self.assertTrue(lines)
        self.assertLessEqual(max(seconds.count(s) for s in seconds), 2, out)
        self.assertNotIn("step undoing", out)

    # --- gates ---------------------------------------------------------------------------------

    def test_promote_does_not_open_a_gate_that_lacks_a_word(self):
        self.signed()
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        run = self.fleet.ok("promote", codes=(3,))
        self.assertIn("waits for the word of users", run.out)
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        run = self.fleet.ok("resume", codes=(3,))
        self.assertIn("waits for promote", run.out, "an early promote is not kept")
        self.fleet.ok("promote")
        self.assertIn("acknowledged", self.names())

    def test_promote_does_not_open_a_gate_that_lacks_signatures(self):
        self.signed(people=["ana@example.org"])
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        run = self.fleet.ok("promote", codes=(3,))
        self.assertIn("flotilla approve", run.out)
        self.assertIn("contract", run.out)
        self.fleet.approve("plan.yaml", ["raj@example.org"])
        self.fleet.ok("promote")
        self.assertIn("approved", self.names())

    def test_rejected_until_withdrawn(self):
        self.signed()
        who = ["--as", "raj@example.org"]
        self.fleet.ok("reject", "plan.yaml", *who, "--reason", "not before the sale")
        run = self.fleet.ok("start", "plan.yaml", codes=(3,))
        self.assertIn("not before the sale", run.out)
        self.fleet.ok("resume", codes=(3,))
        self.assertEqual(self.filled(), 0)
        self.fleet.ok("reject", "plan.yaml", *who, "--withdraw")
        run = self.fleet.ok("resume", codes=(3,))
        self.assertIn("waits for the word of users", run.out)
        self.assertIn("rejection_withdrawn", self.names())

    # --- what stands in the way ------------------------------------------------------------------

    def psql(self, script):
        """A session of somebody else's that stays open."""
        host, database = self.fleet.place("users")
        process = subprocess.Popen(
            [f"{PG}/psql", "-X", "-q", "-h", host.socket, "-p", str(host.port), "-U", "postgres",
             "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, env=self.fleet.environment_of_commands({"PGAPPNAME": "nightly_report"}))
        self.running.append(process)
        process.stdin.write(script + "\n\\echo there\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "there\n")
        return process

    def test_the_blocker_is_named(self):
        self.signed()
        blocker = self.psql("BEGIN; LOCK TABLE users IN ACCESS SHARE MODE;")
        pid = self.fleet.value("users", "SELECT pid FROM pg_stat_activity"
                                        " WHERE application_name = 'nightly_report'")
        process = self.begin()
        waiting = self.until("status names the blocker", lambda: [
            t["waiting"] for t in self.status().get("tasks", []) if "waiting" in t])
        self.assertIn(f"pid {pid} nightly_report", waiting[0])
        blocker.stdin.write("COMMIT;\n\\q\n")
        blocker.stdin.close()
        blocker.stdin = None
        code, out, err = self.ended(process)
        self.assertEqual(code, 3, out + err)
        self.assertIn("nightly_report", out)
        named = [b for e in self.events() if e["event"] == "lock_waiting" for b in e["blockers"]]
        self.assertIn((int(pid), "nightly_report"), [(b["pid"], b["application"]) for b in named])
        self.assertTrue(all("waiting" not in t for t in self.status()["tasks"]))

    def test_a_failure_is_compensated_when_the_policy_says_so(self):
        self.fleet.policy = {"on_failure": "compensate"}
        self.fleet.write_files()
        self.signed(UNIQUE)
        self.fleet.sql("users", "INSERT INTO users (email) VALUES ('u1@example.org')")
        self.before = self.fleet.rows("users"), self.before[1]
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertIn("part_failed", self.names(), run)
        self.assertEqual(self.status()["status"], "rolled_back", run)
        self.as_before()

    def test_a_failure_stops_otherwise(self):
        self.signed(UNIQUE)
        self.fleet.sql("users", "INSERT INTO users (email) VALUES ('u1@example.org')")
        run = self.fleet.flotilla("start", "plan.yaml")
        self.assertEqual(run.code, 1, run)
        self.assertIn("flotilla retry", run.out)
        self.assertEqual(self.status()["status"], "failed")
        self.fleet.sql("users", f"DELETE FROM users WHERE id = {ROWS + 1}")
        run = self.fleet.flotilla("retry")
        self.assertIn(run.code, (0, 3), run)

    # --- snapshots -----------------------------------------------------------------------------

    def test_a_dry_run_as_data(self):
        self.draft()
        run = self.fleet.ok("start", "plan.yaml", "--dry-run", "--format", "json")
        self.assertFalse(os.path.exists(self.state), "a dry run leaves no state")
        closed = {p["phase"]: " ".join(p["closed"]) for p in run.json()["phases"]}
        for words in ("not rehearsed: expand of users", "expand of users needs 1 approval and has 0"):
            self.assertIn(words, closed["expand"])
        self.signed()
        forecast = self.fleet.ok("start", "plan.yaml", "--dry-run", "--format", "json").json()
        FORECAST.validate(forecast)
        plan = self.fleet.ok("show", "plan.yaml", "--format", "json").json()
        steps = [s["id"] for phase in plan["phases"] for part in phase["services"] for s in part["steps"]]
        self.assertEqual([[], [], ["the word is missing of users", "waits for promote"]],
                         [phase["closed"] for phase in forecast["phases"]])
        told = [s["id"] for phase in forecast["phases"] for part in phase["parts"] for s in part["steps"]]
        self.assertEqual(("forward", steps), (forecast["direction"], told))
        run = self.fleet.ok("start", "plan.yaml", "--dry-run", "--format", "ndjson", codes=(1,))
        self.assertIn("--format json", run.err)

    def test_snapshots_are_listed_and_verified(self):
        self.signed()
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        rollout = self.status()["rollout"]
        self.assertIn("no snapshots", self.fleet.ok("snapshot", "list", rollout).out)
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        self.fleet.ok("promote")
        listed = self.fleet.ok("snapshot", "list", rollout, "--format", "json").json()
        SNAPSHOTS.validate(listed)
        [snapshot] = listed["instances"][0]["snapshots"]
        self.assertEqual((snapshot["name"], snapshot["rows"]), ("users", ROWS))
        SNAPSHOTS.validate(self.fleet.ok("snapshot", "verify", rollout, "--service", "users", "--format",
                                         "json").json())
        forecast = self.fleet.ok("rollback", rollout, "--dry-run", "--format", "json").json()
        FORECAST.validate(forecast)
        self.assertEqual("back", forecast["direction"])
        undone = [s for phase in forecast["phases"] for part in phase["parts"] for s in part["steps"] if s["undone"]]
        self.assertEqual(len(undone), forecast["total"]["steps"])
        self.assertEqual(0, forecast["total"]["snapshot_bytes"], "nothing is kept on the way back")
        [restored] = [s for s in undone if s["kind"] == "snapshot"]
        [kept] = [e["measured"]["ms"] for e in self.events() if e["event"] == "step_done" and e["step"] == restored["id"]]
        self.assertEqual(0, restored["ms"] % max(kept, 1), "what it took on the way there counts")
        steps = [s["id"] for phase in forecast["phases"] for part in phase["parts"] for s in part["steps"]]
        self.assertLess(len(undone), len(steps), "what has no way back is listed, not counted")
        self.assertEqual("expand/users/1", steps[-1])
        run = self.fleet.ok("snapshot", "restore", codes=(1,))
        self.assertIn("flotilla rollback", run.err)
        [rows] = [p for p in pathlib.Path(self.fleet.dir).glob("hosts/db1/snapshots/**/rows*")
                  if rollout in str(p)]
        content = bytearray(rows.read_bytes())
        content[len(content) // 2] ^= 1
        rows.write_bytes(content)
        run = self.fleet.ok("snapshot", "verify", rollout, codes=(1,))
        self.assertIn("users-1", run.err)
        damaged = self.fleet.ok("snapshot", "verify", rollout, "--format", "json", codes=(1,)).json()
        SNAPSHOTS.validate(damaged)
        self.assertTrue(damaged["instances"][0]["snapshots"][0]["error"])


if __name__ == "__main__":
    unittest.main()
