"""The demo's fleet and its traffic: the clients notice every kind of damage that they should."""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "lib"),
                os.path.join(os.path.dirname(os.path.dirname(HERE)), "deploy", "demo")]
import shop  # noqa: E402  pylint: disable=wrong-import-position
import traffic  # noqa: E402  pylint: disable=wrong-import-position

ROWS = 2000

# what flotilla's expand phase does, in short
BOTH_COLUMNS = """
ALTER TABLE users ADD COLUMN email_address text;
CREATE FUNCTION both_columns() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.email := coalesce(NEW.email, NEW.email_address); NEW.email_address := NEW.email;
    ELSIF NEW.email_address IS DISTINCT FROM OLD.email_address THEN NEW.email := NEW.email_address;
    ELSE NEW.email_address := NEW.email; END IF;
    RETURN NEW; END $$;
CREATE TRIGGER zz_both BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION both_columns();
UPDATE users SET email_address = email;
"""

# (service, damage, its undo)
DAMAGES = [
    ("users", "CREATE TABLE was AS SELECT email_address AS saved FROM users WHERE id = 3;"
              "UPDATE users SET email_address = 'old' WHERE id = 3;",
     "UPDATE users SET email_address = saved FROM was WHERE id = 3;"),
    ("orders", "UPDATE orders SET user_id = user_id + 1 WHERE id = 13;",
     "UPDATE orders SET user_id = user_id - 1 WHERE id = 13;"),
    ("payments", "CREATE TABLE kept AS SELECT * FROM payments WHERE id = 43; DELETE FROM payments WHERE id = 43;",
     "INSERT INTO payments OVERRIDING SYSTEM VALUE SELECT * FROM kept;"),
    ("support", "ALTER TABLE tickets RENAME COLUMN priority TO urgency;",
     "ALTER TABLE tickets RENAME COLUMN urgency TO priority;"),
]


class DemoTraffic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = shop.shop(None, ROWS, transport="local", programs=False).start()
        cls.addClassCleanup(cls.fleet.stop)

    def check(self):
        """Lets every client verify its ledger; the number of complaints that are new."""
        before = self.traffic.status()
        self.traffic.phase("check", "verify")
        after = self.traffic.status()
        return after["wrong"] + after["failed"] - before["wrong"] - before["failed"]

    def test_untroubled_traffic_is_right_and_every_damage_is_noticed(self):
        f = self.fleet
        self.traffic = traffic.Traffic(f, ROWS, clients=4, think_ms=2)
        self.addCleanup(self.traffic.kill)
        untouched = "SELECT count(*), sum(hashtextextended(u::text, 0)) FROM users u WHERE id <= 2000 AND id % 10 <> 3;"
        before = f.sql("users", untouched)
        for label, shape in (("control", "old"), ("both", "mix"), ("new", "new")):
            self.traffic.phase(label, shape=shape)
            time.sleep(1)
            self.assertEqual(self.check(), 0, label)
            if label == "control":
                f.sql("users", BOTH_COLUMNS)
        for service, damage, undo in DAMAGES:
            with self.subTest(damage):
                f.sql(service, damage)
                self.assertGreaterEqual(self.check(), 1)
                f.sql(service, undo)
                self.assertEqual(self.check(), 0)
        report = self.traffic.stop()
        self.assertGreaterEqual(report["all"]["wrong"] + report["all"]["failed"], len(DAMAGES))
        for words in ("is lost", "not what was written", "42703"):
            self.assertTrue(any(words in p for p in report["problems"]), (words, report["problems"]))
        windows = {w["window"]: w for w in report["windows"]}
        for name in ("control", "both", "new"):
            self.assertGreater(windows[name]["transactions"], 20)
            self.assertGreater(windows[name]["max_ms"], windows[name]["p50_ms"])
            self.assertEqual((windows[name]["failed"], windows[name]["wrong"]), (0, 0))
        f.sql("users", "DROP TRIGGER zz_both ON users; ALTER TABLE users DROP COLUMN email_address;")
        self.assertEqual(f.sql("users", untouched), before)


if __name__ == "__main__":
    unittest.main()
