"""The way from flotilla to its agents: the same over local, ssh and openssh, and each way it breaks."""

import json
import os
import shutil
import struct
import subprocess
import time
import unittest

from fleet import Fleet, of_users
from proxy import Proxy

SCHEMA = "CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a@x');"


def fleet(transport, **more):
    f = Fleet(transport=transport, **more)
    f.host("db1")
    f.owner("identity-team", "ana@example.org", "raj@example.org")
    f.service("users", host="db1", owners=["identity-team"], schema=SCHEMA)
    f.service("orders", host="db1", owners=["identity-team"], schema=SCHEMA)
    return f


class Fate(Proxy):
    """A TCP port on 127.0.0.1; `fate(number)` of each connection: drop, silent, pass, or the number of
    bytes that pass from the server before it is cut."""

    def __init__(self, fleet, fate, address=None):
        self.fleet, self.fate, self.address, self.count = fleet, fate, address, 0
        super().__init__()

    def serve(self, client):
        fate = self.fate(self.count)
        self.count += 1
        if fate == "drop":
            client.close()
        elif fate != "silent":
            most = 1 << 40 if fate == "pass" else fate
            self.connect(client, (self.address, self.fleet.ssh_port), (1 << 40,), (most,))

    def forward(self, source, to, most):
        while most > 0:
            data = source.recv(min(most, 65536))
            if not data:
                break
            to.sendall(data)
            most -= len(data)


