"""A PgBouncer in front of a fleet's database users, for tests of what must not go through one."""

import os
import shutil
import subprocess
import tempfile

from machine import free_port


def pooler(case, fleet, role):
    """Started for one test; its port on 127.0.0.1."""
    host = fleet.hosts["db1"]
    port, folder = free_port(["127.0.0.1"]), tempfile.mkdtemp(dir=fleet.dir)
    fleet.write(f"{folder}/pgbouncer.ini",
                f"[databases]\nusers = host={host.socket} port={host.port} dbname=users user={role}\n[pgbouncer]\n"
                f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
                f"pool_mode = transaction\nlogfile = {folder}/log\n")
    os.chmod(folder, 0o777)
    user = {"user": fleet.user} if os.geteuid() == 0 else {}
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"  # not on everybody's path
    process = subprocess.Popen([program, "-q", f"{folder}/pgbouncer.ini"], stderr=subprocess.DEVNULL, **user)
    case.addCleanup(process.wait)
    case.addCleanup(process.terminate)
    return port
