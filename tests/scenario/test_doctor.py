"""flotilla doctor on a host where one thing after another is out of order: each is found, named, and has
a fix that mends it. The way to a host (names, ports, keys, logins, shells) is in test_link.py."""

import os
import signal
import subprocess
import time
import unittest

from fleet import PG, Fleet, yaml_text
from pooler import pooler

# (what is done by a superuser, what is found, its fix as a superuser would run it or part of its words, what undoes it)
BROKEN = [
    ("REVOKE users_owner FROM flotilla", "error    users-1: owners: role flotilla is no member of users_owner, which owns",
     "GRANT users_owner TO flotilla", None),
    ("REVOKE pg_monitor FROM flotilla", "warning  users-1: monitor: role flotilla is no member of pg_monitor",
     "GRANT pg_monitor TO flotilla", None),
    ("ALTER DATABASE users OWNER TO postgres",
     "error    users-1: journal: role flotilla may not create the schema flotilla here",
     "GRANT CREATE ON DATABASE users TO flotilla", "ALTER DATABASE users OWNER TO users_owner"),
    ("ALTER ROLE flotilla SET default_transaction_read_only = on",
     "error    users-1: read only: default_transaction_read_only is on",
     "ALTER ROLE flotilla SET default_transaction_read_only = off", None),
    ("ALTER ROLE flotilla_scratch NOCREATEDB", "error    users-1: scratch: scratch role flotilla_scratch may not create",
     "ALTER ROLE flotilla_scratch CREATEDB", None),
    ("ALTER ROLE flotilla_scratch SUPERUSER", "error    users-1: scratch: scratch role flotilla_scratch is a superuser",
     "ALTER ROLE flotilla_scratch NOSUPERUSER", None),
    ("GRANT users_owner TO flotilla_scratch", "error    users-1: scratch: scratch role flotilla_scratch is a member of",
     "REVOKE users_owner FROM flotilla_scratch", None),
    ("ALTER ROLE flotilla NOLOGIN", "error    users-1: database: ", "ALTER ROLE ... LOGIN", "ALTER ROLE flotilla LOGIN"),
    ("ALTER ROLE flotilla RENAME TO gone", "error    users-1: database: ", "create the role",
     "ALTER ROLE gone RENAME TO flotilla"),
    ("REVOKE CONNECT ON DATABASE users FROM PUBLIC; REVOKE users_owner FROM flotilla", "error    users-1: database: ",
     "GRANT CONNECT", "GRANT CONNECT ON DATABASE users TO PUBLIC; GRANT users_owner TO flotilla"),
    ("ALTER DATABASE users CONNECTION LIMIT 0", "error    users-1: database: ", "raise the limit",
     "ALTER DATABASE users CONNECTION LIMIT -1"),
    ("ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()", "warning  users-1: autovacuum: autovacuum is off",
     "ALTER SYSTEM SET autovacuum = on", "ALTER SYSTEM RESET autovacuum; SELECT pg_reload_conf()"),
    ("ALTER SYSTEM SET full_page_writes = off; SELECT pg_reload_conf()",
     "note     users-1: durability: full_page_writes is off", "ALTER SYSTEM SET full_page_writes = on",
     "ALTER SYSTEM RESET full_page_writes; SELECT pg_reload_conf()"),
    ("BEGIN; CREATE TABLE half (); PREPARE TRANSACTION 'left';",
     "warning  users-1: prepared: prepared transaction of postgres holds its locks", "ROLLBACK PREPARED 'left'", None),
    ("CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     "CREATE EVENT TRIGGER watches ON ddl_command_start EXECUTE FUNCTION ddl()",
     "note     users-1: event triggers: event trigger watches fires", "make sure", "DROP FUNCTION ddl() CASCADE"),
    ("INSERT INTO users VALUES (2, 'a@x'); CREATE UNIQUE INDEX CONCURRENTLY twice ON users (email)",
     "note     users-1: indexes: index public.twice is invalid", "DROP INDEX CONCURRENTLY public.twice",
     "DROP INDEX CONCURRENTLY public.twice; DELETE FROM users WHERE id = 2"),
]


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(transport="local", fsync=True)
        cls.fleet.host("db1", max_connections="20", max_prepared_transactions="2", autovacuum="on")
        cls.fleet.owner("identity-team", "ana@example.org", "raj@example.org")
        cls.fleet.service("users", host="db1", owners=["identity-team"],
                          schema="CREATE TABLE users (id int PRIMARY KEY, email text); INSERT INTO users VALUES (1, 'a@x');")
        cls.fleet.start()
        cls.addClassCleanup(cls.fleet.stop)

    def tearDown(self):
        self.fleet.write_files()

    def found(self, words, fix, code=1, *args):
        run = self.fleet.flotilla("doctor", *args)
        lines = [line for line in run.out.splitlines() if line.startswith(words)]
        self.assertTrue(lines, f"no line begins with: {words}\n{run}")
        self.assertIn("; fix: ", lines[0])
        self.assertIn(fix, lines[0].split("; fix: ", 1)[1])
        self.assertEqual(code, run.code, run)

    def well(self):
        run = self.fleet.flotilla("doctor")
        self.assertEqual(0, run.code, run)

    def psql(self, sql):
        host = self.fleet.hosts["db1"]
        subprocess.run([f"{PG}/psql", "-qX", "-h", host.socket, "-p", str(host.port), "-U", "postgres", "users"],
                       env={**os.environ, "PGOPTIONS": "-c lock_timeout=10s"}, input=sql.replace("; ", ";\n") + ";\n",
                       text=True, capture_output=True, check=False)

    def config(self, change):
        """agent.yaml of db1, changed."""
        content = self.fleet.agent_config("db1")
        change(content)
        self.fleet.write(self.fleet.hosts["db1"].agent_yaml, yaml_text(content))

    def test_the_database(self):
        self.well()
        for sql, words, fix, undo in BROKEN:
            with self.subTest(sql):
                self.psql(sql)
                try:
                    self.found(words, fix, 0 if words.startswith("note") else 1)
                finally:
                    self.psql(undo or fix)
                self.well()

    def clients(self, wanted):
        """Until there are so many sessions."""
        for _ in range(200):
            found = self.fleet.value("users", "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            if int(found) == wanted:
                return
            time.sleep(0.05)
        self.fail(f"{found} sessions, not {wanted}")

    def test_connections_are_taken(self):
        host = self.fleet.hosts["db1"]
        sessions = [subprocess.Popen([f"{PG}/psql", "-qAtX", "-h", host.socket, "-p", str(host.port), "-U",
                                      "postgres", "users"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                    for _ in range(12)]
        try:
            self.clients(13)
            self.found("warning  users-1: connections: 1", "max_connections")
        finally:
            for session in sessions:
                session.communicate()
        self.clients(1)

    def test_a_standby(self):
        data = self.fleet.hosts["db1"].data
        self.fleet.halt("db1", signal.SIGINT)
        path = self.fleet.write(os.path.join(data, "standby.signal"), "")
        self.fleet._own(path)
        try:
            self.fleet.up("db1")
            self.found("error    users-1: standby: this server is a standby", "the primary")
        finally:
            self.fleet.halt("db1")
            os.unlink(path)
            self.fleet.up("db1")
        self.well()

    def test_a_pooler(self):
        f, port = self.fleet, pooler(self, self.fleet, "flotilla")
        self.config(lambda c: c["databases"]["users"].update(
            conninfo=f"host=127.0.0.1 port={port} dbname=users user=flotilla"))
        for _ in range(100):
            if "refused" not in f.flotilla("doctor").out:
                break
            time.sleep(0.1)
        self.found("error    users-1: pooler: a connection pooler is in between", "the server itself")

    def test_no_scratch(self):
        self.config(lambda c: c["databases"].pop("users_scratch"))
        self.found("error    users-1: scratch: there is no scratch database", "purpose: scratch")

    def test_folders(self):
        for key, name in (("spool", "spool"), ("snapshots", "snapshots")):
            for place in ("/proc/nowhere", "/dev/null/x"):
                with self.subTest(key=key, place=place):
                    self.config(lambda c: c.update(spool=place) if key == "spool"
                                else c["policy"].update(snapshots={"dir": place}))
                    self.found(f"error    users-1: {name}: {place} cannot be written to", "install -d")

    def test_keys_of_the_approvers(self):
        f = self.fleet
        path = f._in("hosts/allowed_signers")
        with open(path, encoding="utf-8") as file:
            good = file.read()
        ana, raj = good.splitlines()
        key = ana.split()[2:4]
        self.addCleanup(f.write, path, good)
        every = "error    users-1: signers: " + path + " has keys of 0 of the approvers, and every part needs 1 sign"
        some = "warning  users-1: signers: " + path + " has keys of 1 of the approvers, and what is destructive needs 2"
        line = "warning  users-1: signers: " + path + ":1: "
        for text, words in (
                ("", every), ("# ana@example.org\n", every), ("\x01\x02 nonsense\n", every), ("nonsense\n" + good, line),
                (" ".join(key) + "\n" + good, line), ("ana@example.org ssh-ed25519 AAAA\n" + good, line),
                ("ana@example.org ssh-rsa " + key[1] + "\n" + good, line), (ana + "\n", some), ("xana@example.org " + " ".join(key), every),
                ("ana@example.org namespaces=\"git,file\" " + " ".join(key) + "\n" + raj, some),
                ("*@example.org,!ana@example.org " + " ".join(key), some)):
            with self.subTest(text):
                f.write(path, text)
                self.found(words, "NAME namespaces=\"flotilla\" ssh-ed25519 AAAA...")
        for text in (good, "*@example.org " + " ".join(key), "#\n\n  \n" + good.replace("flotilla", "git,flot*") + "\n",
                     f'"ana@example.org,raj@example.org" namespaces="flotilla",valid-after="20200101" {" ".join(key)} a b\n'):
            with self.subTest(text):
                f.write(path, text)
                self.well()
        os.unlink(path)
        self.found("error    users-1: signers: " + path, "NAME namespaces")

    def test_an_agent_that_is_silent(self):
        """--timeout is how long it is waited for."""
        program = self.fleet.agent_program
        os.rename(program, program + ".away")
        self.addCleanup(os.rename, program + ".away", program)
        self.fleet.write(program, "#!/bin/sh\nexec sleep 600\n")
        os.chmod(program, 0o755)
        self.found("error    users-1: host: ", "--timeout", 1, "--timeout", "1s")
        self.assertIn("no answer within 1", self.fleet.flotilla("doctor", "--timeout", "1s").out)


if __name__ == "__main__":
    unittest.main()
