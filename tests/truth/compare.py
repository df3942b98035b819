"""What is measured against what `flotilla lint` says, statement by statement."""

import json
import os
import subprocess
import tempfile

import cases
from libpq import Failed
from measure import MODES, measure

FLOTILLA = os.path.join(cases.TOP, os.environ.get("FLOTILLA_BUILD", "build"), "flotilla")
CLEAN = """DO $$ DECLARE r record; BEGIN
    FOR r IN SELECT pubname n FROM pg_publication LOOP EXECUTE format('DROP PUBLICATION %I', r.n); END LOOP;
    FOR r IN SELECT subname n FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database
        WHERE datname = current_database()) LOOP EXECUTE format('DROP SUBSCRIPTION %I', r.n); END LOOP;
    FOR r IN SELECT srvname n FROM pg_foreign_server LOOP EXECUTE format('DROP SERVER %I CASCADE', r.n); END LOOP;
    FOR r IN SELECT evtname n FROM pg_event_trigger LOOP EXECUTE format('DROP EVENT TRIGGER %I', r.n); END LOOP;
    FOR r IN SELECT nspname n FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
        LOOP EXECUTE format('DROP SCHEMA %I CASCADE', r.n); END LOOP;
    CREATE SCHEMA public; END $$; RESET ALL; SET client_min_messages = error"""


def joined(statements):
    """One verdict of a case that is several statements in a transaction."""
    whole = dict(statements[-1])
    for each in statements[:-1]:
        whole["locks"] = whole["locks"] + each["locks"]
        for key in ("rewrite", "full_scan"):
            whole[key] = whole[key] or each[key]
    return whole


# Run outside of a transaction, but nothing is different afterwards.
HARMLESS = ("vacuum", "reindex", "database", "tablespace", "alter_system", "discard")


