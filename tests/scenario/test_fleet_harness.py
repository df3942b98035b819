"""The test fleet itself: clusters, sshd with a force command a host, clean-up after kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import fleet  # noqa: E402  pylint: disable=wrong-import-position
import fleet_files  # noqa: E402  pylint: disable=wrong-import-position

USERS = """
CREATE TABLE users (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, note text);
CREATE VIEW mails AS SELECT id, email FROM users;
INSERT INTO users (email, note) SELECT 'u' || n || '@example.org', CASE n WHEN 2 THEN E'a\\nb|c' END
FROM generate_series(1, 3) n;
"""

# stands in for the agent: says who and where it is, then hands its input back
ECHO = """#!/bin/sh
echo "$(id -un) $*"
exec cat
"""

ORPHAN = """
import sys
sys.path.insert(0, sys.argv[1])
import fleet
f = fleet.Fleet(transport="local", programs=False)
f.host("db1")
f.owner("team", "ana@example.org")
f.start()
print(f.dir, f.keeper.pid, f.hosts["db1"].pid, flush=True)
sys.stdin.read()
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as f:
            return f.read().rsplit(b")", 1)[1].split()[0] != b"Z"
    except OSError:
        return False


class Harness(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        echo = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"echo-agent-{os.getpid()}")
        with open(echo, "w", encoding="utf-8") as f:
            f.write(ECHO)
        cls.addClassCleanup(os.unlink, echo)
        cls.fleet = f = fleet.Fleet(programs=False, agent=echo)
        f.host("db1")
        f.host("db2", cluster="db1")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.service("users", host="db1", schema=USERS)
        f.service("orders", hosts=["db1", "db2"], references=["orders(user_id) -> users:users(id)"],
                  schema="CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer NOT NULL);")
        f.start()
        cls.addClassCleanup(f.stop)

    def test_rows_and_nulls_come_back_as_they_are(self):
        self.assertEqual(self.fleet.sql("users", "SELECT id, note FROM users ORDER BY id;"),
                         [["1", None], ["2", "a\nb|c"], ["3", None]])
        self.assertEqual(self.fleet.value("users", "SELECT current_user;", role="flotilla"), "flotilla")
        self.assertEqual(self.fleet.value(("orders", 2), "SELECT current_database();"), "orders_2")

    def test_a_script_that_fails_raises(self):
        with self.assertRaisesRegex(RuntimeError, "division by zero"):
            self.fleet.sql("users", "SELECT 1/0;")

    def test_rights_of_the_two_roles(self):
        f = self.fleet
        f.sql("users", "CREATE SCHEMA flotilla; ALTER TABLE users ADD COLUMN x int; ALTER TABLE users DROP COLUMN x;"
                       "DROP SCHEMA flotilla;", role="flotilla")
        with self.assertRaisesRegex(RuntimeError, "permission denied"):
            f.sql("users", "SELECT * FROM users;", role="flotilla_scratch")
        self.assertEqual(f.value("users", "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname LIKE 'flotilla%';"), "0")

    def test_checksums_see_a_changed_value_but_no_changed_order(self):
        f = self.fleet
        before, catalog = f.rows("users"), f.catalog("users")
        self.assertEqual(before["public.users"][0], 3)
        f.sql("users", "ALTER TABLE users RENAME note TO old; ALTER TABLE users ADD COLUMN note text;"
                       "UPDATE users SET note = old; ALTER TABLE users DROP COLUMN old;")
        self.assertEqual(f.rows("users"), before)
        self.assertEqual(f.catalog("users"), catalog)
        f.sql("users", "UPDATE users SET note = 'x' WHERE id = 1; ALTER TABLE users ALTER email DROP NOT NULL;")
        self.assertNotEqual(f.rows("users"), before)
        self.assertEqual([line for line in catalog if line not in f.catalog("users")],
                         [line for line in catalog if line.startswith("column public.users.email")])
        f.reset("users")
        self.assertEqual(f.rows("users"), before)
        self.assertEqual(f.catalog("users"), catalog)

    def test_each_host_answers_with_its_own_force_command_as_the_same_user(self):
        for name in ("db1", "db2"):
            run = self.fleet.ssh(name, "rm -rf /", stdin="ping\n")
            self.assertEqual(run.code, 0, run)
            self.assertEqual(run.out, f"{self.fleet.user} --config {self.fleet.hosts[name].agent_yaml} serve\nping\n")

    def test_a_changed_host_key_is_refused_by_ssh(self):
        f = self.fleet
        old = f._host_key
        f.new_host_key()
        run = f.ssh("db1")
        self.assertEqual(run.code, 255)
        self.assertIn("Host key verification failed", run.err)
        f._host_key = old
        f.sshd_stop()
        f.sshd_start()
        self.assertEqual(f.ssh("db1").code, 0)

    def test_signatures_of_the_owners_verify(self):
        f = self.fleet
        text = "flotilla-approval-v1\n"
        signed = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "flotilla", "-f", f.key("ana@example.org")],
                                input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
        path = f.write("sig", signed.decode())

        def verify(person):
            return subprocess.run(["ssh-keygen", "-q", "-Y", "verify", "-n", "flotilla", "-f", f.allowed_signers,
                                   "-I", person, "-s", path], input=text.encode(), check=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        self.assertEqual(verify("ana@example.org"), 0)
        self.assertNotEqual(verify("raj@example.org"), 0)

    def test_a_crashed_cluster_comes_back(self):
        f = self.fleet
        f.crash("db1")
        with self.assertRaises(RuntimeError):
            f.sql("users", "SELECT 1;")
        f.up("db1")
        self.assertEqual(f.value("users", "SELECT count(*) FROM users;"), "3")

    def test_password_over_tcp(self):
        f, host = self.fleet, self.fleet.hosts["db1"]
        for password, code in (("users_owner", 0), ("wrong", 2)):
            run = subprocess.run([f"{fleet.PG}/psql", "-X", "-w", "-h", host.address, "-p", str(host.port), "-U",
                                  "users_owner", "-d", "users", "-c", "SELECT 1"], check=False,
                                 env=dict(fleet.LANG, PGPASSWORD=password), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, cwd=f.dir)
            self.assertEqual(run.returncode, code)

    def test_manifest_and_agent_yaml_say_what_was_asked(self):
        with open(os.path.join(self.fleet.work, "fleet.yaml"), encoding="utf-8") as f:
            self.assertIn(f"port: {self.fleet.ssh_port}\n", f.read())
        config = self.fleet.agent_config("db2")
        self.assertEqual(sorted(config["databases"]), ["orders_2", "orders_2_scratch"])
        self.assertEqual(config["databases"]["orders_2"]["serves"]["instance"], "orders-2")


class CleanUp(unittest.TestCase):
    def test_nothing_stays_after_kill_9_of_the_test(self):
        child = subprocess.Popen([sys.executable, "-c", ORPHAN, os.path.join(os.path.dirname(HERE), "lib")],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        directory, keeper, postmaster = child.stdout.readline().split()
        self.assertTrue(alive(keeper) and alive(postmaster))
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
        deadline = time.monotonic() + 30
        while (alive(keeper) or alive(postmaster) or os.path.exists(directory)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(alive(keeper) or alive(postmaster))
        self.assertFalse(os.path.exists(directory))

    def test_nothing_stays_after_kill_9_of_the_keeper(self):
        f = fleet.Fleet(transport="local", programs=False)
        f.host("db1")
        f.owner("team", "ana@example.org")
        f.start()
        pid = f.hosts["db1"].pid
        os.kill(f.keeper.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertFalse(alive(pid))
        f.stop()
        self.assertFalse(os.path.exists(f.dir))


class Yaml(unittest.TestCase):
    def test_block_text(self):
        value = {"a": [{"b": 1, "c": ["x: y", "on"]}, "z"], "e": {}, "f": True}
        self.assertEqual(fleet.yaml_text(value),
                         'a:\n  - b: 1\n    c:\n      - "x: y"\n      - "on"\n  - z\ne: {}\nf: true\n')
        self.assertEqual(json.loads(fleet_files.scalar("a\"b\n")), "a\"b\n")


if __name__ == "__main__":
    unittest.main()
