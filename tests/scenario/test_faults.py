"""What breaks around a rollout: the network, the server under it, a second controller elsewhere."""

import collections
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from fleet import PG, free_port, of_users, yaml_text  # noqa: E402
from proxy import Proxy  # noqa: E402

ROWS = 4000
# Each update waits, so that a backfill lasts for seconds and faults hit the middle of it.
SLOW = """
CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.0004); RETURN NEW; END $$;
CREATE TRIGGER slow BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION slow();
"""
USERS = f"""
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);
INSERT INTO users SELECT g, 'u' || g || '@example.org' FROM generate_series(1, {ROWS}) g;
{SLOW}
"""
RENAME = """
title: Rename email
author: tester
intents:
  - rename_column: { service: users, table: users, column: email, to: email_address }
"""


class Trouble(Proxy):
    """TCP on 127.0.0.1 to an sshd, out of order in the ways of networks. `mode` may change at any time:
    pass; cut (every connection ends after some kilobytes); stall (bytes are held, nothing is closed);
    trickle (a few bytes at a time, and slowly)."""

    def __init__(self, address, port):
        self.target, self.mode, self.connections, self.cuts = (address, port), "pass", 0, 0
        super().__init__()

    def serve(self, client):
        self.connections += 1
        self.connect(client, self.target)

    def forward(self, source, to):
        passed = 0
        while True:
            data = source.recv(65536)
            if not data:
                break
            passed += len(data)
            while self.mode == "stall":
                time.sleep(0.05)
            if self.mode == "cut" and passed > 9000:
                self.cuts += 1
                break
            if self.mode == "trickle":
                for at in range(0, len(data), 40):
                    to.sendall(data[at:at + 40])
                    time.sleep(0.002)
            else:
                to.sendall(data)


class Case(unittest.TestCase):
    """A service `users` and a plan that renames its column."""

    transport, hosts = "local", {}

    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, USERS, transport=cls.transport, fsync=cls.hosts.get("fsync", False))
        cls.fleet.write("change.yaml", RENAME)

    def setUp(self):
        self.fleet.write_files()
        self.fleet.reset("users")

    def signed(self):
        f = self.fleet
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")

    def filled(self):
        if not self.fleet.value("users", "SELECT 1 FROM pg_attribute WHERE attname = 'email_address'"
                                         " AND attrelid = 'users'::regclass"):
            return 0
        return int(self.fleet.value("users", "SELECT count(*) FROM users WHERE email_address IS NOT NULL"))

    def until(self, what, true, timeout=60):
        deadline = time.monotonic() + timeout
        while not true():
            self.assertLess(time.monotonic(), deadline, f"never: {what}")
            time.sleep(0.02)

    def begin(self, *args):
        process = self.fleet.popen(*(args or ("start", "plan.yaml")), stderr=subprocess.STDOUT)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.stdout.close()
        process.wait()

    def stopped_at(self, process, gate, code=3):
        out = process.communicate(timeout=180)[0]
        self.assertEqual(process.returncode, code, out)
        self.assertIn(gate, out)
        return out

    def events(self, *state):
        return [json.loads(x) for x in self.fleet.ok("logs", "--format", "ndjson", *state).out.splitlines()]

    def once(self, *state):
        """Every step told once, the host's events in order and without a gap, every row moved."""
        events = self.events(*state)
        done = collections.Counter(e["step"] for e in events if e["event"] == "step_done")
        self.assertEqual(set(done.values()), {1}, done)
        for phase in ("expand", "migrate"):
            seqs = [e["run_seq"] for e in events if e.get("phase") == phase and "run_seq" in e]
            self.assertEqual(seqs, sorted(set(seqs)), events)
        self.assertEqual(self.fleet.value("users", "SELECT count(*) FROM users WHERE email IS DISTINCT FROM email_address"), "0")


