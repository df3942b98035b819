#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_read.h"
#include "agents/pg/catalog_reader.h"

/* The catalogs that matter: what identifies a row, the relation it belongs to (temporary ones do
 * not count; null: none), and which rows are those of users. xmin changes with every version of a
 * row, a drop changes the count. Oids below 16384 are initdb's (FirstNormalObjectId). */
static const struct hashed {
    const char *table, *identity, *relation, *where;
} hashed[] = {
    { "class", "oid", "oid", "oid >= 16384" },
    { "attribute", "attrelid, attnum", "attrelid", "attrelid >= 16384 AND attnum > 0" },
    { "attrdef", "oid", "adrelid", "true" },
    { "constraint", "oid", "conrelid", "oid >= 16384" },
    { "index", "indexrelid", "indrelid", "indexrelid >= 16384" },
    { "proc", "oid", NULL, "oid >= 16384" },
    { "trigger", "oid", "tgrelid", "NOT tgisinternal" },
    { "rewrite", "oid", "ev_class", "oid >= 16384" },
    { "type", "oid", NULL, "oid >= 16384 AND typrelid = 0 AND typelem = 0" },
    { "enum", "oid", NULL, "true" },
    { "policy", "oid", NULL, "true" },
    { "description", "objoid, classoid, objsubid", "objoid", "objoid >= 16384" },
    { "statistic_ext", "oid", "stxrelid", "true" },
    { "inherits", "inhrelid, inhparent", "inhrelid", "true" },
    { "publication", "oid", NULL, "true" },
    { "publication_rel", "oid", NULL, "true" },
    { "depend", "objid, refobjid, refobjsubid", "objid",
      "deptype IN ('a', 'e') AND objid >= 16384" },
    { "sequence", "seqrelid", "seqrelid", "true" },
    { "event_trigger", "oid", NULL, "true" },
    { "namespace", "oid", NULL, "nspname NOT LIKE 'pg\\_%'" },
    { "extension", "oid", NULL, "true" },
    { "foreign_server", "oid", NULL, "true" },
    { "foreign_table", "ftrelid", NULL, "true" },
};

/* One row a catalog: its name and what `sums` makes of its rows. */
static const char *catalogs_sql(const void *ctx, const char *sums_of, bool with_identity)
{
    struct text sql = text_init(ctx, TEXT_SQL);

    text_add(&sql, "WITH temporary AS MATERIALIZED (SELECT oid FROM pg_catalog.pg_class"
                   " WHERE relpersistence = 't'), sums AS (");
    for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++) {
        const struct hashed *t = &hashed[i];

        text_addf(&sql,
                  "%sSELECT '%s' AS name, pg_catalog.count(*), %s%s%s FROM pg_catalog.pg_%s"
                  " WHERE %s",
                  i ? " UNION ALL " : "", t->table, sums_of, with_identity ? t->identity : "",
                  with_identity ? ", xmin::pg_catalog.text), 0)) AS sum" : "", t->table, t->where);
        if (t->relation)
            text_addf(&sql, " AND %s NOT IN (SELECT oid FROM temporary)", t->relation);
    }
    text_add(&sql, ") SELECT pg_catalog.md5(pg_catalog.string_agg(sums::pg_catalog.text, ' '"
                   " ORDER BY name)) FROM sums");
    return sql.data;
}

bool catalog_hash(const void *ctx, struct connection *connection, const char **out,
                  struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *sql =
        catalogs_sql(tmp, "pg_catalog.sum(pg_catalog.hash_record_extended(ROW(", true);

    if (!connection_query(tmp, connection, sql, NULL, 0, &rows, err))
        return fail_in(err, "hash of the catalog");
    *out = mem_text(ctx, rows_text(rows, 0, 0));
    return true;
}

/* A third of the hash's cost: every change since `xmin` leaves a row version at least as new as it
 * or one row less. */
bool catalog_mark(const void *ctx, struct connection *connection, const char *xmin,
                  const char **out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *newer = mem_printf(
        tmp, "FILTER (WHERE pg_catalog.age(xmin) <= pg_catalog.age('%s'::pg_catalog.xid))", xmin);
    const char *sums = mem_printf(
        tmp, "pg_catalog.count(*) %s AS newer, pg_catalog.sum(xmin::pg_catalog.text::int8) %s",
        newer, newer);

    if (!connection_query(tmp, connection, catalogs_sql(tmp, sums, false), NULL, 0, &rows, err))
        return fail_in(err, "mark of the catalog");
    *out = mem_text(ctx, rows_text(rows, 0, 0));
    return true;
}
