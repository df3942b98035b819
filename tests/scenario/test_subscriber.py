"""What would stop a subscription is refused on its own side as well, with the publisher named."""

import unittest

from fleet import Fleet

TABLE = "CREATE TABLE consents (id int PRIMARY KEY, kind text NOT NULL, given boolean, at date);"


def subscription(fleet):
    host = fleet.hosts["db1"]
    return (f"CREATE SUBSCRIPTION copy CONNECTION 'host={host.address} port={host.port} dbname=patients'"
            " PUBLICATION feed WITH (connect = false, slot_name = NONE);"
            "INSERT INTO pg_subscription_rel SELECT oid, 'consents'::regclass, 'r', NULL FROM pg_subscription;")


class Subscriber(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = f = Fleet(transport="local")
        f.host("db1")
        f.owner("team", "ana@example.org", "raj@example.org")
        f.service("patients", host="db1", owners=["team"], schema=TABLE,
                  after="CREATE PUBLICATION feed FOR TABLE consents;")
        f.service("labs", host="db1", owners=["team"], schema=TABLE, after=subscription)
        f.start()
        cls.addClassCleanup(f.stop)

    def draft(self, intent):
        self.fleet.write("change.yaml", f"title: At the subscriber\nauthor: tester\nintents:\n  - {intent}\n")
        return self.fleet.flotilla("draft", "change.yaml", "-o", "plan.yaml")

    def test_what_takes_a_column_away_is_refused(self):
        for intent in ("drop_column: {service: labs, table: consents, column: given}",
                       "rename_column: {service: labs, table: consents, column: given, to: granted}",
                       "set_not_null: {service: labs, table: consents, column: given, backfill: 'false'}",
                       "drop_table: {service: labs, table: consents}"):
            run = self.draft(intent)
            self.assertEqual(1, run.code, run)
            self.assertIn("rows of public.consents come from service patients (subscription copy", run.err)

    def test_what_it_never_sees_is_planned(self):
        for intent in ("add_column: {service: labs, table: consents, column: seen, type: date}",
                       "add_index: {service: labs, table: consents, columns: [at]}"):
            run = self.draft(intent)
            self.assertEqual(0, run.code, run)


if __name__ == "__main__":
    unittest.main()