class Network(Case):
    transport = "ssh"

    def setUp(self):
        super().setUp()
        f = self.fleet
        address = f.hosts["db1"].address
        self.proxy = Trouble(address, f.ssh_port)
        self.addCleanup(self.proxy.close)
        self.signed()
        with open(f.known_hosts, encoding="utf-8") as file:
            key = file.read().split(" ", 1)[1]
        f.write(f.known_hosts, f"[127.0.0.1]:{self.proxy.port} {key}")
        manifest = f.manifest()
        manifest["defaults"]["ssh"]["port"] = self.proxy.port
        manifest["services"]["users"]["instances"]["production"][0]["host"] = "127.0.0.1"
        f.write("fleet.yaml", json.dumps(manifest))

    def test_cut_again_and_again(self):
        self.proxy.mode = "cut"
        process = self.begin()
        self.until("three cuts", lambda: self.proxy.cuts >= 3 or process.poll() is not None)
        self.proxy.mode = "pass"
        self.stopped_at(process, "waits for the word of users")
        self.assertGreaterEqual(self.proxy.cuts, 1)
        self.once()

    def test_slow(self):
        self.proxy.mode = "trickle"
        self.stopped_at(self.begin("start", "plan.yaml", "--until", "expand"), "--until")
        self.proxy.mode = "pass"
        self.stopped_at(self.begin("resume"), "waits for the word of users")
        self.once()

    def test_a_stall_that_ends(self):
        process = self.begin()
        self.until("the backfill begins", lambda: self.filled() > 50)
        self.proxy.mode = "stall"
        self.until("work goes on meanwhile", lambda: self.filled() == ROWS)
        time.sleep(1)
        self.assertIsNone(process.poll())
        self.proxy.mode = "pass"
        self.stopped_at(process, "waits for the word of users")
        self.once()

    def test_half_open(self):
        """The other end is gone and nobody says so: keepalives find out, and a new connection goes on."""
        process = self.begin()
        self.until("the backfill begins", lambda: self.filled() > 50)
        before = self.proxy.connections
        held = list(self.proxy.open)
        for one in held:  # what arrives is taken and never answered
            one.detach()
        self.until("the loss is seen", lambda: self.proxy.connections > before, timeout=120)
        out = self.stopped_at(process, "waits for the word of users")
        self.assertIn("agent lost", out)
        self.once()


class Controllers(Case):
    def test_a_copy_of_the_state_drives_on_elsewhere(self):
        """The first controller sleeps with its machine; a copy of its state goes on; the first one wakes: what
        the other did meanwhile is found, and not done again."""
        f = self.fleet
        self.signed()
        old = self.begin()
        self.until("the backfill begins", lambda: self.filled() > 50)
        old.send_signal(signal.SIGSTOP)
        copy = os.path.join(f.dir, "elsewhere")
        shutil.copytree(os.path.join(f.work, ".flotilla"), copy)
        time.sleep(6.5)  # the lease that was copied runs out
        new = self.begin("resume", "--state", copy)
        self.stopped_at(new, "waits for the word of users")
        f.ok("ack", "users", "--plan", "plan.yaml", "--state", copy)
        f.ok("promote", "--state", copy)
        after = f.catalog("users"), f.rows("users")
        f.ok("ack", "users", "--plan", "plan.yaml")
        old.send_signal(signal.SIGCONT)
        self.stopped_at(old, "gate")
        f.ok("promote")
        self.assertEqual((f.catalog("users"), f.rows("users")), after)
        self.assertEqual(f.value("users", "SELECT max(attempts) FROM flotilla.step"), "1")
        for state in ((), ("--state", copy)):
            done = collections.Counter(e["step"] for e in self.events(*state) if e["event"] == "step_done")
            self.assertEqual(set(done.values()), {1}, done)

    def test_one_that_wakes_up_in_front_of_a_newer_command(self):
        """Another one has commanded this database with a newer token: refused, and nothing is done."""
        f = self.fleet
        self.signed()
        f.ok("start", "plan.yaml", "--until", "expand", codes=(3,))
        newer = int(f.value("users", "SELECT token FROM flotilla.fence")) + 10**9
        f.sql("users", f"UPDATE flotilla.fence SET token = {newer};")
        run = f.flotilla("resume", "--timeout", "2s")
        self.assertEqual(run.code, 1, run)
        self.assertIn("a newer command than this one has been seen", run.out)
        self.assertRegex(run.out, r"hint: \S")
        self.assertEqual(self.filled(), 0)
        f.sql("users", f"UPDATE flotilla.fence SET token = {newer - 10**9};")
        f.ok("retry", codes=(3,))


