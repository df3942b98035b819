"""The tree as the style checks see it: files, C text without comments, stamps, tables in docs."""

import functools
import hashlib
import os
import re
import shutil
import subprocess

BUILD = os.environ.get("BUILD", "build")


class Problem(Exception):
    """A check cannot run: a tool or a table that it needs is missing."""


def need(program):
    if not shutil.which(program):
        raise Problem(f"{program} is not installed; run deploy/install-deps")
    return program


def blank(text):
    """The same text with comments and the insides of literals as spaces; lines stay."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def spaces(match):
        found = match[0]
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)

    return re.sub(pattern, spaces, text, flags=re.S)


class Tree:
    @functools.cached_property
    def files(self):
        """Every file that is or could be committed."""
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"],
                                capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split("\0")
        else:
            names = [os.path.relpath(os.path.join(folder, name), ".")
                     for folder, _, found in os.walk(".") for name in found
                     if not folder.startswith(("./build", "./.git"))]
        return sorted({n for n in names if n and os.path.isfile(n)})

    @functools.cached_property
    def c_files(self):
        return [f for f in self.files if f.endswith((".c", ".h"))]

    @functools.cached_property
    def product(self):
        return [f for f in self.c_files if f.startswith(("agents/", "controller/"))]

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        return blank(self.text(path))

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        """[(line, is it in quotes, name)]"""
        found = []
        for number, line in enumerate(self.text(path).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
            if match:
                found.append((number, match[1] == '"', match[2]))
        return found

    @functools.lru_cache(maxsize=None)
    def closure(self, path):
        """The file and every file of ours that it includes, in the end."""
        seen, todo = set(), [path]
        while todo:
            one = todo.pop()
            if one in seen or not os.path.isfile(one):
                continue
            seen.add(one)
            todo += [name for _, quoted, name in self.includes(one) if quoted]
        return sorted(seen)

    def lines_matching(self, path, pattern, text=None):
        for number, line in enumerate((text or self.text(path)).splitlines(), 1):
            for match in re.finditer(pattern, line):
                yield number, match

    def table(self, title, path="docs/ARCHITECTURE.md"):
        """Rows (line, [cells]) of the first Markdown table below a heading with this title."""
        rows, inside = [], False
        for number, line in enumerate(self.text(path).splitlines(), 1):
            if line.startswith("#"):
                if inside and rows:
                    break
                inside = line.lstrip("# ").strip() == title
            elif inside and line.startswith("|"):
                rows.append((number, [c.strip() for c in line.strip().strip("|").split("|")]))
            elif inside and rows:
                break
        if len(rows) < 3:
            raise Problem(f"{path} has no table below the heading '{title}'")
        return rows[2:]


class Stamps:
    """Remembers what was clean, by content, so that only changes are checked again."""

    def __init__(self, name):
        self.folder = os.path.join(BUILD, "style", name)
        os.makedirs(self.folder, exist_ok=True)

    @staticmethod
    def digest(tree, paths, extra=""):
        total = hashlib.sha256(extra.encode())
        for path in paths:
            total.update(path.encode() + b"\0" + tree.text(path).encode())
        return total.hexdigest()

    def file(self, path):
        return os.path.join(self.folder, path.replace("/", "__"))

    def fresh(self, path, digest):
        try:
            with open(self.file(path), encoding="ascii") as file:
                return file.read() == digest
        except OSError:
            return False

    def keep(self, path, digest):
        with open(self.file(path), "w", encoding="ascii") as file:
            file.write(digest)
