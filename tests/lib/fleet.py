"""Real fleets for tests: PostgreSQL clusters, an sshd, keys, agent.yaml, manifest. The manual:

    from fleet import Fleet                       # sys.path has tests/lib

    class Widen(unittest.TestCase):
        @classmethod
        def setUpClass(cls):                      # one set of clusters for all tests of a file
            cls.fleet = Fleet(transport="local")  # "local": no sshd; "ssh" (libssh2), "openssh": one sshd
            cls.fleet.host("db1")                 # a cluster; host("db2", cluster="db1") shares it
            cls.fleet.owner("identity-team", "ana@example.org", "raj@example.org")
            cls.fleet.service("users", host="db1", owners=["identity-team"],
                              schema="CREATE TABLE users (id int PRIMARY KEY); …",
                              references=["orders(user_id) -> users:users(id)"])
            cls.fleet.start()                     # servers up, databases loaded, files written
            cls.addClassCleanup(cls.fleet.stop)
            # Most need just one service "users" and its two owners: cls.fleet = of_users(cls, SCHEMA)

        def test_it(self):
            f = self.fleet
            f.write("change.yaml", "title: …\\nintents:\\n  - …\\n")       # beside the manifest
            run = f.flotilla("draft", "change.yaml", "-o", "plan.yaml")  # cwd is the manifest's folder
            self.assertEqual(run.code, 0, run)                           # run.out, run.err, str(run)
            f.approve("plan.yaml")                                       # every member of every team
            f.ok("start", "plan.yaml", codes=(3,))                       # raises unless the code is as said
            f.sql("users", "SELECT id, email FROM users")                # [["1", "a@…"], …], NULL is None
            f.value("users", "SELECT count(*) FROM users")               # "1"
            f.rows("users")     # {table: (count, hash)}; independent of row, and column order
            f.catalog("users")  # sorted lines of definitions; independent of column order
            f.reset("users")    # drop the database, create and load it anew (and forget flotilla's state)

Where things are: f.dir (everything; a temporary folder of the unprivileged user), f.work (manifest
fleet.yaml, allowed_signers, plans; state .flotilla/), f.hosts["db1"].agent_yaml, .socket, .port,
.address (127.0.0.11, .12, …), .data; f.services["users"].database, .owner_role; f.key(person) is a
person's private key; f.ssh_port. Per database one owner role (the service's name + _owner); per
cluster the roles flotilla (member of every owner and of pg_monitor) and flotilla_scratch (CREATEDB).
Connections through the socket are trusted; TCP wants a password, which is the role's own name.
One service with several instances: service("orders", hosts=["db1", "db2"]); the database names are
then orders_1, orders_2, instances orders-1, orders-2, and sql(("orders", 2), …) names the second.

Faults: f.crash("db1") (SIGKILL to the postmaster's whole family), f.halt("db1") (immediate stop),
f.up("db1") (start again; Fleet(fsync=True) for tests that do this), f.sshd_stop(), f.sshd_start(),
f.new_host_key(), f.agent_pids(). f.popen("start", …) gives a subprocess.Popen to kill.
Programs come from $FLOTILLA_BUILD or build/; they are copied to f.dir/bin, because an unprivileged
user cannot read below root's home. Fleet(programs=False) needs none of them.
As root, clusters, sshd and agents run as the user postgres ($FLOTILLA_USER), else all runs as you.
Nothing stays running, even if the test is killed with -9: see keeper.py. KEEP=1 in the environment
leaves the folder (not the servers) for reading logs.
"""

import atexit
import collections
import concurrent.futures
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from fleet_clusters import Clusters
from fleet_files import Files, yaml_text  # noqa: F401
from fleet_queries import Queries
from fleet_sshd import Sshd
from machine import LANG, PG, free_port, unprivileged  # noqa: F401

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


class Result(collections.namedtuple("Result", "argv code out err seconds")):
    """What a command did; str() of it is fit for an assertion's message."""

    def __str__(self):
        return f"$ {' '.join(self.argv)}\nexit {self.code}\n{self.out}\n--- stderr\n{self.err}"

    def json(self):
        return json.loads(self.out)


class Host:
    def __init__(self, name, address, cluster):
        self.name, self.address, self.cluster = name, address, cluster
        self.data = self.socket = self.log = self.agent_yaml = self.pid = None
        self.port, self.settings, self.policy = 0, {}, {}


class Service:
    def __init__(self, name, hosts, owners, schema, manifest):
        self.name, self.hosts, self.owners = name, hosts, owners
        self.schema, self.manifest = schema, manifest
        self.extensions, self.before, self.after = [], "", ""
        self.owner_role = name.replace("-", "_") + "_owner"
        base = name.replace("-", "_")
        self.databases = [base] if len(hosts) == 1 else [f"{base}_{i + 1}" for i in range(len(hosts))]
        self.instances = [f"{name}-{i + 1}" for i in range(len(hosts))]
        self.database = self.databases[0]


