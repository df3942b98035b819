#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/pg/catalog_reader.h"

/* Comments, and what ALTER alone can say. Parts of partitions follow their parents'. */
const char catalog_extras_sql[] =
    ", ext AS (SELECT e.oid, e.stxrelid, e.stxowner, e.stxstattarget, format('%I.%I', n.nspname,"
    " e.stxname) AS who FROM pg_statistic_ext e JOIN pg_namespace n ON n.oid = e.stxnamespace)"
    " SELECT * FROM ("
    "SELECT t.tgrelid AS relation, format('trigger %s', t.tgname) AS name,"
    " format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname, t.tgrelid::regclass, d.description) AS sql"
    " FROM pg_trigger t JOIN pg_description d ON d.objoid = t.oid"
    " AND d.classoid = 'pg_trigger'::regclass WHERE NOT t.tgisinternal AND t.tgparentid = 0"
    " UNION ALL SELECT p.polrelid, format('policy %s', p.polname),"
    " format('COMMENT ON POLICY %I ON %s IS %L', p.polname, p.polrelid::regclass, d.description)"
    " FROM pg_policy p JOIN pg_description d ON d.objoid = p.oid"
    " AND d.classoid = 'pg_policy'::regclass"
    " UNION ALL SELECT r.ev_class, format('rule %s', r.rulename),"
    " format('COMMENT ON RULE %I ON %s IS %L', r.rulename, r.ev_class::regclass, d.description)"
    " FROM pg_rewrite r JOIN pg_description d ON d.objoid = r.oid"
    " AND d.classoid = 'pg_rewrite'::regclass WHERE r.rulename <> '_RETURN'"
    " UNION ALL SELECT r.ev_class, format('rule %s', r.rulename), format('ALTER TABLE %s %s RULE %I',"
    " r.ev_class::regclass, CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS'"
    " ELSE 'ENABLE REPLICA' END, r.rulename) FROM pg_rewrite r WHERE r.ev_enabled <> 'O'"
    " AND r.rulename <> '_RETURN'"
    " UNION ALL SELECT e.stxrelid, format('statistics %s', e.who), format('COMMENT ON STATISTICS %s IS"
    " %L', e.who, d.description) FROM ext e JOIN pg_description d ON d.objoid = e.oid"
    " AND d.classoid = 'pg_statistic_ext'::regclass"
    " UNION ALL SELECT e.stxrelid, format('statistics %s', e.who), format('ALTER STATISTICS %s SET"
    " STATISTICS %s', e.who, e.stxstattarget) FROM ext e WHERE e.stxstattarget >= 0"
    " UNION ALL SELECT e.stxrelid, format('statistics %s', e.who), format('ALTER STATISTICS %s OWNER TO"
    " %I', e.who, pg_get_userbyid(e.stxowner)) FROM ext e JOIN pg_class c ON c.oid = e.stxrelid"
    " WHERE c.relowner <> e.stxowner"
    " UNION ALL SELECT i.indrelid, format('index %s', c.relname), format('ALTER INDEX %s ALTER COLUMN %s"
    " SET STATISTICS %s', i.indexrelid::regclass, a.attnum, a.attstattarget) FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = i.indexrelid"
    " WHERE a.attstattarget >= 0"
    " UNION ALL SELECT i.indrelid, format('index %s', c.relname), format('ALTER TABLE %s CLUSTER ON %I',"
    " i.indrelid::regclass, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indisclustered"
    " UNION ALL SELECT i.indrelid, format('index %s', c.relname), format('ALTER TABLE %s REPLICA IDENTITY"
    " USING INDEX %I', i.indrelid::regclass, c.relname) FROM pg_index i"
    " JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indisreplident"
    ") x ORDER BY relation, name COLLATE \"C\", sql COLLATE \"C\"";

bool catalog_read_event_triggers(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(
            reader,
            "SELECT e.evtname, e.evtevent, n.nspname, p.proname, pg_get_userbyid(e.evtowner),"
            " e.evtenabled, e.evttags FROM pg_event_trigger e JOIN pg_proc p ON p.oid ="
            " e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace WHERE NOT EXISTS"
            " (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass"
            " AND d.objid = e.oid AND d.deptype = 'e') ORDER BY e.evtname COLLATE \"C\"",
            &rows, err))
        return false;
    c->event_trigger_count = rows_count(rows);
    c->event_triggers = mem_array(c, struct event_trigger, c->event_trigger_count);
    for (size_t i = 0; i < c->event_trigger_count; i++) {
        struct event_trigger *e = &c->event_triggers[i];

        e->name = reader_text(reader, rows, i, 0);
        e->event = reader_text(reader, rows, i, 1);
        e->function = object_name_join(c, rows_text(rows, i, 2), rows_text(rows, i, 3));
        e->owner = reader_text(reader, rows, i, 4);
        e->enabled = reader_char(rows, i, 5);
        e->tags = reader_texts(reader, rows, i, 6);
    }
    return true;
}
