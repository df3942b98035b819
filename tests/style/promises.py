"""docs/ARCHITECTURE.md keeps its word: functions it names are defined, tests it names exist.

`noun_verb()` anywhere on the page must be a function of a .c file below agents/ or controller/; in
the table "Invariants" the last column names its guards as `path: name, name`. Every page of
docs/decisions is linked.
"""

import os
import re

DOC = "docs/ARCHITECTURE.md"


def check(tree):
    sources = [f for f in tree.product if f.endswith(".c")]
    defined = set()
    for path in sources:
        defined.update(re.findall(r"^[a-z][\w \t*]*?\b(\w+)\(", tree.code(path), re.M))
    for number, match in tree.lines_matching(DOC, r"`([a-z]\w*)\(\)`"):
        if match[1] not in defined:
            yield DOC, number, f"no function {match[1]} is defined", "mend or remove it"
    for number, cells in tree.table("Invariants"):
        guards = re.findall(r"`([^`:]+): ([^`]+)`", cells[-1])
        if not guards:
            yield DOC, number, "an invariant without a guard", "name the test: `path: name`"
        for path, names in guards:
            text = tree.text(path) if os.path.isfile(path) else ""
            for name in names.split(", "):
                if not re.search(rf"\b{re.escape(name)}\b", text):
                    yield DOC, number, f"no test {name} in {path}", "mend or remove it"
    for path in tree.files:
        if path.startswith("docs/decisions/") and path.removeprefix("docs/") not in tree.text(DOC):
            yield DOC, 0, f"{path} is not linked", "add it below 'Decisions'"