class Ways:
    """What holds for every transport; a mix-in, so that it does not run by itself."""

    @classmethod
    def setUpClass(cls):
        cls.fleet = fleet(cls.transport)
        cls.fleet.start()
        cls.addClassCleanup(cls.fleet.stop)

    def tearDown(self):
        self.fleet.write_files()

    def doctor(self, *args, **more):
        run = self.fleet.flotilla("doctor", *args, timeout=120, **more)
        self.assertNotIn("AddressSanitizer", run.err)
        return run

    def assert_no_error(self, run, instance):
        """Looked at, and at most warned of: a busy machine answers late."""
        self.assertRegex(run.out, rf"(?m)^(ok|!!) +{instance}\b")
        self.assertNotIn(f"error    {instance}:", run.out)

    def manifest(self, **defaults):
        """Writes the manifest with other values under defaults.ssh or for every instance."""
        manifest = self.fleet.manifest()
        manifest["defaults"].setdefault("ssh", {}).update(defaults.pop("ssh", {}))
        for service in manifest["services"].values():
            for instance in service["instances"][self.fleet.environment]:
                instance.update(defaults)
        self.fleet.write("fleet.yaml", json.dumps(manifest))

    def fails(self, *words):
        run = self.doctor()
        self.assertEqual(run.code, 1, run)
        for word in words:
            self.assertIn(word, run.out, run)
        self.assertIn("fix:", run.out, run)
        return run

    def test_all_is_well(self):
        run = self.doctor()
        self.assertEqual(run.code, 0, run)
        self.assertIn("users-1", run.out)
        report = self.doctor("--format", "json").json()
        self.assertEqual([i["instance"] for i in report["instances"]], ["orders-1", "users-1"])
        for instance in report["instances"]:
            self.assertTrue(instance["reached"])
            checks = {c["check"] for c in instance["checks"]}
            self.assertLessEqual({"shell", "agent version", "database", "owners", "scratch",
                                  "transactions", "slots", "signers", "spool"}, checks)
            for check in instance["checks"]:
                self.assertIn(check["level"], ("ok", "note"), check)

    def test_version(self):
        run = self.fleet.flotilla("agent", "version")
        self.assertEqual(run.code, 0, run)
        self.assertEqual(run.out.count("version 0."), 2, run)

    def test_logs(self):
        self.assertEqual(self.fleet.flotilla("agent", "logs").code, 0)
        runs = os.path.join(self.fleet.dir, "hosts/db1/spool/runs")
        for i, database in enumerate(("users", "orders", "users")):
            folder = os.path.join(runs, f"run{i}")
            for name, text in (("request", json.dumps({"database": database, "rollout": f"r{i}"})),
                               ("events", '{"seq":1,"event":"step_started"}\n'), ("log", "oops\x1b[2J\n")):
                os.utime(self.fleet.write(os.path.join(folder, name), text), (1000 + i, 1000 + i))
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", self.fleet.user, runs], check=True)
        run = self.fleet.flotilla("agent", "logs", "--service", "users")
        self.assertEqual(run.code, 0, run)
        self.assertLess(run.out.index("r2"), run.out.index("r0"), run)
        self.assertNotIn("r1", run.out)
        self.assertIn("! oops", run.out)
        self.assertNotIn("\x1b", run.out)
        shutil.rmtree(runs)

    def test_database_down(self):
        self.fleet.halt("db1")
        try:
            self.fails("error    users-1: database:")
        finally:
            self.fleet.up("db1")

    def test_database_not_served(self):
        manifest = self.fleet.manifest()
        for instance in manifest["services"]["users"]["instances"][self.fleet.environment]:
            instance["agent_database"] = "nowhere"
        self.fleet.write("fleet.yaml", json.dumps(manifest))
        run = self.fails("users-1: agent_database", "the agent serves no database \"nowhere\"",
                         "it serves: users, orders")
        self.assert_no_error(run, "orders-1")

    def test_database_of_another_instance(self):
        path = self.fleet.hosts["db1"].agent_yaml
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("users-1", "users-9"))
        try:
            run = self.fails("users-1: serves: database users serves instance users-9, the manifest says instance "
                             "users-1", "fix: correct serves:")
            self.assert_no_error(run, "orders-1")
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)

    def test_nothing_can_be_written(self):
        self.fleet.sql("users", "ALTER ROLE flotilla SET default_transaction_read_only = on")
        try:
            self.fails("users-1: read only: default_transaction_read_only is on", "fix: ALTER ROLE flotilla SET")
        finally:
            self.fleet.sql("users", "ALTER ROLE flotilla RESET default_transaction_read_only")

    def test_findings_have_fixes(self):
        sql = self.fleet.sql
        sql("users", "REVOKE users_owner FROM flotilla")
        sql("users", "SELECT pg_create_physical_replication_slot('lost', true)")
        try:
            run = self.fails("users-1: owners: role flotilla is no member of users_owner",
                             "fix: GRANT users_owner TO flotilla")
            self.assertNotIn("orders-1: owners", run.out)
        finally:
            sql("users", "GRANT users_owner TO flotilla; SELECT pg_drop_replication_slot('lost')")

    def test_agent_yaml_broken(self):
        path = self.fleet.hosts["db1"].agent_yaml
        with open(path, "a", encoding="utf-8") as f:
            f.write("polcy: {}\n")
        self.fails("agent.yaml:", "polcy", "did you mean")

    def test_leaves_no_agent(self):
        self.doctor()
        for _ in range(100):
            if not self.fleet.agent_pids():
                return
            time.sleep(0.05)
        self.fail(f"agents still run: {self.fleet.agent_pids()}")


class Local(Ways, unittest.TestCase):
    transport = "local"

    def test_agent_missing(self):
        self.manifest(agent_command="/nowhere/flotilla-agent")
        self.fails("/nowhere/flotilla-agent", "agent_command")

    def test_a_command_is_not_for_a_shell(self):
        for word in ("x; touch owned", "--version", "$(touch owned)"):
            self.manifest(agent_command=word)
            run = self.doctor()
            self.assertEqual(run.code, 1, run)
            self.assertFalse(os.path.exists(os.path.join(self.fleet.work, "owned")))


