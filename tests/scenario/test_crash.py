"""The short form of `make crash`: two rollouts under kills."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from crash import Crash  # noqa: E402  pylint: disable=wrong-import-position


class Kills(unittest.TestCase):
    def test_rollouts_under_kills_end_as_undisturbed_ones(self):
        crash = Crash(seed=7)
        self.addCleanup(crash.stop)
        crash.rollout("rename", kills=10, back=True)
        crash.rollout("widen", kills=10, back=False)
        self.assertGreaterEqual(sum(crash.kills.values()), 10, crash.kills)


if __name__ == "__main__":
    unittest.main()
