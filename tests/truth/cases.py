"""The cases: statements on set-ups, read from files.

A file of cases is groups of lines:

    == orders, items            the fixtures that the statements below find
    + CREATE INDEX …            more of the set-up, one statement a line
    ALTER TABLE …               a statement to measure
    18: ALTER TABLE …           the same, only from PostgreSQL 18 on (16-17: only on those)
    ~ALTER TABLE …              rewrite and scan may be said although there is none: the comment
                                before says why it cannot be known
    # a comment

A fixture is what stands between `-- fx:NAME` and the next such line of a file of fixtures; the file
of rows has the statements that fill it.
"""

import collections
import glob
import os
import re

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MEASURED = os.path.join(TOP, "tests", "golden", "locks")
NEWEST = 99

Case = collections.namedtuple("Case", "where statement first last careful")
Group = collections.namedtuple("Group", "fixtures setup cases")


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sections(path):
    parts = re.split(r"^-- fx:(\w+)\n", text_of(path), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def fixtures():
    """{name: SQL that makes and fills it}"""
    found = collections.defaultdict(str)
    for path in (os.path.join(MEASURED, "fixtures.sql"), os.path.join(HERE, "shop.sql"),
                 os.path.join(HERE, "rows.sql")):
        for name, sql in sections(path).items():
            found[name] += sql
    return found


def versions(text):
    first, _, last = text.partition("-")
    return int(first), int(last) if last else NEWEST


def written(path):
    groups = []
    for number, line in enumerate(text_of(path).splitlines(), 1):
        where = f"{os.path.relpath(path, TOP)}:{number}"
        if line.startswith("=="):
            groups.append(Group([f.strip() for f in line[2:].split(",") if f.strip() not in ("", "none")], [], []))
        elif line.startswith("+"):
            groups[-1].setup.append(line[1:].strip())
        elif line.strip() and not line.startswith("#"):
            careful, line = line.startswith("~"), line.removeprefix("~")
            match = re.match(r"(\d\d(?:-\d\d)?): (.*)", line)
            first, last = versions(match[1]) if match else (0, NEWEST)
            groups[-1].cases.append(Case(where, match[2] if match else line, first, last,
                                         careful))
    return groups


def measured():
    """The statements of the golden table, each once, by set-up."""
    groups, seen = {}, {}
    for line in text_of(os.path.join(MEASURED, "truth.tsv")).splitlines():
        if line.startswith("#"):
            continue
        span, name, setup, statement = line.split("\t")[:4]
        first, _, last = span.partition("-")
        case = Case("truth.tsv " + name, statement, int(first), int(last or first), False)
        if (name, setup, statement) in seen:
            old = seen[name, setup, statement]
            case = case._replace(first=min(old.first, case.first), last=max(old.last, case.last))
        seen[name, setup, statement] = case
    for (_, setup, _), case in seen.items():
        names, _, more = setup[len("fx:"):].partition(" | ")
        group = groups.setdefault(setup, Group([f for f in names.strip().split(",") if f], [], []))
        if more and not group.setup:
            group.setup.append(more.replace("{N}", "1000"))
        group.cases.append(case)
    return list(groups.values())


def every():
    found = measured()
    for path in sorted(glob.glob(os.path.join(HERE, "*.cases"))):
        if not path.endswith("/syntax.cases"):
            found += written(path)
    return found
