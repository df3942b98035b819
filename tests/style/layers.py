"""Who may include whom: the table "Folders" in docs/ARCHITECTURE.md, enforced.

Its columns are: folder (in backquotes), what it is for, what it may use (folders in backquotes, or
the word "everything", or "-"). What is not in the row is forbidden; nothing is inherited.
"""

import os
import re

from tree import Problem

DOC = "docs/ARCHITECTURE.md"


def read_table(tree):
    uses, lines = {}, {}
    for number, cells in tree.table("Folders"):
        names = re.findall(r"`([^`]+)`", cells[0])
        if len(cells) != 3 or len(names) != 1:
            raise Problem(f"{DOC}:{number}: a row is | `folder` | purpose | may use |")
        allowed = re.findall(r"`([^`]+)`", cells[2])
        uses[names[0]] = None if "everything" in cells[2] else set(allowed)
        lines[names[0]] = number
    return uses, lines


def folder_of(path, uses):
    """The longest row that holds the file; a row may also name a single file."""
    while path:
        if path in uses:
            return path
        path = os.path.dirname(path)
    return None


def cycles(uses, lines):
    done, path = set(), []

    def walk(folder):
        if folder in path:
            yield path[path.index(folder):] + [folder]
            return
        if folder in done:
            return
        path.append(folder)
        for used in sorted(uses.get(folder) or ()):
            yield from walk(used)
        path.pop()
        done.add(folder)

    for folder in uses:
        for cycle in walk(folder):
            yield DOC, lines[cycle[0]], "a cycle: " + " -> ".join(cycle), "turn one arrow round"


def check(tree):
    uses, lines = read_table(tree)
    for folder, allowed in uses.items():
        for used in allowed or ():
            if used not in uses:
                yield DOC, lines[folder], f"{folder} may use {used}, which has no row", "add the row"
            if folder.startswith("agents/") and used.startswith("controller/"):
                yield DOC, lines[folder], "agents never use the controller", "remove it"
    yield from cycles(uses, lines)
    for path in tree.product:
        own = folder_of(path, uses)
        if own is None:
            yield path, 0, "its folder is not in the table", f"add a row below 'Folders' in {DOC}"
            continue
        for number, quoted, name in tree.includes(path):
            if quoted:
                yield from judge(path, number, name, own, uses)


def judge(path, number, name, own, uses):
    if not os.path.isfile(name):
        yield path, number, f"include of {name}, which is not there", "write the path from the top"
        return
    target = folder_of(name, uses)
    if target != own and uses[own] is not None and target not in uses[own]:
        allowed = ", ".join(sorted(uses[own])) or "nothing"
        yield (path, number, f"{own} may not use {target or name} (it may use: {allowed})",
               f"move the code, or argue for the arrow in {DOC}")
    if name.endswith("_internal.h") and os.path.dirname(name) != os.path.dirname(path):
        yield path, number, f"{name} belongs to its own folder", "use the public header"