class Servers(Case):
    """A primary and its replica; the agent knows both and asks for the one that can be written to."""

    hosts = {"fsync": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        f = cls.fleet
        cls.host = f.hosts["db1"]
        with open(os.path.join(cls.host.data, "pg_hba.conf"), "a", encoding="utf-8") as file:
            file.write("local replication all trust\n")
        f.sql("users", "SELECT pg_reload_conf();")

    def setUp(self):
        super().setUp()
        self.replica, self.replica_port = os.path.join(self.fleet.dir, "replica"), free_port(["127.0.0.1"])
        shutil.rmtree(self.replica, ignore_errors=True)
        self.running = self.down = False
        self.addCleanup(self.stop_replica)

    def ctl(self, *args):
        self.fleet._as_user([f"{PG}/pg_ctl", "-w", "-D", self.replica, *args])

    def stop_replica(self):
        if self.running:
            self.ctl("stop", "-m", "immediate")
            self.running = False

    def start_replica(self):
        f = self.fleet
        os.makedirs(self.replica)
        os.chmod(self.replica, 0o700)
        f._own(self.replica)
        f._as_user([f"{PG}/pg_basebackup", "-h", self.host.socket, "-p", str(self.host.port), "-U", "postgres", "-D",
                    self.replica, "-R", "-X", "stream", "-c", "fast"])
        self.run_replica()
        config = f.agent_config("db1")
        for database in config["databases"].values():
            if "purpose" not in database:
                database["conninfo"] = (f"host={self.host.socket},{self.host.socket} port={self.host.port},{self.replica_port}"
                                        f" dbname=users user=flotilla target_session_attrs=read-write")
        f.write(self.host.agent_yaml, yaml_text(config))

    def run_replica(self):
        self.ctl("start", "-l", os.path.join(self.fleet.dir, "log/replica.log"), "-o",
                 f"-p {self.replica_port} -k {self.host.socket} -c listen_addresses=''")
        self.running = True

    def on_replica(self, sql):
        done = subprocess.run([f"{PG}/psql", "-XqAt", "-h", self.host.socket, "-p", str(self.replica_port), "-U", "postgres",
                               "-d", "users", "-c", sql], stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def failover(self):
        """The primary dies, the replica takes over."""
        self.halt()
        self.ctl("promote")

    def halt(self):
        self.fleet.halt("db1")
        self.down = True

    def back_to_one(self):
        """The old primary again, alone: for the next test."""
        self.stop_replica()
        if self.down:
            self.fleet.up("db1")
        shutil.rmtree(os.path.join(self.fleet.dir, "hosts/db1/spool/primaries"), ignore_errors=True)

    def test_an_immediate_stop_in_a_backfill(self):
        self.signed()
        process = self.begin()
        for rows in (50, 1500):
            self.until("the backfill goes on", lambda n=rows: self.filled() > n)
            self.fleet.halt("db1")
            time.sleep(0.3)
            self.fleet.up("db1")
        self.stopped_at(process, "waits for the word of users")
        self.once()

    def test_a_replica_is_promoted_in_a_backfill(self):
        self.signed()
        self.start_replica()
        self.addCleanup(self.back_to_one)
        process = self.begin()
        self.until("the backfill begins", lambda: self.filled() > 200)
        self.failover()
        self.stopped_at(process, "waits for the word of users")
        self.assertEqual(self.on_replica("SELECT count(*) FROM users WHERE email IS DISTINCT FROM email_address"), "0")
        done = collections.Counter(e["step"] for e in self.events() if e["event"] == "step_done")
        self.assertEqual(set(done.values()), {1}, done)
        # The old primary comes back beside the new one, and is the first that answers.
        self.fleet.up("db1")
        self.down = False
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        run = self.fleet.flotilla("promote")
        self.assertEqual(run.code, 1, run)
        self.assertRegex(run.out, "older timeline|of which it tells")
        self.assertEqual(self.on_replica("SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass"
                                         " AND attname = 'email' AND NOT attisdropped"), "1")
        self.halt()
        self.fleet.ok("retry")
        self.assertEqual(self.on_replica("SELECT count(*) FROM users WHERE email_address LIKE 'u%'"), str(ROWS))

    def test_a_replica_that_knows_nothing_of_it_is_promoted(self):
        """It lost what was committed last: said, not contracted upon."""
        self.signed()
        self.start_replica()
        self.addCleanup(self.back_to_one)
        self.stop_replica()
        self.stopped_at(self.begin(), "waits for the word of users")
        self.halt()
        self.run_replica()
        self.ctl("promote")
        self.fleet.ok("ack", "users", "--plan", "plan.yaml")
        run = self.fleet.flotilla("promote")
        self.assertEqual(run.code, 1, run)
        self.assertIn("its journal (schema flotilla) is missing", run.out)
        self.assertEqual(self.on_replica("SELECT count(*) FROM users WHERE email LIKE 'u%'"), str(ROWS))
        self.fleet.ok("abort", "--give-up")


if __name__ == "__main__":
    unittest.main()
