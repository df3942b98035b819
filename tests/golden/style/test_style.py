"""The style checks find what they are for: a small tree with one sin each."""

import os
import shutil
import unittest

import testing

ARCHITECTURE = """# Architecture

## Folders

| Folder | What | May use |
|---|---|---|
| `agents/base` | floor | - |
| `agents/pg` | database | `agents/base` |
| `controller/cli` | commands | everything |

## Libraries and their fences

| Header | Where | Why |
|---|---|---|
| `libpq-fe.h` | `agents/pg/connection*` | one place |

What there is: `thing_count()`.
"""

INVARIANTS = """# Invariants

| | What | Guarded by |
|---|---|---|
| 1 | it is one | `agents/base/thing.c: thing_count` |
"""

SAFETY = """# Safety

| Promise | Guarded by |
|---|---|
| counts | `agents/base/thing.c: thing_count` |
"""
HEADER = """/*
 * A thing, for the sake of this test; whoever makes one owns it and what hangs on it.
 */
#ifndef AGENTS_BASE_THING_H
#define AGENTS_BASE_THING_H

int thing_count(void);

#endif
"""

SOURCE = """#include "agents/base/thing.h"

int thing_count(void)
{
    return 1;
}
"""


class Style(testing.Case):
    def setUp(self):
        super().setUp()
        shutil.copytree(os.path.join(testing.ROOT, "tests/style"), self.path("tests/style"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(os.path.join(testing.ROOT, ".clang-format"), self.path(".clang-format"))
        self.write("docs/ARCHITECTURE.md", ARCHITECTURE)
        self.write("docs/INVARIANTS.md", INVARIANTS)
        self.write("docs/SAFETY.md", SAFETY)
        self.write("agents/base/thing.h", HEADER)
        self.write("agents/base/thing.c", SOURCE)

    def style(self):
        return self.program([self.path("tests/style/run")], env={"BUILD": "build"})

    def finds(self, *texts):
        result = self.style()
        self.assertEqual(1, result.code, result.out)
        for text in texts:
            self.assertIn(text, result.out)

    def test_a_clean_tree_passes(self):
        self.ok(self.style())
        self.assertIn(" passed, 0 failed", self.style().out)

    def test_layers(self):
        self.write("agents/pg/rows.c", '#include "controller/cli/x.h"\n#include "nowhere.h"\n')
        self.write("controller/cli/x.h", HEADER.replace("AGENTS_BASE_THING", "CONTROLLER_CLI_X"))
        self.write("agents/new/thing.c", SOURCE)
        self.finds("agents/pg/rows.c:1: agents/pg may not use controller/cli",
                   "agents/pg/rows.c:2: include of nowhere.h, which is not there",
                   "agents/new/thing.c: its folder is not in the table")

    def test_a_cycle_in_the_table(self):
        self.write("docs/ARCHITECTURE.md", ARCHITECTURE.replace("| floor | - |", "| floor | `agents/pg` |"))
        self.finds("a cycle: agents/base -> agents/pg -> agents/base")

    def test_fences(self):
        self.write("agents/pg/rows.c", "#include <libpq-fe.h>\n#include <glib.h>\n#include <stdio.h>\n")
        self.finds("agents/pg/rows.c:1: <libpq-fe.h> stays inside agents/pg/connection*",
                   "agents/pg/rows.c:2: <glib.h> is not a library of this project")

    def test_promises(self):
        self.write("docs/ARCHITECTURE.md", ARCHITECTURE.replace("`thing_count()`", "`thing_gone()`"))
        self.write("docs/INVARIANTS.md", INVARIANTS.replace("thing.c: thing_count", "thing.c: thing_test") +
                   "| 2 | more | |\n")
        self.finds("no function thing_gone is defined", "no test thing_test in agents/base/thing.c",
                   "docs/INVARIANTS.md:6: a promise without a guard")
        self.write("docs/SAFETY.md", SAFETY.replace("thing_count", "thing_lost") + "| more | none |\n")
        self.finds("no test thing_lost in agents/base/thing.c", "docs/SAFETY.md:6: a promise without a guard")

    def test_commands(self):
        self.write("controller/cli/commands.c", '/* */\nstatic const char *const verbs[][1] = {\n    { "start", },\n};\n')
        self.write("controller/cli/start.c", '/* */\nstatic const char *const options[][2] = {\n    { "until", 0 },\n};\n')
        self.write("agents/agent/modes.c", "/* */\n")
        self.write("docs/USE.md", "# Use\n\n`flotilla start PLAN --until X`, `flotilla strat`, flotilla nothing\n\n"
                                  "    flotilla start --untli expand\n\n```\n$ flotilla fly\n```\n")
        self.finds('docs/USE.md:3: flotilla has no "strat"', "docs/USE.md:5: flotilla has no option --untli",
                   'docs/USE.md:8: flotilla has no "fly"')
        self.assertNotIn("nothing", self.style().out)

    def test_banned(self):
        self.write("agents/base/bad.c", SOURCE + """
static void bad(char *to, const char *from)
{
    strcpy(to, from); /* strcat() in a comment is nothing */
    printf("sprintf() in a text is nothing");
    goto out;
out:
    return;
}
""")
        self.finds("agents/base/bad.c:10: strcpy() is banned here",
                   "agents/base/bad.c:11: printf() is banned here",
                   "agents/base/bad.c:12: goto is banned")
        out = self.style().out
        self.assertNotIn("strcat", out)
        self.assertNotIn(" sprintf()", out)

    def test_sizes(self):
        body = "".join(f"    if (a == {i})\n        a++;\n" for i in range(40))
        self.write("agents/base/big.c", "int big(int a, int b, int c, int d, int e, int f);\n\n"
                   "int big(int a, int b, int c, int d, int e, int f)\n{\n" + body +
                   "    return a + b + c + d + e + f;\n}\n" + "\n/* x */\n" * 250)
        self.finds("agents/base/big.c:500:", "big: complexity 41 (limit 15)", "big: 8", "6 parameters")

    def test_headers(self):
        self.write("agents/base/alone.h", "int f(size_t n);\n")
        self.write("agents/base/fallible.h", HEADER.replace("THING", "FALLIBLE").replace(
            "int thing_count(void);", "struct error;\n_Bool x;\nbool f(int a, struct error *err);"))
        self.finds("agents/base/alone.h:1: no opening paragraph",
                   "agents/base/alone.h:1: no include guard",
                   "agents/base/alone.h:1: does not compile alone",
                   "f can fail and may be ignored")

    def test_format(self):
        self.write("agents/base/thing.c", SOURCE.replace("    return", "  return"))
        self.finds("agents/base/thing.c:4: not formatted")

    def test_words_and_places(self):
        self.write("docs/NOTES.md", "See [this](missing.md) and `agents/none.c`.\n")
        self.write("stray/file.txt", "a TO" "DO and /ro" "ot/x  \n")
        self.write("agents/base/string_utils.c", SOURCE)
        self.finds("docs/NOTES.md:1: link to missing.md, which does not exist",
                   "docs/NOTES.md:1: names agents/none.c",
                   "'stray' is not in the fixed top level",
                   "stray/file.txt:1: 'TO" "DO'", "stray/file.txt:1: a path of one machine",
                   "stray/file.txt:1: white space at the end",
                   "agents/base/string_utils.c: a file name that says nothing")


if __name__ == "__main__":
    unittest.main()
