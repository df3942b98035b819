"""Which version knows a statement first, tried on servers, against `version_ok` of lint."""

import os
import re

import cases
from libpq import Failed
from measure import OUTSIDE

LINE = re.compile(r"(\?)?(?:(\d\d|never): )?(.*)")
FILE = os.path.join(cases.HERE, "syntax.cases")
ALL = (14, 15, 16, 17, 18)  # 14 is by its documentation


def expected():
    """(set-up, [(where, statement, first version, only its syntax can be tried, needs a catalog)])"""
    group, = cases.written(FILE)
    found = []
    for case in group.cases:
        only, first, statement = LINE.fullmatch(case.statement).groups()
        first = cases.NEWEST if first == "never" else int(first or (case.first or 0))
        found.append((case.where, statement, first, bool(only), case.careful))
    return group, found


def runs(session, statement):
    """Whether the server does it; None when it cannot be told."""
    try:
        session.run("BEGIN")
        session.run(statement)
        return True
    except Failed as failed:
        return None if failed.state in OUTSIDE else False
    finally:
        session.run("ROLLBACK")
        session.run("DEALLOCATE ALL")


def known(session, statement):
    try:
        session.parse(statement)
        return True
    except Failed as failed:
        return failed.state not in ("42601", "0A000")


def outside(session, statement):
    try:
        session.run(statement)
        return True
    except Failed:
        return False


def wrong_on(bench):
    """Lines about versions that the server of the bench does not bear out."""
    group, found = expected()
    bench.prepare(group)
    for where, statement, first, only_syntax, _ in found:
        want = bench.version >= first
        got = known(bench.session, statement) if only_syntax else runs(bench.session, statement)
        if got is None:
            got = outside(bench.session, statement)
        # an option is none of the grammar's business: where nothing can be run, more is accepted
        if got != want and not (only_syntax and got):
            yield f"PostgreSQL {bench.version} {where}: {statement}\n    works: {got}, expected {want}"


def wrong_in_lint(bench):
    """The same lines for what lint says: for this server with its catalog, for every version without
    (what `~` marks needs a catalog)."""
    _, found = expected()
    runs_of = [(bench.version, found, ("--dsn", bench.server.conninfo("truth")))]
    static = [each for each in found if not each[4]]
    runs_of += [(v, static, ("--pg-version", str(v))) for v in ALL]
    for version, cases_of, arguments in runs_of:
        for (where, statement, first, _, _), said in zip(
                cases_of, bench.lint([each[1] for each in cases_of], *arguments)):
            if all(each["version_ok"] for each in said) != (version >= first) and len(said) == 1:
                yield f"{arguments[0]} {version} {where}: {statement}\n    version_ok is wrong"
