"""Manifests: what loads, what is refused with which errors at which places, and what hurts.

good/*.yaml load. bad/*.yaml do not; each names its errors in comments at its end, as
`# error: LINE:COLUMN: message`. schemas/manifest.schema.json accepts and refuses the same files;
`# schema: ...` marks those that no schema can judge.
"""

import glob
import json
import os
import re
import unittest

import jsonschema
import yaml

import testing

HERE = os.path.join(testing.ROOT, "tests/golden/manifest")
FILES = {kind: sorted(glob.glob(f"{HERE}/{kind}/*.yaml")) for kind in ("good", "bad")}


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema: `yes` is text."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in [
        ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", "-+.0123456789")]:
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def manifest(services=1, team=2):
    lines = ["version: 1", "fleet: shop", "environments: [production]",
             "owners: { team: { members: [%s] } }" % ", ".join(f"p{i}" for i in range(team)),
             "services:"]
    for i in range(services):
        lines += [f"  s{i}:", "    owners: [team]", "    instances:", "      production:",
                  f"        - {{ name: s{i}-1, host: db{i % 50}.example.org }}",
                  f"    references: [\"a(b) -> s{(i * 7) % services}:c(d)\"]"]
    return "\n".join(lines) + "\n"


class Manifest(testing.Case):
    def errors(self, path):
        result = self.flotilla("validate", path)
        self.assertEqual(1, result.code, f"{path}: not refused")
        self.assertEqual("", result.out)
        prefix = path + ":"
        for line in result.err.splitlines():
            self.assertTrue(line.startswith(prefix), line)
        return [line[len(prefix):] for line in result.err.splitlines()]

    def test_good(self):
        for path in FILES["good"] + [f"{testing.ROOT}/deploy/samples/fleet.yaml"]:
            with self.subTest(path):
                result = self.ok(self.flotilla("validate", path))
                self.assertIn("the manifest of fleet", result.out)
                self.assertEqual("", result.err)

    def test_bad(self):
        self.assertGreaterEqual(len(FILES["bad"]), 60)
        for path in FILES["bad"]:
            with self.subTest(path):
                found = self.errors(path)
                self.marked(path, found)

    def test_schema_agrees(self):
        schema = json.loads(testing.read("schemas/manifest.schema.json"))
        jsonschema.Draft202012Validator.check_schema(schema)
        judge = jsonschema.Draft202012Validator(schema)
        judged = 0
        for kind, paths in FILES.items():
            for path in paths:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                if "# schema: not asked" in text:
                    continue
                with self.subTest(path):
                    judged += 1
                    says = judge.is_valid(yaml.load(text, Core))
                    self.assertEqual(kind == "good" or "# schema: cannot" in text, says)
        self.assertGreater(judged, 80)

    def test_all_errors_of_a_file(self):
        path = self.write("fleet.yaml", "version: 1\nfleet: x\nowners: {}\nenvironments: []\nservices: {}\n")
        self.assertEqual(3, len(self.errors(path)))

    def test_default_file_and_several(self):
        result = self.flotilla("validate")
        self.assertEqual(1, result.code)
        self.assertIn("fleet.yaml: No such file or directory", result.err)
        self.write("fleet.yaml", manifest())
        self.ok(self.flotilla("validate"))
        result = self.flotilla("validate", "fleet.yaml", self.write("empty.yaml", ""))
        self.assertEqual(1, result.code)
        self.assertIn("fleet.yaml: the manifest of fleet shop", result.out)
        self.assertIn("empty.yaml:1:1: the file is empty", result.err)

    def test_large(self):
        result = self.ok(self.flotilla("validate", self.write("fleet.yaml", manifest(5000))))
        self.assertIn("5000 services, 5000 instances", result.out)

    def test_many_mistakes_are_counted(self):
        text = manifest(5000).replace("owners: [team]", "owners: [taem]").replace("-> s", "-> x")
        found = self.errors(self.write("fleet.yaml", text))
        self.assertEqual(201, len(found))
        self.assertRegex(found[-1], r"^ \d+ more errors$")

    def test_hostile(self):
        laughs = "a0: &a0 [x, x]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))
        hostile = {
            "bomb.yaml": (laughs, "aliases make the file"),
            "bomb-in-services.yaml": (manifest() + "    health: &a [*a]\n", "inside of its own anchor"),
            "levels.yaml": ("fleet: " + "[" * 20000, "nested deeper than 64 levels"),
            "levels-block.yaml": ("- " * 20000, "nested deeper than 64 levels"),
            "big.yaml": ("# " + "x" * 10_000_000 + "\nfleet: x\n", "over the limit of 8388608 bytes"),
            "many.yaml": ("fleet:\n" + "- a\n" * 600_000, "more than 500000 values"),
            "binary.yaml": (bytes(range(256)), "the byte 0x00 is not UTF-8"),
            "elf.yaml": (open("/bin/true", "rb").read(), "is not UTF-8"),
            "utf16.yaml": ("fleet: x\n".encode("utf-16"), "is not UTF-8"),
            "two.yaml": (manifest() + "---\n" + manifest(), "a second document starts here"),
            "nul.yaml": ('fleet: "a\\0b"\n', "NUL"),
            "anchors.yaml": ("fleet: [" + ", ".join(f"&a{i} x" for i in range(100_000)) + "]\n" +
                             "services: 1\n", "fleet: expected text"),
        }
        for name, (content, expected) in hostile.items():
            with self.subTest(name):
                found = self.errors(self.write(name, content))
                self.assertIn(expected, "\n".join(found))
                self.assertNotIn("\x00", "\n".join(found))

    def test_changes(self):
        change = self.write("change.yaml", "title: x\nintents:\n  - drop_colum: { service: a }\n")
        self.assertIn("drop_column", "\n".join(self.errors(change)))
        self.assertTrue(self.errors(self.write("two.yaml", "title: x\nintents: []\nsql: {}\n")))
        hurt = "title: x\nintents: " + "[" * 20000
        self.assertIn("nested deeper", self.errors(self.write("deep.yaml", hurt))[0])

    def test_messages_are_short(self):
        for text in ("!" * 1_000_000, "x" * 1_000_000 + ": 1\n"):
            self.assertTrue(all(len(e) < 1500 for e in self.errors(self.write("long.yaml", text))))

    def test_pipe(self):
        fifo = self.path("pipe")
        os.mkfifo(fifo)
        holder = os.open(fifo, os.O_RDWR)
        self.addCleanup(os.close, holder)
        self.assertIn("no file that can be read twice", self.errors(fifo)[0])

    def test_folder_and_unreadable(self):
        self.assertIn("is not a file", self.errors(self.folder)[0])


class Init(testing.Case):
    def test_writes_what_validates(self):
        result = self.ok(self.flotilla("init", "new/shop"))
        self.assertIn("wrote new/shop/fleet.yaml", result.out)
        result = self.ok(self.flotilla("validate", "new/shop/fleet.yaml", "new/shop/change.yaml"))
        self.assertIn('new/shop/change.yaml: the change "Widen user ids": 1 intent\n', result.out)
        for name in ("fleet.yaml", "change.yaml", "allowed_signers"):
            self.assertTrue(os.path.exists(self.path("new/shop/" + name)))

    def test_overwrites_nothing(self):
        self.write("change.yaml", "mine\n")
        result = self.flotilla("init")
        self.assertEqual(1, result.code)
        self.assertIn("change.yaml is there already; nothing was written", result.err)
        self.assertEqual(["change.yaml"], os.listdir(self.folder))


if __name__ == "__main__":
    unittest.main()
