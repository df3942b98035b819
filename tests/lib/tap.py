"""Runs one unittest file and prints its results as TAP, a line a test as it ends.

    python3 tests/lib/tap.py tests/scenario/test_x.py [TestClass.test_name ...]
"""

import importlib.util
import os
import signal
import sys
import time
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def line(self, word, test, note=""):
        self.number += 1
        seconds = time.monotonic() - getattr(self, "began", time.monotonic())
        name = test.id() if hasattr(test, "id") else str(test)
        print(f"{word} {self.number} - {name}{note} ({seconds:.1f} s)", flush=True)

    def wrong(self, test, err):
        self.line("not ok", test)
        text = self._exc_info_to_string(err, test)
        print("\n".join("# " + l for l in text.splitlines()), flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.wrong(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.wrong(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.wrong(subtest, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.line("ok", test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.line("not ok", test, " unexpected success")


def main():
    # A time limit ends in SIGTERM: let tearDown and atexit stop what the test started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM (time limit?)"))
    path = sys.argv[1]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    loader = unittest.defaultTestLoader
    if sys.argv[2:]:
        suite = loader.loadTestsFromNames(sys.argv[2:], module)
    else:
        suite = loader.loadTestsFromModule(module)
    result = TapResult()
    suite.run(result)
    print(f"1..{result.number}")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
