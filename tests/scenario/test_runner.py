"""What the agent does to a database: apply, journal, undo, refusals, kills, lock waits."""

import os
import signal
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import fleet  # noqa: E402  pylint: disable=wrong-import-position
from agent import AgentCase, AgentError, Part  # noqa: E402  pylint: disable=wrong-import-position

USERS = """
CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL, note text);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users);
INSERT INTO users SELECT n, 'u' || n || '@example.org', CASE WHEN n % 3 = 0 THEN 'x' END FROM generate_series(1, 30000) n;
INSERT INTO orders SELECT n, n FROM generate_series(1, 1000) n;
ANALYZE users, orders;
"""

ADD = dict(kind="statement", up=["ALTER TABLE public.users ADD COLUMN age integer"],
           down=["ALTER TABLE public.users DROP COLUMN age"], tags=["additive"],
           locks=[{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}],
           probe="SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'public.users'::regclass"
                 " AND attname = 'age' AND NOT attisdropped")
INDEX = dict(kind="concurrently", up=["CREATE INDEX CONCURRENTLY users_email_x ON public.users (email)"],
             down=["DROP INDEX CONCURRENTLY IF EXISTS public.users_email_x"], transaction=False, tags=["additive"],
             probe="SELECT coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid ="
                   " to_regclass('public.users_email_x')), false)")
FILL = dict(kind="backfill", up=["UPDATE public.users SET age = length(email) WHERE (age IS NULL)"],
            batch={"relation": "public.users", "by": "ctid"}, transaction=False, tags=["backfill"])
CHECK = dict(kind="verify", check="SELECT count(*) = 0 FROM public.users WHERE age IS NULL")


def steps(*some):
    return [dict(s) for s in some]


