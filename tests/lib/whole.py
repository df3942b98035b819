"""Everything that pg_catalog knows about the users' objects, one line a fact, oids and numbers said as names.

    lines = whole.catalog(run)      # run(sql) -> text as psql -qXAt prints it

Nothing is picked: every column of every catalog in CATALOGS is shown, but for those in LEFT_OUT, which say
where something lies, how large it is, or what a vacuum noted. What refers to another object is shown by that
object's name, from the server's own list of its keys (pg_get_catalog_foreign_keys). So a property that nobody
thought of is compared as well. Column order, sequence positions and the schema flotilla do not count.
"""

import re

# catalog: SQL that names a row's object; rows for which it is null are no users'
CATALOGS = {
    "pg_class": "{o}('pg_class', x.oid)",
    "pg_attribute": "CASE WHEN x.attnum > 0 AND NOT x.attisdropped THEN CASE WHEN x.attrelid IN (SELECT indexrelid FROM pg_index) "
                    "THEN 'column ' || x.attnum || ' of ' || {o}('pg_class', x.attrelid) ELSE {c}(x.attrelid, x.attnum) END END",
    "pg_attrdef": "{c}(x.adrelid, x.adnum)",
    "pg_constraint": "{o}('pg_constraint', x.oid)",
    "pg_index": "{o}('pg_class', x.indexrelid)",
    "pg_inherits": "{o}('pg_class', x.inhrelid)",
    "pg_partitioned_table": "{o}('pg_class', x.partrelid)",
    "pg_sequence": "{o}('pg_class', x.seqrelid)",
    "pg_foreign_table": "{o}('pg_class', x.ftrelid)",
    "pg_trigger": "CASE WHEN NOT x.tgisinternal THEN {o}('pg_trigger', x.oid) END",
    "pg_rewrite": "{o}('pg_rewrite', x.oid)",
    "pg_policy": "{o}('pg_policy', x.oid)",
    "pg_proc": "{o}('pg_proc', x.oid)",
    "pg_type": "{o}('pg_type', x.oid)",
    "pg_enum": "{o}('pg_type', x.enumtypid) || ' ' || x.enumlabel",
    "pg_range": "{o}('pg_type', x.rngtypid)",
    "pg_cast": "CASE WHEN x.oid >= 16384 THEN {o}('pg_cast', x.oid) END",
    "pg_operator": "{o}('pg_operator', x.oid)",
    "pg_collation": "{o}('pg_collation', x.oid)",
    "pg_namespace": "CASE WHEN x.nspname !~ '^(pg_|information_schema|flotilla)' THEN x.nspname::text END",
    "pg_extension": "x.extname::text",
    "pg_event_trigger": "x.evtname::text",
    "pg_statistic_ext": "{o}('pg_statistic_ext', x.oid)",
    "pg_publication": "x.pubname::text",
    "pg_publication_rel": "{o}('pg_publication_rel', x.oid)",
    "pg_publication_namespace": "{o}('pg_publication_namespace', x.oid)",
    "pg_default_acl": "{o}('pg_default_acl', x.oid)",
    "pg_foreign_server": "x.srvname::text",
    "pg_depend": "CASE WHEN x.deptype = 'x' OR (x.deptype IN ('a', 'i') AND x.refobjsubid > 0 AND x.classid = 'pg_class'::regclass AND "
                 "x.objid IN (SELECT seqrelid FROM pg_sequence)) THEN pg_describe_object(x.classid, x.objid, x.objsubid) END",
    "pg_description": "{d}",
    "pg_seclabel": "{d}",
    "pg_init_privs": "{d}",
}
LEFT_OUT = {
    "pg_class": "relfilenode relpages reltuples relallvisible relallfrozen reltoastrelid relfrozenxid relminmxid "
                "relnatts relhasindex relhasrules relhastriggers relhassubclass reltype relrewrite",
    "pg_attribute": "attnum attname attrelid attcacheoff atthasmissing attmissingval",
    "pg_attrdef": "adnum",
    "pg_constraint": "conindid conpfeqop conppeqop conffeqop conexclop",
    "pg_index": "indcheckxmin indpred indexprs indkey",
    "pg_trigger": "tgattr tgqual tgargs tgconstrindid",
    "pg_rewrite": "ev_action ev_qual",
    "pg_policy": "polqual polwithcheck",
    "pg_proc": "prosqlbody proargdefaults",
    "pg_type": "typdefaultbin typarray typrelid",
    "pg_depend": "classid objid objsubid",
    "pg_statistic_ext": "stxkeys stxexprs",
    "pg_publication_rel": "prattrs prqual",
    "pg_partitioned_table": "partattrs partexprs",
}


def acl(column, kind, owner):
    """No list of rights is the usual one."""
    return f"ARRAY(SELECT a::text FROM unnest(coalesce(x.{column}, acldefault({kind}, x.{owner}))) a ORDER BY 1)"


