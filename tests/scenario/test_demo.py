"""The demo itself, short: the script that a newcomer runs, in a place of its own."""

import os
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
SHORT = {"DEMO_DIR": PLACE, "ROWS": "2000", "CONTROL": "1", "CLIENTS": "4", "PAUSE": "0.5", "NO_COLOR": "1"}


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
        servers = keeper()
        self.assertGreater(len(servers), 3 * 5)     # three clusters and an sshd
        self.assertEqual(("the demo is stopped and removed\n", 0), clean())
        self.assertEqual({}, {p: s for p, s in servers.items() if started(p) == s})
        self.assertFalse([n for n in os.listdir("/var/tmp") if n.startswith(os.path.basename(PLACE))])
        self.assertEqual(("there is nothing to stop\n", 0), clean())


if __name__ == "__main__":
    unittest.main()
