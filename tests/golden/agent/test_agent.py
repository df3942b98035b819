"""agent.yaml: good/ loads, bad/ is refused with the errors in its comments, the schema says the same.

And the protocol as a process speaks it: what schemas/wire.schema.json promises, and that an agent
ends, without a crash, whatever comes in. UPDATE=1 rewrites the comments.
"""

import glob
import json
import os
import select
import struct
import subprocess
import unittest

import jsonschema
import yaml

import testing

HERE = os.path.join(testing.ROOT, "tests/golden/agent")
FILES = {kind: sorted(glob.glob(f"{HERE}/{kind}/*.yaml")) for kind in ("good", "bad")}
GOOD = os.path.join(HERE, "good/small.yaml")


def judge(name):
    schema = json.loads(testing.read(f"schemas/{name}.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Config(testing.Case):
    def problems(self, path):
        """The agent speaks before it reads: its first words say whether the file is good."""
        with open(path, encoding="utf-8") as source:
            copy = self.write("agent.yaml", source.read())
        run = self.program([testing.AGENT, "--config", copy, "check"])
        return [line.removeprefix(copy + ":") for line in run.err.splitlines() if line.startswith(copy + ":")]

    def test_good(self):
        for path in FILES["good"]:
            with self.subTest(path):
                self.assertEqual([], self.problems(path))

    def test_bad(self):
        self.assertGreaterEqual(len(FILES["bad"]), 5)
        for path in FILES["bad"]:
            with self.subTest(path):
                found = self.problems(path)
                self.assertTrue(found)
                self.marked(path, found)

    def test_schema_agrees(self):
        schema = judge("agent")
        for kind, paths in FILES.items():
            for path in paths:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                with self.subTest(path):
                    says = schema.is_valid(yaml.safe_load(text))
                    self.assertEqual(kind == "good" or "# schema: cannot" in text, says)


def frame(value, more=False):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return struct.pack(">I", len(data) | (0x80000000 if more else 0)) + data


HELLO = {"hello": {"protocol_min": 1, "protocol_max": 1, "program": "test", "version": "1",
                   "capabilities": [], "host": {}}}


class Wire(testing.Case):
    def setUp(self):
        super().setUp()
        with open(GOOD, encoding="utf-8") as source:
            self.config = self.write("agent.yaml", source.read())

    def talk(self, data, config=None):
        """Sends bytes, closes, and gives the agent's messages and exit code."""
        with subprocess.Popen([testing.AGENT, "--config", config or self.config, "serve"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.folder, env={**os.environ, "SSH_ORIGINAL_COMMAND": "rm -rf /"}) as p:
            out, err = p.communicate(data, timeout=testing.PATIENCE)
        self.assertNotIn(b"Sanitizer", err)
        messages, at = [], 0
        while at < len(out):
            size, = struct.unpack(">I", out[at:at + 4])
            messages.append(json.loads(out[at + 4:at + 4 + size]))
            at += 4 + size
        schema = judge("wire")
        for message in messages:
            schema.validate(message)
        return messages, p.returncode

    def test_conversation(self):
        calls = [("hello", {}), ("doctor", {"database": "nowhere"}), ("doctor", {}), ("dance", {}),
                 ("inspect", {"database": "users"}), ("bye", {})]
        data = frame(HELLO) + b"".join(
            frame({"id": i + 1, "op": op, "args": args}) for i, (op, args) in enumerate(calls))
        messages, code = self.talk(data + b"after bye nothing is read")
        self.assertEqual(0, code)
        self.assertEqual([0, 1, 2, 3, 4, 5, 6], [m.get("id", 0) for m in messages])
        self.assertEqual(["users"], messages[1]["result"]["databases"])
        self.assertEqual(["not_found", "invalid", "unsupported"],
                         [m["error"]["code"] for m in messages[2:5]])
        self.assertIn(messages[5]["error"]["code"], ("connect", "database"))
        self.assertEqual({"id": 6, "ok": True, "result": {}}, messages[6])
        known = {op for op, _ in calls if op != "dance"}
        self.assertLessEqual(known, set(messages[0]["hello"]["capabilities"]))

    def test_end_of_input_ends_it(self):
        messages, code = self.talk(frame(HELLO))
        self.assertEqual((1, 0), (len(messages), code))
        _, code = self.talk(b"")
        self.assertEqual(1, code)

    def test_hostile_controllers(self):
        deep = b'{"id":1,"op":"hello","args":' + b'{"a":' * 5000
        for name, data in {
                "huge": struct.pack(">I", 0x7fffffff) + b"x" * 100,
                "zero": struct.pack(">I", 0),
                "text": b"GET / HTTP/1.1\r\n\r\n",
                "json": frame(b"{nonsense"),
                "deep": frame(deep),
                "binary": frame(bytes(range(256))),
                "twice": frame(b'{"id":1,"id":1,"op":"hello","args":{}}'),
                "backwards": frame({"id": 2, "op": "hello", "args": {}}) + frame({"id": 2, "op": "hello", "args": {}}),
                "event": frame({"id": 1, "event": {}}),
                "args": frame({"id": 1, "op": "hello", "args": []}),
                "chunks": frame(b'{"id":1,', True) + struct.pack(">I", 0x80000000),
        }.items():
            with self.subTest(name):
                messages, code = self.talk(frame(HELLO) + data)
                self.assertEqual(1, code)
                self.assertEqual((0, "protocol"), (messages[-1]["id"], messages[-1]["error"]["code"]))

    def test_a_stranger_is_told(self):
        for first in (HELLO | {"hello": HELLO["hello"] | {"protocol_min": 7, "protocol_max": 9}},
                      {"id": 1, "op": "hello", "args": {}}, {"hello": {}}):
            messages, code = self.talk(frame(first))
            self.assertEqual(1, code)
            self.assertFalse(messages[-1]["ok"])

    def test_truncated_everywhere(self):
        whole = frame(HELLO) + frame({"id": 1, "op": "hello", "args": {}})
        for cut in range(0, len(whole), 7):
            _, code = self.talk(whole[:cut])
            self.assertIn(code, (0, 1))

    def test_a_broken_file_is_reported_to_the_controller(self):
        path = self.write("broken.yaml", "databases: {}\npolcy: 1\n")
        messages, code = self.talk(frame(HELLO), path)
        self.assertEqual(1, code)
        self.assertIn("broken.yaml:", messages[0]["error"]["message"])

    def test_a_chunked_request(self):
        data = json.dumps({"id": 1, "op": "hello", "args": {"x": "y" * 100}}).encode()
        pieces = [data[i:i + 10] for i in range(0, len(data), 10)]
        messages, code = self.talk(frame(HELLO) + b"".join(
            frame(piece, i < len(pieces) - 1) for i, piece in enumerate(pieces)))
        self.assertEqual(0, code)
        self.assertTrue(messages[1]["ok"])

    def test_a_controller_that_reads_nothing(self):
        """It goes away in the middle: the agent must not stay."""
        with subprocess.Popen([testing.AGENT, "--config", self.config, "serve"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder) as p:
            p.stdin.write(frame(HELLO) + b"".join(
                frame({"id": i + 1, "op": "hello", "args": {}}) for i in range(2000)))
            p.stdin.flush()
            select.select([p.stdout], [], [], testing.PATIENCE)
            p.stdout.close()
            p.stdin.close()
            self.assertIn(p.wait(testing.PATIENCE), (0, 1))


if __name__ == "__main__":
    unittest.main()
