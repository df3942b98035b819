"""What happens to the controller's state: a full disk, damage, two drivers, a driver that slept."""

import ctypes
import os
import pathlib
import shutil
import signal
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from rolling import ROWS, SLOW_USERS, Rolling  # noqa: E402

LIBC = ctypes.CDLL(None, use_errno=True)


def mount(path, size):
    """True when there is a small file system at the path now."""
    os.makedirs(path, exist_ok=True)
    return os.geteuid() == 0 and LIBC.mount(
        b"tmpfs", str(path).encode(), b"tmpfs", 0, f"size={size}".encode()) == 0


class State(Rolling):
    schema = SLOW_USERS

    def once(self, *state):
        done = [e["step"] for e in self.events(*state) if e["event"] == "step_done"]
        self.assertTrue(done)
        self.assertEqual(len(done), len(set(done)), done)
        self.assertEqual(self.filled(), ROWS)

    # --- a full disk ---------------------------------------------------------------------------

    def test_a_full_disk_stops_clean_and_goes_on(self):
        small = pathlib.Path(self.fleet.dir) / "small"
        if not mount(small, "1m"):
            self.skipTest("needs root, and the right to mount")
        self.addCleanup(LIBC.umount2, str(small).encode(), 2)
        state = ("--state", str(small))
        self.signed()
        shutil.copy(self.state / "state.db", small)
        filler = small / "filler"

        # no room at all
        with open(filler, "wb", buffering=0) as f:
            while self.written(f, 4096):
                pass
        run = self.fleet.flotilla("start", "plan.yaml", *state)
        self.assertEqual(run.code, 1, run)
        self.assertIn("no space left", run.err)
        self.assertIn("hint:", run.err)
        self.assertEqual(self.filled(), 0)

        # room for a beginning: it gets full under the driver's hands
        os.truncate(filler, os.path.getsize(filler) - 250 * 1024)
        run = self.fleet.flotilla("start", "plan.yaml", *state)
        self.assertEqual(run.code, 1, run)
        self.assertIn("no space left", run.err)
        self.assertIn("flotilla resume", run.err)
        self.assertIn("part started", run.out)
        os.unlink(filler)
        run = self.fleet.flotilla("resume", *state)
        self.assertEqual(run.code, 3, run)
        self.assertIn("waits for the word of users", run.out)
        self.once(*state)

    @staticmethod
    def written(file, size):
        try:
            return file.write(b"x" * size) == size
        except OSError:
            return False

    # --- damage --------------------------------------------------------------------------------

    def at_the_gate(self):
        self.signed()
        self.fleet.ok("start", "plan.yaml", codes=(3,))

    def recovered(self):
        """What the error says to do works: the folder goes away, the journals know the rest."""
        shutil.rmtree(self.state)
        run = self.fleet.ok("recover", "plan.yaml")
        self.assertIn("aborted", run.out)
        run = self.fleet.ok("retry", codes=(3,))
        self.assertIn("waits for the word of users", run.out)
        self.assertEqual(self.filled(), ROWS)

    def test_a_truncated_state(self):
        self.at_the_gate()
        path = self.state / "state.db"
        os.truncate(path, path.stat().st_size // 2)
        for command in (["status"], ["resume"], ["start", "plan.yaml"]):
            run = self.fleet.flotilla(*command)
            self.assertEqual(run.code, 1, run)
            self.assertIn("damaged", run.err)
            self.assertIn("flotilla recover", run.err)
        self.recovered()

    def test_a_changed_event_stops_the_driver(self):
        self.at_the_gate()
        path = self.state / "state.db"
        content = path.read_bytes()
        self.assertIn(b'"event":"gate_opened"', content)
        path.write_bytes(content.replace(b'"event":"gate_opened"', b'"event":"gate_opemed"'))
        run = self.fleet.flotilla("resume")
        self.assertEqual(run.code, 1, run)
        self.assertIn("event chain is broken", run.err)
        self.assertIn("flotilla recover", run.err)

    def test_flipped_bits_are_found_or_harmless(self):
        self.at_the_gate()
        path = self.state / "state.db"
        content = path.read_bytes()
        refused = 0
        for at in range(17, len(content), len(content) // 25):
            changed = bytearray(content)
            changed[at] ^= 0x20
            path.write_bytes(changed)
            run = self.fleet.flotilla("status")
            self.assertIn(run.code, (0, 1, 3), run)
            if run.code == 1:
                refused += 1
                self.assertIn("hint:", run.err)
        self.assertGreater(refused, 0)
        path.write_bytes(b"\0" * len(content))
        run = self.fleet.flotilla("status")
        self.assertEqual(run.code, 1, run)
        self.assertIn("flotilla recover", run.err)

    # --- two drivers ---------------------------------------------------------------------------

    def test_two_starts_at_once(self):
        self.signed()
        both = [self.begin(), self.begin()]
        for process in both:
            code, out, err = self.ended(process)
            self.assertEqual(code, 3, out + err)
            self.assertIn("waits for the word of users", out)
        self.assertEqual([e["event"] for e in self.events()].count("rollout_started"), 1)
        self.once()

    def test_a_driver_that_slept_is_fenced(self):
        self.signed()
        old = self.begin()
        self.until("the backfill begins", lambda: self.filled() > 20)
        token = self.token()
        self.stop_between_writes(old)
        time.sleep(6.5)  # longer than a lease lasts
        new = self.begin("resume")
        self.until("the other one drives", lambda: self.token() > token)
        old.send_signal(signal.SIGCONT)
        code, out, err = self.ended(old)
        self.assertEqual(code, 3, out + err)
        self.assertRegex(err, "took over|lease was lost")
        code, out, err = self.ended(new)
        self.assertEqual(code, 3, out + err)
        self.once()

    def stop_between_writes(self, process):
        """One that is stopped inside of a transaction keeps everybody else from writing."""
        while True:
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.1)
            locks = pathlib.Path("/proc/locks").read_text()
            if not any(f"WRITE {process.pid} " in line for line in locks.splitlines()):
                return
            process.send_signal(signal.SIGCONT)
            time.sleep(0.03)

    def token(self):
        db = sqlite3.connect(f"file:{self.state}/state.db?mode=ro", uri=True)
        try:
            return db.execute("SELECT token FROM lease").fetchone()[0]
        finally:
            db.close()


if __name__ == "__main__":
    unittest.main()