class Fleet(Clusters, Files, Sshd, Queries):
    def __init__(self, name="shop", transport="ssh", fsync=False, programs=True, agent=None,
                 directory=None, environment="production", policy=None, settings=None):
        """agent: a program to serve in the place of flotilla-agent (a scripted, lying one)."""
        self.name, self.transport, self.fsync = name, transport, fsync
        self.programs, self.agent, self.environment = programs, agent, environment
        self.policy, self.settings = policy or {}, settings or {}
        self.user = unprivileged()
        self.dir = directory
        self.hosts, self.teams, self.services, self.defaults = {}, {}, {}, {}
        self.keeper, self._asking = None, threading.Lock()
        self.ssh_port = self.sshd_pid = 0
        self.started = False

    # -- what the fleet is made of -------------------------------------------------------------

    def host(self, name, cluster=None, address=None, **settings):
        """A host: an address of its own, its agent.yaml, and a cluster (or another host's)."""
        host = Host(name, address or f"127.0.0.{11 + len(self.hosts)}", cluster or name)
        host.settings = settings
        self.hosts[name] = host
        return host

    def owner(self, team, *members):
        self.teams[team] = list(members)

    def service(self, name, host=None, owners=(), schema="", hosts=None, extensions=(), before="",
                after="", **manifest):
        """manifest: further keys of the service in fleet.yaml (references, consumes, health …).
        schema is run by the owner role; before it `before`, and after all services are loaded `after`,
        by a superuser. They may be functions of the fleet, for what is known only then (ports).
        extensions are created in the database and in its scratch."""
        service = Service(name, hosts or [host or next(iter(self.hosts))],
                          list(owners) or list(self.teams), schema, manifest)
        service.extensions, service.before, service.after = list(extensions), before, after
        self.services[name] = service
        return service

    # -- life --------------------------------------------------------------------------------

    def start(self):
        if not self.dir:
            self.dir = tempfile.mkdtemp(prefix="fl-", dir=os.environ.get("FLOTILLA_TMP", "/tmp"))
        self.dir = os.path.realpath(self.dir)
        self.work = os.path.join(self.dir, "work")
        for sub in ("bin", "keys", "work", "log", "hosts"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        self._own(self.dir, self._in("log"), self._in("hosts"))
        self._keeper_start()
        atexit.register(self.stop)
        try:
            self._copy_programs()
            self._keys()
            clusters = {h.cluster for h in self.hosts.values()}
            with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
                list(pool.map(self._initdb, sorted(clusters)))
            for name in sorted(clusters):
                self.up(name)
            self._roles()
            with concurrent.futures.ThreadPoolExecutor(max_workers=3) as pool:
                list(pool.map(self.load, self.services))
            for name in self.services:
                self.finish(name)
            self.write_files()
            if self.transport != "local":
                self.sshd_start()
        except BaseException:
            self.stop()
            raise
        self.started = True
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends every server and removes the folder. Safe to call twice."""
        atexit.unregister(self.stop)
        keeper, self.keeper = self.keeper, None
        if keeper:
            keeper.stdin.close()
            try:
                keeper.wait(20)
            except subprocess.TimeoutExpired:
                keeper.terminate()
                keeper.wait()
            keeper.stdout.close()
        if keeper and not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def detach(self):
        """Leaves the servers running when this process ends. SIGTERM to the keeper, whose pid this
        gives, ends them and removes the folder."""
        self._ask(op="detach")
        atexit.unregister(self.stop)
        pid, self.keeper = self.keeper.pid, None
        return pid

    def _in(self, *parts):
        return os.path.join(self.dir, *parts)

    def _own(self, *paths):
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            for path in paths:
                os.chown(path, entry.pw_uid, entry.pw_gid)

    def _keeper_start(self):
        leave = ["--leave"] if os.environ.get("KEEP") else []
        self.keeper = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "keeper.py"), self.dir] + leave,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, cwd="/")

    def _ask(self, **request):
        with self._asking:
            return self._ask_alone(request)

    def _ask_alone(self, request):
        self.keeper.stdin.write(json.dumps(request).encode() + b"\n")
        self.keeper.stdin.flush()
        reply = json.loads(self.keeper.stdout.readline() or '{"error": "the keeper is gone"}')
        if "error" in reply:
            raise RuntimeError(f"{request}: {reply['error']}")
        return reply

    def _spawn(self, argv, log, **env):
        return self._ask(op="spawn", argv=argv, log=log, user=self.user, env=dict(LANG, **env))["pid"]

    def _as_user(self, argv, **more):
        """Runs a program to its end as the unprivileged user."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            more.update(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
        done = subprocess.run(argv, cwd="/", env=dict(LANG), text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}")
        return done.stdout

    def _copy_programs(self):
        self.flotilla_program, self.agent_program = self._in("bin/flotilla"), self._in("bin/flotilla-agent")
        build = os.environ.get("FLOTILLA_BUILD", os.path.join(TOP, "build"))
        pairs = [(f"{build}/flotilla", self.flotilla_program)] if self.programs else []
        agent = self.agent or (f"{build}/flotilla-agent" if self.programs else None)
        for source, target in pairs + ([(agent, self.agent_program)] if agent else []):
            if not os.path.exists(source):
                raise RuntimeError(f"{source} is not there: run make first, or set FLOTILLA_BUILD")
            shutil.copyfile(source, target)
            os.chmod(target, 0o755)

    # -- keys --------------------------------------------------------------------------------

    def _keygen(self, path, comment):
        if not os.path.exists(path):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path],
                           check=True, stdin=subprocess.DEVNULL)
        with open(path + ".pub", encoding="utf-8") as f:
            return " ".join(f.read().split()[:2])

    def key(self, person):
        """The private key file that a person signs with; made on first use."""
        path = self._in("keys", "signer_" + person.replace("@", "_at_"))
        self._keygen(path, person)
        return path

    def _keys(self):
        self.identity, self.known_hosts = self._in("keys/client"), self._in("keys/known_hosts")
        client = self._keygen(self.identity, "flotilla")
        self._host_key = self._in("hosts/ssh_host_key")
        self._keygen(self._host_key, "host")
        self._own(self._host_key, self._host_key + ".pub")
        self.write(self._in("hosts/authorized_keys"), client + "\n")
        self.allowed_signers = self._in("work/allowed_signers")
        lines = []
        for person in sorted({p for members in self.teams.values() for p in members}):
            lines.append(f'{person} namespaces="flotilla" {self._keygen(self.key(person), person)}\n')
        self.write(self.allowed_signers, "".join(lines))
        self.write(self._in("hosts/allowed_signers"), "".join(lines))

    # -- clusters ----------------------------------------------------------------------------

    def forget(self):
        """Removes flotilla's state, plans' approvals and evidence (not the plans)."""
        for entry in os.listdir(self.work):
            if entry == ".flotilla" or entry.endswith((".approvals", ".evidence")):
                shutil.rmtree(os.path.join(self.work, entry))

    def agent_pids(self):
        """The pids of all agents of this fleet: serving ones, and runners."""
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.readlink(f"/proc/{name}/exe") == self.agent_program:
                    found.append(int(name))
            except OSError:
                pass
        return sorted(found)

    # -- running flotilla --------------------------------------------------------------------

    def environment_of_commands(self, more=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "SSH_"))}
        # `transport: local` finds the agent there
        env.update(LANG, NO_COLOR="1", PATH=f"{self._in('bin')}:{LANG['PATH']}", **(more or {}))
        return env

    def _run(self, argv, timeout=300, env=None, **more):
        begin = time.monotonic()
        try:
            done = subprocess.run(argv, cwd=self.work, env=self.environment_of_commands(env), text=True,
                                  errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=timeout, check=False, **more)
        except subprocess.TimeoutExpired as e:
            out = [(t or b"").decode(errors="replace") for t in (e.stdout, e.stderr)]
            raise RuntimeError(f"{' '.join(argv)}: still running after {timeout} s\n"
                               f"{out[0]}\n--- stderr\n{out[1]}") from None
        return Result(list(argv), done.returncode, done.stdout, done.stderr, time.monotonic() - begin)

    def flotilla(self, *args, timeout=300, env=None, stdin=""):
        """Runs flotilla in the manifest's folder. Gives a Result, whatever the exit code."""
        return self._run([self.flotilla_program, *args], timeout=timeout, env=env, input=stdin)

    def ok(self, *args, codes=(0,), **more):
        """The same, but another exit code than one of `codes` raises."""
        result = self.flotilla(*args, **more)
        if result.code not in codes:
            raise AssertionError(f"expected exit {codes}:\n{result}")
        return result

    def popen(self, *args, env=None, **more):
        """Starts flotilla and gives the subprocess.Popen (own process group; output to pipes)."""
        more = dict({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}, **more)
        return subprocess.Popen([self.flotilla_program, *args], cwd=self.work, stdin=subprocess.DEVNULL,
                                env=self.environment_of_commands(env), start_new_session=True, **more)

    def approve(self, plan, people=None, *args):
        """approve PLAN --as NAME --key FILE by everybody (or the named people)."""
        everybody = sorted({p for members in self.teams.values() for p in members})
        for person in people or everybody:
            self.ok("approve", plan, "--as", person, "--key", self.key(person), *args)

def of_users(case, schema, *others, transport="local", make=Fleet, **more):
    """A started fleet that stops with the test class: one host db1, the service users of that schema
    and two owners; others: (name, schema) of more services there."""
    f = make(transport=transport, **more)
    f.host("db1")
    f.owner("identity-team", "ana@example.org", "raj@example.org")
    for name, sql in (("users", schema), *others):
        f.service(name, host="db1", owners=["identity-team"], schema=sql)
    f.start()
    case.addClassCleanup(f.stop)
    return f
