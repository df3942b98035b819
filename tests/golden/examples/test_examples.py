"""The example changes are what they say: valid, and plans over the catalogs of the compiler's tests."""

import glob
import json
import os
import re
import unittest

import testing

EXAMPLES = sorted(glob.glob(os.path.join(testing.ROOT, "plans/examples/*.yaml")))
WORLD = "tests/golden/compile"


class Examples(testing.Case):
    def test_they_are_valid(self):
        self.assertTrue(EXAMPLES)
        self.ok(self.flotilla("validate", *EXAMPLES))

    def test_they_become_plans(self):
        saved = [word for name in ("users", "orders") for word in
                 ("--catalog", f"{name}={testing.ROOT}/{WORLD}/{name}.json")]
        self.write("fleet.yaml", testing.read(f"{WORLD}/fleet.yaml"))
        for path in EXAMPLES:
            with self.subTest(os.path.basename(path)):
                plan = json.loads(self.ok(self.flotilla("draft", path, *saved, "--format", "json")).out)
                steps = [step for phase in plan["phases"] for part in phase["services"] for step in part["steps"]]
                self.assertTrue(steps)

    def test_each_is_told_of(self):
        listed = re.findall(r"^\| \[([^]]+)\]", testing.read("plans/examples/README.md"), re.M)
        self.assertEqual(sorted(listed), [os.path.basename(path) for path in EXAMPLES])


if __name__ == "__main__":
    unittest.main()