class Runner(AgentCase):
    schema = USERS

    def run_part(self, part, **more):
        return self.agent.run(part, rollout=self.rollout, **more)

    def session(self, *statements):
        """A session of somebody else, held open with its transaction; close() ends it."""
        import subprocess  # pylint: disable=import-outside-toplevel
        host, database = self.fleet.place("users")
        p = subprocess.Popen([f"{fleet.PG}/psql", "-X", "-q", "-h", host.socket, "-p", str(host.port), "-U", "postgres",
                              "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                             env=dict(fleet.LANG, PGAPPNAME="nightly-report"))
        p.stdin.write("BEGIN;\n" + ";\n".join(statements) + ";\n\\echo ready\n")
        p.stdin.flush()
        while p.stdout.readline().strip() != "ready":
            pass

        def close():
            if p.poll() is None:
                p.stdin.write("COMMIT;\n")
                p.stdin.close()
                p.wait()
                p.stdout.close()
        self.addCleanup(close)
        return close

    # -- there and back -------------------------------------------------------------------------

    def test_there_and_back_again(self):
        before, rows = self.fleet.catalog("users"), self.fleet.rows("users")
        part = Part(self.fleet, "users", "expand", steps(ADD, INDEX, FILL, CHECK))
        run = self.run_part(part)
        self.assertEqual(run.state, "done", run.error)
        self.assertEqual([e["step"] for e in run.named("step_done")], [s["id"] for s in part.json["steps"]])
        self.assertEqual([e["seq"] for e in run.events], list(range(1, len(run.events) + 1)))
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age = length(email)"), "30000")
        filled = run.named("step_done")[2]["measured"]
        self.assertEqual(filled["rows"], 30000)
        first = run.named("step_done")[0]["measured"]
        self.assertEqual(first["locks"], [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}])
        for event in run.named("progress"):
            self.assertLessEqual(event["done"], event["total"])
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)
        self.assertEqual(self.fleet.catalog("users"), before)
        self.assertEqual(self.fleet.rows("users"), rows)
        states = {s["step"]: s["state"] for s in self.agent.call("state", database="users")["parts"][0]["steps"]}
        self.assertEqual(set(states.values()), {"undone"})
        again = self.agent.run(part, rollout=self.rollout, attempt=2)
        self.assertEqual(again.state, "done", again.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age = length(email)"), "30000")

    def test_the_same_request_again_finds_its_end(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        self.assertEqual(self.run_part(part).state, "done")
        again = self.run_part(part)
        self.assertEqual(again.state, "done")
        self.assertEqual(len(again.named("step_done")), 1)
        self.assertEqual(self.agent.call("state", database="users")["parts"][0]["steps"][0]["attempts"], 1)

    def test_a_failed_statement_leaves_nothing_and_says_why(self):
        before = self.fleet.catalog("users")
        bad = dict(ADD, up=ADD["up"] + ["ALTER TABLE public.users ADD COLUMN email text"])
        run = self.run_part(Part(self.fleet, "users", "expand", steps(bad)))
        self.assertEqual(run.state, "failed")
        self.assertEqual(run.error["sqlstate"], "42701")
        self.assertIn("statement 2", run.error["message"])
        self.assertEqual(self.fleet.catalog("users"), before)

    def test_what_was_done_by_hand_is_not_done_again(self):
        self.fleet.sql("users", ADD["up"][0] + ";", role="users_owner")
        run = self.run_part(Part(self.fleet, "users", "expand", steps(ADD, FILL)))
        self.assertEqual(run.state, "done", run.error)
        self.assertTrue(run.named("step_done")[0]["measured"]["already"])

    def test_a_check_that_does_not_hold_stops_the_part(self):
        run = self.run_part(Part(self.fleet, "users", "expand", steps(ADD, CHECK)))
        self.assertEqual((run.state, run.error["code"]), ("failed", "verify"))

    def test_an_irreversible_step_is_refused_before_anything_is_undone(self):
        last = dict(kind="statement", up=["ALTER TABLE public.users DROP COLUMN note"],
                    irreversible="nobody kept it", tags=["destructive"])
        part = Part(self.fleet, "users", "expand", steps(ADD, last))
        self.assertEqual(self.run_part(part).state, "done")
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual((back.state, back.error["code"]), ("failed", "refused"))
        self.assertEqual(self.value(ADD["probe"]), "t")

    def test_a_backfill_that_never_comes_to_an_end_is_refused_before_it_commits(self):
        fill = dict(FILL, up=["UPDATE public.users SET note = coalesce(note, '') || 'x' WHERE (true)"])
        rows = self.fleet.rows("users")
        run = self.run_part(Part(self.fleet, "users", "expand", steps(fill)))
        self.assertEqual((run.state, run.error["code"]), ("failed", "refused"))
        self.assertEqual(self.fleet.rows("users"), rows)

    def test_by_key(self):
        fill = dict(FILL, batch={"relation": "public.users", "by": "key", "columns": ["id"]})
        run = self.run_part(Part(self.fleet, "users", "expand", steps(ADD, fill, CHECK)))
        self.assertEqual(run.state, "done", run.error)
        self.assertEqual(run.named("step_done")[1]["measured"]["rows"], 30000)

    def test_health_is_asked_around_each_step(self):
        run = self.run_part(Part(self.fleet, "users", "expand", steps(ADD), health="SELECT false"))
        self.assertEqual((run.state, run.error["code"]), ("failed", "verify"))
        self.assertEqual(self.value(ADD["probe"]), "f")

    # -- data aside and back ---------------------------------------------------------------------

    KEEP = dict(kind="snapshot", of="public.users", key=["id"], columns=["note"], current=["email"],
                inverse=["'from ' || email"])
    DROP = dict(kind="statement", up=["ALTER TABLE public.users DROP COLUMN note"],
                down=["ALTER TABLE public.users ADD COLUMN note text"], tags=["destructive"],
                locks=[{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}])

    def contract(self, *some):
        self.fleet.sql("users", "UPDATE users SET note = E'tab\\t \\\\N \\\\ line\\n é' WHERE id = 7;")
        return Part(self.fleet, "users", "contract", steps(*some))

    def test_a_dropped_column_comes_back_with_its_data(self):
        part = self.contract(self.KEEP, self.DROP)
        rows, catalog = self.fleet.rows("users"), self.fleet.catalog("users")
        run = self.run_part(part)
        self.assertEqual(run.state, "done", run.error)
        kept = run.named("step_done")[0]["measured"]
        self.assertEqual(kept["rows"], 30000)
        self.assertTrue(kept["verified"])
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)
        self.assertEqual(self.fleet.rows("users"), rows)
        self.assertEqual(self.fleet.catalog("users"), catalog)
        self.assertEqual(self.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'restore_%'"), "0")

    def test_the_way_back_merges_with_what_was_written_since(self):
        part = self.contract(self.KEEP, self.DROP)
        self.assertEqual(self.run_part(part).state, "done")
        self.fleet.sql("users", "UPDATE users SET email = 'changed' WHERE id IN (3, 4);"
                       "DELETE FROM users WHERE id IN (29998, 29999);"
                       "INSERT INTO users (id, email) VALUES (29999, 'again'), (40000, 'new');")
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)
        self.assertEqual(self.fleet.sql("users", "SELECT id, note FROM users WHERE id IN (3, 4, 6, 7, 29999, 40000) ORDER BY 1"), [
            ["3", "from changed"], ["4", "from changed"], ["6", "x"], ["7", "tab\t \\N \\ line\n é"],
            ["29999", "from again"], ["40000", "from new"]])
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE note = 'x'"), "9999")

    def test_a_dropped_table_comes_back_with_its_rows(self):
        keep = dict(kind="snapshot", of="public.orders", key=["id"])
        drop = dict(kind="statement", up=["DROP TABLE public.orders"], tags=["destructive"],
                    down=["CREATE TABLE public.orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES public.users)",
                          "ALTER TABLE public.orders OWNER TO users_owner"])
        part = self.contract(keep, drop)
        rows = self.fleet.rows("users")
        self.assertEqual(self.run_part(part).state, "done")
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)
        self.assertEqual(self.fleet.rows("users"), rows)

    def test_a_restore_survives_kills(self):
        part = self.contract(self.KEEP, self.DROP)
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' || n, n::text FROM generate_series(30001, 90000) n;")
        rows = self.fleet.rows("users")
        self.assertEqual(self.run_part(part).state, "done")
        approvals, kills = part.sign(), 0
        for number in range(25):
            run = self.agent.ask(part, rollout=self.rollout, approvals=approvals, direction="back")
            time.sleep(0.04 + 0.02 * (number % 13))
            pid = self.agent.runner_pid(run)
            if pid:
                os.kill(pid, signal.SIGKILL)
                kills += 1
        self.assertGreater(kills, 3)
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)
        self.assertEqual(self.fleet.rows("users"), rows)

    def test_a_full_disk_is_told_before_anything_is_dropped(self):
        self.fleet.sql("users", "UPDATE pg_class SET reltuples = 1e13 WHERE oid = 'users'::regclass;")
        part = self.contract(self.KEEP, self.DROP)
        run = self.run_part(part)
        self.assertEqual((run.state, run.error["code"]), ("failed", "no_space"), run.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE note = 'x'"), "10000")

    def test_a_damaged_snapshot_is_not_restored(self):
        import glob  # pylint: disable=import-outside-toplevel
        part = self.contract(self.KEEP, self.DROP)
        self.assertEqual(self.run_part(part).state, "done")
        path = glob.glob(os.path.join(self.fleet.dir, "hosts/db1/snapshots/*/" + self.rollout + "*/rows"))[0]
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "r+b") as f:
            f.seek(1000)
            byte = f.read(1)
            f.seek(1000)
            f.write(bytes([byte[0] ^ 1]))
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual((back.state, back.error["code"]), ("failed", "verify"), back.error)

    # -- drift -----------------------------------------------------------------------------------

    def test_drift_is_named_object_by_object(self):
        part = Part(self.fleet, "users", "expand", steps(ADD), catalog={
            "public.users": "sha256:" + "0" * 64, "public.orders": "sha256:" + "1" * 64, "public.gone": "absent"})
        run = self.run_part(part)
        self.assertEqual((run.state, run.error["code"]), ("failed", "drift"), run.error)
        self.assertEqual(sorted(e["object"] for e in run.named("drift")), ["public.orders", "public.users"])
        self.assertEqual(self.value(ADD["probe"]), "f")

    def test_drift_between_two_phases(self):
        anything = {"public.gone": "absent"}
        expand = Part(self.fleet, "users", "expand", steps(ADD), catalog=anything)
        migrate = Part(self.fleet, "users", "migrate", steps(INDEX), catalog=anything)
        self.assertEqual(self.run_part(expand).state, "done")
        self.fleet.sql("users", "CREATE TABLE gone (id int);")
        run = self.run_part(migrate)
        self.assertEqual((run.state, run.error["code"]), ("failed", "drift"), run.error)
        self.fleet.sql("users", "DROP TABLE gone;")
        self.assertEqual(self.run_part(migrate, attempt=2).state, "done")

    # -- refusals --------------------------------------------------------------------------------

    def refused(self, code, part, **more):
        with self.assertRaises(AgentError) as caught:
            self.run_part(part, **more)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertTrue(caught.exception.error.get("hint"), caught.exception)
        self.assertEqual(self.value("SELECT to_regnamespace('flotilla') IS NULL"), "t")

    def test_unsigned_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        self.refused("unsigned", part, approvals=[])

    def test_destructive_needs_two(self):
        part = Part(self.fleet, "users", "expand", steps(dict(ADD, tags=["destructive"])))
        self.refused("unsigned", part, approvals=part.sign("ana@example.org"))

    def test_a_signature_of_another_plan_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        other = Part(self.fleet, "users", "expand", steps(ADD), plan="p2")
        self.refused("unsigned", part, approvals=other.sign())

    def test_an_old_signature_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        self.refused("unsigned", part, approvals=part.sign(at="2020-01-01T00:00:00Z"))

    def test_a_tampered_part_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        approvals = part.sign()
        part.json["steps"][0]["up"] = ["DROP TABLE public.orders"]
        self.refused("tampered", part, approvals=approvals)
        part.json["digest"] = part.digest()
        self.refused("unsigned", part, approvals=approvals)

    def test_a_part_for_another_service_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        part.json["instances"] = ["users-2"]
        part.json["digest"] = part.digest()
        self.refused("refused", part)

    # -- fencing ---------------------------------------------------------------------------------

    def test_an_older_command_is_refused(self):
        part = Part(self.fleet, "users", "expand", steps(ADD))
        self.assertEqual(self.run_part(part, fence=7).state, "done")
        other = Part(self.fleet, "users", "migrate", steps(INDEX))
        with self.assertRaises(AgentError) as caught:
            self.run_part(other, fence=6)
        self.assertEqual(caught.exception.code, "fenced")

    def test_a_fenced_runner_cannot_commit(self):
        self.session("LOCK TABLE users IN ROW EXCLUSIVE MODE")
        part = Part(self.fleet, "users", "expand", steps(ADD))
        old = self.agent.ask(part, rollout=self.rollout, fence=1)
        old.until("lock_waiting")
        pid = self.agent.runner_pid(old)
        os.kill(pid, signal.SIGSTOP)
        new = Part(self.fleet, "users", "migrate", steps(INDEX))
        self.agent.ask(new, rollout="other", fence=2).until("step_started")
        os.kill(pid, signal.SIGCONT)
        end = old.until("run_ended")
        self.assertEqual(end["error"]["code"], "fenced")
        self.assertEqual(self.value(ADD["probe"]), "f")

    # -- locks -----------------------------------------------------------------------------------

    def test_lock_waits_are_short_and_name_the_blocker(self):
        close = self.session("SELECT count(*) FROM users")
        part = Part(self.fleet, "users", "expand", steps(ADD))
        run = self.agent.ask(part, rollout=self.rollout)
        event = run.until("lock_waiting")
        self.assertEqual(event["blockers"][0]["application"], "nightly-report", event)
        self.assertIsInstance(event["blockers"][0]["pid"], int)
        worst = 0
        for _ in range(100):
            begin = time.monotonic()
            self.value("SELECT email FROM users WHERE id = 5")
            worst = max(worst, time.monotonic() - begin)
        self.assertLess(worst, 2, "a reader queued behind the lock for longer than any try takes")
        close()
        run.wait()
        self.assertEqual(run.state, "done", run.error)
        self.assertGreater(run.named("step_done")[0]["measured"]["tries"], 1)

    def test_a_run_stops_on_request_while_it_waits(self):
        self.session("SELECT count(*) FROM users")
        run = self.agent.ask(Part(self.fleet, "users", "expand", steps(ADD)), rollout=self.rollout)
        run.until("lock_waiting")
        self.agent.call("control", run=run.name, action="cancel")
        run.wait()
        self.assertEqual((run.state, run.error["code"]), ("stopped", "cancelled"))

    def test_an_index_waits_for_an_old_snapshot_and_says_so(self):
        close = self.session("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM orders")
        run = self.agent.ask(Part(self.fleet, "users", "expand", steps(INDEX)), rollout=self.rollout)
        event = run.until("lock_waiting")
        self.assertEqual(event["blockers"][0]["application"], "nightly-report")
        close()
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value(INDEX["probe"]), "t")

    def test_an_invalid_index_of_a_failed_try_is_removed(self):
        unique = dict(INDEX, up=["CREATE UNIQUE INDEX CONCURRENTLY users_email_x ON public.users (note)"])
        part = Part(self.fleet, "users", "expand", steps(unique))
        run = self.run_part(part)
        self.assertEqual((run.state, run.error["sqlstate"]), ("failed", "23505"))
        self.assertEqual(self.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0")
        self.fleet.sql("users", "UPDATE users SET note = id::text;")
        self.assertEqual(self.agent.run(part, rollout=self.rollout, attempt=2).state, "done")

    # -- pause, kills ------------------------------------------------------------------------------

    def test_pause_and_resume(self):
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' || n FROM generate_series(30001, 200000) n;")
        run = self.agent.ask(Part(self.fleet, "users", "expand", steps(ADD, FILL, CHECK)), rollout=self.rollout)
        run.until("progress")
        self.agent.call("control", run=run.name, action="pause")
        run.until("paused")
        left = self.value("SELECT count(*) FROM users WHERE age IS NULL")
        time.sleep(0.5)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age IS NULL"), left)
        self.agent.call("control", run=run.name, action="resume")
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age = length(email)"), "200000")

    def test_a_pause_outlives_its_runner(self):
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' || n FROM generate_series(30001, 150000) n;")
        part = Part(self.fleet, "users", "expand", steps(ADD, FILL, CHECK))
        run = self.agent.ask(part, rollout=self.rollout)
        run.until("progress")
        run.control("pause")
        run.until("paused")
        os.kill(self.agent.runner_pid(run), signal.SIGKILL)
        with self.assertRaises(AgentError) as caught:
            run.wait()
        self.assertEqual(caught.exception.code, "connect")
        again = self.agent.ask(part, rollout=self.rollout)
        left = self.value("SELECT count(*) FROM users WHERE age IS NULL")
        self.assertNotEqual(left, "0")
        time.sleep(0.5)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age IS NULL"), left)
        again.control("resume")
        self.assertEqual(again.wait().state, "done", again.error)

    def test_a_locked_row_holds_nobody_up(self):
        part = Part(self.fleet, "users", "expand", steps(FILL, CHECK))
        self.fleet.sql("users", ADD["up"][0] + ";", role="users_owner")
        close = self.session("UPDATE users SET note = 'mine' WHERE id = 15000")
        run = self.agent.ask(part, rollout=self.rollout)
        deadline = time.monotonic() + 30
        while self.value("SELECT count(*) FROM users WHERE age IS NULL") != "1" and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.value("SELECT id FROM users WHERE age IS NULL"), "15000")
        close()
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value("SELECT note, age FROM users WHERE id = 15000"), "mine")

    def test_partitions_and_children(self):
        self.fleet.sql("users", """
            CREATE TABLE events (id int, at int, twice int) PARTITION BY RANGE (at);
            CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10);
            CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM (10) TO (20) PARTITION BY LIST (at);
            CREATE TABLE events_2x PARTITION OF events_2 DEFAULT;
            INSERT INTO events SELECT n, n % 20 FROM generate_series(1, 20000) n;
            CREATE TABLE base (id int, twice int); CREATE TABLE child () INHERITS (base);
            INSERT INTO base SELECT n FROM generate_series(1, 3000) n; INSERT INTO child SELECT n FROM generate_series(1, 3000) n;
            """, role="users_owner")
        some = [dict(FILL, up=[f"UPDATE public.{t} SET twice = id * 2 WHERE twice IS NULL"],
                     batch={"relation": f"public.{t}", "by": "ctid"}) for t in ("events", "base")]
        run = self.run_part(Part(self.fleet, "users", "expand", some))
        self.assertEqual(run.state, "done", run.error)
        self.assertEqual([e["measured"]["rows"] for e in run.named("step_done")], [20000, 6000])
        self.assertEqual(self.value("SELECT (SELECT count(*) FROM events WHERE twice = id * 2) +"
                                    " (SELECT count(*) FROM base WHERE twice = id * 2)"), "26000")

    def test_killed_runners_and_backends_lose_nothing_and_do_nothing_twice(self):
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' || n FROM generate_series(30001, 150000) n;"
                       "CREATE TABLE touched (id integer); GRANT ALL ON touched TO users_owner;"
                       "CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS"
                       " 'BEGIN IF NEW.age IS DISTINCT FROM OLD.age THEN INSERT INTO touched VALUES (NEW.id); END IF;"
                       " RETURN NULL; END';")
        trigger = dict(kind="statement", up=["CREATE TRIGGER note_it AFTER UPDATE ON public.users FOR EACH ROW"
                                             " EXECUTE FUNCTION public.note_it()"],
                       down=["DROP TRIGGER note_it ON public.users"])
        part = Part(self.fleet, "users", "expand", steps(ADD, trigger, FILL, INDEX, CHECK))
        approvals, run, events, kills = part.sign(), None, [], 0
        for number in range(40):
            run = self.agent.ask(part, rollout=self.rollout, approvals=approvals)
            time.sleep(0.03 + 0.017 * (number % 11))
            pid = self.agent.runner_pid(run)
            if pid and number % 3 == 2:
                self.fleet.sql("users", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                               " WHERE application_name LIKE 'flotilla run/%';")
                kills += 1
            elif pid:
                os.kill(pid, signal.SIGKILL)
                kills += 1
            if number % 5 == 4:
                self.agent.kill()
        self.assertGreater(kills, 5)
        run = self.agent.ask(part, rollout=self.rollout, approvals=approvals)
        self.assertEqual(run.wait().state, "done", run.error)
        events = run.events
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))
        self.assertEqual([e["step"] for e in events if e["event"] == "step_done"],
                         [s["id"] for s in part.json["steps"]])
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age = length(email)"), "150000")
        self.assertEqual(self.value("SELECT count(*) || ' ' || count(DISTINCT id) FROM touched"), "150000 150000")
        back = self.agent.back(part, rollout=self.rollout)
        self.assertEqual(back.state, "undone", back.error)

    def test_a_server_that_crashes_is_waited_for(self):
        self.fleet.sql("users", "INSERT INTO users SELECT n, 'v' || n FROM generate_series(30001, 200000) n;")
        run = self.agent.ask(Part(self.fleet, "users", "expand", steps(ADD, FILL, CHECK)), rollout=self.rollout)
        run.until("progress")
        self.fleet.halt("db1")
        run.until("database_lost")
        self.fleet.up("db1")
        self.assertEqual(run.wait().state, "done", run.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age = length(email)"), "200000")

    def test_another_database_of_the_same_name_is_left_alone(self):
        self.session("SELECT count(*) FROM users")
        run = self.agent.ask(Part(self.fleet, "users", "expand", steps(ADD)), rollout=self.rollout)
        run.until("lock_waiting")
        self.fleet.reset("users")
        end = run.until("run_ended")
        self.assertEqual(end["error"]["code"], "refused", end)
        self.assertEqual(self.value("SELECT to_regnamespace('flotilla') IS NULL"), "t")

    def test_backfill_under_writers_loses_no_write(self):
        stop = threading.Event()
        trigger = dict(kind="statement", up=[
            "CREATE SCHEMA IF NOT EXISTS flotilla",
            "CREATE FUNCTION flotilla.fill() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.age := length(NEW.email); RETURN NEW; END'",
            "CREATE TRIGGER zz_fill BEFORE INSERT OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION flotilla.fill()"],
            down=["DROP TRIGGER zz_fill ON public.users", "DROP FUNCTION flotilla.fill()"])

        def write(number):
            script = "".join(f"UPDATE users SET email = email || '{number}' WHERE id % 97 = {(number + i) % 97};"
                             f"SELECT pg_sleep(0.002);" for i in range(200))
            while not stop.is_set():
                self.fleet.sql("users", script)
                break
        threads = [threading.Thread(target=write, args=(n,)) for n in (3, 50)]
        for t in threads:
            t.start()
        run = self.run_part(Part(self.fleet, "users", "expand", steps(ADD, trigger, FILL, CHECK)))
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(run.state, "done", run.error)
        self.assertEqual(self.value("SELECT count(*) FROM users WHERE age IS DISTINCT FROM length(email)"), "0")
        self.assertEqual(self.value("SELECT sum(length(email) - length('u' || id || '@example.org')) >= 30000 FROM users"), "t")


if __name__ == "__main__":
    unittest.main()
