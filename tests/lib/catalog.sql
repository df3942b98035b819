-- One line of text for each definition in the users' schemas; fleet.py's catalog() sorts them.
-- Left out on purpose: column order, sequence positions, statistics, the schema flotilla.
SET search_path = '';
WITH s AS (
    SELECT oid, nspname FROM pg_catalog.pg_namespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'flotilla') AND nspname NOT LIKE 'pg_%'
), r AS (
    SELECT c.*, pg_catalog.format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c JOIN s ON s.oid = c.relnamespace
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
)
SELECT pg_catalog.format('%s %s owner %s acl %s options %s rls %s/%s of %s bound %s key %s',
    relkind, name, relowner::regrole, (SELECT string_agg(x::text, ',' ORDER BY x::text) FROM unnest(relacl) x),
    reloptions, relrowsecurity, relforcerowsecurity,
    (SELECT string_agg(inhparent::regclass::text, ',') FROM pg_catalog.pg_inherits WHERE inhrelid = r.oid),
    pg_catalog.pg_get_expr(relpartbound, oid),
    CASE WHEN relkind = 'p' THEN pg_catalog.pg_get_partkeydef(oid) END)
FROM r WHERE relkind NOT IN ('i', 'I', 't')
UNION ALL
SELECT pg_catalog.format('column %s.%I %s%s default %s identity %s generated %s collation %s acl %s options %s comment %s',
    name, attname, pg_catalog.format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' not null' END,
    pg_catalog.pg_get_expr(adbin, adrelid), attidentity, attgenerated, NULLIF(attcollation, 0)::regcollation,
    attacl, attfdwoptions, pg_catalog.col_description(r.oid, attnum))
FROM r JOIN pg_catalog.pg_attribute a ON attrelid = r.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON adrelid = attrelid AND adnum = attnum
WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
UNION ALL
SELECT pg_catalog.format('constraint %s.%I %s valid %s', name, conname,
    pg_catalog.pg_get_constraintdef(k.oid), convalidated)
FROM pg_catalog.pg_constraint k JOIN r ON r.oid = conrelid WHERE contype <> 't'
UNION ALL
SELECT pg_catalog.format('index %s valid %s identity %s', pg_catalog.pg_get_indexdef(indexrelid), indisvalid, indisreplident)
FROM pg_catalog.pg_index JOIN r ON r.oid = indrelid WHERE relkind <> 't'
UNION ALL
SELECT pg_catalog.format('definition %s %s', name, pg_catalog.pg_get_viewdef(oid)) FROM r WHERE relkind IN ('v', 'm')
UNION ALL
SELECT pg_catalog.format('trigger %s.%I %s enabled %s', name, tgname, pg_catalog.pg_get_triggerdef(t.oid), tgenabled)
FROM pg_catalog.pg_trigger t JOIN r ON r.oid = tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT pg_catalog.format('policy %s.%I %s %s %s %s %s', name, polname, polcmd, polpermissive, polroles::regrole[],
    pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid))
FROM pg_catalog.pg_policy JOIN r ON r.oid = polrelid
UNION ALL
SELECT pg_catalog.format('sequence %s %s start %s by %s min %s max %s cycle %s of %s', name,
    pg_catalog.format_type(seqtypid, NULL), seqstart, seqincrement, seqmin, seqmax, seqcycle,
    (SELECT d.refobjid::regclass || '.' || attname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute
     ON attrelid = refobjid AND attnum = refobjsubid WHERE d.objid = r.oid AND d.deptype IN ('a', 'i')
     AND d.classid = 'pg_catalog.pg_class'::regclass LIMIT 1))
FROM r JOIN pg_catalog.pg_sequence ON seqrelid = r.oid
UNION ALL
SELECT pg_catalog.format('function %s owner %s acl %s', CASE WHEN prokind IN ('f', 'p', 'w')
    THEN pg_catalog.pg_get_functiondef(p.oid) ELSE p.oid::regprocedure::text END, proowner::regrole, proacl)
FROM pg_catalog.pg_proc p JOIN s ON s.oid = pronamespace
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT pg_catalog.format('type %I.%I %s base %s values %s check %s', nspname, typname, typtype,
    CASE WHEN typtype = 'd' THEN pg_catalog.format_type(typbasetype, typtypmod) END,
    (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(pg_catalog.pg_get_constraintdef(k.oid), ',' ORDER BY conname)
     FROM pg_catalog.pg_constraint k WHERE contypid = t.oid))
FROM pg_catalog.pg_type t JOIN s ON s.oid = typnamespace WHERE typtype IN ('e', 'd', 'r')
UNION ALL
SELECT pg_catalog.format('foreign table %s server %I %s', name, srvname, ftoptions)
FROM pg_catalog.pg_foreign_table JOIN r ON r.oid = ftrelid JOIN pg_catalog.pg_foreign_server v ON v.oid = ftserver
UNION ALL
SELECT pg_catalog.format('publication %I all %s: %s', pubname, puballtables,
    (SELECT string_agg(schemaname || '.' || tablename || COALESCE(' (' || (SELECT string_agg(n::text, ',' ORDER BY n) FROM unnest(attnames) n) || ')', '')
     || COALESCE(' where ' || rowfilter, ''), '; ' ORDER BY schemaname, tablename)
     FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname))
FROM pg_catalog.pg_publication p
UNION ALL
SELECT pg_catalog.format('statistics %s', pg_catalog.pg_get_statisticsobjdef(e.oid))
FROM pg_catalog.pg_statistic_ext e JOIN s ON s.oid = stxnamespace
UNION ALL
SELECT pg_catalog.format('comment %s %s', name, pg_catalog.obj_description(oid, 'pg_class'))
FROM r WHERE pg_catalog.obj_description(oid, 'pg_class') IS NOT NULL;
