"""Hosts that lie and flood, bytes that are no protocol, links where files should be."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from agent import Agent, AgentError, Part  # noqa: E402
from fleet import TOP, of_users  # noqa: E402

SCHEMA = """
CREATE TABLE {0} (id int PRIMARY KEY, email text NOT NULL, note text);
INSERT INTO {0} SELECT n, 'u' || n, 'x' FROM generate_series(1, 3000) n;
"""
RENAME = """title: Rename
author: dev@example.org
intents:
  - rename_column: { service: users, table: users, column: email, to: email_address }
"""
LIES = ["huge", "endless", "dense", "deep", "no_json", "utf8", "ids", "end", "error", "big_event", "spoiled", "types",
        "emptied", "hello", "digest", "prints"]
OF_RUNS = ["done_at_once", "undone_at_once", "forged", "flood", "flood_steps", "flood_unknown", "types", "spoiled", "error"]
# What a controller or an agent may take, whatever the other side sends. Sanitizers need several times as much.
RSS_MOST_KB = (700 if not os.environ.get("SAN") else 4000) * 1024
STREAMS = int(os.environ.get("STREAMS", "150"))


def hostile(f, lie=""):
    """Puts the lying agent in the place of the real one."""
    real = f.agent_program + ".real"
    if not os.path.exists(real):
        os.rename(f.agent_program, real)
        shutil.copyfile(os.path.join(TOP, "tests/fake/hostile_agent.py"), f.agent_program)
        os.chmod(f.agent_program, 0o755)
    with open(os.path.join(f.dir, "bin", "lie"), "w", encoding="utf-8") as file:
        file.write(lie)


def honest(f):
    real = f.agent_program + ".real"
    if os.path.exists(real):
        os.replace(real, f.agent_program)


class Measured:
    """A command to its end: code, out, err, and the most memory it took."""

    def __init__(self, f, *args, limit=90):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = f.popen(*args, stdout=out, stderr=err, text=False)
            timer = threading.Timer(limit, os.killpg, (child.pid, signal.SIGKILL))
            timer.start()
            _, status, usage = os.wait4(child.pid, 0)
            timer.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            self.args, self.code, self.kb = args, child.returncode, usage.ru_maxrss
            self.out, self.err = out.read(), err.read()

    def __str__(self):
        return f"{self.args}: exit {self.code}, {self.kb} kB\n{self.out[-2000:]!r}\n{self.err[-2000:]!r}"


class Host(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, SCHEMA.format("users"), ("orders", SCHEMA.format("orders")))
        cls.fleet.write("change.yaml", RENAME)

    def setUp(self):
        honest(self.fleet)
        self.fleet.reset("users")
        self.addCleanup(honest, self.fleet)

    def signed(self):
        """Drafted, rehearsed and signed; again() is the same plan before a fresh database."""
        f = self.fleet
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        self.kept = tempfile.mkdtemp(dir=f.dir)
        for name in ("plan.approvals", "plan.evidence"):
            shutil.copytree(os.path.join(f.work, name), os.path.join(self.kept, name))

    def again(self):
        honest(self.fleet)
        self.fleet.reset("users")
        shutil.copytree(self.kept, self.fleet.work, dirs_exist_ok=True)

    def sane(self, *args, codes=(0, 1, 2, 3), **more):
        """It ends, in words that do nothing to a terminal, and within its memory."""
        run = Measured(self.fleet, *args, **more)
        self.assertIn(run.code, codes, run)
        self.assertNotRegex(run.out + run.err, rb"[\x00-\x08\x0b-\x1f\x7f]", run)
        self.assertNotIn(b"\xc2\x9b", run.out + run.err, run)
        self.assertNotRegex(run.err, rb"Sanitizer|runtime error", run)
        self.assertLess(run.kb, RSS_MOST_KB, run)
        return run

    def test_answers(self):
        commands = [("inspect", "--service", "users"), ("doctor",), ("draft", "change.yaml"), ("agent", "version"),
                    ("agent", "logs"), ("snapshot", "list"), ("graph",)]
        refused = 0
        for lie in LIES:
            hostile(self.fleet, lie)
            for command in commands:
                with self.subTest(lie=lie, command=command):
                    refused += self.sane(*command).code == 1
        self.assertGreater(refused, len(LIES) * 3)

    def test_rehearsals(self):
        self.fleet.ok("draft", "change.yaml", "-o", "plan.yaml")
        for lie in LIES:
            with self.subTest(lie):
                hostile(self.fleet, lie)
                self.sane("rehearse", "plan.yaml")

    def test_rollouts(self):
        """It may say that its own part is done, or break it; nothing else, and what it says is not believed further."""
        self.signed()
        for lie in OF_RUNS:
            with self.subTest(lie):
                self.again()
                hostile(self.fleet, lie)
                if lie.startswith("flood") or lie in ("types", "spoiled"):
                    self.interrupted()
                else:
                    self.sane("start", "plan.yaml", "--timeout", "2s", codes=(1, 3))
                events = [json.loads(x) for x in self.fleet.ok("logs", "--format", "ndjson").out.splitlines()]
                self.assertIn("part_started", [e["event"] for e in events])
                print(f"# {lie}: {len(events)} events, {events[-1]['event']}", flush=True)
                self.assertFalse([e for e in events if e["event"] in ("approved", "promoted", "rollout_done")], lie)
                self.assertLess(len(events), 20000)

    def interrupted(self):
        """A host that never comes to an end: the controller stays small, and answers to people."""
        child = self.fleet.popen("start", "plan.yaml", "--timeout", "3s")
        try:
            end = time.monotonic() + 6
            while time.monotonic() < end and child.poll() is None:
                time.sleep(0.1)
                try:
                    kb = int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{child.pid}/status").read_text())[1])
                except (OSError, TypeError):
                    continue
                self.assertLess(kb, RSS_MOST_KB)
            if child.poll() is None:
                self.fleet.ok("abort", timeout=60, codes=(0, 1))
        finally:
            out, err = child.communicate(timeout=60)
        self.assertIn(child.returncode, (1, 3), err[-500:])
        self.assertNotIn("\x1b", out + err)

    def test_one_that_never_stops_does_not_hold_an_abort(self):
        self.signed()
        hostile(self.fleet, "alive")
        child = self.fleet.popen("start", "plan.yaml", "--timeout", "3s")
        try:
            time.sleep(2)
            self.fleet.ok("abort", codes=(0, 1), timeout=60)
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
        self.assertIn("asked to stop", out + err)
        self.assertEqual(json.loads(self.fleet.flotilla("status", "--format", "json").out)["status"], "aborted")
        honest(self.fleet)
        self.fleet.ok("rollback")

    def test_recovery_from_a_liar(self):
        self.signed()
        self.fleet.ok("start", "plan.yaml", codes=(3,))
        shutil.rmtree(os.path.join(self.fleet.work, ".flotilla"))
        hostile(self.fleet, "digest")
        run = self.sane("recover", "plan.yaml", codes=(1,))
        self.assertIn(b"another form than the plan's", run.err)
        honest(self.fleet)
        self.fleet.ok("recover", "plan.yaml")
        self.fleet.ok("rollback")

    def test_the_others_go_on(self):
        """One host floods; the other's catalog is read all the same."""
        hostile(self.fleet, "")
        real = self.fleet.agent_program + ".real"
        manifest = self.fleet.manifest()
        manifest["services"]["orders"]["instances"]["production"][0]["agent_command"] = real
        self.fleet.write("fleet.yaml", json.dumps(manifest))
        self.addCleanup(self.fleet.write_files)
        for lie in ("endless", "huge", "end"):
            hostile(self.fleet, lie)
            run = self.sane("agent", "version", codes=(1,))
            self.assertIn(b"orders-1", run.out, run)
            self.assertIn(b"users-1", run.err, run)

    def test_cut_after_every_message(self):
        """The conversation ends, or the agent is killed, after its 1st, 2nd, 3rd ... message: each rollout ends the same."""
        self.signed()
        for word in ("cut", "kill"):
            for number in range(2, 15, 1 if os.environ.get("STREAMS") else 3):
                with self.subTest(f"{word} {number}"):
                    self.again()
                    hostile(self.fleet, f"{word} {number}")
                    child = self.fleet.popen("start", "plan.yaml", "--timeout", "20s", stderr=subprocess.STDOUT)
                    time.sleep(1.2)
                    hostile(self.fleet, "")
                    out = child.communicate(timeout=90)[0]
                    self.assertEqual(child.returncode, 3, out)
                    told = [json.loads(x) for x in self.fleet.ok("logs", "--format", "ndjson").out.splitlines()]
                    done = [e["step"] for e in told if e["event"] == "step_done"]
                    self.assertEqual(len(done), len(set(done)), done)
                    self.assertEqual(self.fleet.value("users", "SELECT count(*) FROM users WHERE email IS DISTINCT FROM"
                                                      " email_address"), "0")