class Remote(Ways):
    """What only a way over sshd can get wrong."""

    def test_unknown_host_key(self):
        self.fleet.write(self.fleet.known_hosts, "")
        run = self.fails("host key")
        self.assertNotIn("CHANGED", run.out)

    def test_changed_host_key(self):
        self.fleet.new_host_key()
        self.fails("host key", "CHANGED")

    def test_wrong_key(self):
        other = os.path.join(self.fleet.dir, "keys/other")
        if not os.path.exists(other):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
        self.manifest(ssh={"identity": other})
        self.fails("login", "authorized_keys")

    def test_no_sshd(self):
        self.fleet.sshd_stop()
        try:
            self.fails("host: host 127.0.0.")
        finally:
            self.fleet.sshd_start()

    def test_unknown_name(self):
        self.manifest(host="no-such-host.invalid")
        self.fails("host no-such-host.invalid", "check the host's name")

    def test_agent_missing(self):
        program = self.fleet.agent_program
        os.rename(program, program + ".away")
        try:
            self.fails("there is no agent", "flotilla agent push")
        finally:
            os.rename(program + ".away", program)

    def test_a_shell_that_talks(self):
        program = self.fleet.agent_program
        os.rename(program, program + ".away")
        self.script(program, "#!/bin/sh\necho 'Welcome to db1!'\nexec sleep 60\n")
        try:
            self.fails("printed text", "plain shell")
        finally:
            os.rename(program + ".away", program)

    def test_a_login_that_ends_at_once(self):
        program = self.fleet.agent_program
        os.rename(program, program + ".away")
        self.script(program, "#!/bin/sh\nexit 1\n")
        try:
            self.fails("ended before it said hello; fix: log in there by hand")
        finally:
            os.rename(program + ".away", program)

    def test_other_protocol(self):
        program = self.fleet.agent_program
        hello = json.dumps({"hello": {"protocol_min": 7, "protocol_max": 8, "version": "9.1",
                                      "program": "flotilla-agent", "capabilities": [], "host": {}}})
        octal = "".join(f"\\{b:03o}" for b in struct.pack(">I", len(hello)))
        os.rename(program, program + ".away")
        self.script(program, f"#!/bin/sh\nprintf '{octal}%s' '{hello}'\nexec sleep 60\n")
        try:
            self.fails("agent version:", "flotilla-agent 9.1 talks protocol 7 to 8",
                       "flotilla agent push")
        finally:
            os.rename(program + ".away", program)

    @staticmethod
    def script(path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)


