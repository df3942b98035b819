"""Length and complexity: the tail is held by a limit, not by taste."""

import re
import subprocess

from tree import need

C_LINES, H_LINES, FUNCTION_LINES, COMPLEXITY, PARAMETERS = 500, 200, 60, 15, 5
DEFINITION = re.compile(r"^[A-Za-z_][\w \t*()]*?\b(\w+)\(((?:[^;{}()]|\([^;{}()]*\))*)\)\n\{", re.M)


def check(tree):
    for path in tree.c_files:
        limit = C_LINES if path.endswith(".c") else H_LINES
        lines = tree.text(path).count("\n")
        if lines > limit:
            yield path, limit, f"{lines} lines (limit {limit})", "split it by noun"
        for match in DEFINITION.finditer(tree.code(path)):
            count = counted(match[2])
            if count > PARAMETERS:
                line = tree.code(path).count("\n", 0, match.start()) + 1
                yield (path, line, f"{match[1]} has {count} parameters besides ctx and err (limit {PARAMETERS})",
                       "gather them in a struct")
    yield from functions(tree)


def counted(text):
    parameters, depth, start = [], 0, 0
    for place, char in enumerate(text + ","):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parameters.append(" ".join(text[start:place].split()))
            start = place + 1
    if parameters and re.search(r"\bvoid \*(\w*ctx|owner)$", parameters[0]):
        parameters.pop(0)
    return len([p for p in parameters if p not in ("void", "") and not p.startswith("struct error *")])


def functions(tree):
    sources = [f for f in tree.c_files if f.endswith(".c")]
    if not sources:
        return
    result = subprocess.run([need("pmccabe"), *sources], capture_output=True, text=True, check=False)
    for line in result.stdout.splitlines():
        numbers, _, place = line.rpartition("\t")
        fields = numbers.split("\t")
        match = re.match(r"(.*)\((\d+)\): (.*)", place)
        if not match or len(fields) != 5:
            continue
        complexity, length = int(fields[0]), int(fields[4])
        path, number, name = match[1], int(match[2]), match[3]
        if complexity > COMPLEXITY:
            yield path, number, f"{name}: complexity {complexity} (limit {COMPLEXITY})", "split it"
        if length > FUNCTION_LINES:
            yield path, number, f"{name}: {length} lines (limit {FUNCTION_LINES})", "split it"
