"""What must not stand in any text file: paths of one machine, notes to self, stray white space."""

import re

# Written apart so that this file passes its own check.
NOTES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
MACHINE = re.compile(r"(?<![\w.~-])/(work|root)/\w")
BINARY = (".gz", ".zst", ".png", ".jpg", ".db", ".sqlite", ".woff2", ".ico", ".bin")
# Text whose bytes are data.
DATA = ("tests/golden/", "tests/fuzz/corpus/", "LICENSE")


def check(tree):
    for path in tree.files:
        if path.endswith(BINARY):
            continue
        text = tree.text(path)
        if "\0" in text:
            if not path.startswith(DATA):
                yield path, 0, "a binary file", "generate it, or put it below tests/golden"
            continue
        for number, match in tree.lines_matching(path, NOTES):
            yield path, number, f"'{match[0]}'", "do it, or open an issue"
        for number, match in tree.lines_matching(path, MACHINE):
            yield path, number, f"a path of one machine ({match[0]}…)", "derive it, or make it an option"
        if path.startswith(DATA) or "\r\n" in text:
            continue
        for number, _ in tree.lines_matching(path, r"[ \t]+$"):
            if not path.endswith(".md"):
                yield path, number, "white space at the end of the line", "remove it"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end", "add one"
