#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

/* Objects of an extension come and go with it. */
#define NOT_IN_EXTENSION(class, oid)                                                           \
    " AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '" class "'::regclass"         \
                                                                         " AND e.objid = " oid \
                                                                         " AND e.deptype = 'e')"

enum relation_col {
    REL_OID,
    REL_SCHEMA,
    REL_NAME,
    REL_KIND,
    REL_PERSISTENCE,
    REL_OWNER,
    REL_ACL,
    REL_OPTIONS,
    REL_SECURITY,
    REL_FORCE_SECURITY,
    REL_REPLICA,
    REL_ROWS,
    REL_BYTES,
    REL_PARENT,
    REL_BOUND,
    REL_SERVER,
    REL_FOREIGN_OPTIONS,
    REL_COMMENT,
    REL_TYPE_SCHEMA,
    REL_TYPE,
    REL_TABLESPACE,
    REL_METHOD,
};

static const char relations_sql[] =
    "SELECT c.oid, s.nspname, c.relname, c.relkind, c.relpersistence,"
    " pg_get_userbyid(c.relowner), c.relacl::text[], c.reloptions, c.relrowsecurity,"
    " c.relforcerowsecurity, c.relreplident,"
    /* Never analyzed: the statistics system has an idea. */
    " CASE WHEN c.relkind NOT IN ('r', 'm', 'p', 'f') THEN -1 WHEN c.reltuples >= 0 THEN"
    " c.reltuples::bigint ELSE coalesce(nullif(pg_stat_get_live_tuples(c.oid), 0), -1) END,"
    " (c.relpages + coalesce(t.relpages, 0))::bigint * current_setting('block_size')::bigint,"
    /* Bounds and plain defaults have no columns in them: without a relation to deparse for, no lock
     * is waited for. */
    " i.inhparent, CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, 0) END, v.srvname, f.ftoptions, d.description,"
    " y.nspname, o.typname, p.spcname, nullif(m.amname, 'heap')"
    " FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace"
    " LEFT JOIN pg_class t ON t.oid = c.reltoastrelid AND c.reltoastrelid <> 0"
    " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhseqno = 1"
    " LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid"
    " LEFT JOIN pg_foreign_server v ON v.oid = f.ftserver"
    " LEFT JOIN pg_type o ON o.oid = c.reloftype AND c.reloftype <> 0"
    " LEFT JOIN pg_namespace y ON y.oid = o.typnamespace"
    " LEFT JOIN pg_tablespace p ON p.oid = c.reltablespace AND c.reltablespace <> 0"
    " LEFT JOIN pg_am m ON m.oid = c.relam AND c.relam <> 0"
    " LEFT JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass"
    " AND d.objsubid = 0"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')" NOT_IN_EXTENSION("pg_class",
                                                                     "c.oid") " ORDER BY c.oid";

/* schema_name and table_name have fields of their own; the others are options like any. */
static void set_foreign(struct reader *reader, const struct rows *rows, size_t row,
                        struct relation *r)
{
    struct catalog_texts all = reader_texts(reader, rows, row, REL_FOREIGN_OPTIONS);
    const char **rest = mem_array(reader->catalog, const char *, all.count);
    size_t count = 0;

    r->server = reader_text(reader, rows, row, REL_SERVER);
    if (!r->server)
        return;
    r->foreign_schema = r->schema;
    r->foreign_table = r->name;
    for (size_t i = 0; i < all.count; i++) {
        if (text_starts(all.items[i], "schema_name="))
            r->foreign_schema = strchr(all.items[i], '=') + 1;
        else if (text_starts(all.items[i], "table_name="))
            r->foreign_table = strchr(all.items[i], '=') + 1;
        else
            rest[count++] = all.items[i];
    }
    r->options = (struct catalog_texts){ rest, count };
}

static void set_relation(struct reader *reader, const struct rows *rows, size_t row,
                         struct place *place)
{
    struct relation *r = place->relation;
    struct slot slot = { .oid = place->oid, .place = place };

