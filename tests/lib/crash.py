"""Seeded kills: rollouts on a small fleet while controller, agents, runners and backends are killed.

    crash = Crash(seed=1)                 # a started fleet of three services
    crash = Crash(1, "ssh", wild=True)    # and disturbed in the other ways of WILD
    crash.rollout("widen", kills=10)      # forward to done, and for some seeds back again
    crash.kills                           # {"controller": 12, "agent": …, "runner": …, "backend": …}

A seed decides which process is killed when (how the machine schedules is not ours to decide). Each
rollout must end done or rolled back, with catalogs and checksums as an undisturbed one leaves them,
every step told once, every row moved once. Violations raise AssertionError.
"""

import collections
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

import keeper
from fleet import Fleet

ROWS = int(os.environ.get("CRASH_ROWS", "15000"))

USERS = f"""
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL UNIQUE, note text);
CREATE VIEW mails AS SELECT id, email FROM users;
CREATE TABLE logins (id bigint PRIMARY KEY, user_id int NOT NULL REFERENCES users);
INSERT INTO users SELECT n, 'u' || n || '@example.org', md5(n::text) FROM generate_series(1, {ROWS}) n;
INSERT INTO logins SELECT n, n FROM generate_series(1, {ROWS // 2}) n;
ANALYZE users, logins;
"""
ORDERS = f"""
CREATE TABLE orders (id bigint PRIMARY KEY, user_id int NOT NULL, what text);
CREATE INDEX orders_user ON orders (user_id);
INSERT INTO orders SELECT n, n % {ROWS} + 1, 'order ' || n FROM generate_series(1, {ROWS}) n;
ANALYZE orders;
"""
CHANGES = {
    "rename": "title: Rename email\nauthor: tester\nintents:\n"
              "  - rename_column: { service: users, table: users, column: email, to: email_address }\n",
    "widen": "title: Widen user ids\nauthor: tester\nintents:\n"
             "  - change_type: { service: users, table: users, column: id, to: bigint }\n",
}
SERVICES = ("users", "orders")
TARGETS = ("controller", "agent", "runner", "backend")
# freeze: any of them is stopped for a while. postmaster: an immediate stop, and up again. disk: spool and snapshots
# are full for a while. sshd: it ends with all of its sessions, and starts again. clock: that of the controller jumps.
WILD = TARGETS + ("freeze", "postmaster", "disk", "sshd", "clock")
DISK_MB = 48
ROUNDS = 200  # commands until a rollout is given up


