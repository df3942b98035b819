"""The docs keep their word: functions they name are defined, tests they name exist.

`noun_verb()` anywhere in docs/ARCHITECTURE.md must be a function of a .c file below agents/ or
controller/; in the tables of docs/INVARIANTS.md and docs/SAFETY.md the last column names its guards
as `path: name, name`. Every page of docs/decisions is linked.
"""

import os
import re

DOC = "docs/ARCHITECTURE.md"
GUARDED = ("docs/INVARIANTS.md", "docs/SAFETY.md")


def guards_exist(tree, doc, number, cell):
    guards = re.findall(r"`([^`:]+): ([^`]+)`", cell)
    if not guards:
        yield doc, number, "a promise without a guard", "name the test: `path: name`"
    for path, names in guards:
        text = tree.text(path) if os.path.isfile(path) else ""
        for name in names.split(", "):
            if not re.search(rf"\b{re.escape(name)}\b", text):
                yield doc, number, f"no test {name} in {path}", "mend or remove it"


def check(tree):
    sources = [f for f in tree.product if f.endswith(".c")]
    defined = set()
    for path in sources:
        defined.update(re.findall(r"^[a-z][\w \t*]*?\b(\w+)\(", tree.code(path), re.M))
    for number, match in tree.lines_matching(DOC, r"`([a-z]\w*)\(\)`"):
        if match[1] not in defined:
            yield DOC, number, f"no function {match[1]} is defined", "mend or remove it"
    for page in GUARDED:
        for number, line in enumerate(tree.text(page).splitlines(), 1):
            if line.startswith("| ") and not line.endswith("| Guarded by |"):
                yield from guards_exist(tree, page, number, line)
    for path in tree.files:
        if path.startswith("docs/decisions/") and path.removeprefix("docs/") not in tree.text(DOC):
            yield DOC, 0, f"{path} is not linked", "add it below 'Decisions'"
