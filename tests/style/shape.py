"""Headers as manuals, and what a fallible function looks like."""

import re

PROTOTYPE = re.compile(r"^(?!static|#|typedef|return)([\w][\w \t*]*?)\b(\w+)\(([^;{}]*)\)([^;{}()]*(?:\([^;{}]*\))?);",
                       re.M)
# At least one sentence that says what the file is for.
OPENING = 60


def check(tree):
    for path in tree.product:
        if path.endswith(".h"):
            yield from header(tree, path)


def header(tree, path):
    text = tree.text(path)
    opening = re.match(r"\s*/\*(.*?)\*/", text, re.S)
    if not opening or len(" ".join(opening[1].replace("*", " ").split())) < OPENING:
        yield path, 1, "no opening paragraph", "say what it is for, how it is used, who owns what"
    code = tree.code(path)
    guard = path.replace("/", "_").replace(".", "_").replace("-", "_").upper()
    if not re.search(rf"#ifndef {guard}\n#define {guard}\n", code):
        yield path, 1, "no include guard of its own", f"use {guard}"
    for match in PROTOTYPE.finditer(code):
        if not re.search(r"struct error \*\w*\s*$", match[3]) or match[2].startswith("fail"):
            continue
        number = code.count("\n", 0, match.start()) + 1
        if match[1].split()[-1:] == ["bool"] or "bool" in match[1].split():
            if "MUSTCHECK" not in match[0]:
                yield path, number, f"{match[2]} can fail and may be ignored", "mark it MUSTCHECK"
