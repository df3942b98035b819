"""A database that lost its journal, or came back from an old backup: nothing is guessed, nobody is stuck."""

import json
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from fleet import PG, of_users  # noqa: E402

USERS = """
CREATE TABLE users (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
INSERT INTO users (email) SELECT 'u' || g || '@example.org' FROM generate_series(1, 2000) g;
"""
RENAME = """
title: Rename email
author: tester
intents:
  - rename_column: { service: users, table: users, column: email, to: email_address }
"""
ADD = """
title: Add a nickname
author: tester
intents:
  - add_column: { service: users, table: users, column: nickname, type: text }
"""


class Journal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, USERS)

    def setUp(self):
        self.fleet.reset("users")
        self.before = self.look()

    def look(self):
        return self.fleet.catalog("users"), self.fleet.rows("users")

    def signed(self, change, plan="plan.yaml"):
        self.fleet.write("change.yaml", change)
        self.fleet.ok("draft", "change.yaml", "-o", plan)
        self.fleet.ok("rehearse", plan)
        self.fleet.approve(plan)

    def at_the_gate(self):
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", codes=(3,))

    def status(self):
        return json.loads(self.fleet.flotilla("status", "--format", "json").out)

    def dump(self, *options):
        host, database = self.fleet.place("users")
        return subprocess.run([f"{PG}/pg_dump", "-h", host.socket, "-p", str(host.port), "-U", "postgres", *options,
                               database], check=True, stdout=subprocess.PIPE, text=True).stdout

    def load(self, script):
        host, database = self.fleet.place("users")
        subprocess.run([f"{PG}/psql", "-X", "-q", "-h", host.socket, "-p", str(host.port), "-U", "postgres", "-d",
                        database, "-v", "ON_ERROR_STOP=1", "-f", "-"], input=script, text=True, check=True,
                       stdout=subprocess.DEVNULL)

    def refused(self, why, *command):
        """Exit 1, the reason, the next command, and a database that nobody touched."""
        before = self.look()
        run = self.fleet.flotilla(*command)
        said = run.out + run.err
        self.assertEqual(run.code, 1, run)
        self.assertIn(why, said, run)
        self.assertIn("flotilla abort --give-up", said, run)
        self.assertEqual(self.look(), before)
        task = [t for t in self.status()["tasks"] if t["status"] == "failed"]
        self.assertEqual([t["error_code"] for t in task], ["journal"], task)
        return run

    def test_a_dropped_journal_is_not_a_way_back(self):
        self.at_the_gate()
        kept = self.dump("-n", "flotilla", "--if-exists", "--clean")
        self.fleet.sql("users", "ALTER SCHEMA flotilla RENAME TO aside;")
        self.refused("its journal (schema flotilla) is missing", "rollback")
        self.assertEqual(self.status()["status"], "failed")
        self.assertEqual(self.fleet.value("users", "SELECT to_regnamespace('flotilla') IS NULL"), "t")
        self.refused("is missing", "retry")
        self.fleet.sql("users", "ALTER SCHEMA aside RENAME TO flotilla;")
        self.assertIn("flotilla.step", kept)
        self.fleet.ok("rollback")
        self.assertEqual(self.look(), self.before)

    def test_an_emptied_journal_is_not_a_way_back(self):
        for emptied in ("flotilla.step", "flotilla.part", "flotilla.part, flotilla.step, flotilla.fence"):
            with self.subTest(emptied):
                self.fleet.reset("users")
                self.at_the_gate()
                kept = self.dump("-n", "flotilla", "--data-only")
                self.fleet.sql("users", f"TRUNCATE {emptied};")
                run = self.refused("has been emptied", "rollback")
                self.assertRegex(run.out + run.err, r"\d+ steps of (expand|migrate) were carried out by rollout r-")
                tables = "fence, flotilla.part, flotilla.step, flotilla.cursor, flotilla.object"
                self.fleet.sql("users", f"TRUNCATE flotilla.{tables};")
                self.load(kept)
                self.fleet.ok("rollback")
                self.assertEqual(self.look(), self.before)

    def test_one_that_has_no_way_back_is_given_up(self):
        self.at_the_gate()
        self.fleet.sql("users", "DROP SCHEMA flotilla CASCADE;")
        self.refused("is missing", "rollback")
        self.signed(ADD, "second.yaml")
        run = self.fleet.flotilla("start", "second.yaml")
        self.assertEqual(run.code, 1, run)  # the first one still holds the table
        run = self.fleet.ok("abort", "--give-up")
        self.assertIn("given up", run.out)
        self.assertEqual(self.status()["status"], "given_up")
        for verb in ("resume", "retry", "promote"):
            self.assertEqual(self.fleet.flotilla(verb).code, 1)
        self.fleet.ok("start", "second.yaml")
        self.fleet.ok("agent", "clean")

    def test_a_given_up_one_does_not_hold_the_journal(self):
        self.at_the_gate()
        self.fleet.sql("users", "UPDATE flotilla.part SET state = 'failed';")
        self.fleet.ok("abort")
        self.fleet.ok("abort", "--give-up")
        run = self.fleet.flotilla("agent", "clean")
        self.assertIn("trigger", run.out + run.err, run)  # not the rollout: what it left on the table
        self.assertNotIn("is failed", run.err)

    def test_an_old_backup_is_not_contracted(self):
        backup = self.dump()
        self.at_the_gate()
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        host, database = self.fleet.place("users")
        self.fleet._psql(host, "postgres", "postgres", f"DROP DATABASE {database} WITH (FORCE);"
                         f"CREATE DATABASE {database} OWNER users_owner;")
        self.load(backup)
        self.fleet.sql("users", f"GRANT CREATE ON DATABASE {database} TO flotilla;")
        self.refused("is missing", "promote")
        self.assertEqual(self.look(), self.before)
        self.fleet.ok("abort", "--give-up")

    def test_what_could_not_be_read_at_the_end_is_no_drift(self):
        """A catalog that went on changing, or was locked, when a phase ended leaves nothing to compare with: the plan's
        fingerprints are of before the rollout, and say nothing about the phases after the first."""
        self.signed(RENAME)
        self.fleet.ok("start", "plan.yaml", "--until", "expand", codes=(3,))
        self.assertNotEqual(self.fleet.value("users", "SELECT count(*) FROM flotilla.object"), "0")
        self.fleet.sql("users", "DELETE FROM flotilla.object;")
        run = self.fleet.ok("resume", codes=(3,))
        self.assertIn("waits for the word of users", run.out)
        self.fleet.ok("rollback")
        self.assertEqual(self.look(), self.before)

    def test_clean_takes_the_way_back_of_what_is_done(self):
        self.signed(ADD)
        self.fleet.ok("start", "plan.yaml")
        self.fleet.ok("agent", "clean")
        self.refused("is missing", "rollback")
        self.fleet.ok("abort", "--give-up")

    def test_clean_takes_what_was_put_aside_when_the_host_says_so(self):
        """What a contract drops by calling it something else has an end: the host's own, counted from the rollout's."""
        f = self.fleet
        f.sql("users", "CREATE SCHEMA app; CREATE TABLE app.things (id int PRIMARY KEY); INSERT INTO app.things VALUES (1);"
              "CREATE TABLE old (id int PRIMARY KEY); CREATE TYPE mood AS ENUM ('good');", role="users_owner")
        self.addCleanup(f.write_files)
        self.addCleanup(f.hosts["db1"].policy.clear)
        before = self.look()
        f.write("change.yaml", json.dumps({"title": "Away", "author": "tester", "sql": {
            "users": "DROP SCHEMA app CASCADE;\nDROP TABLE old;\nDROP TYPE mood;"}}))
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        f.ok("start", "plan.yaml", codes=(3,))
        f.ok("ack", "users", "--plan", "plan.yaml")
        f.ok("promote")
        aside = ("SELECT count(*) FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND relkind = 'r'"
                 " WHERE nspname LIKE 'flotilla dropped%' OR relname LIKE 'dropped %'")
        self.assertEqual(f.value("users", aside), "2")
        run = f.ok("agent", "clean")
        for what in ('schema "flotilla dropped app" until 20', 'table flotilla."dropped public.old" until 20',
                     'type flotilla."dropped public.mood" until 20', self.status()["rollout"]):
            self.assertIn(what, run.out)
        self.assertEqual(f.value("users", aside), "2")
        f.ok("rollback")
        self.assertEqual(self.look(), before)
        f.ok("draft", "change.yaml", "-o", "again.yaml")
        f.ok("rehearse", "again.yaml")
        f.approve("again.yaml")
        f.ok("start", "again.yaml", codes=(3,))
        f.ok("ack", "users", "--plan", "again.yaml")
        f.ok("promote")
        f.hosts["db1"].policy = {"snapshots": {"dir": f.agent_config("db1")["policy"]["snapshots"]["dir"], "keep": "0s"}}
        f.write_files()
        run = f.ok("agent", "clean", "--dry-run")
        self.assertIn('removed schema "flotilla dropped app"', run.out)
        self.assertIn("schema flotilla", run.out)
        self.assertEqual(f.value("users", aside), "2")
        run = f.ok("agent", "clean")
        self.assertIn('schema "flotilla dropped app"', run.out)
        self.assertEqual(f.value("users", aside), "0")
        self.assertIsNone(f.value("users", "SELECT to_regnamespace('flotilla')"))

    def test_one_that_ended_does_not_turn_back_under_another(self):
        self.signed(ADD)
        self.fleet.ok("start", "plan.yaml")
        first = self.status()["rollout"]
        self.signed(RENAME, "second.yaml")
        self.fleet.ok("start", "second.yaml", codes=(3,))
        before = self.look()
        run = self.fleet.flotilla("rollback", first)
        self.assertEqual(run.code, 1, run)
        self.assertIn("is at work on public.users", run.err)
        self.assertEqual(self.look(), before)
        self.fleet.ok("rollback")
        self.fleet.ok("rollback", first)
        self.assertEqual(self.look(), self.before)


if __name__ == "__main__":
    unittest.main()
