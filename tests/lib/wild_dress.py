"""Properties that definitions do not print, put on a wild schema's objects by their names: comments, targets of
statistics, storage, compression, options, tablespaces, states of triggers, marks of indexes, row filters.

    dress.tables(seed)      # after the tables have their rows, before a plain statement
    dress.hangers(seed)     # after what hangs on them

Each is one DO block; what it picks depends on the seed and the names alone, so two databases get the same.
"""

# once a server, by a superuser, each statement alone
PREPARE = """SET allow_in_place_tablespaces = on;
CREATE TABLESPACE "wild space" LOCATION '';
GRANT CREATE ON TABLESPACE "wild space" TO PUBLIC;
"""

HEAD = """DO $dress$
DECLARE r record; share int;
BEGIN
"""
PICK = "abs(hashtext({what} || '{seed}')::bigint) % 100 < {share}"
TAIL = """END $dress$;
"""


def loop(seed, share, query, *statements):
    """For a share of the rows of query (in percent, columns t: regclass text, n: name …) the statements."""
    def quoted(text):
        return "'" + text.replace("'", "''") + "'"
    body = "".join(f"        BEGIN EXECUTE format({quoted(s)}, {args});\n"
                   "        EXCEPTION WHEN feature_not_supported OR wrong_object_type OR invalid_parameter_value OR syntax_error"
                   " OR invalid_table_definition THEN NULL; END;\n"
                   for s, args in statements)
    pick = PICK.format(what=quoted(statements[0][0]) + " || q.n", seed=seed, share=share)
    return f"    FOR r IN SELECT q.* FROM ({query}) q WHERE {pick} ORDER BY t, n LOOP\n{body}    END LOOP;\n"


USERS = "c.relnamespace::regnamespace::text !~ '^(pg_|information|flotilla)'"
COLUMNS = (f"SELECT c.oid::regclass::text AS t, a.attname::text AS n, a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
           f" WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND NOT relispartition AND {USERS}")
INDEXES = (f"SELECT i.indrelid::regclass::text AS t, c.relname::text AS n, c.oid::regclass::text AS i FROM pg_index i"
           f" JOIN pg_class c ON c.oid = indexrelid WHERE {USERS}"
           " AND c.relkind = 'i' AND NOT c.relispartition")
CONSTRAINTS = (f"SELECT k.conrelid::regclass::text AS t, k.conname::text AS n FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid"
               f" WHERE {USERS} AND NOT relispartition")


def tables(seed):
    return HEAD + "".join([
        loop(seed, 12, COLUMNS + " AND atttypid IN ('text'::regtype, 'jsonb'::regtype, 'varchar'::regtype)",
             ("ALTER TABLE %s ALTER COLUMN %I SET COMPRESSION pglz", "r.t, r.n")),
        loop(seed, 10, COLUMNS + " AND relkind = 'r'",
             ("ALTER TABLE %s ALTER COLUMN %I SET (n_distinct = -0.5, n_distinct_inherited = 7)", "r.t, r.n")),
        loop(seed, 10, COLUMNS, ("ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 123", "r.t, r.n")),
        loop(seed, 10, COLUMNS, ("COMMENT ON COLUMN %s.%I IS 'a %% column''s'", "r.t, r.n")),
        loop(seed, 10, COLUMNS, ("GRANT SELECT (%I), INSERT (%I) ON %s TO writer WITH GRANT OPTION", "r.n, r.n, r.t")),
        loop(seed, 8, COLUMNS, ("GRANT REFERENCES (%I) ON %s TO PUBLIC", "r.n, r.t")),
        loop(seed, 12, COLUMNS + " AND typstorage = 'x'".replace("typstorage", "attstorage"),
             ("ALTER TABLE %s ALTER COLUMN %I SET STORAGE MAIN", "r.t, r.n")),
        loop(seed, 25, INDEXES, ("COMMENT ON INDEX %s IS 'index %%s'", "r.i")),
        loop(seed, 12, INDEXES, ('ALTER INDEX %s SET TABLESPACE "wild space"', "r.i")),
        loop(seed, 15, INDEXES, ("ALTER TABLE %s CLUSTER ON %I", "r.t, r.n")),
        loop(seed, 40, INDEXES + " AND indexprs IS NOT NULL", ("ALTER INDEX %s ALTER COLUMN 1 SET STATISTICS 55", "r.i")),
        loop(seed, 10, INDEXES + " AND indisunique AND indimmediate AND indpred IS NULL AND indexprs IS NULL",
             ("ALTER TABLE %s REPLICA IDENTITY USING INDEX %I", "r.t, r.n")),
        loop(seed, 40, CONSTRAINTS, ("COMMENT ON CONSTRAINT %I ON %s IS 'constraint ''of''  it'", "r.n, r.t")),
        loop(seed, 30, CONSTRAINTS + " AND contype = 'f' AND relkind = 'r'",
             ("ALTER TABLE %s ALTER CONSTRAINT %I DEFERRABLE", "r.t, r.n")),
        loop(seed, 50, f"SELECT c.oid::regclass::text AS t, relname::text AS n FROM pg_class c WHERE relkind = 'S' AND {USERS}",
             ("COMMENT ON SEQUENCE %s IS 'counts'", "r.t"), ("ALTER SEQUENCE %s INCREMENT BY 3 CACHE 7", "r.t"),
             ("GRANT USAGE, SELECT ON SEQUENCE %s TO writer", "r.t")),
        loop(seed, 15, f"SELECT c.oid::regclass::text AS t, relname::text AS n FROM pg_class c WHERE relkind = 'r' AND {USERS}",
             ("ALTER TABLE %s SET (fillfactor = 70, autovacuum_enabled = false)", "r.t")),
    ]) + TAIL


