"""A psql that stays: what a client's long-lived session sees, and cheaper than one each statement."""

import re
import subprocess

from fleet import LANG, PG


class SqlError(Exception):
    """The server's words and the statement."""


class Session:
    """One psql that stays; errors come back as text that begins with ERROR."""

    def __init__(self, lab, database):
        self.psql = subprocess.Popen(
            [f"{PG}/psql", "-qXAt", "-h", lab.dir, "-p", lab.port, "-U", "postgres", "-d", database], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
            env=dict(LANG, PGOPTIONS="-c client_min_messages=error"))
        self.psql.stdin.write("\\set VERBOSITY verbose\n")

    def run(self, sql):
        self.psql.stdin.write(sql.rstrip().rstrip(";") + ";\n\\echo ~~end~~\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line.endswith("~~end~~\n"):
                return "".join(lines).rstrip("\n")
            lines.append(line)
        raise SqlError("the server went away\n" + "".join(lines))

    def ok(self, sql):
        out = self.run(sql)
        if re.search(r"^\S*ERROR:", out, re.M):
            self.run("ROLLBACK")
            raise SqlError(f"{out}\n--- {sql[:1500]}")
        return out

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()
