"""The statement model is right: every statement of tests/truth on a real PostgreSQL, its locks,
rewrites, scans and whether it runs in a transaction compared with what `flotilla lint` says.
`make truth` does the same on more versions."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "truth"), os.path.join(os.path.dirname(HERE), "lib")]
import truth  # noqa: E402
from fleet import PG  # noqa: E402

VERSION = int(PG.split("/")[-2])


class Truth(unittest.TestCase):
    def test_the_statement_model_is_what_the_server_does(self):
        compared, wrong = truth.judge(VERSION, "", lambda line: None)
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))
        self.assertGreater(compared, 1000)

    def test_every_version_knows_what_it_is_said_to_know(self):
        wrong = truth.judge_syntax(VERSION)
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