def hangers(seed):
    on = f"JOIN pg_class c ON c.oid = {{}} WHERE {USERS}"
    triggers = "SELECT tgrelid::regclass::text AS t, tgname::text AS n FROM pg_trigger x " + on.format("tgrelid") + " AND NOT tgisinternal"
    policies = "SELECT polrelid::regclass::text AS t, polname::text AS n FROM pg_policy x " + on.format("polrelid")
    stats = ("SELECT stxnamespace::regnamespace || '.' || quote_ident(stxname) AS t, stxname::text AS n FROM pg_statistic_ext x "
             + on.format("stxrelid"))
    views = f"SELECT c.oid::regclass::text AS t, relname::text AS n FROM pg_class c WHERE relkind = 'v' AND {USERS}"
    view_columns = (f"SELECT c.oid::regclass::text AS t, a.attname::text AS n FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
                    f" WHERE relkind IN ('v', 'm') AND attnum > 0 AND {USERS}")
    functions = "SELECT oid::regprocedure::text AS t, proname::text AS n FROM pg_proc c WHERE " + USERS.replace("relnamespace", "pronamespace")
    return HEAD + "".join([
        loop(seed, 40, triggers, ("COMMENT ON TRIGGER %I ON %s IS 'fires ''now'''", "r.n, r.t")),
        loop(seed, 15, triggers, ("ALTER TABLE %s ENABLE ALWAYS TRIGGER %I", "r.t, r.n")),
        loop(seed, 40, policies, ("COMMENT ON POLICY %I ON %s IS 'lets'", "r.n, r.t")),
        loop(seed, 40, stats, ("COMMENT ON STATISTICS %s IS 'knows'", "r.t")),
        loop(seed, 40, stats, ("ALTER STATISTICS %s SET STATISTICS 321", "r.t")),
        loop(seed, 30, stats, ("ALTER STATISTICS %s OWNER TO wild_keeper", "r.t")),
        loop(seed, 30, view_columns, ("COMMENT ON COLUMN %s.%I IS 'shown'", "r.t, r.n")),
        loop(seed, 20, view_columns, ("GRANT SELECT (%I) ON %s TO writer", "r.n, r.t")),
        loop(seed, 20, views, ("ALTER VIEW %s OWNER TO wild_keeper", "r.t")),
        loop(seed, 20, views, ("ALTER VIEW %s SET (security_invoker = true)", "r.t")),
        loop(seed, 40, functions, ("COMMENT ON FUNCTION %s IS 'does'", "r.t")),
        loop(seed, 40, functions, ("REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC", "r.t")),
    ]) + TAIL
