"""An agent whose controller is hostile: what it may read, make it do, leave behind, or break."""

import copy
import os
import random
import stat
import struct
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
import fleet  # noqa: E402  pylint: disable=wrong-import-position
from agent import Agent, AgentError, Part  # noqa: E402  pylint: disable=wrong-import-position

USERS = """
CREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL, note text);
INSERT INTO users SELECT n, 'sesame' || n || '@example.org', 'x' FROM generate_series(1, 300) n;
"""
ADD = dict(kind="statement", up=["ALTER TABLE public.users ADD COLUMN age integer"],
           down=["ALTER TABLE public.users DROP COLUMN age"], tags=["additive"],
           probe="SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'public.users'::regclass"
                 " AND attname = 'age' AND NOT attisdropped")
NO_NAMES = ["..", ".", "", "../..", "a/b", "/etc/passwd", "x\ny", "\x1b[2J", "ü" * 300, "a" * 5000, "-rf", "%s%n"]


class Trust(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = fleet.Fleet(transport="local")
        f.host("db1")
        f.owner("identity-team", "ana@example.org", "raj@example.org")
        f.owner("orders-team", "olga@example.org")
        f.service("users", host="db1", owners=["identity-team"], schema=USERS)
        f.service("orders", host="db1", owners=["orders-team"], schema="CREATE TABLE orders (id int);")
        f.start()
        cls.addClassCleanup(f.stop)
        cls.agent = Agent(f, "db1")
        cls.addClassCleanup(cls.agent.stop)

    def refused(self, op, *codes, **args):
        with self.assertRaises(AgentError) as caught:
            self.agent.call(op, **args)
        if codes:
            self.assertIn(caught.exception.code, codes, (op, caught.exception))
        self.assertNotIn("\x1b", str(caught.exception))
        return caught.exception

    def runs(self):
        folder = os.path.join(self.agent.spool, "runs")
        return {n: sorted(os.listdir(os.path.join(folder, n))) for n in os.listdir(folder)}

    def done(self, rollout, fence=5):
        part = Part(self.fleet, "users", "expand", [dict(ADD)])
        run = self.agent.run(part, rollout=rollout, fence=fence)
        self.assertEqual(run.state, "done", run.error)
        self.addCleanup(self.agent.back, part, rollout=rollout, fence=fence)
        return part, run

    # -- names and files -------------------------------------------------------------------------

    def test_no_name_leaves_the_spool(self):
        self.done("names")
        before = self.runs(), sorted(os.listdir(self.agent.spool))
        for name in NO_NAMES:
            with self.subTest(name):
                self.refused("attach", "not_found", run=name)
                self.refused("control", "not_found", run=name, action="pause")
                self.refused("control", "not_found", run=name, action="pause", fence=9)
                for op in ("inspect", "doctor", "state", "clean", "logs", "snapshot", "count", "rehearse", "run", "syntax"):
                    self.refused(op, "not_found", "invalid", database=name)
        self.assertEqual(before, (self.runs(), sorted(os.listdir(self.agent.spool))))

    def test_what_is_kept_is_ours_alone(self):
        self.done("modes")
        for folder, _, files in os.walk(os.path.join(self.agent.spool, "runs")):
            self.assertEqual(0o700, stat.S_IMODE(os.stat(folder).st_mode), folder)
            for name in files:
                self.assertEqual(0o600, stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode), name)

    def test_a_refused_request_leaves_nothing_behind(self):
        self.done("first")
        before = self.runs()
        part = Part(self.fleet, "users", "expand", [dict(ADD)])
        ask = dict(database="users", rollout="poison", part=part.json)
        self.refused("run", "unsigned", fence=2**62, approvals=[], **ask)
        self.assertEqual(before, self.runs())
        run = self.agent.run(part, rollout="poison", fence=5)
        self.assertEqual(run.state, "done", run.error)
        self.addCleanup(self.agent.back, part, rollout="poison", fence=5)
        self.refused("run", "unsigned", fence=2**62, approvals=[], **ask)
        self.assertEqual(self.agent.run(part, rollout="poison", fence=5).state, "done")

    # -- signatures ------------------------------------------------------------------------------

    def test_each_field_that_is_acted_on_is_signed(self):
        step = dict(ADD, locks=[{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}])
        part = Part(self.fleet, "users", "expand", [step, dict(
            kind="backfill", up=["UPDATE public.users SET age = 1 WHERE age IS NULL"], transaction=False,
            batch={"relation": "public.users", "by": "key", "columns": ["id"]}, tags=["backfill"]),
            dict(kind="snapshot", of="public.users", key=["id"], columns=["note"], current=["note"], inverse=["note"]),
            dict(kind="verify", check="SELECT true"), dict([("kind", "wait"), ("for", "1s")]),
            dict([("kind", "acknowledge"), ("from", "orders")])], health="SELECT true", catalog={"public.gone": "absent"})
        approvals = part.sign()
        good = part.json
        evil = "DROP TABLE public.users"
        changes = [(["plan"], "p2"), (["author"], "x@example.org"), (["phase"], "migrate"), (["environment"], "test"),
                   (["fleet"], "other"), (["service"], "orders"), (["instances"], ["users-1", "users-2"]),
                   (["catalog"], {}), (["catalog", "public.gone"], "sha256:" + "0" * 64), (["health", "sql"], evil),
                   (["health"], None), (["steps"], []), (["steps"], good["steps"][::-1]),
                   (["steps", 0, "id"], "expand/users/9"), (["steps", 0, "up"], [evil]), (["steps", 0, "up", 0], evil),
                   (["steps", 0, "down"], [evil]), (["steps", 0, "probe"], "SELECT true"), (["steps", 0, "tags"], []),
                   (["steps", 0, "transaction"], False), (["steps", 0, "irreversible"], "x"),
                   (["steps", 0, "locks"], []), (["steps", 0, "locks", 0, "relation"], "public.other"),
                   (["steps", 0, "locks", 0, "mode"], "ACCESS SHARE"),
                   (["steps", 1, "locks"], [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}]),
                   (["steps", 1, "batch", "relation"], "public.orders"), (["steps", 1, "batch", "by"], "ctid"),
                   (["steps", 1, "batch", "columns"], ["id", "note"]), (["steps", 1, "kind"], "statement"),
                   (["steps", 2, "of"], "public.other"), (["steps", 2, "key"], ["email"]),
                   (["steps", 2, "columns"], ["email"]), (["steps", 2, "current"], [evil]),
                   (["steps", 2, "inverse"], [evil]), (["steps", 3, "check"], evil), (["steps", 4, "for"], "2s"),
                   (["steps", 5, "from"], "billing")]
        for path, value in changes:
            for claims in ("own",) if path[0] == "steps" else ("old", "none", "own"):
                with self.subTest(path=path, digest=claims):
                    part.json = copy.deepcopy(good)
                    at = part.json
                    for key in path[:-1]:
                        at = at[key]
                    at[path[-1]] = value
                    if claims == "none":
                        part.json.pop("digest")
                    if claims == "own" and value is not None:
                        part.json["digest"] = part.digest()
                    self.refused("run", "tampered", "unsigned", "refused", "invalid", database="users",
                                 rollout="fields", fence=99, part=part.json, approvals=approvals)
        self.assertEqual([n for n in self.runs() if n.startswith("fields")], [])
        self.assertEqual(self.fleet.value("users", "SELECT count(*) FROM users"), "300")

    def test_whose_signature_counts(self):
        part = Part(self.fleet, "users", "expand", [dict(ADD)])

        def refused(approvals, part=part, database="users"):
            self.refused("run", "unsigned", "refused", "invalid", database=database, rollout="whose", fence=99,
                         part=part.json, approvals=approvals)
        ana = part.sign("ana@example.org")
        refused(part.sign("olga@example.org"))
        refused([dict(ana[0], signer="raj@example.org")])
        refused([dict(ana[0], signer="*")])
        refused([dict(ana[0], signer="ana@example.org,raj@example.org")])
        refused([dict(ana[0], signed_at="2020-01-01T00:00:00Z")])
        refused(part.sign("ana@example.org", at="2038-01-01T00:00:00Z"))
        refused([dict(ana[0], signature="")])
        refused(ana, database="orders")
        refused(Part(self.fleet, "users", "migrate", [dict(ADD)]).sign())
        mine = Part(self.fleet, "users", "expand", [dict(ADD)], author="ana@example.org")
        refused(mine.sign("ana@example.org"), part=mine)
        drop = Part(self.fleet, "users", "expand", [dict(ADD, tags=["destructive"])])
        drop.json["approvals"] = {"need": 0, "from": []}
        refused(drop.sign("ana@example.org") * 2, part=drop)
        for_good = dict(ADD, irreversible="no way back")
        for_good.pop("down")
        silent = Part(self.fleet, "users", "expand", [for_good])
        refused(silent.sign("ana@example.org"), part=silent)
        other = self.in_namespace(part, "file")
        refused(other)

    def in_namespace(self, part, namespace):
        at = "2024-01-01T00:00:00Z"
        j = part.json
        text = "\n".join(["flotilla-approval-v1", j["fleet"], j["environment"], j["plan"], j["phase"], j["service"],
                          part.digest(), "ana@example.org", at]) + "\n"
        done = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", self.fleet.key("ana@example.org")],
                              input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        return [{"signer": "ana@example.org", "signed_at": at, "signature": done.stdout.decode()}]

    def test_no_statement_ends_the_transaction_of_its_step(self):
        for sql in ("COMMIT", " ;/* x */ rollback", "BEGIN", "PREPARE TRANSACTION 'x'"):
            for key in ("up", "down"):
                part = Part(self.fleet, "users", "expand", [dict(ADD, **{key: ADD[key] + [sql]})])
                self.refused("run", "refused", database="users", rollout="ends", fence=99, part=part.json,
                             approvals=part.sign())
                self.refused("rehearse", "refused", database="users", parts=[part.json])

    # -- what runs unsigned ----------------------------------------------------------------------

    def test_a_count_is_no_query(self):
        def count(predicate, relation="users"):
            return self.agent.call("count", database="users", relation=relation, predicate=predicate)["count"]
        self.assertEqual(300, count("note IS NOT NULL AND length(email) > 3 AND (id IN (1, 2) OR id > 0)"))
        for predicate in ("true) UNION SELECT 1 WHERE (true", "pg_sleep(1) IS NULL", "lo_create(0) > 0", "true; DROP TABLE users",
                          "id = (SELECT 1)", "pg_terminate_backend(pg_backend_pid())"):
            self.refused("count", "refused", database="users", relation="users", predicate=predicate)
        for predicate in ("email::integer = 1", "(email || '\"')::integer = 1"):
            why = self.refused("count", database="users", relation="users", predicate=predicate)
            self.assertNotIn("sesame", str(why))
        for relation in ("(SELECT 1)", "users u, pg_class", "users WHERE true --"):
            self.refused("count", database="users", relation=relation, predicate="true")

    def test_syntax_is_looked_at_and_never_run(self):
        before = self.fleet.sql("users", "SELECT datname, datacl FROM pg_database ORDER BY 1"), self.fleet.rows("users")
        body = "BEGIN DROP TABLE users; PERFORM pg_terminate_backend(pg_backend_pid()); END"
        asked = [("known", dict(sql="DROP DATABASE users WITH (FORCE)")), ("known", dict(sql="DROP TABLE users")),
                 ("known", dict(sql="COPY users TO PROGRAM 'true'")), ("known", dict(sql="SELECT pg_sleep(100)")),
                 ("known", dict(sql=body, language="plpgsql")), ("known", dict(sql="COMMIT")),
                 ("refused", dict(sql="SELECT 1; DROP TABLE users")), ("refused", dict(sql="DROP TABEL users")),
                 ("refused", dict(sql="BEGIN no such thing; END", language="plpgsql")),
                 ("unsaid", dict(sql="x", language="c")), ("unsaid", dict(sql="x", language="plpgsql\" AS $$")),
                 ("unsaid", dict(sql="SELECT 1" + " " * 300000))]
        said = self.agent.call("syntax", database="users", questions=[q for _, q in asked])
        self.assertEqual([verdict for verdict, _ in asked], [a["verdict"] for a in said["answers"]], said)
        for questions in ([dict(sql="SELECT 1")] * 65, [dict(language="plpgsql")], [1], "x"):
            self.refused("syntax", "invalid", database="users", questions=questions)
        after = self.fleet.sql("users", "SELECT datname, datacl FROM pg_database ORDER BY 1"), self.fleet.rows("users")
        self.assertEqual(before, after)

    def rehearse(self, sql, agent=None, transaction=True):
        part = Part(self.fleet, "users", "expand", [dict(
            kind="statement", up=[sql], irreversible="x", tags=["destructive"], transaction=transaction)])
        return (agent or self.agent).call("rehearse", database="users", parts=[part.json])

    def test_a_rehearsal_stays_in_its_database(self):
        for sql in ("COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/x'", "CREATE EXTENSION dblink",
                    "SET ROLE users_owner", "SET SESSION AUTHORIZATION postgres",
                    "DO $$ BEGIN EXECUTE 'ALTER DATABASE users RENAME TO x'; END $$",
                    "DO $$ BEGIN EXECUTE 'CREATE ROLE evil'; END $$"):
            with self.subTest(sql):
                self.assertIn("error", self.rehearse(sql))
        before = self.fleet.sql("users", "SELECT datname, datacl FROM pg_database ORDER BY 1")
        for sql in ("DROP DATABASE users WITH (FORCE)", "/**/;drop -- x\n database users", "CREATE DATABASE left_behind",
                    "ALTER SYSTEM SET archive_command = 'true'"):
            with self.subTest(sql):
                with self.assertRaises(AgentError) as caught:
                    self.rehearse(sql, transaction=False)
                self.assertEqual("refused", caught.exception.code)
        self.assertEqual(before, self.fleet.sql("users", "SELECT datname, datacl FROM pg_database ORDER BY 1"))

    def with_config(self, **databases):
        host = self.fleet.hosts["db1"]
        config = self.fleet.agent_config("db1")
        config["databases"].update(databases)
        config["databases"] = {k: v for k, v in config["databases"].items() if v}
        path = self.fleet.write(os.path.join(self.fleet.dir, "hosts/db1/other.yaml"), fleet.yaml_text(config))
        self.addCleanup(setattr, host, "agent_yaml", host.agent_yaml)
        host.agent_yaml = path
        other = Agent(self.fleet, "db1")
        self.addCleanup(other.stop)
        return other

    def test_a_role_with_reach_rehearses_nothing(self):
        """Without a scratch role, or with the wrong one, unsigned SQL could drop the real database."""
        sql = self.fleet.sql
        sql("users", "ALTER ROLE flotilla CREATEDB;")
        self.addCleanup(sql, "users", "ALTER ROLE flotilla NOCREATEDB;")

        def scratch(role):
            return {"conninfo": self.fleet.conninfo("db1", "users_scratch", role), "purpose": "scratch", "for": "users"}
        for entry in (None, scratch("flotilla"), scratch("postgres"), scratch("users_owner")):
            with self.assertRaises(AgentError) as caught:
                self.rehearse("DO $$ BEGIN EXECUTE 'ALTER DATABASE users RENAME TO x'; END $$",
                              agent=self.with_config(users_scratch=entry))
            self.assertEqual("refused", caught.exception.code)
            self.assertIn("its role", caught.exception.error["message"])

    # -- bytes -----------------------------------------------------------------------------------

    def test_mutated_conversations(self):
        """A signed request with bytes changed: an answer or an end, never a crash, never half done."""
        chance = random.Random(7)
        part = Part(self.fleet, "users", "expand", [dict(ADD)])
        hello = {"hello": {"protocol_min": 1, "protocol_max": 1, "program": "x", "version": "1", "capabilities": [], "host": {}}}
        import json  # pylint: disable=import-outside-toplevel
        calls = [("run", dict(database="users", rollout="m", fence=99, part=part.json, approvals=[])),
                 ("count", dict(database="users", relation="users", predicate="id > 1")), ("logs", dict(database="users"))]
        bodies = [json.dumps(hello).encode()] + [json.dumps({"id": i + 1, "op": op, "args": args}).encode()
                                                 for i, (op, args) in enumerate(calls)]
        for _ in range(40):
            data = b""
            for body in bodies:
                body = bytearray(body)
                for _ in range(chance.choice((0, 0, 1, 3))):
                    body[chance.randrange(len(body))] = chance.randrange(256)
                data += struct.pack(">I", len(body)) + bytes(body)
            with subprocess.Popen([self.fleet.agent_program, "--config", self.fleet.hosts["db1"].agent_yaml, "serve"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=self.fleet.environment_of_commands()) as p:
                _, err = p.communicate(data, timeout=120)
            self.assertIn(p.returncode, (0, 1), (data, err))
            self.assertNotIn(b"Sanitizer", err)
        self.assertEqual([n for n in self.runs() if n.startswith("m.")], [])


if __name__ == "__main__":
    unittest.main()
