"""What tests of programs share: running one, a folder of its own, golden files. fleet.py has servers.

    import testing

    class Validate(testing.Case):
        def test_unknown_key(self):
            result = self.flotilla("validate", self.write("fleet.yaml", "fleets: x\\n"))
            self.assertEqual(1, result.code)
            self.assertIn("fleet.yaml:1:1", result.err)
            self.golden("tests/golden/manifest/unknown-key.txt", result.err)

Paths are absolute; the current folder is the test's own, so that nothing lands in the tree.
"""

import os
import re
import shutil
import subprocess
import tempfile
import types
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("FLOTILLA_BUILD", "build"))
FLOTILLA = os.path.join(BUILD, "flotilla")
AGENT = os.path.join(BUILD, "flotilla-agent")
# A program that does not end is stopped after this many seconds; no test waits for it on purpose.
PATIENCE = 120 * float(os.environ.get("TIMEOUT_FACTOR", "1"))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


class Case(unittest.TestCase):
    """A test with a folder of its own (self.folder), below /var/tmp so that others may read it."""

    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="flotilla-test-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def program(self, command, stdin="", env=None, timeout=PATIENCE):
        """Runs to the end; the result has code, out and err. A signal is a negative code."""
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=self.folder,
                              timeout=timeout, env={**os.environ, "NO_COLOR": "1", **(env or {})},
                              errors="replace", check=False)
        return types.SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    def flotilla(self, *arguments, **options):
        return self.program([FLOTILLA, *arguments], **options)

    def agent(self, *arguments, **options):
        return self.program([AGENT, *arguments], **options)

    def ok(self, result):
        """The result of a program that had to succeed."""
        self.assertEqual(0, result.code, f"stdout:\n{result.out}\nstderr:\n{result.err}")
        return result

    def golden(self, path, text):
        """Compares with a file of the tree; UPDATE=1 writes it instead."""
        whole = os.path.join(ROOT, path)
        if os.environ.get("UPDATE"):
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "w", encoding="utf-8") as file:
                file.write(text)
        self.assertTrue(os.path.exists(whole), f"{path} is missing: UPDATE=1 writes it")
        self.assertMultiLineEqual(read(path), text, f"{path} differs; UPDATE=1 rewrites it")

    def marked(self, path, found):
        """Compares what was found in a file with its lines `# error: …`; UPDATE=1 writes those."""
        text = read(path)
        if os.environ.get("UPDATE"):
            text = re.sub(r"^# error: .*\n", "", text, flags=re.M)
            text += "".join(f"# error: {line}\n" for line in found)
            with open(os.path.join(ROOT, path), "w", encoding="utf-8") as file:
                file.write(text)
        self.assertEqual(re.findall(r"^# error: (.*)$", text, flags=re.M), found)
