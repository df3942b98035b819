"""What tests find on this machine: PostgreSQL, a user for servers, ports that are free."""

import os
import pwd
import socket

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