# what stands for the columns that hold trees or column numbers
WORDS = {
    "pg_depend": {"refobjid": "pg_describe_object(x.refclassid, x.refobjid, x.refobjsubid)", "refobjsubid": "x.deptype"},
    "pg_enum": {"enumsortorder": "(SELECT count(*) FROM pg_enum e WHERE e.enumtypid = x.enumtypid AND e.enumsortorder < x.enumsortorder)"},
    "pg_attrdef": {"adbin": "pg_get_expr(x.adbin, x.adrelid)"},
    "pg_class": {"relpartbound": "pg_get_expr(x.relpartbound, x.oid)",
                 "relacl": acl("relacl", "CASE x.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"", "relowner")},
    "pg_attribute": {"attoptions": "ARRAY(SELECT o FROM unnest(x.attoptions) o WHERE o NOT LIKE 'pg_attver=%' ORDER BY o)"},
    "pg_constraint": {"conbin": "pg_get_constraintdef(x.oid)",
                      "conkey": "ARRAY(SELECT {c}(x.conrelid, k) FROM unnest(x.conkey) k)",
                      "confkey": "ARRAY(SELECT {c}(x.confrelid, k) FROM unnest(x.confkey) k)"},
    "pg_index": {"indrelid": "pg_get_indexdef(x.indexrelid)"},
    "pg_trigger": {"tgrelid": "pg_get_triggerdef(x.oid)"},
    "pg_rewrite": {"ev_class": "pg_get_ruledef(x.oid)"},
    "pg_policy": {"polrelid": "pg_get_expr(x.polqual, x.polrelid) || '/' || pg_get_expr(x.polwithcheck, x.polrelid)"},
    "pg_proc": {"proname": "CASE WHEN x.prokind IN ('f', 'p') THEN pg_get_functiondef(x.oid) END",
                "proacl": acl("proacl", "'f'", "proowner")},
    "pg_statistic_ext": {"stxrelid": "pg_get_statisticsobjdef(x.oid)"},
    "pg_publication_rel": {"prrelid": "ARRAY(SELECT {c}(x.prrelid, k) FROM unnest(x.prattrs) k ORDER BY 1)::text"
                                      " || coalesce(pg_get_expr(x.prqual, x.prrelid), '')"},
    "pg_partitioned_table": {"partrelid": "pg_get_partkeydef(x.partrelid)"},
}
OURS = re.compile(r"\bflotilla\.|\bschema flotilla\b|pg_toast|pg_temp|restore_[0-9a-f]{16}")


def names(sql):
    for short, word in (("{o}", "pg_temp.said"), ("{c}", "pg_temp.column_said"),
                        ("{d}", "CASE WHEN x.objoid >= 16384 THEN pg_describe_object(x.classoid, x.objoid, x.objsubid) END")):
        sql = sql.replace(short, word)
    return sql


PREPARE = """SET search_path = pg_catalog;
CREATE OR REPLACE FUNCTION pg_temp.said(c regclass, o oid) RETURNS text LANGUAGE sql AS
    $$ SELECT CASE WHEN o >= 16384 THEN pg_describe_object(c, o, 0) END $$;
CREATE OR REPLACE FUNCTION pg_temp.column_said(r oid, n int) RETURNS text LANGUAGE sql AS
    $$ SELECT CASE WHEN r >= 16384 THEN coalesce(pg_describe_object('pg_class'::regclass, r, n), '?') END $$;
"""
# an oid column that refers to another catalog; arrays and pairs with numbers have words of their own
KEYS = """SELECT fktable || ' ' || fkcols[1] || ' ' || pktable FROM pg_get_catalog_foreign_keys()
    WHERE NOT is_array AND array_length(fkcols, 1) = 1"""
COLUMNS = """SELECT attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid >= 1 AND attrelid < 16384 AND attnum > 0 AND NOT attisdropped AND attrelid::regclass::text LIKE 'pg\\_%'
    AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r') ORDER BY attrelid::regclass::text, attname"""


def statement(run):
    """The one query over all catalogs that this server's version has."""
    keys = {tuple(line.split(" ")[:2]): line.split(" ")[2] for line in run(KEYS).split("\n")}
    columns = {}
    for line in run(COLUMNS).split("\n"):
        table, column, kind = line.split(" ", 2)
        columns.setdefault(table, []).append((column, kind))
    parts = []
    for table, who in CATALOGS.items():
        shown = []
        for column, kind in columns.get(table, []):
            word = WORDS.get(table, {}).get(column)
            if column in LEFT_OUT.get(table, "").split() or column in ("oid", "objoid", "classoid", "objsubid"):
                continue
            if word:
                shown.append((column, names(word)))
            elif (table, column) in keys:
                target = keys[(table, column)]
                shown.append((column, f"CASE WHEN x.{column} >= 16384 THEN pg_describe_object('{target}'::regclass, x.{column}, 0)"
                                      f" ELSE (x.{column})::text END"))
            elif kind == "aclitem[]":
                shown.append((column, f"ARRAY(SELECT a::text FROM unnest(x.{column}) a ORDER BY 1)"))
            else:
                shown.append((column, f"x.{column}"))
        listed = ", ".join(f"'{c}', ({w})::text" for c, w in shown)
        parts.append(f"SELECT '{table}: ' || s.who || ': ' || f.key || ' = ' || coalesce(f.value, '-') AS line FROM {table} x,"
                     f" LATERAL (SELECT {names(who)} AS who) s, LATERAL jsonb_each_text(jsonb_build_object({listed})) f"
                     " WHERE s.who IS NOT NULL" if len(shown) <= 50 else "")
    return " UNION ALL ".join(filter(None, parts))


def catalog(run):
    """Sorted lines."""
    path = run("SHOW search_path")
    run(PREPARE)
    sql = f"SELECT replace(line, E'\\n', ' ') FROM ({statement(run)}) a"
    lines = run(sql).split("\n")
    run(f"SET search_path = {path}")
    lines = [re.sub("(CREATE STATISTICS .* ON )(.*)( FROM )", lambda m: m[1] + ", ".join(sorted(m[2].split(", "))) + m[3], x)
             for x in lines]
    return sorted(set(line for line in lines if line and not OURS.search(line)))