class Ssh(Remote, unittest.TestCase):
    transport = "ssh"

    def test_other_type_of_host_key(self):
        """libssh2 by itself would call this a changed key."""
        path = os.path.join(self.fleet.dir, "keys/ecdsa")
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", path], check=True)
        with open(path + ".pub", encoding="utf-8") as f:
            words = f.read().split()
        address = self.fleet.hosts["db1"].address
        self.fleet.write(self.fleet.known_hosts,
                         f"[{address}]:{self.fleet.ssh_port} {words[0]} {words[1]}\n")
        self.fails("another type", "ssh-ed25519", "ecdsa-sha2-nistp256")

    def test_several_lines_and_hashed_names(self):
        with open(self.fleet.known_hosts, encoding="utf-8") as f:
            good = f.read()
        path = self.fleet.write(self.fleet.known_hosts,
                                "# a comment\n\n@cert-authority *.example.org ssh-ed25519 "
                                "AAAA\nother.example.org ssh-rsa AAAAB3NzaC1yc2E=\n" + good)
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(path, "r+", encoding="utf-8") as f:
            self.assertIn("|1|", f.read())
            f.write("nonsense\nmore nonsense with words AAAA\n" + "x" * 20000 + "\n")
        run = self.doctor()
        self.assertEqual(run.code, 0, run)

    def test_revoked_host_key(self):
        with open(self.fleet.known_hosts, encoding="utf-8") as f:
            good = f.read()
        self.fleet.write(self.fleet.known_hosts, good + "@revoked " + good)
        self.fails("revoked")

    def test_rsa_key_is_named(self):
        rsa = os.path.join(self.fleet.dir, "keys/rsa")
        if not os.path.exists(rsa):
            subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", rsa], check=True)
        self.manifest(ssh={"identity": rsa})
        self.fails("login", "transport: openssh")

    def test_key_file_missing(self):
        self.manifest(ssh={"identity": "/nowhere/key"})
        self.fails("/nowhere/key", "identity")

    def test_one_session_for_a_host(self):
        log = os.path.join(self.fleet.dir, "log/sshd.log")
        with open(log, encoding="utf-8", errors="replace") as f:
            before = f.read().count("Accepted publickey")
        self.doctor()
        with open(log, encoding="utf-8", errors="replace") as f:
            self.assertEqual(f.read().count("Accepted publickey") - before, 1)

    def test_a_host_with_a_forced_command_takes_no_push(self):
        run = self.fleet.flotilla("agent", "push", "--binary", self.fleet.agent_program)
        self.assertEqual(run.code, 1, run)
        self.assertIn("push_identity", run.err)


    def test_keys_of_ssh_agent(self):
        """Without an identity, and where the identity's file has a passphrase."""
        secret = os.path.join(self.fleet.dir, "keys/secret")
        if not os.path.exists(secret):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", secret], check=True)
            with open(secret + ".pub", encoding="utf-8") as f, \
                    open(os.path.join(self.fleet.dir, "hosts/authorized_keys"), "a", encoding="utf-8") as to:
                to.write(f.read())
        socket_path = os.path.join(self.fleet.dir, "agent.sock")
        with subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.DEVNULL) as agent:
            try:
                while not os.path.exists(socket_path):
                    time.sleep(0.01)
                env = {"SSH_AUTH_SOCK": socket_path}
                self.manifest(ssh={"identity": secret})
                subprocess.run(["ssh-add", "-q", secret], env={**os.environ, **env}, check=True)
                subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", secret], check=True,
                               stdout=subprocess.DEVNULL)
                run = self.fails("login")
                self.assertIn("ssh-agent", run.out)
                run = self.doctor(env=env)
                self.assertEqual(run.code, 0, run)
                subprocess.run(["ssh-add", "-q", "-D"], env={**os.environ, **env}, check=True)
                run = self.doctor(env=env)
                self.assertEqual(run.code, 1, run)
            finally:
                agent.terminate()
                os.unlink(secret)

    def test_a_shell_that_is_slow(self):
        program = self.fleet.agent_program
        os.rename(program, program + ".away")
        self.script(program, f'#!/bin/sh\nsleep 1.2\nexec {program}.away "$@"\n')
        try:
            self.fails("warning  orders-1: shell:", "plain shell")
        finally:
            os.rename(program + ".away", program)

    def test_a_host_that_says_nothing(self):
        with Fate(self.fleet, lambda number: "silent") as proxy:
            self.manifest(ssh={"port": proxy.port}, host="127.0.0.1")
            run = self.doctor("--timeout", "1s")
            self.assertEqual(run.code, 1, run)
            self.assertIn("host 127.0.0.1: SSH handshake: no answer in time; fix: see whether host and port", run.out)

    def test_dropped_handshakes_are_tried_again(self):
        """As sshd does above MaxStartups."""
        address = self.fleet.hosts["db1"].address
        with open(self.fleet.known_hosts, encoding="utf-8") as f:
            key = f.read().split(" ", 1)[1]
        with Fate(self.fleet, lambda number: "drop" if number < 2 else "pass", address) as proxy:
            self.fleet.write(self.fleet.known_hosts, f"[127.0.0.1]:{proxy.port} {key}")
            self.manifest(ssh={"port": proxy.port}, host="127.0.0.1")
            run = self.doctor()
            self.assertEqual(run.code, 0, run)
            self.assertEqual(proxy.count, 3)
        with Fate(self.fleet, lambda number: "drop", address) as proxy:
            self.manifest(ssh={"port": proxy.port}, host="127.0.0.1")
            self.fails("closed the connection during the handshake")

    def test_a_connection_that_is_cut(self):
        """After the login, in the middle of the conversation: said at once, not after a timeout."""
        address = self.fleet.hosts["db1"].address
        with open(self.fleet.known_hosts, encoding="utf-8") as f:
            key = f.read().split(" ", 1)[1]
        for bytes_passed in (3000, 4500, 6000):
            with Fate(self.fleet, lambda number, n=bytes_passed: n, address) as proxy:
                self.fleet.write(self.fleet.known_hosts, f"[127.0.0.1]:{proxy.port} {key}")
                self.manifest(ssh={"port": proxy.port}, host="127.0.0.1")
                self.fails("host 127.0.0.1")


