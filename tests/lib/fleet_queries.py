"""What is in the databases of a Fleet, read by psql."""

import os
import subprocess

from machine import PG

HERE = os.path.dirname(os.path.realpath(__file__))


class Queries:
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
