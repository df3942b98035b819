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
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PG = os.environ.get("PG_BIN") or next(
    (f"/usr/lib/postgresql/{n}/bin" for n in range(20, 12, -1)
     if os.path.exists(f"/usr/lib/postgresql/{n}/bin/initdb")), "/usr/lib/postgresql/15/bin")
LANG = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": f"{PG}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
SETTINGS = {
    "max_connections": "200", "shared_buffers": "64MB", "logging_collector": "off",
    "log_min_messages": "warning", "log_statement": "none", "wal_level": "logical",
    "max_wal_size": "2GB", "max_worker_processes": "8", "timezone": "UTC",
    "shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "all",
    "track_activity_query_size": "4096",
}


def free_port(addresses):
    """A TCP port that is free now on all of the addresses."""
    for _ in range(100):
        held = []
        try:
            port = 0
            for address in addresses:
                s = socket.socket()
                held.append(s)
                s.bind((address, port))
                port = s.getsockname()[1]
            return port
        except OSError:
            pass
        finally:
            for s in held:
                s.close()
    raise RuntimeError(f"no free port on {addresses}")


def unprivileged():
    """The user that servers run as: oneself, or postgres when one is root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    return os.environ.get("FLOTILLA_USER", "postgres")


def yaml_text(value, indent=0):
    """Block YAML of dicts, lists, and scalars (strings quoted where they could be read otherwise)."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        lines = []
        for key, item in value.items():
            nested = isinstance(item, (dict, list)) and item
            lines.append(f"{pad}{scalar(key)}:" + ("\n" if nested else " ") +
                         (yaml_text(item, indent + 1) if nested else scalar(item) + "\n"))
        return "".join(lines)
    if isinstance(value, list) and value:
        return "".join(f"{pad}- " + (yaml_text(item, indent + 1).lstrip(" ")
                       if isinstance(item, (dict, list)) and item else scalar(item) + "\n")
                       for item in value)
    return pad + scalar(value) + "\n"


def scalar(value):
    text = str(value)
    plain = text and all(c.isalnum() or c in "-_./@~" for c in text) and text[0].isalpha()
    if isinstance(value, str) and plain and text.lower() not in ("true", "false", "null", "yes", "no",
                                                                 "on", "off", "y", "n"):
        return text
    return json.dumps(value, ensure_ascii=False)


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


