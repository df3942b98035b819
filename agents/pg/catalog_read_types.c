#include "agents/base/mem.h"
#include "agents/pg/catalog_reader.h"

/* Multiranges come with their range, array types with their element, row types with their table. */
static const char types_sql[] =
    "SELECT s.nspname, t.typname, t.typtype, pg_get_userbyid(t.typowner),"
    " CASE t.typtype WHEN 'e' THEN ARRAY(SELECT e.enumlabel FROM pg_enum e"
    " WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)::text[] END,"
    " CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) WHEN 'r' THEN"
    " (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE r.rngtypid = t.oid) END,"
    " t.typnotnull, CASE t.typtype WHEN 'd' THEN pg_get_expr(t.typdefaultbin, 0) END,"
    " CASE t.typtype WHEN 'd' THEN ARRAY(SELECT format('%I %s', k.conname,"
    " pg_get_constraintdef(k.oid)) FROM pg_constraint k WHERE k.contypid = t.oid) END,"
    " CASE t.typtype WHEN 'c' THEN ARRAY(SELECT format('%I %s', a.attname,"
    " format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a WHERE a.attrelid = t.typrelid"
    " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) END, t.typacl::text[]"
    " FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace"
    " LEFT JOIN pg_class c ON c.oid = t.typrelid AND t.typrelid <> 0"
    " WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (t.typtype <> 'c' OR c.relkind = 'c')"
    " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass"
    " AND e.objid = t.oid AND e.deptype = 'e')";

static void set_type(struct reader *reader, const struct rows *rows, size_t row, struct type *t)
{
    t->schema = reader_text(reader, rows, row, 0);
    t->name = reader_text(reader, rows, row, 1);
    t->kind = reader_char(rows, row, 2);
    t->owner = reader_text(reader, rows, row, 3);
    t->labels = reader_texts(reader, rows, row, 4);
    t->base = reader_text(reader, rows, row, 5);
    t->not_null = rows_bool(rows, row, 6);
    t->default_expr = reader_text(reader, rows, row, 7);
    t->constraints = reader_texts(reader, rows, row, 8);
    t->attributes = reader_texts(reader, rows, row, 9);
    t->acl = reader_texts(reader, rows, row, 10);
}

bool catalog_read_types(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader, types_sql, &rows, err))
        return false;
    c->type_count = rows_count(rows);
    c->types = mem_array(c, struct type, c->type_count);
    for (size_t i = 0; i < c->type_count; i++)
        set_type(reader, rows, i, &c->types[i]);
    return true;
}