class Openssh(Remote, unittest.TestCase):
    transport = "openssh"


class Many(unittest.TestCase):
    """A fleet of many hosts at once, some of which are broken: each has its own end."""

    def test_many_hosts(self):
        f = Fleet(transport="ssh")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.host("h0")
        for i in range(1, 15):
            f.host(f"h{i}", cluster="h0")
        for i in range(15):
            f.service(f"s{i}", host=f"h{i}", schema=SCHEMA)
        with f:
            run = f.flotilla("agent", "version")
            self.assertEqual(run.code, 0, run)
            self.assertEqual(run.out.count("version 0."), 15)
            manifest = f.manifest()
            manifest["services"]["s7"]["instances"]["production"][0]["host"] = "no-such-host.invalid"
            manifest["services"]["s9"]["instances"]["production"][0]["agent_command"] = "/nowhere"
            f.write("fleet.yaml", json.dumps(manifest))
            run = f.flotilla("agent", "version")
            self.assertEqual(run.code, 1, run)
            self.assertEqual(run.out.count("version 0."), 14)
            self.assertIn("no-such-host.invalid", run.err)


class PushFleet(Fleet):
    """A host whose login has a shell and SFTP, as a push_identity needs."""

    def sshd_config(self):
        return "".join(line + "\n" for line in super().sshd_config().splitlines()
                       if "ForceCommand" not in line and not line.startswith("Match"))


class Push(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, SCHEMA, transport="ssh", make=PushFleet)
        cls.folder = os.path.join(cls.fleet.dir, "hosts/installed")
        os.makedirs(cls.folder)
        cls.fleet._own(cls.folder)
        cls.to = os.path.join(cls.folder, "flotilla-agent")

    def tearDown(self):
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        self.fleet.write_files()

    def push(self, *args):
        return self.fleet.flotilla("agent", "push", "--binary", self.fleet.agent_program, "--to",
                                   self.to, "--agent-config", self.fleet.hosts["db1"].agent_yaml, *args)

    def test_install_and_upgrade(self):
        for _ in range(2):
            run = self.push()
            self.assertEqual(run.code, 0, run)
            self.assertIn("digest sha256:", run.out)
            self.assertEqual(os.listdir(self.folder), ["flotilla-agent"])
            with open(self.to, "rb") as a, open(self.fleet.agent_program, "rb") as b:
                self.assertEqual(a.read(), b.read())
            out = subprocess.run([self.to, "version"], stdout=subprocess.PIPE, check=True).stdout
            self.assertTrue(out.startswith(b"flotilla-agent "))

    def test_what_is_no_agent_stays_out(self):
        shutil.copy(self.fleet.agent_program, self.to)
        run = self.fleet.flotilla("agent", "push", "--binary", "/bin/true", "--to", self.to,
                                  "--agent-config", self.fleet.hosts["db1"].agent_yaml)
        self.assertEqual(run.code, 1, run)
        self.assertIn("is no flotilla-agent", run.err)
        self.assertEqual(os.listdir(self.folder), ["flotilla-agent"])

    def test_folder_that_may_not_be_written(self):
        run = self.fleet.flotilla("agent", "push", "--binary", self.fleet.agent_program, "--to",
                                  "/proc/flotilla-agent")
        self.assertEqual(run.code, 1, run)
        self.assertIn("--to", run.err)

    def test_release_signature(self):
        self.fleet.agent_config_plain = self.fleet.agent_config
        key, other = (os.path.join(self.fleet.dir, "keys", n) for n in ("release", "stranger"))
        for path in (key, other):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        signers = os.path.join(self.fleet.dir, "hosts/release_signers")
        with open(key + ".pub", encoding="utf-8") as f:
            self.fleet.write(signers, "release@example.org " + f.read())
        path = self.fleet.hosts["db1"].agent_yaml
        with open(path, "a", encoding="utf-8") as f:
            f.write(f"release_signers: {signers}\n")
        run = self.push()
        self.assertEqual(run.code, 1, run)
        self.assertIn("not signed", run.err)
        for signer, namespace, good in ((other, "flotilla-release", False), (key, "flotilla", False),
                                        (key, "flotilla-release", True)):
            signature = self.fleet.agent_program + ".sig"
            if os.path.exists(signature):
                os.unlink(signature)
            subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", signer,
                            self.fleet.agent_program], check=True, stderr=subprocess.DEVNULL)
            run = self.push()
            self.assertEqual(run.code, 0 if good else 1, run)
            self.assertEqual(os.path.exists(self.to), good)
            os.unlink(signature)


