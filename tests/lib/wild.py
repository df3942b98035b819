"""Wild schemas and changes, from a seed: names, types and objects that plausible plans get wrong.

    case = wild.case(seed)      # dict: schema, dependents, intents, plain, rename, table, column …

`schema` makes the tables and their rows; `dependents` what hangs on them (views, policies …): the
plain statement of a type change runs between the two, because PostgreSQL refuses it after them.
"""

import random

NAMES = ["a", "b", "id2", "Name", "user", "order", "select", "with space", "dot.ted", 'quo"te', "Währung", "x" * 63,
         "long_" * 12 + "abc", "naïve_" + "y" * 54, "new", "old", "value", "table", "c%s", "semi;colon", "it's", "$1", "UPPER",
         "_u", "1st", "t", "row", "type", "time", "left", "null", "default", "at", "zz", "back\\slash", "a_new", "a_old", "flotilla"]
TABLES = ["t", "Users", "order", "my table", "dot.t", 'q"t', "Größe", "z" * 63, "public", "new", "u", "it's"]

# type: (values by n, changes to)
TYPES = {
    "integer": ("{n}", ["bigint", "text", "numeric", "smallint", "numeric(12,2)", "double precision"]),
    "smallint": ("{n}", ["integer", "bigint", "text"]),
    "bigint": ("{n} * 1000", ["integer", "numeric", "text"]),
    "text": ("'v' || {n}", ["varchar(200)", "varchar", "char(20)"]),
    "varchar(30)": ("'c' || {n}", ["varchar(60)", "text", "varchar", "varchar(10)"]),
    "char(6)": ("'k' || {n}", ["text", "varchar(9)", "char(9)"]),
    "numeric(10,2)": ("{n} + 0.25", ["numeric(12,2)", "numeric", "text", "numeric(12,4)", "double precision"]),
    "numeric": ("{n} + 0.250", ["numeric(12,4)", "text"]),
    "timestamptz": ("timestamptz '2024-01-01 00:00Z' + {n} * interval '1 hour'", ["timestamp", "date", "text"]),
    "timestamp": ("timestamp '2024-01-01' + {n} * interval '1 hour'", ["timestamptz", "date", "timestamp(0)"]),
    "date": ("date '2024-01-01' + {n}::int", ["timestamp", "timestamptz", "text"]),
    "boolean": ("{n} % 2 = 0", ["text", "integer"]),
    "uuid": ("('00000000-0000-0000-0000-' || lpad({n}::text, 12, '0'))::uuid", ["text"]),
    "jsonb": ("jsonb_build_object('k', {n})", ["json", "text"]),
    "json": ("('{{\"k\": ' || {n} || '}}')::json", ["jsonb", "text"]),
    "integer[]": ("ARRAY[{n}, {n} + 1]", ["bigint[]", "text"]),
    "text[]": ("ARRAY['a' || {n}]", ["varchar(9)[]", "text"]),
    "mood": ("(ARRAY['sad', 'ok', 'Happy'])[1 + {n} % 3]::mood", ["text"]),
    '"Odd".level': ("({n} % 100)", ["integer", "bigint"]),
    "real": ("{n} + 0.5", ["double precision", "numeric"]),
    "bytea": ("('v' || {n})::bytea", []),
    "interval": ("{n} * interval '1 min'", ["text"]),
    "point": ("point({n}, 1)", []),
    "inet": ("'10.0.0.1'::inet + {n}", ["text"]),
}
UNORDERED = {"json", "point"}
KEYS = ["integer", "bigint", "text", "uuid", "smallint", "varchar(30)"]


def q(name):
    return '"' + name.replace('"', '""') + '"'


def lit(text):
    return "'" + text.replace("'", "''") + "'"


def given(name):
    """A name as a change file writes it: one with a dot is quoted."""
    return q(name) if "." in name or '"' in name else name


class Column:
    def __init__(self, name, kind):
        self.name, self.type = name, kind
        self.not_null = self.key = self.generated = self.serial = False
        self.identity, self.default, self.more, self.parent = None, None, "", None
        self.cast = ""  # how clients write it once its type has changed

    def value(self, n):
        return "(" + TYPES[self.type][0].format(n=n) + ")" + self.cast

    def sql(self):
        text = f"{q(self.name)} {self.type}"
        if self.default and not self.serial:
            text += f" DEFAULT {self.default}"
        if self.identity:
            text += f" GENERATED {self.identity} AS IDENTITY"
        if self.generated:
            text += f" GENERATED ALWAYS AS ({self.generated}) STORED"
        return text + (" NOT NULL" if self.not_null else "") + self.more