    r->schema = reader_text(reader, rows, row, REL_SCHEMA);
    r->name = reader_text(reader, rows, row, REL_NAME);
    r->kind = reader_char(rows, row, REL_KIND);
    r->persistence = reader_char(rows, row, REL_PERSISTENCE);
    r->owner = reader_text(reader, rows, row, REL_OWNER);
    r->acl = reader_texts(reader, rows, row, REL_ACL);
    r->options = reader_texts(reader, rows, row, REL_OPTIONS);
    r->row_security = rows_bool(rows, row, REL_SECURITY);
    r->force_row_security = rows_bool(rows, row, REL_FORCE_SECURITY);
    r->replica_identity = reader_char(rows, row, REL_REPLICA);
    r->rows = rows_int(rows, row, REL_ROWS);
    r->bytes = rows_int(rows, row, REL_BYTES);
    r->comment = reader_text(reader, rows, row, REL_COMMENT);
    r->partition_bound = reader_text(reader, rows, row, REL_BOUND);
    r->tablespace = reader_text(reader, rows, row, REL_TABLESPACE);
    r->access_method = reader_text(reader, rows, row, REL_METHOD);
    if (rows_text(rows, row, REL_TYPE)) {
        r->of_type = object_name_join(reader->catalog, rows_text(rows, row, REL_TYPE_SCHEMA),
                                      rows_text(rows, row, REL_TYPE));
    }
    set_foreign(reader, rows, row, r);
    slot.target = &r->definition;
    if (r->kind == 'v' || r->kind == 'm')
        reader_slot(reader, SLOT_VIEW, slot);
    slot.target = &r->partition_key;
    if (r->kind == 'p')
        reader_slot(reader, SLOT_PARTITION_KEY, slot);
}

static bool read_relations(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader, relations_sql, &rows, err))
        return false;
    c->relation_count = rows_count(rows);
    c->relations = mem_array(c, struct relation, c->relation_count);
    reader->places = mem_array(reader->tmp, struct place, c->relation_count);
    reader->place_count = c->relation_count;
    for (size_t i = 0; i < c->relation_count; i++) {
        reader->places[i].oid = reader_oid(rows, i, REL_OID);
        reader->places[i].relation = &c->relations[i];
        set_relation(reader, rows, i, &reader->places[i]);
        reader->places[i].rows_known = c->relations[i].rows >= 0;
    }
    for (size_t i = 0; i < c->relation_count; i++) {
        struct place *parent = reader_place(reader, reader_oid(rows, i, REL_PARENT));
        reader->places[i].parent = parent;
        if (parent)
            c->relations[i].parent =
                object_name_join(c, parent->relation->schema, parent->relation->name);
    }
    return true;
}

enum column_col {
    COL_RELATION,
    COL_NAME,
    COL_NUMBER,
    COL_TYPE,
    COL_NOT_NULL,
    COL_IDENTITY,
    COL_GENERATED,
    COL_COLLATION,
    COL_OPTIONS,
    COL_STORAGE,
    COL_STATISTICS,
    COL_ACL,
    COL_COMMENT,
    COL_INHERITED,
    COL_DEFAULT,
    COL_GENERATION,
    COL_COMPRESSION,
    COL_ATTRIBUTES,
};

static const char columns_sql[] =
    "SELECT a.attrelid, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,"
    " a.attidentity, a.attgenerated, CASE WHEN a.attcollation <> t.typcollation THEN"
    " (SELECT format('%I.%I', n.nspname, l.collname) FROM pg_collation l JOIN pg_namespace n"
    " ON n.oid = l.collnamespace WHERE l.oid = a.attcollation) END,"
    " array_to_string(a.attfdwoptions, ','),"
    " CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'PLAIN'"
    " WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,"
    " coalesce(a.attstattarget, -1), a.attacl::text[], d.description, NOT a.attislocal,"
    " CASE WHEN a.attgenerated = '' THEN pg_get_expr(f.adbin, 0) END,"
    " CASE WHEN a.attgenerated <> '' THEN f.oid END,"
    " CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,"
    " (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%')"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " JOIN spaces s ON s.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid"
    " LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum"
    " LEFT JOIN pg_description d ON d.objoid = a.attrelid AND d.classoid = 'pg_class'::regclass"
    " AND d.objsubid = a.attnum"
    " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " ORDER BY a.attrelid, a.attnum";