class Fleet:
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

    def _initdb(self, name):
        host = self.hosts[name]
        base = self._in("hosts", name)
        os.makedirs(base, exist_ok=True)
        self._own(base)
        host.data, host.socket = os.path.join(base, "data"), base
        host.port = free_port([host.address])
        for other in self.hosts.values():
            if other.cluster == name:
                other.data, other.socket, other.port = host.data, host.socket, host.port
        if os.path.exists(os.path.join(host.data, "PG_VERSION")):
            return
        self._as_user([f"{PG}/initdb", "-D", host.data, "-U", "postgres", "-E", "UTF8", "--no-sync",
                       "--locale=C.UTF-8", "-A", "trust", "--no-instructions"])
        settings = dict(SETTINGS, listen_addresses=host.address, unix_socket_directories=base,
                        cluster_name=name, **self.settings)
        settings.update(host.settings)
        if not self.fsync:
            settings.update(fsync="off", full_page_writes="off")
        with open(os.path.join(host.data, "postgresql.conf"), "a", encoding="utf-8") as f:
            f.writelines(f"{key} = '{value}'\n" for key, value in settings.items())
        self.write(os.path.join(host.data, "pg_hba.conf"),
                   "local all all trust\nlocal replication all trust\n"
                   "host all all 127.0.0.0/8 scram-sha-256\n")

    def up(self, name):
        """Starts the host's cluster (again)."""
        host = self.hosts[self.hosts[name].cluster]
        host.log = self._in("log", f"postgres-{host.name}.log")
        # on the command line, so that a second start of a kept folder may take another port
        host.pid = self._spawn([f"{PG}/postgres", "-D", host.data, "-p", str(host.port)], host.log)
        deadline = time.monotonic() + 60
        while True:
            ready = subprocess.run([f"{PG}/pg_isready", "-q", "-h", host.socket, "-p", str(host.port)],
                                   check=False)
            if ready.returncode == 0:
                return
            if self._ask(op="wait", pid=host.pid, seconds=0)["status"] is not None or \
                    time.monotonic() > deadline:
                with open(host.log, encoding="utf-8", errors="replace") as f:
                    raise RuntimeError(f"the cluster of {name} does not start:\n{f.read()[-2000:]}")
            time.sleep(0.02)

    def halt(self, name, how=signal.SIGQUIT):
        """Stops the host's cluster: SIGQUIT immediate, SIGINT fast."""
        host = self.hosts[self.hosts[name].cluster]
        self._ask(op="signal", pid=host.pid, signal=int(how))
        if self._ask(op="wait", pid=host.pid, seconds=30)["status"] is None:
            raise RuntimeError(f"the cluster of {name} does not stop")

    def crash(self, name):
        """kill -9 of the postmaster and all of its processes, as a power cut would leave it."""
        host = self.hosts[self.hosts[name].cluster]
        sys.path.insert(0, HERE)
        import keeper  # pylint: disable=import-outside-toplevel
        for pid in [host.pid] + sorted(keeper.descendants(host.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._ask(op="wait", pid=host.pid, seconds=10)

    def _roles(self):
        for cluster in {h.cluster for h in self.hosts.values()}:
            script = ["CREATE ROLE flotilla LOGIN PASSWORD 'flotilla';",
                      "CREATE ROLE flotilla_scratch LOGIN CREATEDB PASSWORD 'flotilla_scratch';",
                      "GRANT pg_monitor TO flotilla;",
                      "GRANT SET ON PARAMETER deadlock_timeout TO flotilla;"]
            for service in self.services.values():
                if any(self.hosts[h].cluster == cluster for h in service.hosts):
                    script += [f"CREATE ROLE \"{service.owner_role}\" LOGIN PASSWORD '{service.owner_role}';",
                               f'GRANT "{service.owner_role}" TO flotilla;']
            self._psql(self.hosts[cluster], "postgres", "postgres", "\n".join(script))

    def load(self, name):
        """Creates a service's databases, with its extension-ready scratch beside each, and loads them."""
        service = self.services[name]
        for host, database in zip(service.hosts, service.databases):
            host = self.hosts[host]
            self._psql(host, "postgres", "postgres",
                       f'CREATE DATABASE "{database}" OWNER "{service.owner_role}";\n'
                       f'CREATE DATABASE "{database}_scratch" OWNER flotilla_scratch;')
            extensions = "".join(f'CREATE EXTENSION "{e}";\n' for e in service.extensions)
            if "postgres_fdw" in service.extensions:
                extensions += "GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO flotilla_scratch;\n"
            self._psql(host, database + "_scratch", "postgres", extensions)
            self._psql(host, database, "postgres",
                       f'ALTER SCHEMA public OWNER TO "{service.owner_role}";\n'
                       "CREATE EXTENSION pg_stat_statements;" + extensions + self._text(service.before))
            if service.schema:
                self._psql(host, database, service.owner_role, self._text(service.schema))

    def finish(self, name):
        """Runs the service's `after` script."""
        service = self.services[name]
        for host, database in zip(service.hosts, service.databases):
            if service.after:
                self._psql(self.hosts[host], database, "postgres", self._text(service.after))

    def _text(self, script):
        return script(self) if callable(script) else script

    def reset(self, name, keep_state=False):
        """The service's databases as they were at the start; flotilla's state is forgotten."""
        service = self.services[name]
        for host, database in zip(service.hosts, service.databases):
            self._psql(self.hosts[host], "postgres", "postgres",
                       f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE);\n'
                       f'DROP DATABASE IF EXISTS "{database}_scratch" WITH (FORCE);')
        self.load(name)
        self.finish(name)
        if not keep_state:
            self.forget()

    def forget(self):
        """Removes flotilla's state, plans' approvals and evidence (not the plans)."""
        for entry in os.listdir(self.work):
            if entry == ".flotilla" or entry.endswith((".approvals", ".evidence")):
                shutil.rmtree(os.path.join(self.work, entry))

    # -- files -------------------------------------------------------------------------------

    def write(self, path, text):
        """Writes a file; a relative path is beside the manifest. Gives its full path."""
        path = os.path.join(self.work, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def conninfo(self, host, database, role):
        host = self.hosts[host]
        return f"host={host.socket} port={host.port} dbname={database} user={role}"

    def agent_config(self, host):
        """The content of a host's agent.yaml, as a dict."""
        databases = {}
        for service in self.services.values():
            for at, database, instance in zip(service.hosts, service.databases, service.instances):
                if at != host:
                    continue
                databases[database] = {
                    "conninfo": self.conninfo(host, database, "flotilla"),
                    "serves": {"fleet": self.name, "environment": self.environment,
                               "service": service.name, "instance": instance},
                    "approvers": sorted({m for t in service.owners for m in self.teams[t]})}
                databases[database + "_scratch"] = {
                    "conninfo": self.conninfo(host, database + "_scratch", "flotilla_scratch"),
                    "purpose": "scratch", "for": database}
        spool = self._in("hosts", host, "spool")
        policy = {"need": 1, "destructive": {"need": 2}, "lock_budget_max": "500ms",
                  "snapshots": {"dir": self._in("hosts", host, "snapshots"), "keep": "14d"}}
        policy.update(self.hosts[host].policy)
        return {"databases": databases, "allowed_signers": self._in("hosts/allowed_signers"),
                "policy": policy, "spool": spool}

    def manifest(self):
        """The content of fleet.yaml, as a dict."""
        services = {}
        for service in self.services.values():
            instances = []
            for at, database, instance in zip(service.hosts, service.databases, service.instances):
                entry = {"name": instance, "agent_database": database}
                if self.transport == "local":
                    entry["agent_config"] = self.hosts[at].agent_yaml
                else:
                    entry["host"] = self.hosts[at].address
                instances.append(entry)
            services[service.name] = dict(
                {"owners": service.owners, "instances": {self.environment: instances}},
                **service.manifest)
        policy = {"lock_budget": "200ms", "lock_timeout": "150ms", "rehearse": "required",
                  "approvals": {"expand": 1, "migrate": 1, "contract": 2, "destructive": 2}}
        policy.update(self.policy)
        defaults = {"transport": self.transport, "policy": policy}
        if self.transport != "local":
            defaults["ssh"] = {"user": self.user, "port": self.ssh_port,
                               "identity": self.identity, "known_hosts": self.known_hosts}
        defaults.update(self.defaults)
        return {"version": 1, "fleet": self.name, "defaults": defaults,
                "owners": {team: {"members": members} for team, members in self.teams.items()},
                "environments": [self.environment], "services": services}

    def write_files(self):
        """agent.yaml of each host, known_hosts, and the manifest; call it again after a change."""
        if not self.ssh_port:
            self.ssh_port = free_port([h.address for h in self.hosts.values()])
        for name, host in self.hosts.items():
            base = self._in("hosts", name)
            for sub in ("", "spool", "snapshots"):
                os.makedirs(os.path.join(base, sub), exist_ok=True)
                self._own(os.path.join(base, sub))
            host.agent_yaml = self.write(os.path.join(base, "agent.yaml"), yaml_text(self.agent_config(name)))
        self._write_known_hosts(self._host_key)
        self.write("fleet.yaml", yaml_text(self.manifest()))

    def _write_known_hosts(self, key):
        with open(key + ".pub", encoding="utf-8") as f:
            words = f.read().split()
        self.write(self.known_hosts, "".join(f"[{h.address}]:{self.ssh_port} {words[0]} {words[1]}\n"
                                             for h in self.hosts.values()))

    # -- sshd --------------------------------------------------------------------------------

    def sshd_config(self):
        lines = [f"ListenAddress {h.address}:{self.ssh_port}" for h in self.hosts.values()]
        lines += [f"HostKey {self._host_key}", "PidFile none", "UsePAM no", "StrictModes no",
                  f"AuthorizedKeysFile {self._in('hosts/authorized_keys')}",
                  "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PrintMotd no",
                  "PrintLastLog no", "LogLevel VERBOSE", "MaxStartups 64:30:256", "MaxSessions 64",
                  "Subsystem sftp internal-sftp"]
        for host in self.hosts.values():
            lines += [f"Match LocalAddress {host.address}",
                      f"    ForceCommand exec {self.agent_program} --config {host.agent_yaml} serve"]
        return "\n".join(lines) + "\n"

    def sshd_start(self):
        config = self.write(self._in("hosts/sshd_config"), self.sshd_config())
        log = self._in("log/sshd.log")
        self.sshd_pid = self._spawn(["/usr/sbin/sshd", "-D", "-e", "-f", config], log)
        for host in self.hosts.values():
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection((host.address, self.ssh_port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        with open(log, encoding="utf-8", errors="replace") as f:
                            raise RuntimeError(f"sshd does not start:\n{f.read()[-2000:]}") from None
                    time.sleep(0.02)

    def sshd_stop(self):
        """Ends sshd; sessions that are open go on."""
        self._ask(op="signal", pid=self.sshd_pid, signal=int(signal.SIGTERM))
        self._ask(op="wait", pid=self.sshd_pid, seconds=10)

    def new_host_key(self):
        """The hosts get another key; known_hosts keeps the old one."""
        self._host_key = self._in("hosts", f"ssh_host_key_{time.monotonic_ns()}")
        self._keygen(self._host_key, "host")
        self._own(self._host_key, self._host_key + ".pub")
        self.sshd_stop()
        self.sshd_start()

    def ssh(self, host, command="", stdin=""):
        """A login with the ssh program, as a person would; the host's ForceCommand answers."""
        argv = ["ssh", "-F", "none", "-T", "-p", str(self.ssh_port), "-i", self.identity,
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes",
                "-o", f"UserKnownHostsFile={self.known_hosts}", "-l", self.user,
                self.hosts[host].address] + ([command] if command else [])
        return self._run(argv, input=stdin)

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

    # -- databases ---------------------------------------------------------------------------

    def _psql(self, host, database, role, script, rows=False):
        argv = [f"{PG}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", host.socket, "-p",
                str(host.port), "-U", role, "-d", database, "-f", "-"]
        if rows:
            argv += ["-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1a"]
        done = subprocess.run(argv, input=script, text=True, env=self.environment_of_commands({"PGTZ": "UTC"}),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, cwd="/")
        if done.returncode:
            raise RuntimeError(f"psql {database} as {role}: {done.stderr.strip()}\n{script[:2000]}")
        return done.stdout

    def place(self, where):
        """(Host, database) of a service's name, or of (name, 2) for its second instance."""
        name, number = (where, 1) if isinstance(where, str) else where
        service = self.services[name]
        return self.hosts[service.hosts[number - 1]], service.databases[number - 1]

    def sql(self, where, script, role="postgres"):
        """Runs a script by psql (through the socket, as a superuser unless role=); rows as lists."""
        host, database = self.place(where)
        out = self._psql(host, database, role, script, rows=True)
        out = out[:-1] if out.endswith("\n") else out
        return [[None if v == "\x1a" else v for v in row.split("\x1f")] for row in out.split("\x1e")] if out else []

    def value(self, where, script, role="postgres"):
        rows = self.sql(where, script, role)
        return rows[0][0] if rows else None

    def rows(self, where, schemas=None):
        """{table: (count, hash)} of all users' tables; does not depend on the order of rows or columns."""
        only = "= ANY(ARRAY[" + ",".join(f"'{s}'" for s in schemas) + "])" if schemas else \
            "NOT IN ('pg_catalog', 'information_schema', 'flotilla') AND n.nspname NOT LIKE 'pg_%'"
        tables = self.sql(where, f"""
            SELECT format('%I.%I', n.nspname, c.relname),
                   (SELECT string_agg(format('%L, t.%I', a.attname, a.attname), ', ' ORDER BY a.attname)
                    FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'm') AND n.nspname {only} ORDER BY 1;""")
        if not tables:
            return {}
        query = " UNION ALL ".join(
            f"SELECT $t${t}$t$, count(*), coalesce(sum(hashtextextended("
            f"ROW({columns or 'NULL'})::text, 0)::numeric), 0) FROM {t} t" for t, columns in tables)
        return {t: (int(n), h) for t, n, h in self.sql(where, query + ";")}

    def catalog(self, where):
        """Definitions of everything in the users' schemas as sorted lines, for comparison."""
        with open(os.path.join(HERE, "catalog.sql"), encoding="utf-8") as f:
            return sorted(row[0] for row in self.sql(where, f.read()))


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
