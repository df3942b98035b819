"""Where things are: the fixed top level, names of files, links in the docs."""

import os
import re

TOP = {"Makefile", "README.md", "LICENSE", "controller", "agents", "schemas", "plans", "tests",
       "deploy", "docs"}
VAGUE = re.compile(r"(^|[_-])(utils?|helpers?|common|manager|misc|stuff)([_.-]|$)")
LIMITS = {"docs/ARCHITECTURE.md": 250}


def check(tree):
    for path in tree.files:
        top = path.split("/")[0]
        if not top.startswith(".") and top not in TOP:
            yield path, 0, f"'{top}' is not in the fixed top level", "see docs/ARCHITECTURE.md"
        if VAGUE.search(os.path.basename(path)):
            yield path, 0, "a file name that says nothing", "name it after its noun"
        if path.endswith(".md"):
            yield from links(tree, path)
            if path in LIMITS and tree.text(path).count("\n") > LIMITS[path]:
                yield path, 0, f"longer than {LIMITS[path]} lines", "move detail to a page of its own"


def links(tree, path):
    text = re.sub(r"```.*?```", lambda m: "\n" * m[0].count("\n"), tree.text(path), flags=re.S)
    for number, match in tree.lines_matching(path, r"\]\(([^)#\s]+)(#[^)]*)?\)", text):
        if re.match(r"[a-z]+:", match[1]):
            continue
        target = os.path.normpath(os.path.join(os.path.dirname(path), match[1]))
        if not os.path.exists(target):
            yield path, number, f"link to {match[1]}, which does not exist", "mend or remove it"
    # A path in `backquotes` is a promise too. Rows that start with a folder name are the folder
    # map, which reserves places.
    for number, match in tree.lines_matching(
            path, r"`((?:controller|agents|schemas|plans|tests|deploy|docs)/[\w./-]*\w)`", text):
        line = text.splitlines()[number - 1]
        if line.startswith("| `") and path == "docs/ARCHITECTURE.md":
            continue
        # CAPITALS stand for something that the reader fills in.
        if not os.path.exists(match[1]) and not re.search(r"(?<![A-Z])[A-Z]{3,}(?![A-Za-z])", match[1]):
            yield path, number, f"names {match[1]}, which does not exist", "mend or remove it"
