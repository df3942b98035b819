"""What all commands have in common: help that can be copied, usage errors that end with 1, and quiet."""

import re
import subprocess
import unittest

import testing

ROW = re.compile(r'^    \{ "([a-z]+)", command_', re.M)
VERBS = ROW.findall(testing.read("controller/cli/commands.c"))
SHARED = ("--manifest", "none.yaml", "--env", "e", "--service", "s", "--state", "none", "--timeout", "3s",
          "--format", "text", "--no-color")


class Commands(testing.Case):
    def test_help(self):
        self.assertGreater(len(VERBS), 25)
        for verb in VERBS:
            with self.subTest(verb):
                run = self.ok(self.flotilla(verb, "--help"))
                self.assertEqual("", run.err)
                self.assertRegex(run.out, rf"Examples?:\n  flotilla {verb}\b")
                self.assertEqual(run.out, self.ok(self.flotilla("help", verb)).out)
                for line in re.findall(r"^  flotilla (\w+)", run.out, re.M):
                    self.assertIn(line, VERBS)

    def test_usage(self):
        for verb in VERBS:
            with self.subTest(verb):
                run = self.flotilla(verb, "--no-such-option")
                self.assertEqual((1, ""), (run.code, run.out))
                self.assertIn("--no-such-option", run.err)
                self.assertIn(f"flotilla {verb} --help", run.err)
                run = self.flotilla(verb, "--format", "papyrus")
                self.assertEqual((1, ""), (run.code, run.out))
                self.assertIn("there are: text", run.err)

    def test_shared_flags_are_taken_everywhere(self):
        for verb in VERBS:
            with self.subTest(verb):
                run = self.flotilla(verb, *SHARED)
                self.assertNotIn("unrecognized option", run.err)
                self.assertNotIn("is not known here", run.err)

    def test_what_does_not_exist(self):
        run = self.flotilla("strat")
        self.assertEqual((1, ""), (run.code, run.out))
        self.assertIn("did you mean `flotilla start`?", run.err)
        for words in (("show", "none.yaml"), ("start", "none.yaml"), ("draft", "none.yaml"), ("status",), ("doctor",),
                      ("diff", "a.yaml", "b.yaml"), ("approve", "none.yaml", "--as", "x"), ("validate", "none.yaml"),
                      ("graph", "--catalog", "none.json"), ("recover", "none.yaml")):
            with self.subTest(words):
                run = self.flotilla(*words)
                self.assertEqual((1, ""), (run.code, run.out))
                self.assertRegex(run.err, r"none\.|a\.yaml|fleet\.yaml|no rollout here")

    def test_a_closed_pipe_is_quiet(self):
        with subprocess.Popen([testing.FLOTILLA, "lint", "--list-rules"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            run.stdout.close()
            self.assertEqual(b"", run.stderr.read())


if __name__ == "__main__":
    unittest.main()
