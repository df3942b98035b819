"""What scenario tests of rollouts share: a fleet of one service, a change that can be met at work.

    from rolling import Rolling, SLOW_USERS

    class Verbs(Rolling):
        schema = SLOW_USERS                      # updates of a row take their time
        def test_it(self):
            self.signed()                        # RENAME: drafted, rehearsed, approved as plan.yaml
            process = self.begin()               # `flotilla start plan.yaml`, killed at the test's end
            self.until("it begins", lambda: self.filled() > 20)
            code, out, err = self.ended(process)
"""

import json
import pathlib
import signal
import time
import unittest

from fleet import of_users

ROWS = 1500
# Every update of a row takes its time, so that a backfill can be met at work.
SLOW_USERS = f"""
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
INSERT INTO users (email) SELECT 'u' || g || '@example.org' FROM generate_series(1, {ROWS}) g;
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow();
"""

RENAME = """
title: Rename email
author: tester
intents:
  - rename_column: { service: users, table: users, column: email, to: email_address }
"""


class Rolling(unittest.TestCase):
    schema = None  # SQL of the service users

    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, cls.schema)
        cls.state = pathlib.Path(cls.fleet.work) / ".flotilla"

    def setUp(self):
        self.fleet.reset("users")
        self.running = []

    def tearDown(self):
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()

    def draft(self, change=RENAME, plan="plan.yaml"):
        self.fleet.write("change.yaml", change)
        self.fleet.ok("draft", "change.yaml", "-o", plan)

    def signed(self, change=RENAME, plan="plan.yaml", people=None):
        self.draft(change, plan)
        self.fleet.ok("rehearse", plan)
        self.fleet.approve(plan, people)

    def begin(self, *args):
        process = self.fleet.popen(*(args or ("start", "plan.yaml")))
        self.running.append(process)
        return process

    @staticmethod
    def ended(process):
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def until(self, what, true, seconds=60):
        """Waits; the limit only catches a hang."""
        deadline = time.monotonic() + seconds
        while True:
            found = true()
            if found:
                return found
            self.assertLess(time.monotonic(), deadline, f"never: {what}")
            time.sleep(0.05)

    def filled(self):
        """How many rows the rename's backfill has done."""
        there = self.fleet.value("users", "SELECT 1 FROM pg_attribute WHERE attname = 'email_address'"
                                          " AND attrelid = 'users'::regclass")
        return int(self.fleet.value(
            "users", "SELECT count(*) FROM users WHERE email_address IS NOT NULL")) if there else 0

    def events(self, *state):
        run = self.fleet.ok("logs", "--format", "ndjson", *state)
        return [json.loads(line) for line in run.out.splitlines()]

    def status(self):
        run = self.fleet.flotilla("status", "--format", "json")
        return json.loads(run.out) if run.out else None
