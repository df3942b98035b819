"""The demo itself, short: the script that a newcomer runs, in a place of its own; and README's tour of it."""

import os
import re
import signal
import subprocess
import sys
import time
import unittest
import zlib

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import TOP  # noqa: E402  pylint: disable=wrong-import-position
from keeper import descendants, started  # noqa: E402  pylint: disable=wrong-import-position

# One place for each checkout: what a killed run of this test left there is cleaned by the next one.
PLACE = f"/var/tmp/flotilla-demo-{os.getuid()}-{zlib.crc32(TOP.encode()):08x}"
# Few rows and clients, and next to no waiting: what is judged is the same as in the long one.
SHORT = {"DEMO_DIR": PLACE, "ROWS": "2000", "CONTROL": "1", "CLIENTS": "4", "PAUSE": "0.3", "FSYNC": "off",
         "NO_COLOR": "1"}


def demo(program, **more):
    return subprocess.Popen([os.path.join(TOP, "deploy", "demo", program)], env={**os.environ, **SHORT},
                            stdin=subprocess.DEVNULL, text=True, errors="replace", **more)


def clean():
    child = demo("clean", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return child.communicate()[0], child.returncode


def keeper():
    """What keeps the servers, and they: {pid: when it started}."""
    with open(os.path.join(PLACE, "keeper"), encoding="utf-8") as f:
        pid = int(f.read().split()[0])
    return {p: started(p) for p in descendants(pid) | {pid}}


def tour():
    """README's tour: [(command, the lines that it is said to print)]."""
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as f:
        text = f.read().split("## A five-minute tour", 1)[1].split("\n## ", 1)[0]
    commands = []
    for block in re.findall(r"(?ms)^```\n(.*?)^```", text):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def alike(line):
    """A line without what differs from run to run: ids, times, numbers of rows, who typed it."""
    line = re.sub(r"\b(r-)?[0-9a-f]{8,}\b", "ID", line)
    line = re.sub(r"\d[\d,.:]*( (ms|s|B|kB|MB|GB)\b)?", "N", line)
    line = re.sub(r", (waited N|N left|N rows?|N/s)", "", line)
    return " ".join(re.sub(r" by \w+$", " by SOMEBODY", line).split())


class Demo(unittest.TestCase):
    def setUp(self):
        self.addCleanup(clean)

    def killed(self):
        """A demo that is killed while its servers are made."""
        child = demo("run", stdout=subprocess.DEVNULL, start_new_session=True)
        while child.poll() is None and not os.path.exists(os.path.join(PLACE, "hosts", "db1", "data")):
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, child.wait())

    def test_over_one_that_was_killed_to_the_end_and_gone(self):
        self.killed()
        child = demo("run", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out, _ = child.communicate()
        self.assertEqual(0, child.returncode, out)
        for words in ("12 services, ", " 0 failed and 0 wrong of ", "checksums equal", "was refused, "):
            self.assertIn(words, out.split("\nThe fleet goes on running")[0].splitlines()[-1], out)
        self.tour()
        servers = keeper()
        self.assertGreater(len(servers), 3 * 5)     # three clusters and an sshd
        self.assertEqual(("the demo is stopped and removed\n", 0), clean())
        self.assertEqual({}, {p: s for p, s in servers.items() if started(p) == s})
        self.assertFalse([n for n in os.listdir("/var/tmp") if n.startswith(os.path.basename(PLACE))])
        self.assertEqual(("there is nothing to stop\n", 0), clean())

    def tour(self):
        """Every command is typed as it stands in the README, and prints what stands there."""
        before = ""
        for command, expected in tour():
            command = command.replace("/var/tmp/flotilla-demo-$(id -u)", PLACE)
            run = subprocess.run(["bash", "-c", before + command], capture_output=True, text=True, errors="replace",
                                 stdin=subprocess.DEVNULL, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
            before += command + "; " if command.startswith("cd ") else ""
            self.assertIn(run.returncode, (0, 3), f"$ {command}\n{run.stdout}{run.stderr}")
            printed = iter(alike(line) for line in (run.stdout + run.stderr).splitlines())
            for line in expected:
                if line.strip() != "…" and " progress " not in line:
                    self.assertTrue(any(alike(line) == p for p in printed),
                                    f"$ {command}\ndoes not print, or not there:\n{line}\nbut:\n{run.stdout}{run.stderr}")


if __name__ == "__main__":
    unittest.main()
