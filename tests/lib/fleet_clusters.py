"""The PostgreSQL clusters of a Fleet: made, started, crashed, loaded."""

import os
import signal
import subprocess
import time

from keeper import descendants
from machine import PG, SETTINGS, free_port


class Clusters:
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
        for pid in [host.pid] + sorted(descendants(host.pid)):
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
