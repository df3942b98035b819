"""The lock budget: no strong lock on a user's table lasts longer, whatever a step turns out to be and
whatever happens to the process that runs it; what takes no strong lock may take its time."""

import os
import signal
import subprocess
import sys
import time
import types
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import fleet  # noqa: E402  pylint: disable=wrong-import-position
from agent import Agent, AgentCase, Part  # noqa: E402  pylint: disable=wrong-import-position
from psql_session import Session  # noqa: E402  pylint: disable=wrong-import-position

# nap() is what nobody foresaw: a scan that is slow, a disk that is, a trigger that works.
USERS = """
CREATE FUNCTION nap(s double precision) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM pg_sleep(s); RETURN true; END';
CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL, age integer);
CREATE TABLE notes (id integer PRIMARY KEY, note text);
CREATE TABLE quiet (id integer PRIMARY KEY, note text);
INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, 100) n;
INSERT INTO notes SELECT n, 'n' || n FROM generate_series(1, 10) n;
CREATE FUNCTION quiet_locks() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE; PERFORM pg_sleep(60); RETURN NEW; END';
CREATE TRIGGER quiet_locks BEFORE INSERT ON quiet FOR EACH ROW EXECUTE FUNCTION quiet_locks();
ANALYZE users, notes;
"""

USERS_LOCK = [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}]
WEAK = [{"relation": "public.notes", "mode": "SHARE UPDATE EXCLUSIVE"}]
COLUMN = "ALTER TABLE public.users ADD COLUMN size integer"
HAS_COLUMN = ("SELECT count(*) FROM pg_attribute WHERE attrelid = 'public.users'::regclass"
              " AND attname = 'size' AND NOT attisdropped")


def step(up, locks=None, **more):
    return dict(dict(kind="statement", up=up, down=["SELECT 1"], tags=["additive"], locks=locks or []), **more)


