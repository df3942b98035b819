"""One PostgreSQL server of any version, for tests that need nothing else. It ends with the test.

    with Server("/usr/lib/postgresql/15/bin") as server:
        server.connect("postgres").run("SELECT 1")
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from fleet import PG, free_port, unprivileged
from libpq import Connection, Failed

SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
            "autovacuum": "off", "shared_buffers": "32MB", "max_connections": "30",
            "wal_level": "logical", "timezone": "UTC", "log_min_messages": "fatal",
            "max_prepared_transactions": "5", "log_min_error_statement": "panic",
            "logging_collector": "off", "max_wal_size": "1GB"}
DIE_WITH_PARENT = 1
_libc = ctypes.CDLL(None)


class Server:
    def __init__(self, folder=PG):
        self.bin = folder
        self.dir = tempfile.mkdtemp(prefix="truth-", dir=os.environ.get("FLOTILLA_TMP", "/tmp"))
        self.data, self.process = os.path.join(self.dir, "data"), None
        self.port = free_port(["127.0.0.1"])
        self.user = pwd.getpwnam(unprivileged())
        self.env = {"PATH": f"{folder}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "LD_LIBRARY_PATH": os.path.join(os.path.dirname(folder), "lib")}
        if os.geteuid() == 0:
            os.chown(self.dir, self.user.pw_uid, self.user.pw_gid)

    def _demote(self):
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)
        _libc.prctl(DIE_WITH_PARENT, signal.SIGQUIT)

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        done = subprocess.run(
            [f"{self.bin}/initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--no-sync",
             "--locale=C", "-A", "trust", "--no-instructions"], env=self.env, cwd=self.dir,
            preexec_fn=self._demote, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.writelines(f"{k} = '{v}'\n" for k, v in SETTINGS.items())
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\n"
                       f"unix_socket_directories = '{self.dir}'\n")
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen([f"{self.bin}/postgres", "-D", self.data], env=self.env,
                                            cwd=self.dir, preexec_fn=self._demote, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        while True:
            try:
                self.connect("postgres").close()
                return
            except Failed as failed:
                if self.process.poll() is not None:
                    with open(os.path.join(self.dir, "log"), encoding="utf-8") as log:
                        raise RuntimeError(f"no start: {log.read()[-2000:]}") from failed
                time.sleep(0.02)

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def conninfo(self, database):
        return f"host={self.dir} port={self.port} user=postgres dbname={database}"

    def connect(self, database):
        return Connection(self.conninfo(database))
