"""What an inverse cannot give back comes back from the snapshot, as it was written."""

import unittest

from fleet import Fleet

# values that the new type spells otherwise: going back by the inverse alone would change them
CONVERSIONS = {
    "number": ("text", "integer", "c::int", "c::text", ["'007'", "' 8 '", "NULL"]),
    "scale": ("numeric", "numeric(10,3)", None, None, ["1.50", "2", "NULL"]),
    "double": ("numeric", "double precision", None, None, ["123456789012345678.123", "1.50"]),
    "document": ("json", "jsonb", None, None, ["'{\"b\" : 1,  \"a\":2, \"a\":3}'", "'[1,  2]'"]),
    "blanks": ("text", "char(8)", None, None, ["'ab  '", "'ab'", "NULL"]),
    "day": ("timestamp", "date", "c::date", "c::timestamp", ["'2024-01-02 03:04:05'", "NULL"]),
    "nothing": ("int", "bigint", "coalesce(c, 0)", "c::int", ["1", "NULL"]),
}
ROWS = 400
OWNER = "SELECT stxowner::regrole FROM pg_statistic_ext WHERE stxname = 'both_of_scale'"


def schema():
    text = ""
    for name, (kind, _, _, _, values) in CONVERSIONS.items():
        text += f"CREATE TABLE {name} (id int PRIMARY KEY, c {kind}, touched int);\n"
        text += f"INSERT INTO {name} VALUES " + ", ".join(
            f"({i}, {values[i % len(values)]}, 0)" for i in range(ROWS)) + ";\n"
    # what hangs on the columns: it knows them by number
    text += """
        CREATE STATISTICS both_of_scale ON c, touched FROM scale;
        CREATE MATERIALIZED VIEW days AS SELECT c, count(*) FROM day GROUP BY c;"""
    # a trigger that does not leave what is written: the rows were there before it
    return text + """
        CREATE TABLE stubborn (id int PRIMARY KEY, c text);
        INSERT INTO stubborn SELECT g, 'Abc' FROM generate_series(1, 5000) g;
        CREATE FUNCTION lowered() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.c := lower(NEW.c); RETURN NEW; END $$;
        CREATE TRIGGER lowered BEFORE UPDATE ON stubborn FOR EACH ROW EXECUTE FUNCTION lowered();"""


class RestoredValues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(transport="local")
        cls.fleet.host("db1")
        cls.fleet.owner("team", "ana@example.org", "raj@example.org")
        cls.fleet.service("lab", host="db1", owners=["team"], schema=schema())
        cls.fleet.start()
        cls.addClassCleanup(cls.fleet.stop)

    def setUp(self):
        self.fleet.reset("lab")

    def begun(self, intents, code):
        fleet = self.fleet
        fleet.write("change.yaml", "title: Other types\nauthor: tester\nintents:\n" + intents)
        fleet.ok("draft", "change.yaml", "-o", "plan.yaml")
        fleet.ok("validate", "plan.yaml")
        fleet.ok("rehearse", "plan.yaml")
        fleet.approve("plan.yaml")
        return fleet.ok("start", "plan.yaml", codes=(code,))

    def values(self):
        return {name: self.fleet.sql("lab", f"SELECT id, c::text FROM {name} ORDER BY id")
                for name in CONVERSIONS}

    def test_change_of_type_and_back(self):
        before = self.values()
        intents = ""
        for name, (_, to, using, back, _) in CONVERSIONS.items():
            words = f', using: "{using}", using_back: "{back}"' if using else ""
            intents += f'  - change_type: {{service: lab, table: {name}, column: c, to: "{to}"{words}}}\n'
        self.begun(intents, 3)
        self.fleet.ok("ack", "lab", "--plan", "plan.yaml")
        self.fleet.ok("promote")
        self.assertEqual([["lab_owner"]], self.fleet.sql("lab", OWNER))
        for name in CONVERSIONS:  # other columns of a row do not make its value another
            self.fleet.sql("lab", f"UPDATE {name} SET touched = 1 WHERE id < 50")
        self.fleet.ok("rollback")
        self.assertEqual(before, self.values())
        self.assertEqual([["lab_owner"]], self.fleet.sql("lab", OWNER))

    def test_a_value_that_does_not_fit_stops_before_anything_is_made(self):
        self.fleet.sql("lab", "INSERT INTO number VALUES (9999, 'seven', 0)")
        run = self.begun('  - change_type: {service: lab, table: number, column: c, to: int, using: "c::int",'
                         ' using_back: "c::text"}\n', 1)
        self.assertIn("expand/lab/1: step expand/lab/1: invalid input syntax for type integer", run.out)
        self.assertEqual([["3"]], self.fleet.sql(
            "lab", "SELECT count(*) FROM pg_attribute WHERE attrelid = 'number'::regclass AND attnum > 0"))

    def test_a_trigger_that_changes_what_is_restored_does_not_hold_it_up(self):
        self.begun("  - data_backfill: {service: lab, table: stubborn,"
                   " set: {c: \"'x'\"}, where: \"c <> 'x'\"}\n", 0)
        self.fleet.ok("rollback", timeout=120)
        self.assertEqual([["abc", "5000"]], self.fleet.sql(
            "lab", "SELECT c, count(*) FROM stubborn GROUP BY c"))


if __name__ == "__main__":
    unittest.main()
