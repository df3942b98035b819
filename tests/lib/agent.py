"""An agent spoken to directly, with parts made and signed by the test. Needs a started Fleet:

    agent = Agent(fleet, "db1")                   # `flotilla-agent serve` as a child
    part = Part(fleet, "users", "expand", [
        dict(kind="statement", up=["ALTER TABLE …"], down=["…"], transaction=True, tags=["additive"])])
    run = agent.run(part, rollout="r1", fence=1)  # signed by every owner unless approvals=
    run.state, run.error, run.events              # after its end
    agent.call("state", database="users")         # any operation; raises AgentError

AgentCase is a test class with such an agent on a fleet of the service users (schema), fresh for each test.

Steps get their ids (PHASE/SERVICE/N). Part.digest is computed here, on its own, from the plan
format's words: the agent must come to the same.
"""

import hashlib
import json
import os
import signal
import subprocess
import time
import unittest

from fleet import of_users

SIGNED = ["id", "kind", "up", "down", "irreversible", "transaction", "probe", "tags", "locks", "batch", "check",
          "of", "key", "columns", "current", "inverse", "for", "from"]


def canonical(value):
    """RFC 8785 for what a part holds: no floating-point numbers, keys in the basic plane."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class AgentError(Exception):
    def __init__(self, error):
        super().__init__(f"{error.get('code')}: {error.get('message')} ({error.get('hint', '')})")
        self.code, self.error = error.get("code"), error


class Part:
    def __init__(self, fleet, service, phase, steps, plan="p1", catalog=None, health=None,
                 author="kim@example.org", **more):
        place = fleet.services[service]
        self.fleet, self.service, self.phase = fleet, service, phase
        for number, step in enumerate(steps, 1):
            step.setdefault("id", f"{phase}/{service}/{number}")
            step.setdefault("transaction", step["kind"] == "statement")
            step.setdefault("tags", ["neutral"])
        self.json = dict({
            "fleet": fleet.name, "environment": fleet.environment, "plan": plan, "author": author,
            "phase": phase, "service": service, "instances": list(place.instances),
            "catalog": catalog or {}, "approvals": {"need": 1, "from": place.owners},
            "steps": steps}, **more)
        if health:
            self.json["health"] = {"sql": health}
        self.json["digest"] = self.digest()

    def digest(self):
        keys = ["fleet", "environment", "plan", "author", "phase", "service", "instances", "catalog", "health"]
        signed = {k: self.json[k] for k in keys if k in self.json}
        signed["steps"] = [{k: s[k] for k in SIGNED if k in s and (s[k] or k in ("transaction", "tags"))}
                           for s in self.json["steps"]]
        return "sha256:" + hashlib.sha256(canonical(signed).encode()).hexdigest()

    def sign(self, *people, at=None, digest=None):
        """Approvals as the wire carries them."""
        people = people or sorted(p for team in self.fleet.services[self.service].owners
                                  for p in self.fleet.teams[team])
        at = at or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        found = []
        for person in people:
            j = self.json
            text = "\n".join(["flotilla-approval-v1", j["fleet"], j["environment"], j["plan"], j["phase"],
                              j["service"], digest or self.digest(), person, at]) + "\n"
            done = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "flotilla", "-f", self.fleet.key(person)],
                                  input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
            found.append({"signer": person, "signed_at": at, "signature": done.stdout.decode()})
        return found


class Run:
    def __init__(self, agent, name):
        self.agent, self.name, self.events, self.result = agent, name, [], None

    @property
    def state(self):
        return self.result["state"] if self.result else None

    @property
    def error(self):
        return (self.result or {}).get("error", {})

    def named(self, event):
        return [e for e in self.events if e["event"] == event]

    def wait(self):
        """Listens to its end. An agent that dies raises ConnectionError; a killed runner AgentError."""
        after = self.events[-1]["seq"] if self.events else 0
        self.result = self.agent.call("attach", _events=self.events.append, run=self.name, after=after)
        return self

    def until(self, event, timeout=60):
        """Waits for an event by reading the spool, without a conversation."""
        path = os.path.join(self.agent.spool, "runs", self.name, "events")
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    for line in f:
                        if line.endswith("\n") and json.loads(line)["event"] == event:
                            return json.loads(line)
            time.sleep(0.005)
        raise AssertionError(f"no {event} within {timeout} s")

    def control(self, action, **more):
        return self.agent.call("control", run=self.name, action=action, **more)


class Agent:
    def __init__(self, fleet, host):
        self.fleet, self.host = fleet, fleet.hosts[host]
        self.spool = os.path.join(fleet.dir, "hosts", host, "spool")
        self.program = None
        self.id = 0
        self.start()

    def words(self):
        return [self.fleet.agent_program, "--config", self.host.agent_yaml, "serve"]

    def start(self):
        self.program = subprocess.Popen(
            self.words(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=self.fleet.environment_of_commands())
        self.id = 0
        self._write({"hello": {"protocol": {"min": 1, "max": 1}, "protocol_min": 1, "protocol_max": 1,
                               "program": "flotilla", "version": "test", "capabilities": [], "host": {}}})
        self.hello = self._read()["hello"]

    def stop(self):
        if self.program:
            self.program.stdin.close()
            self.program.wait(20)
            self.program.stdout.close()
            self.program = None

    def kill(self):
        self.program.kill()
        self.program.wait()
        self.program.stdin.close()
        self.program.stdout.close()
        self.start()

    def _write(self, message):
        data = json.dumps(message).encode()
        self.program.stdin.write(len(data).to_bytes(4, "big") + data)
        self.program.stdin.flush()

    def _read(self):
        data, more = b"", True
        while more:
            head = self.program.stdout.read(4)
            if len(head) < 4:
                raise ConnectionError("the agent ended")
            size = int.from_bytes(head, "big")
            more, size = bool(size >> 31), size & 0x7FFFFFFF
            data += self.program.stdout.read(size)
        return json.loads(data)

    def call(self, op, _events=None, **args):
        self.id += 1
        self._write({"id": self.id, "op": op, "args": args})
        while True:
            message = self._read()
            if "event" in message:
                if _events:
                    _events(message["event"])
            elif message.get("ok"):
                return message["result"]
            else:
                raise AgentError(message["error"])

    def ask(self, part, rollout="r1", fence=1, approvals=None, database=None, **more):
        """Starts (or finds) the run, and does not wait."""
        place = self.fleet.services[part.service]
        args = dict({"database": database or place.database, "rollout": rollout, "fence": fence,
                     "part": part.json, "approvals": part.sign() if approvals is None else approvals}, **more)
        return Run(self, self.call("run", **args)["run"])

    def run(self, part, **more):
        return self.ask(part, **more).wait()

    def back(self, part, **more):
        return self.run(part, direction="back", **more)

    def runner_pid(self, run):
        """The pid of the process that carries the run out; None when there is none."""
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as f:
                    words = f.read().split(b"\0")
                if name.isdigit() and b"runner" in words and run.name.encode() in words:
                    return int(name)
            except OSError:
                pass
        return None


class AgentCase(unittest.TestCase):
    schema = None  # SQL of the service users

    @classmethod
    def setUpClass(cls):
        cls.fleet = of_users(cls, cls.schema)

    def setUp(self):
        self.fleet.reset("users")
        self.agent = Agent(self.fleet, "db1")
        self.addCleanup(self.end_agents)
        self.rollout = self.id().rsplit(".", 1)[1]

    def end_agents(self):
        self.agent.stop()
        for pid in self.fleet.agent_pids():
            os.kill(pid, signal.SIGKILL)

    def value(self, sql):
        return self.fleet.value("users", sql)
