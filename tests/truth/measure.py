"""What one statement does to a real database, measured: locks, rewrites, scans, transactions.

In a transaction the session's own pg_locks, relfilenodes and scan counters are read before the
rollback. A statement that refuses to run in one (25001, or 2D000 for a procedure that commits) runs
outside; other sessions stand in its way with every lock mode in turn, strongest first, so that each
lock it asks for is seen waiting.
"""

import collections
import time

from libpq import Failed

USER = """FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'"""
OWN_COUNTS = """, pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_returned(c.oid),
    coalesce(pg_stat_get_vacuum_count(c.oid), 0) + coalesce(pg_stat_get_analyze_count(c.oid), 0) """
ALL_COUNTS = OWN_COUNTS.replace("_xact_", "_")
RELATIONS = """SELECT c.oid, n.nspname || '.' || c.relname, c.relkind, c.relfilenode,
    (SELECT indrelid FROM pg_index WHERE indexrelid = c.oid)"""
LOCKS = """SELECT relation, mode FROM pg_locks WHERE pid = {pid} AND locktype = 'relation'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
# Each lets through what the one before did not.
STAGES = ("ACCESS SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "EXCLUSIVE",
          "ACCESS EXCLUSIVE")
MODES = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE",
         "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
SPELLED = {m.replace(" ", "") + "Lock": m for m in MODES}
SPELLED = {k.lower(): v for k, v in SPELLED.items()}
OUTSIDE = ("25001", "2D000")

Relation = collections.namedtuple("Relation", "name kind file table scans tuples visits")
Measured = collections.namedtuple("Measured", "locks indexes new rewrite scan transaction failed")


def relations(session, counts):
    return {row[0]: Relation(*row[1:5], *(int(v or 0) for v in row[5:]))
            for row in session.run(RELATIONS + counts + USER)}


def spelled(mode):
    return SPELLED[mode.lower()]


def strongest(pairs):
    found = {}
    for oid, mode in pairs:
        old = found.get(oid)
        found[oid] = mode if not old or MODES.index(mode) > MODES.index(old) else old
    return found


def sum_up(before, after, locks, transaction):
    """Locks by name, those of indexes and of relations that were not there before apart. Indexes
    have the mode on their table beside their own."""
    old, new, indexes, held = {}, {}, {}, strongest(locks)
    for oid, mode in held.items():
        relation = before.get(oid) or after.get(oid)
        if oid in before and relation.kind in "iI":
            indexes[relation.name] = (mode, held.get(relation.table))
        elif relation and relation.kind not in "iI" and (oid in before or relation.kind != "c"):
            (old if oid in before else new)[relation.name] = mode
    rewrite, scan = set(), set()
    moved = "i" if not old else ""  # an index that is moved; REINDEX of a table is no rewrite
    for oid, now in after.items():
        was = before.get(oid)
        if not was or now.kind not in "rmiS":
            continue
        if now.kind in "rmS" + moved and now.file != was.file:
            rewrite.add(was.name)
        returned = now.tuples - was.tuples
        if now.kind in "rm" and (now.visits > was.visits or (now.scans > was.scans and returned)):
            scan.add(was.name)
    return Measured(old, indexes, new, rewrite, scan, transaction, None)


def inside(session, statement):
    session.run("BEGIN")
    try:
        before = relations(session, OWN_COUNTS)
        session.run(statement)
        session.run("SELECT pg_stat_clear_snapshot()")
        locks = [(oid, spelled(mode)) for oid, mode in
                 session.run(LOCKS.format(pid="pg_backend_pid()"))]
        return sum_up(before, relations(session, OWN_COUNTS), locks, True)
    finally:
        session.run("ROLLBACK")
        session.run("DEALLOCATE ALL")


class Blocker:
    """Stands in the way on one relation; step() lets a little more through."""

    def __init__(self, session, relation):
        self.session, self.left = session, len(STAGES)
        session.run("BEGIN")
        for i, mode in enumerate(STAGES):
            session.run(f"SAVEPOINT s{i}; LOCK TABLE ONLY {relation} IN {mode} MODE")

    def step(self):
        self.left -= 1
        self.session.run(f"ROLLBACK TO s{self.left}" if self.left else "ROLLBACK")


def outside(server, database, session, statement):
    others = []

    def connect():
        others.append(server.connect(database))
        return others[-1]

    try:
        return _outside(connect, session, statement)
    finally:
        for other in others:
            other.close()


def _outside(connect, session, statement):
    eyes = connect()
    session.run("SELECT pg_stat_force_next_flush()")  # what was counted before this statement
    before = relations(eyes, ALL_COUNTS)
    blockers = {}
    for name, in eyes.run("SELECT format('%I.%I', n.nspname, c.relname) " + USER + " AND c.relkind IN ('r', 'p')"):
        other = connect()
        blockers[str(other.pid)] = Blocker(other, name)
    locks = set()
    session.send(statement)
    while session.busy():
        seen = eyes.run(LOCKS.format(pid=session.pid))
        locks |= {(oid, spelled(mode)) for oid, mode in seen}
        for pid, in eyes.run(f"SELECT unnest(pg_blocking_pids({session.pid}))::text"):
            if pid in blockers and blockers[pid].left:
                blockers[pid].step()
        time.sleep(0.001)
    for blocker in blockers.values():
        while blocker.left:
            blocker.step()
    session.finish()
    session.run("SELECT pg_stat_force_next_flush()")
    eyes.run("SELECT pg_stat_clear_snapshot()")
    return sum_up(before, relations(eyes, ALL_COUNTS), locks, False)


def measure(server, database, session, statement):
    """A statement that failed has nothing but `failed`. Changes the database only when the result
    says transaction False."""
    try:
        return inside(session, statement)
    except Failed as failed:
        if failed.state not in OUTSIDE:
            return Measured({}, {}, {}, set(), set(), True, failed)
    try:
        return outside(server, database, session, statement)
    except Failed as failed:
        return Measured({}, {}, {}, set(), set(), False, failed)
