"""A throw-away PostgreSQL cluster on a loopback port, run by an unprivileged user.

    cluster = postgres.Cluster()
    cluster.sql("create table t (a int)")        # -> text, tab-separated, one row a line
    cluster.conninfo("app")                      # for agent.yaml and clients
    cluster.stop()

As root the server runs as `postgres` (PostgreSQL refuses to run as root); its folder lies below
/var/tmp, because root's home may not be readable to that user.
"""

import os
import shutil
import socket
import subprocess
import tempfile

BIN = os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin")
# fsync off: nothing here has to survive a power cut. The rest makes room for several servers.
SETTINGS = {"listen_addresses": "'127.0.0.1'", "fsync": "off", "shared_buffers": "'64MB'",
            "max_connections": "60", "autovacuum_naptime": "'5s'", "log_min_messages": "warning",
            "wal_level": "logical", "timezone": "'UTC'", "log_timezone": "'UTC'"}


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def as_server_user(command):
    """The command as it has to be started so that PostgreSQL accepts its user."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else list(command)


class Cluster:
    def __init__(self, settings=None):
        self.folder = tempfile.mkdtemp(prefix="flotilla-pg-", dir="/var/tmp")
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.data = os.path.join(self.folder, "data")
        self.user = "postgres"
        self.port = free_port()
        self.run("initdb", "-D", self.data, "-U", self.user, "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")
        merged = {**SETTINGS, "port": str(self.port),
                  "unix_socket_directories": f"'{self.folder}'", **(settings or {})}
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            conf.writelines(f"{key} = {value}\n" for key, value in merged.items())
        self.start()

    def run(self, program, *arguments):
        done = subprocess.run(as_server_user([os.path.join(BIN, program), *arguments]), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/",
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: exit code {done.returncode}\n{done.stdout}")
        return done.stdout

    def start(self):
        self.run("pg_ctl", "-D", self.data, "-l", os.path.join(self.folder, "log"), "-w", "start")

    def halt(self, mode="fast"):
        """Stops the server and keeps its data; mode immediate is a crash."""
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def stop(self):
        """Stops the server and removes it; harmless when it is stopped already."""
        try:
            self.halt("immediate")
        except RuntimeError:
            pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def conninfo(self, database="postgres", user=None):
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user or self.user}"

    def sql(self, text, database="postgres", user=None):
        """Runs a script as psql does, stops at the first error, returns what it printed."""
        done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                               self.conninfo(database, user), "-f", "-"], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}\n{text}")
        return done.stdout.rstrip("\n")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()