class Bench:
    """One server, one database that is emptied between groups."""

    def __init__(self, server, version):
        self.server, self.version, self.fixtures = server, version, cases.fixtures()
        self.session = server.connect("postgres")
        self.session.run("CREATE DATABASE truth")
        os.makedirs(os.path.join(server.dir, "ts"))
        os.chown(os.path.join(server.dir, "ts"), server.user.pw_uid, server.user.pw_gid)
        self.session.run(f"CREATE TABLESPACE ts2 LOCATION '{server.dir}/ts'")
        self.session.close()
        self.session = server.connect("truth")

    def prepare(self, group):
        self.session.run(CLEAN)
        for name in group.fixtures:
            self.session.run(self.fixtures[name])
        for sql in group.setup:
            self.session.run(sql)
        self.session.run("ANALYZE")
        self.session.run("SELECT pg_stat_force_next_flush()")
        self.session.run("DISCARD PLANS")

    def lint(self, statements, *arguments):
        """What is said about each statement, in one run."""
        with tempfile.TemporaryDirectory(prefix="truth-") as folder:
            for i, statement in enumerate(statements):
                with open(os.path.join(folder, f"{i}.sql"), "w", encoding="utf-8") as file:
                    file.write(statement + ";\n")
            done = subprocess.run([FLOTILLA, "lint", folder, "--format", "json", "--fail-on", "never",
                                   *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"lint: {done.stderr}")
            said = {os.path.basename(f["path"]): f["statements"]
                    for f in json.loads(done.stdout)["files"]}
            return [said[f"{i}.sql"] for i in range(len(statements))]

    def of_kind(self, condition):
        return {name for name, in self.session.run(
            f"SELECT relnamespace::regnamespace || '.' || relname FROM pg_class WHERE {condition}")}

    def domains(self):
        return [name for name, in self.session.run("SELECT typname FROM pg_type WHERE typtype = 'd'")]

    def said_without(self, groups):
        """{case: what is said of it without any catalog}, for all groups in one run."""
        wanted = [c for group in groups for c in self.wanted(group)]
        said = self.lint([c.statement for c in wanted], "--pg-version", str(self.version))
        return {case: joined(each) for case, each in zip(wanted, said)}

    def wanted(self, group):
        return [c for c in group.cases if c.first <= self.version <= c.last]

    def run(self, group):
        """Yields each case with what was measured and what is said with the catalog."""
        wanted, clean = self.wanted(group), True
        if not wanted:
            return
        try:
            self.prepare(group)
        except Failed as failed:
            raise RuntimeError(f"{wanted[0].where}: set-up: {failed}") from failed
        texts = [c.statement for c in wanted]
        zone = self.session.value("SHOW TimeZone")
        said = self.lint(texts, "--dsn", f"{self.server.conninfo('truth')} options=-cTimeZone={zone}",
                         "--assume-transaction", "yes")
        for case, each in zip(wanted, said):
            if not clean:
                self.prepare(group)
            result = measure(self.server, "truth", self.session, case.statement)
            yield case, result, joined(each)
            clean = result.transaction or each[-1]["kind"] in HARMLESS


# The server looks these up outside of the database, where no catalog of it reaches.
ELSEWHERE = ("database", "tablespace", "role", "create_subscription", "other")
# What depends on values: rows that violate, casts, functions and types that extensions bring.
VALUES = ("23502", "23503", "23505", "23514", "22", "42704 type", "42804", "42883", "42846", "55000", "0A000", "42P16")
QUERIES = ("select", "insert", "update", "delete", "merge", "copy", "explain", "do", "create_table_as")


def refused(result, said):
    state = result.failed.state
    state += " type" if result.failed.message.startswith("ERROR:  type") else ""
    if state == "42601" and not result.failed.message.count("generated"):
        if said["version_ok"] and "unknown" not in said["tags"]:
            yield f"the server does not know the syntax: {result.failed.message}"
    elif not said.get("fails") and said["kind"] not in ELSEWHERE and not state.startswith(VALUES):
        yield f"it fails: {state} {result.failed.message}"


def locks_differ(result, said, unseen):
    for new, measured in ((False, result.locks), (True, result.new)):
        told = {l["relation"]: l["mode"] for l in said["locks"]
                if l.get("new", False) == new and not l.get("index")}
        for name in sorted(set(told) | set(measured)):
            if told.get(name) != measured.get(name) and name not in unseen:
                yield (f"{'new ' if new else ''}{name}: said {told.get(name, 'no lock')}, "
                       f"measured {measured.get(name, 'none')}")


def indexes_differ(result, said):
    """Indexes are listed when the statement is about them, or takes them more strongly than their
    table. Outside of a transaction not all that happens to them can be seen."""
    told = {l["relation"]: l["mode"] for l in said["locks"] if l.get("index")}
    if not result.transaction:
        return
    for name, (mode, table) in sorted(result.indexes.items()):
        stronger = table and MODES.index(mode) > MODES.index(table)
        if told.get(name, mode) != mode or (stronger and name not in told):
            yield f"index {name}: said {told.get(name, 'nothing')}, measured {mode}, its table {table}"
    for name in sorted(set(told) - set(result.indexes)):
        yield f"index {name}: said {told[name]}, measured none"


def differences(result, said, bench, careful):
    """What lint says of a statement with the catalog, where it is not what was measured."""
    if result.failed:
        yield from refused(result, said)
        return
    if said.get("fails"):
        yield f"said to fail: {said['fails']}"
    if not said["version_ok"]:
        yield "said not to be known to the server"
    if "unknown" in said["tags"]:
        yield f"said to be unknown: {said['unknown']}"
    partitions, views = bench.of_kind("relispartition"), bench.of_kind("relkind = 'm'")
    # Which partitions a query does not touch depends on values; CLUSTER lets its parent go at once.
    unseen = {p for p in partitions if p not in result.locks and said["kind"] in QUERIES}
    if not result.transaction:  # nobody can stand in the way on a materialized view
        unseen |= views
    if said["kind"] == "cluster":
        unseen |= {n for n in result.locks if not any(l["relation"] == n for l in said["locks"])}
    yield from locks_differ(result, said, unseen)
    yield from indexes_differ(result, said)
    if said["rewrite"] != bool(result.rewrite) and not (careful and said["rewrite"]):
        yield f"rewrite: said {said['rewrite']}, measured {sorted(result.rewrite) or 'none'}"
    if said["full_scan"] != bool(result.scan) and not (careful and said["full_scan"]):
        yield f"scan: said {said['full_scan']}, measured {sorted(result.scan) or 'none'}"
    if said["transaction"] != result.transaction:
        yield f"transaction: said {said['transaction']}, measured {result.transaction}"


def weaker(result, said, bench):
    """What lint says without a catalog, where reality is worse: there it may be too careful only.
    Whether a table is partitioned, a type a domain, or a column indexed, it cannot know; an index
    ON ONLY a table is taken to be asked for on a partitioned one, which has no rows of its own."""
    if result.failed or "unknown" in said["tags"] or said["kind"] in QUERIES:
        return
    if any(d in said["sql"].split() for d in bench.domains()):
        return
    if not said["version_ok"]:
        yield "said not to be known to the server"
    if said["transaction"] != result.transaction and said["kind"] not in ("cluster", "reindex"):
        yield f"transaction: said {said['transaction']}, measured {result.transaction}"
    told = {l["relation"]: l["mode"] for l in said["locks"] if not l.get("index")}
    for name, mode in told.items():
        real = result.locks.get(name) or result.new.get(name)
        if real and MODES.index(mode) < MODES.index(real):
            yield f"{name}: said {mode}, measured {real}"
    for name in result.rewrite & set(told):
        if not said["rewrite"]:
            yield f"rewrite of {name} not said"
    parent = said["kind"] == "create_index" and " ON ONLY " in said["sql"]
    for name in result.scan & set(told):
        if not (said["full_scan"] or said["rewrite"] or parent):
            yield f"scan of {name} not said"
