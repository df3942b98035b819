"""docs/RULES.md and the schema of the linter's configuration say what the table of rules says.

UPDATE=1 tests/style/run rules writes both, with the flotilla that was built.
"""

import json
import os
import re
import subprocess

from tree import BUILD

PAGE = "docs/RULES.md"
SCHEMA = "schemas/lint-config.schema.json"
MAKE = "build, then UPDATE=1 tests/style/run rules"
STRING = r'"(?:\\.|[^"\\])*"'
ROW = re.compile(r'\{\s*(%s),\s*%s,\s*SEVERITY_(\w+),\s*(true|false),((?:\s*%s\s*,?)+)\}' % (STRING, STRING, STRING))


def text(literals):
    """Adjacent C strings as one."""
    joined = "".join(s[1:-1] for s in re.findall(STRING, literals))
    return re.sub(r'\\(.)', lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), joined)


def rules(tree):
    for path in tree.files:
        if re.fullmatch(r"controller/rules/rules_\w+\.c", path):
            for row in ROW.finditer(tree.text(path)):
                # What follows the flags: what, why, instead, example, each of one or more literals.
                parts = re.split(r'(?<="),\s*(?=")', row[4].strip().rstrip(","))
                yield path, text(row[1]), row[2].lower(), row[3] == "true", [text(p) for p in parts]


def written():
    flotilla = os.path.join(BUILD, "flotilla")

    def listed(form):
        return subprocess.run([flotilla, "lint", "--list-rules", "--format", form], check=True,
                              capture_output=True, text=True).stdout

    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(listed("markdown"))
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    names = schema["properties"]["rules"]["propertyNames"]
    names["enum"] = sorted(r["id"] for r in json.loads(listed("json")))
    with open(SCHEMA, "w", encoding="utf-8") as file:
        file.write(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")


def check(tree):
    if os.environ.get("UPDATE"):
        written()
    if PAGE not in tree.files:
        return
    page, known = tree.text(PAGE), set()
    allowed = json.loads(tree.text(SCHEMA))["properties"]["rules"]["propertyNames"]["enum"]
    for path, name, severity, on, texts in rules(tree):
        known.add(name)
        start = page.find(f"\n### {name}\n")
        end = page.find("\n#", start + 4)
        part = page[start:end] if start >= 0 else ""
        head = f"*{severity}, {'on' if on else 'off'} by default.*"
        if head not in part or not all(t in part for t in texts):
            yield PAGE, 0, f"is not what {path} says of {name}", MAKE
    for name in re.findall(r"^### (.+)$", page, re.M):
        if name not in known:
            yield PAGE, 0, f"has {name}, which is no rule", MAKE
    if sorted(known) != allowed:
        yield SCHEMA, 0, f"its rules are not those of the table: {sorted(known ^ set(allowed))}", MAKE