static void set_column(struct reader *reader, const struct rows *rows, size_t row,
                       const struct place *place, struct column *c)
{
    c->name = reader_text(reader, rows, row, COL_NAME);
    c->number = (int)rows_int(rows, row, COL_NUMBER);
    c->type = reader_text(reader, rows, row, COL_TYPE);
    c->not_null = rows_bool(rows, row, COL_NOT_NULL);
    c->identity = reader_char(rows, row, COL_IDENTITY);
    c->generated = reader_char(rows, row, COL_GENERATED);
    c->collation = reader_text(reader, rows, row, COL_COLLATION);
    c->options = reader_text(reader, rows, row, COL_OPTIONS);
    c->storage = reader_text(reader, rows, row, COL_STORAGE);
    c->statistics = (int)rows_int(rows, row, COL_STATISTICS);
    c->compression = reader_text(reader, rows, row, COL_COMPRESSION);
    c->attributes = reader_text(reader, rows, row, COL_ATTRIBUTES);
    c->acl = reader_texts(reader, rows, row, COL_ACL);
    c->comment = reader_text(reader, rows, row, COL_COMMENT);
    c->inherited = rows_bool(rows, row, COL_INHERITED);
    c->default_expr = reader_text(reader, rows, row, COL_DEFAULT);
    if (!rows_null(rows, row, COL_GENERATION))
        reader_slot(reader, SLOT_GENERATION,
                    (struct slot){ .oid = reader_oid(rows, row, COL_GENERATION),
                                   .place = place,
                                   .name = c->name,
                                   .target = &c->default_expr });
}

static bool read_columns(struct reader *reader, struct error *err)
{
    struct rows *rows = NULL;

    if (!reader_query(reader, columns_sql, &rows, err))
        return false;
    for (size_t i = 0, n; i < rows_count(rows); i += n) {
        const struct place *place = reader_place(reader, reader_oid(rows, i, COL_RELATION));

        n = reader_group(rows, i);
        if (!place)
            continue;
        place->relation->columns = mem_array(reader->catalog, struct column, n);
        place->relation->column_count = n;
        for (size_t j = 0; j < n; j++)
            set_column(reader, rows, i + j, place, &place->relation->columns[j]);
    }
    return true;
}

/* One row: the view, what it reads, and which column of it (0: the table, but none of its columns).
 */
static const char reads_sql[] =
    "SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_rewrite r"
    " JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class"
    " WHERE r.rulename = '_RETURN' AND r.oid >= 16384 ORDER BY 1, 2, 3";

static void set_reads(struct reader *reader, const struct rows *rows, size_t first, size_t n,
                      struct place *view)
{
    const char **names = mem_array(reader->catalog, const char *, n);
    size_t count = 0;

    view->reads.items = mem_array(reader->tmp, uint32_t, n);
    for (size_t i = first; i < first + n; i++) {
        uint32_t oid = reader_oid(rows, i, 1);
        const struct place *read = reader_place(reader, oid);
        int number = (int)rows_int(rows, i, 2);

        if (i == first || reader_oid(rows, i - 1, 1) != oid)
            view->reads.items[view->reads.count++] = oid;
        if (read)
            names[count++] = reader_read_name(reader, read, number);
    }
    view->relation->reads = (struct catalog_texts){ names, count };
}

static bool read_view_reads(struct reader *reader, struct error *err)
{
    struct rows *rows = NULL;

    if (!reader_query(reader, reads_sql, &rows, err))
        return false;
    for (size_t i = 0, n; i < rows_count(rows); i += n) {
        struct place *view = reader_place(reader, reader_oid(rows, i, 0));

        n = reader_group(rows, i);
        if (view)
            set_reads(reader, rows, i, n, view);
    }
    return true;
}

bool catalog_read_relations(struct reader *reader, struct error *err)
{
    return read_relations(reader, err) && read_columns(reader, err) && read_view_reads(reader, err);
}