class Bytes(unittest.TestCase):
    """A controller that sends anything at all: the agent neither crashes nor hangs nor grows."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = f = of_users(cls, SCHEMA.format("users"))
        part = Part(f, "users", "expand", [dict(kind="statement", up=["SELECT 1"], down=["SELECT 1"], tags=["additive"])])
        request = dict(database="users", rollout="bytes", fence=1, part=part.json, approvals=part.sign(), acks=[], attempt=1)
        run = "users.none"
        cls.requests = [("hello", {}), ("inspect", dict(database="users", hash="x")), ("doctor", dict(database="users")),
                        ("count", dict(database="users", relation="public.users", predicate="note IS NULL")),
                        ("rehearse", dict(database="users", parts=[part.json])), ("run", request),
                        ("attach", dict(run=run, after=0)), ("control", dict(run=run, action="pause", fence=3)),
                        ("state", dict(database="users", rollout="bytes")), ("snapshot", dict(database="users", action="list")),
                        ("clean", dict(database="users", given_up=[])), ("logs", dict(database="users")), ("bye", {})]

    def other(self, rng, value, depth=0):
        """The same with something else somewhere."""
        odd = [None, True, -1, 2**63, 1e308, "", "x" * 3000, "\0", "'; DROP TABLE users; --", "\ud800", [], {}, [[]] * 50]
        if rng.random() < (0.06 if depth > 1 else 0.01):
            return rng.choice(odd)
        if isinstance(value, dict):
            made = {k: self.other(rng, v, depth + 1) for k, v in value.items() if rng.random() > 0.04}
            if rng.random() < 0.05:
                made[rng.choice(["", "database", "part", "\u202e", "id"])] = rng.choice(odd)
            return made
        if isinstance(value, list):
            return [self.other(rng, v, depth + 1) for v in value] * rng.choice([1, 1, 1, 1, 0, 3])
        return value

    def stream(self, rng):
        def frame(value, size=None):
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            return struct.pack(">I", (len(data) if size is None else size) & 0xFFFFFFFF) + data
        hello = {"hello": {"protocol_min": 1, "protocol_max": 1, "program": "flotilla", "version": "t", "capabilities": [],
                           "host": {}}}
        kind = rng.randrange(6)
        if kind == 0:
            return rng.randbytes(rng.choice([0, 1, 3, 4, 5, 100, 5000]))
        frames = [frame(hello if rng.random() < 0.9 else self.other(rng, hello))]
        for number in range(1, rng.randrange(2, 9)):
            op, args = rng.choice(self.requests)
            message = {"id": number, "op": op, "args": args}
            if kind >= 2:
                message = self.other(rng, message)
            size = rng.choice([None] * 70 + [0, 1, 5, 4194304, 4194305, 0x7FFFFFFF, 0x80000005, 0xFFFFFFFF])
            data = frame(message, size)
            if kind == 1:
                data = data[:4] + bytes(b ^ (1 << rng.randrange(8)) if rng.random() < 0.01 else b for b in data[4:])
            frames.append(data)
        if kind == 5:
            rng.shuffle(frames)
        data = b"".join(frames)
        return data[:rng.randrange(len(data))] if rng.random() < 0.2 else data

    def test_anything_on_standard_input(self):
        """STREAMS=5000 for a long run; with an ASan build it is a fuzzer of the whole program."""
        worst, ends = 0, {}
        before = self.fleet.catalog("users"), self.fleet.rows("users")
        seed = int(os.environ.get("SEED", "1"))
        for number in range(STREAMS):
            rng = random.Random(seed * 1000003 + number)
            with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                given.write(self.stream(rng))
                given.seek(0)
                child = subprocess.Popen([self.fleet.agent_program, "--config", self.fleet.hosts["db1"].agent_yaml, "serve"],
                                         stdin=given, stdout=out, stderr=err, env=self.fleet.environment_of_commands(
                                             {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}))
                timer = threading.Timer(60, child.kill)
                timer.start()
                _, status, usage = os.wait4(child.pid, 0)
                timer.cancel()
                child.returncode = os.waitstatus_to_exitcode(status)
                err.seek(0)
                said = err.read()
            self.assertIn(child.returncode, (0, 1), f"stream {number} of seed {seed}: {said[-3000:]!r}")
            self.assertNotRegex(said, rb"Sanitizer|runtime error", f"stream {number} of seed {seed}")
            self.assertNotIn(b"\x1b", said)
            worst = max(worst, usage.ru_maxrss)
            ends[child.returncode] = ends.get(child.returncode, 0) + 1
        print(f"# {STREAMS} streams, seed {seed}: ended {ends}, most memory {worst} kB", flush=True)
        self.assertLess(worst, RSS_MOST_KB)
        self.assertGreater(min(ends.get(1, 0), ends.get(0, 0)), STREAMS // 8)
        deadline = time.monotonic() + 30
        while self.fleet.agent_pids() and time.monotonic() < deadline:
            time.sleep(0.1)
        left = [pathlib.Path(f"/proc/{p}/cmdline").read_bytes() for p in self.fleet.agent_pids()]
        self.assertEqual(left, [])
        self.assertEqual((self.fleet.catalog("users"), self.fleet.rows("users")), before)

    def test_a_listener_that_does_not_read(self):
        """The agent waits for it, and does not keep what it cannot send."""
        step = dict(kind="backfill", up=["UPDATE public.users SET note = 'y' WHERE note = 'x'"], transaction=False,
                    tags=["backfill"], batch={"relation": "public.users", "by": "ctid"})
        agent = Agent(self.fleet, "db1")
        self.addCleanup(agent.stop)
        part = Part(self.fleet, "users", "expand", [step, dict(kind="wait", **{"for": "50000ms"})])
        run = agent.ask(part, rollout="deaf")
        agent._write({"id": agent.id + 1, "op": "attach", "args": {"run": run.name, "after": 0}})
        time.sleep(3)
        kb = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{agent.program.pid}/status").read_text())[1])
        self.assertLess(kb, RSS_MOST_KB)
        other = Agent(self.fleet, "db1")
        other.call("control", run=run.name, action="cancel")
        self.assertEqual(run.until("run_ended")["state"], "stopped")
        other.stop()
        agent.program.kill()
        agent.stop()

    def test_a_silent_run_is_heard_of(self):
        agent = Agent(self.fleet, "db1")
        self.addCleanup(agent.stop)
        run = agent.ask(Part(self.fleet, "users", "expand", [dict(kind="wait", **{"for": "50000ms"})]), rollout="silent")
        run.control("pause")
        run.until("paused")
        agent._write({"id": agent.id + 1, "op": "attach", "args": {"run": run.name, "after": 1000}})
        self.assertEqual(agent._read()["event"], {"event": "alive"})
        other = Agent(self.fleet, "db1")
        self.addCleanup(other.stop)
        other.call("control", run=run.name, action="cancel")
        run.until("run_ended")

    def test_clocks_that_differ(self):
        """A signature from far in the future is refused on the host; ten minutes of skew are borne."""
        agent = Agent(self.fleet, "db1")
        self.addCleanup(agent.stop)
        part = Part(self.fleet, "users", "expand", [dict(kind="verify", check="SELECT true")], plan="skew")
        for ahead, fine in ((3600, False), (300, True)):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))
            if fine:
                self.assertEqual(agent.run(part, rollout="skew", approvals=part.sign(at=at)).state, "done")
                continue
            with self.assertRaises(AgentError) as caught:
                agent.run(part, rollout="skew", approvals=part.sign(at=at))
            self.assertEqual(caught.exception.code, "unsigned")
            self.assertIn("in the future", str(caught.exception))


class Links(unittest.TestCase):
    """Symbolic links, pipes and others' folders where our files should be."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = f = of_users(cls, SCHEMA.format("users"))
        cls.spool = os.path.join(f.dir, "hosts/db1/spool")
        cls.snapshots = os.path.join(f.dir, "hosts/db1/snapshots")

    def setUp(self):
        self.fleet.reset("users")
        for path in (self.spool, self.snapshots):
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            self.fleet._own(path)
        self.victim = tempfile.mkdtemp(prefix="victim-", dir=self.fleet.dir)
        self.treasure = os.path.join(self.victim, "treasure")
        with open(self.treasure, "w", encoding="utf-8") as file:
            file.write("mine")
        os.chmod(self.victim, 0o777)
        os.chmod(self.treasure, 0o666)
        self.addCleanup(self.untouched)

    def untouched(self):
        self.assertEqual(os.listdir(self.victim), ["treasure"])
        self.assertEqual(pathlib.Path(self.treasure).read_text(encoding="utf-8"), "mine")

    def agent(self):
        agent = Agent(self.fleet, "db1")
        self.addCleanup(agent.stop)
        return agent

    def part(self):
        return Part(self.fleet, "users", "contract", [
            dict(kind="snapshot", of="public.users", key=["id"], columns=["note"], current=["email"], inverse=["note"]),
            dict(kind="statement", up=["ALTER TABLE public.users DROP COLUMN note"], tags=["destructive"],
                 down=["ALTER TABLE public.users ADD COLUMN note text"])])

    def test_a_spool_that_is_a_link(self):
        os.rmdir(self.spool)
        os.makedirs(self.spool)
        os.symlink(self.victim, os.path.join(self.spool, "runs"))
        self.fleet._own(self.spool)
        with self.assertRaises(AgentError) as caught:
            self.agent().ask(self.part())
        self.assertIn("runs: is a link, or somebody else owns it", str(caught.exception))

    def test_a_run_that_is_a_link(self):
        agent = self.agent()
        run = agent.ask(self.part(), rollout="first")
        self.assertEqual(run.wait().state, "done", run.error)
        folder = os.path.join(self.spool, "runs", run.name)
        for name in ("events", "request", "fence", "orders", "lock"):
            path = os.path.join(folder, name)
            if os.path.exists(path):
                os.unlink(path)
            os.symlink(self.treasure, path)
            with self.subTest(name):
                for _ in range(2):
                    try:
                        agent.call("control", run=run.name, action="pause", fence=5)
                        agent.ask(self.part(), rollout="first", fence=5)
                    except (AgentError, ConnectionError):
                        agent.kill()
                self.untouched()
            os.unlink(path)
        shutil.rmtree(folder)
        os.symlink(self.victim, folder)
        with self.assertRaises((AgentError, ConnectionError)):
            agent.ask(self.part(), rollout="first", fence=9)

    def test_a_folder_that_others_may_write_to(self):
        runs = os.path.join(self.spool, "runs")
        os.makedirs(runs)
        os.chmod(runs, 0o777)
        self.fleet._own(runs)
        with self.assertRaises(AgentError) as caught:
            self.agent().ask(self.part())
        self.assertIn("may write there", str(caught.exception))
        self.assertTrue(caught.exception.error["hint"])

    def test_a_snapshot_that_is_a_link(self):
        agent = self.agent()
        run = agent.ask(self.part(), rollout="first")
        self.assertEqual(run.wait().state, "done", run.error)
        shelf = os.path.join(self.snapshots, os.listdir(self.snapshots)[0])
        folder = os.path.join(shelf, os.listdir(shelf)[0])
        manifest = os.path.join(folder, "manifest")
        os.rename(manifest, manifest + ".away")
        os.symlink(manifest + ".away", manifest)
        listed = agent.call("snapshot", database="users", action="list")["snapshots"]
        self.assertIn("error", listed[0])
        back = agent.back(self.part(), rollout="first")
        self.assertEqual(back.state, "failed")
        os.replace(manifest + ".away", manifest)
        back = agent.back(self.part(), rollout="first", attempt=2)
        self.assertEqual(back.state, "undone", back.error)
        shutil.rmtree(shelf)
        os.symlink(self.victim, shelf)
        again = agent.run(self.part(), rollout="second", fence=2)
        self.assertEqual(again.state, "failed")
        self.assertIn("snapshot", again.error["message"])

    def test_approvals_that_are_none(self):
        """Links to devices and pipes beside a plan would be read for ever, or from the terminal."""
        f = self.fleet
        f.write("change.yaml", RENAME)
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        folder = os.path.join(f.work, "plan.approvals")
        good = os.path.join(folder, sorted(os.listdir(folder))[0])
        evidence = os.path.join(f.work, "plan.evidence")
        os.symlink("/dev/zero", os.path.join(folder, "expand.users.zero.sig"))
        os.symlink("/dev/stdin", os.path.join(folder, "expand.users.stdin.sig"))
        os.symlink(good, os.path.join(folder, "expand.users.link.sig"))
        os.mkfifo(os.path.join(folder, "expand.users.pipe.sig"))
        os.mkdir(os.path.join(folder, "expand.users.folder.sig"))
        with open(os.path.join(folder, "expand.users.long.sig"), "w", encoding="utf-8") as file:
            file.write("-----BEGIN SSH SIGNATURE-----\n" * 10000)
        proof = os.path.join(evidence, os.listdir(evidence)[0])
        os.rename(proof, proof + ".away")
        os.mkfifo(proof)
        run = f.flotilla("start", "plan.yaml", timeout=60)
        self.assertEqual(run.code, 3, run)
        self.assertIn("not rehearsed", run.out)
        os.replace(proof + ".away", proof)
        run = f.flotilla("resume", timeout=60)
        self.assertEqual(run.code, 3, run)
        self.assertIn("the word of users", run.out)
        target = os.path.join(folder, "expand.users.raj@example.org.sig")
        os.unlink(target)
        os.symlink(self.treasure, target)
        f.ok("approve", "plan.yaml", "--as", "raj@example.org", "--key", f.key("raj@example.org"))
        self.assertFalse(os.path.islink(target))
        f.ok("rollback")


if __name__ == "__main__":
    unittest.main()
