#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

enum function_col {
    FUN_OID,
    FUN_SCHEMA,
    FUN_NAME,
    FUN_ARGUMENTS,
    FUN_RESULT,
    FUN_LANGUAGE,
    FUN_KIND,
    FUN_VOLATILITY,
    FUN_DEFINER,
    FUN_BODY,
    FUN_CONFIG,
    FUN_OWNER,
    FUN_ACL,
    FUN_DEFINITION,
    FUN_STANDARD,
};

/* The text of an SQL-standard body is deparsed and can wait for locks: that one is a slot. */
static const char functions_sql[] =
    "SELECT p.oid, s.nspname, p.proname, pg_get_function_identity_arguments(p.oid),"
    " pg_get_function_result(p.oid), l.lanname, p.prokind, p.provolatile, p.prosecdef, p.prosrc,"
    " p.proconfig, pg_get_userbyid(p.proowner), p.proacl::text[],"
    " CASE WHEN p.prokind <> 'a' AND p.prosqlbody IS NULL AND l.lanname NOT IN ('internal', 'c')"
    " THEN pg_get_functiondef(p.oid) END, p.prosqlbody IS NOT NULL"
    " FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace"
    " JOIN pg_language l ON l.oid = p.prolang"
    " WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass"
    " AND e.objid = p.oid AND e.deptype = 'e') ORDER BY p.oid";

static const char reads_sql[] =
    "SELECT DISTINCT d.objid, d.refobjid, d.refobjsubid FROM pg_depend d"
    " WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass"
    " AND d.deptype = 'n' ORDER BY 1, 2, 3";

static void set_function(struct reader *reader, const struct rows *rows, size_t row,
                         struct function *f)
{
    f->schema = reader_text(reader, rows, row, FUN_SCHEMA);
    f->name = reader_text(reader, rows, row, FUN_NAME);
    f->arguments = reader_text(reader, rows, row, FUN_ARGUMENTS);
    f->result = reader_text(reader, rows, row, FUN_RESULT);
    f->language = reader_text(reader, rows, row, FUN_LANGUAGE);
    f->kind = reader_char(rows, row, FUN_KIND);
    f->volatility = reader_char(rows, row, FUN_VOLATILITY);
    f->security_definer = rows_bool(rows, row, FUN_DEFINER);
    f->body = reader_text(reader, rows, row, FUN_BODY);
    f->config = reader_texts(reader, rows, row, FUN_CONFIG);
    f->owner = reader_text(reader, rows, row, FUN_OWNER);
    f->acl = reader_texts(reader, rows, row, FUN_ACL);
    f->definition = reader_text(reader, rows, row, FUN_DEFINITION);
}

/* After its reads are known: they are what its format functions would wait for. */
static void add_slots(struct reader *reader, const struct rows *rows, size_t row,
                      struct function *f, struct oids reads)
{
    struct slot slot = { .oid = reader_oid(rows, row, FUN_OID), .reads = reads };

    slot.name = mem_printf(reader->tmp, "%s.%s(%s)", f->schema, f->name, f->arguments);
    slot.target = &f->definition;
    reader_slot(reader, SLOT_FUNCTION, slot);
    slot.target = &f->body;
    reader_slot(reader, SLOT_BODY, slot);
}

static struct oids set_reads(struct reader *reader, const struct rows *reads, size_t first,
                             size_t n, struct function *f)
{
    const char **names = mem_array(reader->catalog, const char *, n);
    struct oids oids = { mem_array(reader->tmp, uint32_t, n), 0 };
    size_t count = 0;

    for (size_t i = first; i < first + n; i++) {
        uint32_t oid = reader_oid(reads, i, 1);
        const struct place *place = reader_place(reader, oid);

        oids.items[oids.count++] = oid;
        if (place)
            names[count++] = reader_read_name(reader, place, (int)rows_int(reads, i, 2));
    }
    f->reads = (struct catalog_texts){ names, count };
    return oids;
}

bool catalog_read_functions(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL, *reads = NULL;

    if (!reader_query(reader, functions_sql, &rows, err) ||
        !reader_query(reader, reads_sql, &reads, err))
        return false;
    c->function_count = rows_count(rows);
    c->functions = mem_array(c, struct function, c->function_count);
    for (size_t i = 0, r = 0; i < c->function_count; i++) { /* both by oid */
        uint32_t oid = reader_oid(rows, i, FUN_OID);
        struct oids oids = { 0 };

        set_function(reader, rows, i, &c->functions[i]);
        while (r < rows_count(reads) && reader_oid(reads, r, 0) < oid)
            r++;
        if (r < rows_count(reads) && reader_oid(reads, r, 0) == oid)
            oids = set_reads(reader, reads, r, reader_group(reads, r), &c->functions[i]);
        if (rows_bool(rows, i, FUN_STANDARD))
            add_slots(reader, rows, i, &c->functions[i], oids);
    }
    return true;
}