class Table:
    def __init__(self, name):
        self.name, self.columns, self.keys, self.kind, self.parted = name, [], [], "r", None
        self.parent = self.nulls = False

    def get(self, name):
        return next(c for c in self.columns if c.name == name)

    def insert(self, start, count, skip=None, rename=None, override=None):
        cols = [c for c in self.columns if not c.generated and c.name != skip]
        names = [q((rename or {}).get(c.name, c.name)) for c in cols]
        values = []
        for c in cols:
            value = c.value("(1 + n % 4)" if c.parent else "n")
            if override and c.name in override:
                value = override[c.name]
            elif not c.not_null and not c.key:
                value = f"CASE WHEN n % 7 = 3 THEN NULL ELSE {value} END"
            if c.parent:
                value = f"CASE WHEN n % 5 = 1 THEN NULL ELSE {value} END" if not c.not_null else value
            values.append(value)
        always = "OVERRIDING SYSTEM VALUE " if any(c.identity for c in cols) else ""
        return (f"INSERT INTO {q(self.name)} ({', '.join(names)}) {always}SELECT {', '.join(values)} "
                f"FROM generate_series({start}, {start + count - 1}) n;")


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.names = []
        self.tables, self.make, self.after, self.dependents, self.last = [], [], [], [], []
        self.used = set()

    def chance(self, p):
        return self.rng.random() < p

    def name(self, taken):
        if self.chance(0.4):
            pool = ["alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta"]
        else:
            pool = NAMES
        free = [n for n in pool if n not in taken] or [f"c{i}" for i in range(99) if f"c{i}" not in taken]
        return self.rng.choice(free)

    def object(self, base):
        """A name for an index, constraint …, sometimes a nasty one."""
        for _ in range(99):
            name = base if self.chance(0.6) else self.rng.choice(["I x", 'i"x', "Ix.y", "w" * 63, "idx"]) + ""
            if name in self.used:
                name = f"{name[:50]}_{len(self.used)}"
            if name not in self.used:
                self.used.add(name)
                return name
        raise RuntimeError("names")

    def table(self, index):
        free = [n for n in TABLES if n not in [t.name for t in self.tables]]
        t = Table(self.rng.choice(free) if self.chance(0.5) else f"tab{index}")
        self.used.add(t.name)
        taken = []
        kind = self.rng.choice(["one", "one", "one", "identity", "serial", "two", "none"])
        if kind != "none":
            for _ in range(2 if kind == "two" else 1):
                c = Column(self.name(taken), self.rng.choice(["integer", "bigint"] if kind in ("identity", "serial") else KEYS))
                taken.append(c.name)
                c.key = True
                if kind == "identity":
                    c.identity = self.rng.choice(["ALWAYS", "BY DEFAULT"])
                if kind == "serial":
                    c.serial = True
                    c.type = "integer"
                t.columns.append(c)
                t.keys.append(c.name)
        for _ in range(self.rng.randint(2, 6)):
            c = Column(self.name(taken), self.rng.choice(list(TYPES)))
            taken.append(c.name)
            c.not_null = self.chance(0.35)
            if self.chance(0.35):
                c.default = c.value(5)
            if c.type == "text" and self.chance(0.2):
                c.more = ' COLLATE "C"'
            t.columns.append(c)
        if self.chance(0.2):
            source = self.rng.choice(t.columns)
            c = Column(self.name(taken), "text")
            c.generated = f"({q(source.name)} IS NULL)::text"
            t.columns.append(c)
        self.tables.append(t)
        parted = kind == "one" and t.columns[0].type in ("integer", "bigint") and self.chance(0.2)
        self.create(t, parted)
        self.adorn(t)
        return t

    def create(self, t, parted):
        lines = [c.sql().replace(c.type, "serial", 1) if c.serial else c.sql() for c in t.columns]
        if t.keys:
            lines.append("CONSTRAINT " + q(self.object(f"{t.name}_pk"[:60])) + f" PRIMARY KEY ({', '.join(q(k) for k in t.keys)})")
        self.make.append(f"CREATE TABLE {q(t.name)} (" + ", ".join(lines) + ")" +
                         (f" PARTITION BY RANGE ({q(t.keys[0])});" if parted else ";"))
        if parted:
            t.kind = "p"
            for i, (a, b) in enumerate([("MINVALUE", "20"), ("20", "MAXVALUE")]):
                name = self.object(f"part{i} {t.name}"[:63])
                self.make.append(f"CREATE TABLE {q(name)} PARTITION OF {q(t.name)} FOR VALUES FROM ({a}) TO ({b});")

    def plain_columns(self, t):
        return [c for c in t.columns if not c.generated]

    def sortable(self, t):
        return [c for c in t.columns if c.type not in UNORDERED]

    def adorn(self, t):
        rng, name = self.rng, q(t.name)
        for _ in range(rng.randint(0, 3)):
            c = rng.choice(self.sortable(t))
            d = rng.choice(self.sortable(t))
            kind = rng.choice(["plain", "two", "partial", "expression", "include", "desc", "unique"])
            i = q(self.object(f"{t.name}_{c.name}_i"[:58]))
            sql = {
                "plain": f"CREATE INDEX {i} ON {name} ({q(c.name)});",
                "two": f"CREATE INDEX {i} ON {name} ({q(c.name)}, {q(d.name)}) WITH (fillfactor = 80);",
                "partial": f"CREATE INDEX {i} ON {name} ({q(c.name)}) WHERE {q(d.name)} IS NOT NULL;",
                "expression": f"CREATE INDEX {i} ON {name} (({q(c.name)} IS NULL), {q(d.name)});",
                "include": f"CREATE INDEX {i} ON {name} ({q(c.name)}) INCLUDE ({q(d.name)});" if c != d else "",
                "desc": f"CREATE INDEX {i} ON {name} ({q(c.name)} DESC NULLS LAST);",
                "unique": f"CREATE UNIQUE INDEX {i} ON {name} ({q(c.name)});"
                          if c.type in KEYS and not c.generated and t.kind == "r" else "",
            }[kind]
            self.after.append(sql)
            if sql and self.chance(0.2):
                self.after.append(f"COMMENT ON INDEX {i} IS 'an index';")
        if self.chance(0.3):
            c, d = rng.choice(t.columns), rng.choice(t.columns)
            k = q(self.object(f"{t.name}_ck"[:58]))
            self.make.append(f"ALTER TABLE {name} ADD CONSTRAINT {k} CHECK ({q(c.name)} IS NOT NULL OR "
                             f"{q(d.name)} IS NULL OR true);")
            if self.chance(0.3):
                self.make.append(f"COMMENT ON CONSTRAINT {k} ON {name} IS 'checked';")
        if self.chance(0.2):
            c = rng.choice([c for c in t.columns if c.type in KEYS and not c.generated] or t.columns)
            if c.type in KEYS and not c.generated and t.kind == "r":
                how = rng.choice(["", " DEFERRABLE INITIALLY DEFERRED"])
                self.make.append(f"ALTER TABLE {name} ADD CONSTRAINT {q(self.object('uq'))} UNIQUE ({q(c.name)}){how};")
        for c in t.columns:
            if self.chance(0.1):
                self.make.append(f"COMMENT ON COLUMN {name}.{q(c.name)} IS 'it''s {c.name[:3].replace(chr(39), '')}';")
            if self.chance(0.1):
                self.make.append(f"GRANT SELECT ({q(c.name)}), UPDATE ({q(c.name)}) ON {name} TO reader;")
            if self.chance(0.06) and not c.generated:
                self.make.append(f"ALTER TABLE {name} ALTER COLUMN {q(c.name)} SET STATISTICS 77;")
            if self.chance(0.06) and c.type in ("text", "jsonb", "varchar(30)"):
                self.make.append(f"ALTER TABLE {name} ALTER COLUMN {q(c.name)} SET STORAGE EXTERNAL;")
            if self.chance(0.04) and t.kind == "r":
                self.make.append(f"ALTER TABLE {name} ALTER COLUMN {q(c.name)} SET (n_distinct = 5);")
        self.triggers(t)
        self.readers(t)

    def triggers(self, t):
        rng, name = self.rng, q(t.name)
        texts = [c for c in self.plain_columns(t) if c.type == "text" and not c.key]
        if texts and self.chance(0.35):
            c = rng.choice(texts)
            f = q(self.object("lower it"))
            when = rng.choice(["", f" WHEN (NEW.{q(c.name)} IS NOT NULL)"])
            of = rng.choice(["INSERT OR UPDATE", f"INSERT OR UPDATE OF {q(c.name)}"])
            trigger = rng.choice(["a_first", "zzz_last", "Upper", "ÿ last", "z_flotilla"])
            self.make.append(f"CREATE FUNCTION {f}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.{q(c.name)} := "
                             f"lower(NEW.{q(c.name)}); RETURN NEW; END $$;")
            self.dependents.append(f"CREATE TRIGGER {q(trigger)} BEFORE {of} ON {name} FOR EACH ROW{when} EXECUTE FUNCTION {f}();")

    def readers(self, t):
        rng, name = self.rng, q(t.name)
        cols = rng.sample(t.columns, rng.randint(1, len(t.columns)))
        listed = ", ".join(q(c.name) for c in cols)
        if self.chance(0.35):
            v = q(self.object("v " + t.name[:40]))
            where = rng.choice(["", f" WHERE {q(rng.choice(t.columns).name)} IS NOT NULL"])
            options = rng.choice(["", " WITH (security_barrier = true)"])
            self.dependents.append(f"CREATE VIEW {v}{options} AS SELECT {listed} FROM {name}{where};")
            if self.chance(0.4):
                self.dependents.append(f"GRANT SELECT ON {v} TO reader; COMMENT ON VIEW {v} IS 'seen';")
            if self.chance(0.4):
                w = q(self.object("w " + t.name[:40]))
                kind = rng.choice(["VIEW", "VIEW", "MATERIALIZED VIEW"])
                self.dependents.append(f"CREATE {kind} {w} AS SELECT * FROM {v};")
            if self.chance(0.2):
                self.dependents.append(f"ALTER VIEW {v} RENAME COLUMN {q(cols[0].name)} TO shown;")
        if self.chance(0.2):
            c = rng.choice(t.columns)
            self.make.append(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;")
            self.dependents.append(f"CREATE POLICY {q(self.object('pol'))} ON {name} FOR SELECT TO reader "
                                   f"USING ({q(c.name)} IS NOT NULL);")
        ordered = [c for c in self.sortable(t) if not c.generated]
        if self.chance(0.2) and len(ordered) > 1:
            a, b = rng.sample(ordered, 2)
            self.dependents.append(f"CREATE STATISTICS {q(self.object('stat'))} ON {q(a.name)}, {q(b.name)} FROM {name};")
        if self.chance(0.15):
            c = rng.choice(t.columns)
            self.make.append(f"CREATE FUNCTION {q(self.object('reads'))}(p text) RETURNS bigint LANGUAGE sql STABLE AS "
                             f"$$ SELECT count(*) FROM {name} x WHERE x.{q(c.name)} IS NOT NULL $$;")
        if self.chance(0.15):
            c = rng.choice(t.columns)
            self.dependents.append(f"CREATE FUNCTION {q(self.object('std'))}() RETURNS bigint LANGUAGE sql STABLE "
                                   f"BEGIN ATOMIC SELECT count(*) FROM {name} x WHERE x.{q(c.name)} IS NOT NULL; END;")
        if self.chance(0.12) and t.kind == "r" and t.keys:
            listed = sorted(set(t.keys + [c.name for c in cols if not c.generated]))
            self.dependents.append(f"CREATE PUBLICATION {q(self.object('pub'))} FOR TABLE {name} ({', '.join(q(c) for c in listed)});")
        if t.kind == "r" and not t.keys and self.chance(0.3):
            self.make.append(f"ALTER TABLE {name} REPLICA IDENTITY FULL;")

    def child(self, parent):
        """A table that references it."""
        t = Table(self.object("child"))
        own = Column("Id", "integer")
        own.key = own.not_null = True
        t.columns, t.keys = [own], ["Id"]
        refs = []
        for i, key in enumerate(parent.keys):
            c = Column(self.name([x.name for x in t.columns]), parent.get(key).type)
            c.parent = parent.get(key)
            t.columns.append(c)
            refs.append(c)
        note = Column("note here", "text")
        t.columns.append(note)
        lines = [c.sql() for c in t.columns] + ['PRIMARY KEY ("Id")']
        self.make.append(f"CREATE TABLE {q(t.name)} ({', '.join(lines)});")
        action = self.rng.choice(["", " ON DELETE CASCADE", " ON DELETE SET NULL", " ON UPDATE CASCADE",
                                  " ON DELETE SET DEFAULT", " DEFERRABLE INITIALLY DEFERRED", " MATCH FULL",
                                  " ON DELETE RESTRICT ON UPDATE RESTRICT"])
        key = (f"ALTER TABLE {q(t.name)} ADD CONSTRAINT {q(self.object('fk'))} FOREIGN KEY "
               f"({', '.join(q(c.name) for c in refs)}) REFERENCES {q(parent.name)} "
               f"({', '.join(q(k) for k in parent.keys)}){action};")
        if self.chance(0.5):
            self.after.append(f"CREATE INDEX {q(self.object('fki'))} ON {q(t.name)} ({', '.join(q(c.name) for c in refs)});")
        t.nulls, parent.parent = len(refs) > 1, True
        self.tables.append(t)
        self.after.append(key)
        return t, key


def rows(maker):
    out = []
    for t in maker.tables:
        if t.parent or any(c.parent for c in t.columns) or maker.chance(0.9):
            out.append(t.insert(1, 40, override={c.name: f"NULL::{c.type}" for c in t.columns if c.parent and t.nulls}))
    return out


def type_change(m, t, c):
    to = m.rng.choice(TYPES[c.type][1] or ["text"])
    intent = {"column": c.name, "to": to}
    using = ""
    if (c.type, to) == ("boolean", "integer") or (to == "varchar(10)" and m.chance(0.5)):
        intent["using"] = f"{q(c.name)}::{to}"
        using = f" USING {q(c.name)}::{to}"
        if m.chance(0.7):
            intent["using_back"] = f"{q(c.name)}::{c.type}"
    if m.chance(0.3):
        intent["accept_loss"], intent["note"] = True, "as we like it"
    return "change_type", intent, f"ALTER TABLE {q(t.name)} ALTER COLUMN {q(c.name)} TYPE {to}{using};"


def new_column(m, t):
    taken = [c.name for c in t.columns]
    name = m.name(taken)
    kind = m.rng.choice([k for k in TYPES if k not in UNORDERED])
    value = "(" + TYPES[kind][0].format(n=7) + ")"
    intent, tail, extra = {"column": name, "type": kind}, "", ""
    how = m.rng.choice(["bare", "default", "required", "volatile", "generated", "identity", "check", "references", "backfill"])
    if how in ("default", "required", "check"):
        intent["default"] = value
        tail += f" DEFAULT {value}"
    if how == "required":
        intent["nullable"] = False
        tail += " NOT NULL"
    if how == "check":
        intent["check"] = f"{q(name)} IS NOT NULL OR true"
        tail += f" CHECK ({q(name)} IS NOT NULL OR true)"
    if how == "volatile":
        intent.update(type="double precision", default="random()", nullable=False)
        kind, tail = "double precision", " NOT NULL DEFAULT random()"
    if how == "generated":
        source = m.rng.choice(m.plain_columns(t))
        intent.update(type="boolean", generated=f"{q(source.name)} IS NULL")
        kind, tail = "boolean", f" GENERATED ALWAYS AS ({q(source.name)} IS NULL) STORED"
    if how == "identity":
        intent.update(type="bigint", identity="by_default")
        kind, tail = "bigint", " GENERATED BY DEFAULT AS IDENTITY"
        if any(c.identity for c in t.columns):
            how = "bare"
    if how == "references":
        targets = [x for x in m.tables if len(x.keys) == 1 and x.get(x.keys[0]).type in ("integer", "bigint", "uuid")]
        if targets:
            target = m.rng.choice(targets)
            kind = target.get(target.keys[0]).type
            intent.update(type=kind, references=f"{q(target.name)}({q(target.keys[0])})")
            tail = f" REFERENCES {q(target.name)} ({q(target.keys[0])})"
    if how == "backfill":
        intent["backfill"] = value
        extra = f" UPDATE {q(t.name)} SET {q(name)} = {value};"
    return "add_column", intent, f"ALTER TABLE {q(t.name)} ADD COLUMN {q(name)} {kind}{tail};{extra}"


def new_index(m, t):
    c, d = m.rng.choice(m.sortable(t)), m.rng.choice(m.sortable(t))
    name = m.object(m.rng.choice(["new index", "ni", "N" * 63]))
    intent = {"name": name}
    unique = "UNIQUE " if (c.key and len(t.keys) == 1 and m.chance(0.4)) else ""
    if unique:
        intent["unique"] = True
    how = m.rng.choice(["columns", "two", "expression", "where", "include", "hash"])
    method, what, tail = "", q(c.name), ""
    intent["columns"] = [c.name]
    if how == "two" and c != d:
        intent["columns"] = [c.name, d.name]
        what = f"{q(c.name)}, {q(d.name)}"
    if how == "expression" and not unique:
        del intent["columns"]
        intent["expressions"] = [f"({q(c.name)} IS NULL)"]
        what = f"({q(c.name)} IS NULL)"
    if how == "where":
        intent["where"] = f"{q(d.name)} IS NOT NULL"
        tail = f" WHERE {q(d.name)} IS NOT NULL"
    if how == "include" and c != d:
        intent["include"] = [d.name]
        tail = f" INCLUDE ({q(d.name)})"
    if how == "hash" and not unique and c.type in ("text", "integer", "uuid"):
        intent["method"] = "hash"
        method = " USING hash"
    return "add_index", intent, f"CREATE {unique}INDEX {q(name)} ON {q(t.name)}{method} ({what}){tail};"


def change(m):
    """operation, intent, plain SQL, table, column"""
    t = m.rng.choice(m.tables)
    op = m.rng.choice(["add_column", "rename_column", "rename_column", "change_type", "change_type", "change_type",
                       "set_not_null", "add_index", "add_foreign_key", "drop_column", "drop_column"])
    column = m.rng.choice(t.columns)
    name = q(t.name)
    if op == "add_column":
        op, intent, plain = new_column(m, t)
    elif op == "rename_column":
        to = m.name([c.name for c in t.columns])
        intent, plain = {"column": column.name, "to": to}, f"ALTER TABLE {name} RENAME COLUMN {q(column.name)} TO {q(to)};"
    elif op == "change_type":
        op, intent, plain = type_change(m, t, column)
    elif op == "set_not_null":
        intent, plain = {"column": column.name}, ""
        if not column.generated:
            intent["backfill"] = column.value(9)
            plain = f"UPDATE {name} SET {q(column.name)} = {column.value(9)} WHERE {q(column.name)} IS NULL;"
        plain += f"ALTER TABLE {name} ALTER COLUMN {q(column.name)} SET NOT NULL;"
    elif op == "add_index":
        op, intent, plain = new_index(m, t)
    elif op == "add_foreign_key":
        if m.foreign:
            t, plain = m.foreign
            m.after.remove(plain)
            return op, dict(m.parse_key, table=given(t.name)), plain, t, t.columns[1]
        return change(m)
    else:
        intent = {"column": column.name}
        if m.chance(0.3):
            intent["accept_loss"], intent["note"] = True, "nobody needs it"
        plain = f"ALTER TABLE {name} DROP COLUMN {q(column.name)};"
    return op, dict(intent, table=given(t.name)), plain, t, column


def case(seed):
    m = Maker(seed)
    m.foreign = None
    for i in range(m.rng.randint(1, 2)):
        m.table(i)
    parents = [t for t in m.tables if t.keys]
    if parents and m.chance(0.6):
        parent = m.rng.choice(parents)
        t, key = m.child(parent)
        m.foreign = (t, key)
        fk = key.split("CONSTRAINT ")[1].split(" FOREIGN KEY")[0].strip('"').replace('""', '"')
        m.parse_key = {"name": fk, "columns": [c.name for c in t.columns if c.parent],
                       "references": {"table": given(parent.name), "columns": parent.keys}}
        tail = key.rsplit(")", 1)[1].rstrip(";")
        for word, field in (("ON DELETE ", "on_delete"), ("ON UPDATE ", "on_update")):
            if word in tail:
                m.parse_key[field] = tail.split(word)[1].split(" ON ")[0].strip().lower()
        if "DEFERRABLE" in tail:
            m.parse_key["deferred"] = True
        if "MATCH" in tail:
            m.parse_key["match"] = "full"
    op, intent, plain, t, column = change(m)
    base = ["CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy'); CREATE SCHEMA \"Odd\"; "
            "CREATE DOMAIN \"Odd\".level AS integer CHECK (VALUE >= 0);"]
    data = rows(m)
    return {"seed": seed, "operation": op, "intents": [{op: intent}], "plain": plain, "table": t, "column": column,
            "schema": "\n".join(base + m.make + data + m.after), "dependents": "\n".join(m.dependents),
            "tables": m.tables, "rename": (column.name, intent.get("to")) if op == "rename_column" else None}
