#include "controller/work/owner.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static size_t owned_by(const struct catalog *catalog, const char *schema, const char *owner)
{
    size_t n = 0;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *relation = &catalog->relations[i];
        n += text_eq(relation->owner, owner) && (!schema || text_eq(relation->schema, schema));
    }
    return n;
}

static const char *main_owner(const struct catalog *catalog, const char *schema)
{
    const char *best = NULL;
    size_t most = 0;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *relation = &catalog->relations[i];
        if ((schema && !text_eq(relation->schema, schema)) || text_eq(relation->owner, best) ||
            !relation->owner) {
            continue;
        }
        size_t n = owned_by(catalog, schema, relation->owner);
        if (n > most) {
            best = relation->owner;
            most = n;
        }
    }
    return best;
}

const char *owner_of_new(const struct catalog *catalog, const char *schema)
{
    const char *owner = main_owner(catalog, schema);
    return owner ? owner : main_owner(catalog, NULL);
}

const char *created_keyword(const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE:
        return s->object == SQL_OBJECT_FOREIGN_TABLE ? "FOREIGN TABLE" : "TABLE";
    case SQL_STMT_CREATE_TABLE_AS: return "TABLE";
    case SQL_STMT_CREATE_VIEW: return "VIEW";
    case SQL_STMT_CREATE_MATVIEW: return "MATERIALIZED VIEW";
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_TYPE: return "TYPE";
    case SQL_STMT_CREATE_DOMAIN: return "DOMAIN";
    case SQL_STMT_CREATE_SEQUENCE: return "SEQUENCE";
    case SQL_STMT_CREATE_SCHEMA: return "SCHEMA";
    default: return NULL;
    }
}

/* The owner of the table that it becomes a partition of, or of the schema's other tables. */
static const char *wanted(const struct work *work, const struct statement *s)
{
    const struct catalog *catalog = work->home->catalog;
    const struct sql_name *parent = s->table ? &s->table->partition_of : NULL;
    const struct relation *relation =
        parent && parent->name ? catalog_relation(catalog, parent->schema, parent->name) : NULL;
    if (relation && relation->owner) {
        return relation->owner;
    }
    const char *schema =
        s->name.schema ? s->name.schema : catalog_default_schema(work->ctx, catalog);
    return owner_of_new(catalog, s->kind == SQL_STMT_CREATE_SCHEMA ? NULL : schema);
}

const char *owner_statement(const struct work *work, const char *keyword, const char *name,
                            const char *owner)
{
    return owner ? say(work, "ALTER %s %s OWNER TO %s", keyword, name, ident(work, owner)) : NULL;
}

const char *owner_after(const struct work *work, const char *sql)
{
    struct statement *s = NULL;
    struct error ignored;
    if (!sql_parse_one(work->ctx, sql, &s, &ignored) || !created_keyword(s) || s->temporary ||
        s->if_not_exists || s->or_replace || !s->name.name) {
        return NULL;
    }
    const char *name =
        s->name.schema ? name_sql(work, s->name.schema, s->name.name) : ident(work, s->name.name);
    return owner_statement(work, created_keyword(s), name, wanted(work, s));
}
