"""The way back while a host cannot be reached: what can be undone is, the rest is named and undone on its return."""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))
from fleet import Fleet  # noqa: E402  pylint: disable=wrong-import-position

USERS = """
CREATE TABLE users (id int PRIMARY KEY, email text NOT NULL);
INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, 500) n; ANALYZE;
"""
ORDERS = """
CREATE TABLE orders (id int PRIMARY KEY, user_id int NOT NULL, what text);
INSERT INTO orders SELECT n, n, 'o' || n FROM generate_series(1, 500) n; ANALYZE;
"""
APART = """
title: Two that have nothing to do with each other
author: tester
intents:
  - rename_column: { service: users, table: users, column: email, to: address }
  - rename_column: { service: orders, table: orders, column: what, to: item }
"""
TIED = """
title: Widen user ids
author: tester
intents:
  - change_type: { service: users, table: users, column: id, to: bigint }
"""
SERVICES = ("users", "orders")


class Away(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = Fleet(transport="ssh")
        f.host("db1")
        f.host("db2", cluster="db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("users", host="db1", owners=["team"], schema=USERS)
        f.service("orders", host="db2", owners=["team"], schema=ORDERS,
                  references=["orders(user_id) -> users:users(id)"])
        f.start()
        cls.addClassCleanup(f.stop)

    def begun(self, change):
        """Expand and migrate are done everywhere."""
        f = self.fleet
        for service in SERVICES:
            f.reset(service)
        self.before = {s: (f.catalog(s), f.rows(s)) for s in SERVICES}
        f.write("change.yaml", change)
        f.ok("draft", "change.yaml", "-o", "plan.yaml")
        f.ok("rehearse", "plan.yaml")
        f.approve("plan.yaml")
        f.ok("start", "plan.yaml", codes=(3,))

    def reachable(self, *names):
        f, hosts = self.fleet, self.fleet.hosts
        f.sshd_stop()
        f.hosts = {name: hosts[name] for name in names}
        try:
            f.sshd_start()
        finally:
            f.hosts = hosts

    def is_as_before(self, service):
        return (self.fleet.catalog(service), self.fleet.rows(service)) == self.before[service]

    def tasks(self):
        status = json.loads(self.fleet.flotilla("status", "--format", "json").out)
        return status["status"], {(t["instance"], t["phase"]): t["status"] for t in status["tasks"] if t["started"]}

    def back_without(self, host):
        self.reachable(*(h for h in self.fleet.hosts if h != host))
        self.addCleanup(self.reachable, *self.fleet.hosts)
        run = self.fleet.flotilla("rollback", "--timeout", "3s")
        self.assertEqual(run.code, 1, run)
        return run

    def comes_back(self):
        self.reachable(*self.fleet.hosts)
        self.fleet.ok("retry")
        self.assertEqual(self.tasks()[0], "rolled_back")
        for service in SERVICES:
            self.assertTrue(self.is_as_before(service), service)

    def test_what_can_be_undone_is(self):
        self.begun(APART)
        run = self.back_without("db2")
        self.assertTrue(self.is_as_before("users"), "the host that is there goes back, through all phases")
        self.assertFalse(self.is_as_before("orders"))
        status, tasks = self.tasks()
        self.assertEqual(status, "failed")
        self.assertEqual({i for i, _ in tasks}, {"orders-1"}, tasks)
        said = self.fleet.flotilla("status").out
        self.assertIn("not undone: orders-1 (expand), orders-1 (migrate)", said)
        self.assertIn("flotilla retry", said)
        self.assertIn("db2" if "db2" in said else self.fleet.hosts["db2"].address, said + run.err)
        self.comes_back()

    def test_what_rests_on_the_one_that_is_away_waits(self):
        self.begun(TIED)
        self.back_without("db2")
        _, tasks = self.tasks()
        away = [p for p in ("migrate", "expand") if tasks.get(("orders-1", p), "undone") != "undone"]
        self.assertTrue(away, tasks)
        for phase in ("expand", "migrate"):
            if any(("expand", "migrate").index(p) > ("expand", "migrate").index(phase) for p in away):
                self.assertNotEqual(tasks.get(("users-1", phase)), "undone", tasks)
        self.comes_back()


if __name__ == "__main__":
    unittest.main()