class Budget(AgentCase):
    schema = USERS

    def ask(self, *steps, **more):
        return self.agent.ask(Part(self.fleet, "users", "expand", list(steps)), rollout=self.rollout, **more)

    def slowest_read(self, run, sql="SELECT count(*) FROM users"):
        """Asks again and again until the run is over; the seconds of the slowest answer."""
        worst, path = 0, os.path.join(self.agent.spool, "runs", run.name, "events")
        def ended():
            if not os.path.exists(path):
                return False
            with open(path, encoding="utf-8") as events:
                return '"run_ended"' in events.read()
        while not ended():
            begin = time.monotonic()
            self.value(sql)
            worst = max(worst, time.monotonic() - begin)
        return worst

    def cut(self, run, sql="SELECT count(*) FROM users"):
        """It was taken back within the budget, again and again, and has failed by name."""
        worst = self.slowest_read(run, sql)
        run.wait()
        self.assertEqual((run.state, run.error["code"]), ("failed", "lock_budget"), run.error)
        self.assertIn("expand/users/1", run.error["message"])
        self.assertIn("lock_budget_max", run.error["hint"])
        self.assertTrue(run.named("throttled"))
        # without an end it would be the minute that the statements sleep
        self.assertLess(worst, 20, "somebody waited for a lock that no budget ended")

    # -- ended within the budget -------------------------------------------------------------------

    def test_a_scan_that_nobody_foresaw(self):
        self.cut(self.ask(step(["ALTER TABLE public.users ADD CHECK (nap(60))"], USERS_LOCK)))
        self.assertEqual(self.value("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND conrelid ="
                                    " 'users'::regclass"), "0")

    def test_statements_that_are_short_each_and_long_together(self):
        run = self.ask(step([COLUMN] + ["SELECT pg_sleep(0.08)"] * 6, USERS_LOCK))
        run.wait()
        self.assertEqual((run.state, run.error["code"]), ("failed", "lock_budget"), run.error)
        self.assertEqual(self.value(HAS_COLUMN), "0")

    def test_more_is_had_where_the_host_allows_it(self):
        run = self.ask(step([COLUMN] + ["SELECT pg_sleep(0.05)"] * 5, USERS_LOCK), lock_budget_ms=450).wait()
        self.assertEqual(run.state, "done", run.error)
        self.assertGreaterEqual(run.named("step_done")[0]["measured"]["hold_ms"], 250)

    def test_a_lock_that_the_step_does_not_name(self):
        self.cut(self.ask(step(["DO $$ BEGIN LOCK TABLE users; PERFORM pg_sleep(60); END $$"])))

    def test_a_trigger_that_locks_another_table(self):
        self.cut(self.ask(step(["INSERT INTO quiet VALUES (1)"],
                               [{"relation": "public.quiet", "mode": "ROW EXCLUSIVE"}])),
                 "UPDATE users SET age = 1 WHERE id = 1 RETURNING age")

    def test_work_at_the_commit(self):
        self.fleet.sql("users", """
            CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER late AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION late();
            GRANT INSERT ON notes TO PUBLIC;""")
        self.cut(self.ask(step([COLUMN, "INSERT INTO notes VALUES (99, 'x')"], USERS_LOCK)))
        self.assertEqual(self.value(HAS_COLUMN), "0")

    def test_a_statement_outside_of_a_transaction(self):
        self.fleet.sql("users", """
            CREATE FUNCTION lazy(id integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
                IF current_setting('application_name') LIKE 'flotilla%' THEN PERFORM pg_sleep(1); END IF;
                RETURN id; END $$;
            CREATE TABLE slow (id integer); INSERT INTO slow SELECT generate_series(1, 60);
            CREATE INDEX ON slow (lazy(id));""", role="users_owner")
        self.cut(self.ask(step(["REINDEX TABLE public.slow"], [{"relation": "public.slow", "mode": "SHARE"}],
                               transaction=False)),
                 "UPDATE slow SET id = 1 WHERE id = 61 RETURNING id")

    def test_a_statement_outside_of_a_transaction_waits_in_short_tries(self):
        host, database = self.fleet.place("users")
        blocker = Session(types.SimpleNamespace(dir=host.socket, port=str(host.port)), database)
        self.addCleanup(blocker.close)
        blocker.run("BEGIN; SELECT count(*) FROM users")
        run = self.ask(step([COLUMN], USERS_LOCK, transaction=False))
        run.until("lock_waiting")
        worst = 0
        for _ in range(30):
            begin = time.monotonic()
            self.value("SELECT email FROM users WHERE id = 5")
            worst = max(worst, time.monotonic() - begin)
        self.assertLess(worst, 5, "a reader queued behind the lock for longer than any try takes")
        blocker.run("COMMIT")
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value(HAS_COLUMN), "1")

    # -- left alone --------------------------------------------------------------------------------

    def test_what_takes_no_strong_lock_may_take_long(self):
        self.fleet.sql("users", "ALTER TABLE notes ADD CONSTRAINT slow CHECK (nap(0.1 + id * 0)) NOT VALID;",
                       role="users_owner")
        run = self.ask(
            step(["ALTER TABLE public.notes VALIDATE CONSTRAINT slow"], WEAK),
            dict(kind="concurrently", up=["CREATE INDEX CONCURRENTLY slow_i ON public.notes ((nap(0.05 + id * 0)))"],
                 down=["DROP INDEX CONCURRENTLY IF EXISTS public.slow_i"], transaction=False, tags=["additive"],
                 locks=WEAK),
            dict(kind="backfill", up=["UPDATE public.notes SET note = note || 'x' WHERE (note NOT LIKE '%x')"],
                 batch={"relation": "public.notes", "by": "ctid"}, transaction=False, tags=["backfill"],
                 locks=[{"relation": "public.notes", "mode": "ROW EXCLUSIVE"}]),
            dict(kind="verify", check="SELECT nap(1)"), lock_budget_ms=100).wait()
        self.assertEqual(run.state, "done", run.error)
        self.assertFalse(run.named("throttled"))
        self.assertGreater(run.named("step_done")[0]["measured"]["ms"], 500)

    # -- a process that is stopped -----------------------------------------------------------------

    def stopped(self, run, seen):
        """Stops the runner when `seen` is true in the database, and says its pid."""
        deadline = time.monotonic() + 30
        while self.value(seen) != "t":
            self.assertLess(time.monotonic(), deadline, f"never seen: {seen}")
        pid = self.agent.runner_pid(run)
        os.kill(pid, signal.SIGSTOP)
        return pid

    HOLDS = ("SELECT count(*) > 0 FROM pg_locks WHERE relation = 'users'::regclass AND mode = 'AccessExclusiveLock'"
             " AND granted")

    def test_a_runner_that_is_stopped_between_statements_holds_nobody_up(self):
        run = self.ask(step([COLUMN] + ["SELECT 1"] * 3000, USERS_LOCK), lock_budget_ms=500)
        pid = self.stopped(run, self.HOLDS)
        self.assertEqual(self.value("SET statement_timeout = '20s'; SELECT count(*) FROM users"), "100")
        self.assertEqual(self.value(self.HOLDS), "f")
        os.kill(pid, signal.SIGCONT)
        run.wait()
        self.assertIn((run.state, run.error.get("code")), [("done", None), ("failed", "lock_budget")])

    def test_a_runner_that_is_stopped_in_a_statement_holds_nobody_up(self):
        run = self.ask(step([COLUMN, "SELECT pg_sleep(0.2)"], USERS_LOCK), lock_budget_ms=450)
        pid = self.stopped(run, self.HOLDS)
        self.assertEqual(self.value("SET statement_timeout = '20s'; SELECT count(*) FROM users"), "100")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value(HAS_COLUMN), "1")

    def test_a_runner_that_is_stopped_in_a_batch_lets_its_rows_go(self):
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' FROM generate_series(101, 200000) n;")
        run = self.ask(dict(kind="backfill", up=["UPDATE public.users SET age = length(email) WHERE (age IS NULL)"],
                            batch={"relation": "public.users", "by": "ctid"}, transaction=False, tags=["backfill"]))
        run.until("progress")
        os.kill(self.agent.runner_pid(run), signal.SIGSTOP)
        pid = self.agent.runner_pid(run)
        self.assertEqual(self.value("SET statement_timeout = '20s'; WITH u AS (UPDATE users SET email = 'w'"
                                    " RETURNING 1) SELECT count(*) FROM u"), "200000")
        os.kill(pid, signal.SIGCONT)
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age IS NULL"), "0")