class Init(unittest.TestCase):
    """What `flotilla-agent init` writes makes a host that `check` finds nothing wrong with."""

    def test_from_nothing(self):
        f = Fleet(transport="local")
        f.host("db1")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.service("users", host="db1", schema=SCHEMA + "CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".t ();")
        with f:
            f.sql("users", """
                DROP DATABASE users_scratch; REVOKE users_owner, pg_monitor FROM flotilla;
                REVOKE SET ON PARAMETER deadlock_timeout FROM flotilla;
                DROP ROLE flotilla; DROP ROLE flotilla_scratch;""")
            folder = os.path.join(f.dir, "hosts/new")
            os.makedirs(folder)
            config = os.path.join(folder, "agent.yaml")
            argv = [f.agent_program, "--config", config, "init", "--database", "users", "--fleet",
                    "shop", "--approver", "ana@example.org", "--approver", "raj@example.org"]
            run = f._run(argv)
            self.assertEqual(run.code, 0, run)
            again = f._run(argv)
            self.assertEqual(again.code, 1, again)
            self.assertIn("--force", again.err)
            with open(os.path.join(folder, "allowed_signers"), encoding="utf-8") as source:
                self.assertTrue(all(line.startswith("#") for line in source))
            shutil.copy(f.allowed_signers, folder)
            with open(config, encoding="utf-8") as source:
                text = source.read().replace("/var/lib/flotilla", folder)
            f.write(config, text)
            with open(os.path.join(folder, "roles.sql"), encoding="utf-8") as source:
                script = source.read()
            env = {"PGHOST": f.hosts["db1"].socket, "PGPORT": str(f.hosts["db1"].port)}
            for _ in range(2):
                done = subprocess.run(["psql", "-X", "-q", "-U", "postgres", "-d", "postgres"],
                                      input=script, text=True, env=f.environment_of_commands(env), check=False,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertNotIn("ERROR", done.stdout)
            with open(os.path.join(folder, "allowed_signers"), encoding="utf-8") as source:
                self.assertIn("ana@example.org", source.read())
            check = f._run([f.agent_program, "--config", config, "check"], env=env)
            if os.geteuid() == 0:       # root makes no folder that the agent's account could not write to
                self.assertEqual(check.code, 1, check)
                self.assertIn("note     host: account: checked as root", check.out)
                self.assertIn("as root: install -d -m 700 -o ACCOUNT " + folder + "/snapshots", check.out)
                os.makedirs(os.path.join(folder, "snapshots"))
                check = f._run([f.agent_program, "--config", config, "check"], env=env)
            self.assertEqual(check.code, 0, check)
            self.assertNotIn("warning", check.out, check)
            self.assertEqual(f.value("users", "SELECT string_agg(rolname, ' ' ORDER BY 1) FROM pg_roles "
                                     "WHERE rolname ~ '^flotilla' AND (rolsuper OR rolcreaterole)"), None)


if __name__ == "__main__":
    unittest.main()