class Crash:
    def __init__(self, seed, transport="local", wild=False):
        self.seed, self.random = seed, random.Random(seed)
        self.kills, self.rollouts = collections.Counter(), 0
        self.plans, self.before, self.after = {}, {}, {}
        self.transport, self.mounts, self.later = transport, [], []
        self.targets = [t for t in (WILD if wild else TARGETS) if t != "sshd" or transport == "ssh"]
        self.directory = tempfile.mkdtemp(prefix="fl-", dir=os.environ.get("FLOTILLA_TMP", "/tmp"))
        self.fleet = f = Fleet(transport=transport, directory=self.directory)
        f.host("db1")
        f.host("db2", cluster="db1")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.owner("checkout-team", "kim@example.org", "lee@example.org")
        f.service("users", host="db1", owners=["identity-team"], schema=USERS)
        f.service("orders", host="db2", owners=["checkout-team"], schema=ORDERS,
                  references=["orders(user_id) -> users:users(id)"])
        if wild:
            self.small_disks()
        f.start()
        self.jump = self.jumping() if wild else {}
        self.before = self.look()

    def stop(self):
        for timer in self.later:
            timer.join()
        for path in self.mounts:
            subprocess.run(["umount", "-l", path], check=True)
        self.fleet.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def small_disks(self):
        """Disks of their own, that can be full; without the right to mount there are none."""
        for host in ("db1", "db2"):
            for sub in ("spool", "snapshots"):
                path = os.path.join(self.directory, "hosts", host, sub)
                os.makedirs(path)
                owner = subprocess.run(["id", "-u", self.fleet.user], stdout=subprocess.PIPE, text=True, check=True).stdout
                mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700,uid={owner.strip()}", "tmpfs", path]
                if os.geteuid() or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode:
                    self.targets.remove("disk")
                    return
                self.mounts.append(path)

    def jumping(self):
        """What the controller is started with so that its clock can be set."""
        library, self.offset = os.path.join(self.directory, "jump.so"), os.path.join(self.directory, "jump")
        source = os.path.join(os.path.dirname(os.path.realpath(__file__)), "jump.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.set_clock(0)
        return {"LD_PRELOAD": library, "JUMP_FILE": self.offset}

    def set_clock(self, seconds):
        with open(self.offset, "r+b" if os.path.exists(self.offset) else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def after_a_while(self, most, do):
        timer = threading.Timer(self.random.uniform(0.1, most), do)
        self.later = [t for t in self.later if t.is_alive()] + [timer]
        timer.start()

    def look(self):
        return {s: (self.fleet.catalog(s), self.fleet.rows(s)) for s in SERVICES}

    # -- plans -----------------------------------------------------------------------------------

    def plan(self, change):
        """Drafted, rehearsed and signed once; what lies beside the plan is kept for each rollout."""
        name = change + ".yaml"
        if change not in self.plans:
            f = self.fleet
            f.write(change + "-change.yaml", CHANGES[change])
            f.ok("draft", change + "-change.yaml", "-o", name)
            f.ok("rehearse", name)
            for person in sorted(p for team in f.teams.values() for p in team):
                f.flotilla("approve", name, "--as", person, "--key", f.key(person))  # who owns no part is refused
            self.plans[change] = []
            for sort in (".approvals", ".evidence"):
                kept = os.path.join(f.dir, change + sort)
                shutil.copytree(os.path.join(f.work, change + sort), kept)
                self.plans[change].append((kept, os.path.join(f.work, change + sort)))
        for kept, used in self.plans[change]:
            if not os.path.exists(used):
                shutil.copytree(kept, used)
        return name

    # -- kills -----------------------------------------------------------------------------------

    def agents(self, mode):
        found = []
        for pid in self.fleet.agent_pids():
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if mode.encode() in file.read().split(b"\0"):
                        found.append(pid)
            except OSError:
                pass
        return found

    def kill(self, process, wanted):
        """Kills one of them, of that sort if there is one; True when something was hit."""
        hit = getattr(self, "hit_" + wanted, lambda p: self.signal_one(p, wanted, signal.SIGKILL))(process)
        if hit:
            self.kills[wanted] += 1
        return hit

    def signal_one(self, process, wanted, number):
        """The pid that was hit; None when there is none of that sort."""
        pids = [process.pid] if wanted == "controller" else self.agents("serve" if wanted == "agent" else "runner")
        if not pids or process.poll() is not None:
            return None
        pid = self.random.choice(pids)
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return None
        return pid

    def hit_backend(self, _):
        return self.fleet.value(self.random.choice(SERVICES), "SELECT count(pg_terminate_backend(pid)) FROM"
                                " pg_stat_activity WHERE application_name ~ '^flotilla (run|watch)/';") != "0"

    def hit_freeze(self, process):
        pid = self.signal_one(process, self.random.choice(("controller", "agent", "runner", "runner")), signal.SIGSTOP)

        def thaw():
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        if pid:
            self.after_a_while(3, thaw)
        return pid

    def hit_postmaster(self, _):
        self.fleet.halt("db1")
        time.sleep(self.random.uniform(0, 0.7))
        self.fleet.up("db1")
        return True

    def hit_disk(self, _):
        ballast = os.path.join(self.random.choice(self.mounts), "ballast")
        if os.path.exists(ballast):
            return False
        with open(ballast, "wb", buffering=0) as file:
            try:
                for _ in range(DISK_MB * 32):
                    file.write(b"x" * 65536)
                raise AssertionError(f"{ballast} is on no small disk")
            except OSError:
                pass
        self.after_a_while(1.5, lambda: os.unlink(ballast))
        return True

    def hit_sshd(self, _):
        children = keeper.descendants(self.fleet.sshd_pid)
        self.fleet.sshd_stop()
        for pid in sorted(children):
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    if file.read().strip() == "sshd":
                        os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.fleet.sshd_start()
        return True

    def hit_clock(self, _):
        self.set_clock(self.random.randint(-500, 500))
        return True

    def command(self, budget, *args):
        """Runs one command and kills around it; gives what is left of the budget."""
        process = self.fleet.popen(*args, env=self.jump)
        said = ["", ""]
        try:
            while True:
                wait = self.random.uniform(0.02, 0.35) if budget else 120
                try:
                    said = process.communicate(timeout=wait)
                    return budget, process.returncode, said[1]
                except Exception:  # pylint: disable=broad-except
                    if not budget:
                        raise
                if self.kill(process, self.random.choice(self.targets)):
                    budget -= 1
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    # -- rollouts --------------------------------------------------------------------------------

    def status(self):
        run = self.fleet.flotilla("status", "--format", "json")
        return json.loads(run.out) if run.out.strip().startswith("{") else {}

    def next_command(self, plan, status, goal):
        word, gate = status.get("status"), status.get("gate") or ""
        if word in (None, ""):
            return ("start", plan)
        if goal == "rolled_back" and not status.get("back"):
            return ("rollback",)
        if "the word of" in gate:
            for service in SERVICES:
                self.fleet.flotilla("ack", service, "--plan", plan, "--note", "ready")
            return ("resume",)
        if "promote" in gate:
            return ("promote",)
        for task in status.get("tasks", []):
            if task["status"] == "failed" and task.get("error_code") == "no_space" and self.mounts:
                return ("retry",)
            if task["status"] == "failed":
                raise AssertionError(f"{self.seed}: {task}\n{self.tail()}")
        return ("resume",)

    def tail(self):
        return self.fleet.flotilla("logs", "--format", "ndjson").out[-6000:]

    def drive(self, plan, goal, budget):
        said = ""
        for _ in range(ROUNDS):
            status = self.status()
            if status.get("status") == goal:
                return
            budget, code, said = self.command(budget, *self.next_command(plan, status, goal))
            del code
        raise AssertionError(f"seed {self.seed}: not {goal} after {ROUNDS} commands: {self.status()}\n{said}\n{self.tail()}")

    def rollout(self, change, kills, back=None):
        """One rollout from fresh databases. back: also the way back (None: the seed decides)."""
        back = self.random.random() < 0.5 if back is None else back
        for service in SERVICES:
            self.fleet.reset(service)
        plan = self.plan(change)
        if change not in self.after:
            self.drive(plan, "done", 0)
            self.after[change] = self.look()
            for service in SERVICES:
                self.fleet.reset(service)
            self.plan(change)
        self.drive(plan, "done", kills if not back else kills // 2)
        self.check(self.after[change], f"{change} done")
        self.once(False)
        if back:
            self.drive(plan, "rolled_back", kills - kills // 2)
            self.check(self.before, f"{change} rolled back")
            self.once(True)
        self.rollouts += 1
        self.settled()

    # -- what must hold --------------------------------------------------------------------------

    def check(self, expected, what):
        found = self.look()
        for service in SERVICES:
            for number, sort in enumerate(("catalog", "rows")):
                if found[service][number] != expected[service][number]:
                    raise AssertionError(f"seed {self.seed}, {what}: {sort} of {service}:\n"
                                         f"{found[service][number]}\nexpected\n{expected[service][number]}")

    def once(self, back):
        """Each step told once; each row of a backfill moved once."""
        name = "step_undone" if back else "step_done"
        told, seqs = collections.Counter(), []
        for line in self.fleet.ok("logs", "--format", "ndjson").out.splitlines():
            event = json.loads(line)
            seqs.append(event["seq"])
            if event["event"] == name:
                told[(event["instance"], event["step"])] += 1
        twice = {k: n for k, n in told.items() if n != 1}
        if twice or seqs != list(range(seqs[0], seqs[0] + len(seqs))):
            raise AssertionError(f"seed {self.seed}: told twice: {twice}; numbers {seqs[:3]}…{seqs[-3:]}")
        for service in SERVICES:
            if self.fleet.value(service, "SELECT to_regclass('flotilla.step')") is None:
                continue  # the plan has nothing to do there
            open_steps = self.fleet.sql(service, "SELECT step, state FROM flotilla.step WHERE state NOT IN " +
                                        ("('undone');" if back else "('done', 'already');"))
            moved = [] if back else self.fleet.sql(service, """
                SELECT c.step, c.done, coalesce((p.part::json -> 'steps' -> (split_part(c.step, '/', 3)::int - 1)
                       -> 'batch' ->> 'relation'), '') FROM flotilla.cursor c JOIN flotilla.part p USING (rollout)
                WHERE c.direction = 'forward' AND p.phase = split_part(c.step, '/', 1);""")
            if open_steps:
                raise AssertionError(f"seed {self.seed}: {service} still has {open_steps}")
            for step, done, relation in moved:
                rows = self.fleet.value(service, f"SELECT count(*) FROM {relation}")
                if done != rows:
                    raise AssertionError(f"seed {self.seed}: {service} {step} moved {done} of {rows} rows")

    def settled(self):
        """Nothing of ours goes on: no runner, no backend, no lock."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            left = self.agents("runner"), self.fleet.value(
                "users", "SELECT count(*) FROM pg_stat_activity WHERE application_name ~ '^flotilla (run|watch)/';")
            if left == ([], "0"):
                return
            time.sleep(0.05)
        raise AssertionError(f"seed {self.seed}: left behind: {left}")
