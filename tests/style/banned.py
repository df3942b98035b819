"""Functions and constructs that this project does without."""

import re

EVERYWHERE = {
    "strcpy": "use struct text or mem_text", "strcat": "use struct text",
    "strncpy": "use mem_textn", "strncat": "use struct text",
    "sprintf": "use snprintf or mem_printf", "vsprintf": "use vsnprintf or struct text",
    "gets": "read with a limit", "strtok": "walk the text", "strtok_r": "walk the text",
    "atoi": "use a parser that sees errors", "atol": "use a parser that sees errors",
    "atoll": "use a parser that sees errors", "atof": "use a parser that sees errors",
    "scanf": "parse by hand", "sscanf": "parse by hand", "fscanf": "parse by hand",
    "system": "run a program without a shell (base/process)",
    "popen": "run a program without a shell (base/process)",
    "setjmp": "return false", "longjmp": "return false", "alloca": "use talloc",
    "tmpnam": "use mkstemp", "mktemp": "use mkstemp", "tempnam": "use mkstemp",
}
PRODUCT = {
    "malloc": "use mem_new", "calloc": "use mem_array", "realloc": "use mem_room",
    "strdup": "use mem_text", "strndup": "use mem_textn", "asprintf": "use mem_printf",
    "vasprintf": "use struct text", "reallocarray": "use mem_room",
}
SPEECH = {w: "libraries do not print: return it, or say it in cli/, desk/ or terminal/" for w in
          ["printf", "fprintf", "vprintf", "vfprintf", "puts", "putchar", "fputs", "perror", "warn",
           "warnx", "syslog", "dprintf", "psignal"]}
SPEECH |= {w: "libraries do not end the program: return false" for w in ["exit", "errx"]}
# The edges: what faces a person or is a program's main loop.
SPEAKERS = ("controller/cli/", "controller/desk/", "controller/terminal/", "controller/main.c", "agents/agent/", "agents/base/log.", "tests/", "deploy/")
CONSTRUCTS = [
    (r"\bgoto\b", "goto", "SCOPE and AUTO_* clean up"),
    (r"\btypedef\s+(struct|union|enum)\b", "a typedef'd struct", "write struct noun"),
    (r"\bvolatile\b(?!\s+sig_atomic_t)", "volatile", "use stdatomic or a mutex"),
]


def words(tree, path, banned):
    pattern = r"(?<![\w.>])(" + "|".join(banned) + r")\s*\("
    for number, match in tree.lines_matching(path, pattern, tree.code(path)):
        yield path, number, f"{match[1]}() is banned here", banned[match[1]]


def check(tree):
    for path in tree.c_files:
        yield from words(tree, path, EVERYWHERE)
        for pattern, what, todo in CONSTRUCTS:
            for number, _ in tree.lines_matching(path, pattern, tree.code(path)):
                yield path, number, f"{what} is banned", todo
        if path in tree.product and not path.startswith("agents/base/mem."):
            yield from words(tree, path, PRODUCT)
        if not path.startswith(SPEAKERS) and not path.startswith("agents/base/mem."):
            yield from words(tree, path, SPEECH)
        raw = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), tree.text(path), flags=re.S))
        for number, _ in tree.lines_matching(path, r"//", raw):
            yield path, number, "a // comment", "write /* */"