class FarAgent(Agent):
    """In a network of its own, as an agent on a host beside the database's is."""

    def words(self):
        return ["ip", "netns", "exec", SPACE] + super().words()


SPACE = f"fl-{os.getpid()}"
NEAR, FAR = "10.231.77.1", "10.231.77.2"


class Vanished(unittest.TestCase):
    def ip(self, *words, check=True):
        return subprocess.run(["ip", *words], check=check, stderr=subprocess.DEVNULL).returncode == 0

    def setUp(self):
        link = f"v{os.getpid()}"
        if os.geteuid() or not self.ip("netns", "add", SPACE, check=False):
            self.skipTest("a network of one's own needs root")
        self.addCleanup(self.ip, "netns", "delete", SPACE)
        self.ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", SPACE)
        self.addCleanup(self.ip, "link", "delete", link, check=False)
        self.ip("address", "add", f"{NEAR}/24", "dev", link)
        self.ip("link", "set", link, "up")
        self.ip("-n", SPACE, "address", "add", f"{FAR}/24", "dev", "eth0")
        self.ip("-n", SPACE, "link", "set", "eth0", "up")
        self.link = link
        self.fleet = f = fleet.Fleet(transport="local")
        f.host("db1")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.service("users", host="db1", schema=USERS)
        f.start()
        self.addCleanup(f.stop)
        host, database = f.place("users")
        with open(os.path.join(host.data, "pg_hba.conf"), "a", encoding="utf-8") as file:
            file.write(f"host all all {FAR}/32 trust\n")
        f.sql("users", f"ALTER SYSTEM SET listen_addresses = '127.0.0.1, {NEAR}';")
        f.halt("db1")
        f.up("db1")
        config = f.agent_config("db1")
        config["databases"][database]["conninfo"] = f"host={NEAR} port={host.port} dbname={database} user=flotilla"
        f.write(host.agent_yaml, fleet.yaml_text(config))

    def test_a_host_that_vanished_leaves_no_backend(self):
        f, agent = self.fleet, FarAgent(self.fleet, "db1")
        self.addCleanup(lambda: [os.kill(pid, signal.SIGKILL) for pid in f.agent_pids()])
        part = Part(f, "users", "expand", [step(["DO $$ BEGIN PERFORM 1 FROM notes FOR UPDATE; PERFORM pg_sleep(3600); END $$"],
                                                [{"relation": "public.notes", "mode": "ROW SHARE"}])])
        agent.ask(part, rollout="vanished")
        ours = ("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'flotilla run/%'"
                " AND client_addr IS NOT NULL AND query LIKE '%pg_sleep%'")
        deadline = time.monotonic() + 60
        while f.value("users", ours) != "1":
            self.assertLess(time.monotonic(), deadline, "the step never began")
        self.ip("link", "set", self.link, "down")
        deadline = time.monotonic() + 90  # keepalives take 25 s; without them it is two hours
        while f.value("users", ours) != "0":
            self.assertLess(time.monotonic(), deadline, "the backend of a vanished host goes on holding its rows")
            time.sleep(0.5)
        agent.program.kill()
        agent.program.wait()
        agent.program.stdin.close()
        agent.program.stdout.close()


if __name__ == "__main__":
    unittest.main()
