#include "controller/change/inverse.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

static void back(const void *ctx, struct inverse *inverse, const char *sql)
{
    inverse->down.items = mem_room(ctx, inverse->down.items, const char *, inverse->down.count + 1);
    inverse->down.items[inverse->down.count++] = sql;
}

static const char *sql_of(const void *ctx, const struct sql_name *name)
{
    return name->schema ? object_name_sql(ctx, name->schema, name->name)
                        : text_quote_ident(ctx, name->name);
}

/* --- what creates ---------------------------------------------------------------------------- */

static const char *created_keyword(const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE:
        return s->object == SQL_OBJECT_FOREIGN_TABLE ? "FOREIGN TABLE" : "TABLE";
    case SQL_STMT_CREATE_TABLE_AS: return "TABLE";
    case SQL_STMT_CREATE_MATVIEW: return "MATERIALIZED VIEW";
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_TYPE: return "TYPE";
    case SQL_STMT_CREATE_DOMAIN: return "DOMAIN";
    case SQL_STMT_CREATE_SEQUENCE: return "SEQUENCE";
    case SQL_STMT_CREATE_SCHEMA: return "SCHEMA";
    case SQL_STMT_CREATE_EXTENSION: return "EXTENSION";
    case SQL_STMT_CREATE_STATISTICS: return "STATISTICS";
    case SQL_STMT_CREATE_PUBLICATION: return "PUBLICATION";
    default: return NULL;
    }
}

static const struct function *function_named(const struct catalog *catalog,
                                             const struct sql_name *name, size_t *count)
{
    const struct function *found = NULL;
    *count = 0;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *function = &catalog->functions[i];
        if (text_eq(function->name, name->name) &&
            (!name->schema || text_eq(function->schema, name->schema))) {
            found = function;
            (*count)++;
        }
    }
    return found;
}

/* A replaced function gets its old definition back; a new one is dropped by its name, which is
 * enough while no other has it. */
static void function_back(const void *ctx, const struct statement *s, const struct catalog *catalog,
                          struct inverse *out)
{
    size_t count;
    const struct function *old = function_named(catalog, &s->name, &count);
    const char *keyword = s->body && s->body->procedure ? "PROCEDURE" : "FUNCTION";
    if (count == 0) {
        back(ctx, out, mem_printf(ctx, "DROP %s %s", keyword, sql_of(ctx, &s->name)));
    } else if (count == 1 && s->or_replace && old->definition) {
        back(ctx, out, old->definition);
    } else {
        out->why = "several functions have this name: which one is meant cannot be told";
    }
}

static void view_back(const void *ctx, const struct statement *s, const struct catalog *catalog,
                      struct inverse *out)
{
    const struct relation *old = catalog_relation(catalog, s->name.schema, s->name.name);
    if (!old) {
        back(ctx, out, mem_printf(ctx, "DROP VIEW %s", sql_of(ctx, &s->name)));
    } else if (old->definition) {
        back(ctx, out,
             mem_printf(ctx, "CREATE OR REPLACE VIEW %s AS %s",
                        object_name_sql(ctx, old->schema, old->name), old->definition));
    }
}

static void on_relation_back(const void *ctx, const struct statement *s, const char *keyword,
                             struct inverse *out)
{
    if (s->or_replace) {
        out->why = "it may replace one that is there";
        return;
    }
    back(ctx, out,
         mem_printf(ctx, "DROP %s %s ON %s", keyword, text_quote_ident(ctx, s->sub_name),
                    sql_of(ctx, &s->name)));
}

static void comment_back(const void *ctx, const struct statement *s, const struct catalog *catalog,
                         struct inverse *out)
{
    const struct relation *relation = catalog_relation(catalog, s->name.schema, s->name.name);
    const struct column *column =
        relation && s->sub_name ? relation_column(relation, s->sub_name) : NULL;
    if (s->object == SQL_OBJECT_COLUMN && column) {
        back(ctx, out,
             mem_printf(ctx, "COMMENT ON COLUMN %s.%s IS %s",
                        object_name_sql(ctx, relation->schema, relation->name),
                        text_quote_ident(ctx, s->sub_name),
                        column->comment ? text_quote_literal(ctx, column->comment) : "NULL"));
    } else if (s->object == SQL_OBJECT_TABLE && relation) {
        back(ctx, out,
             mem_printf(ctx, "COMMENT ON TABLE %s IS %s",
                        object_name_sql(ctx, relation->schema, relation->name),
                        relation->comment ? text_quote_literal(ctx, relation->comment) : "NULL"));
    }
}

static void rename_back(const void *ctx, const struct statement *s, struct inverse *out)
{
    const struct sql_name renamed = { s->name.schema, s->new_name };
    out->phase = "contract";
    switch (s->object) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_INDEX:
    case SQL_OBJECT_SEQUENCE:
    case SQL_OBJECT_TYPE:
        back(ctx, out,
             mem_printf(ctx, "ALTER %s %s RENAME TO %s",
                        s->object == SQL_OBJECT_TABLE   ? "TABLE"
                        : s->object == SQL_OBJECT_VIEW  ? "VIEW"
                        : s->object == SQL_OBJECT_INDEX ? "INDEX"
                        : s->object == SQL_OBJECT_TYPE  ? "TYPE"
                                                        : "SEQUENCE",
                        sql_of(ctx, &renamed), text_quote_ident(ctx, s->name.name)));
        break;
    case SQL_OBJECT_CONSTRAINT:
        back(ctx, out,
             mem_printf(ctx, "ALTER TABLE %s RENAME CONSTRAINT %s TO %s", sql_of(ctx, &s->name),
                        text_quote_ident(ctx, s->new_name), text_quote_ident(ctx, s->sub_name)));
        break;
    case SQL_OBJECT_TRIGGER:
        back(ctx, out,
             mem_printf(ctx, "ALTER TRIGGER %s ON %s RENAME TO %s",
                        text_quote_ident(ctx, s->new_name), sql_of(ctx, &s->name),
                        text_quote_ident(ctx, s->sub_name)));
        break;
    default: break;
    }
}

/* --- actions of ALTER TABLE ------------------------------------------------------------------ */

static void alter_back(const void *ctx, const struct statement *s, const struct sql_alter *alter,
                       const struct catalog *catalog, struct inverse *out)
{
    const struct relation *relation = catalog_relation(catalog, s->name.schema, s->name.name);
    const char *table = sql_of(ctx, &s->name);
    const struct constraint *constraint =
        relation && alter->name ? relation_constraint(relation, alter->name) : NULL;
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN:
        back(ctx, out,
             mem_printf(ctx, "ALTER TABLE %s DROP COLUMN %s", table,
                        text_quote_ident(ctx, alter->definition->name)));
        break;
    case SQL_ALTER_ADD_CONSTRAINT:
        if (alter->constraint->name) {
            back(ctx, out,
                 mem_printf(ctx, "ALTER TABLE %s DROP CONSTRAINT %s", table,
                            text_quote_ident(ctx, alter->constraint->name)));
        }
        break;
    case SQL_ALTER_DROP_CONSTRAINT:
        out->phase = "contract";
        if (constraint) {
            back(ctx, out,
                 mem_printf(ctx, "ALTER TABLE %s ADD CONSTRAINT %s %s", table,
                            text_quote_ident(ctx, constraint->name), constraint->definition));
        }
        break;
    case SQL_ALTER_VALIDATE_CONSTRAINT:
        if (constraint && !constraint->validated) {
            back(ctx, out,
                 mem_printf(ctx, "ALTER TABLE %s DROP CONSTRAINT %s", table,
                            text_quote_ident(ctx, constraint->name)));
            back(ctx, out,
                 mem_printf(ctx, "ALTER TABLE %s ADD CONSTRAINT %s %s", table,
                            text_quote_ident(ctx, constraint->name), constraint->definition));
        }
        break;
    case SQL_ALTER_ROW_SECURITY:
        if (relation && strchr("ed", alter->state)) {
            back(ctx, out,
                 mem_printf(ctx, "ALTER TABLE %s %s ROW LEVEL SECURITY", table,
                            relation->row_security ? "ENABLE" : "DISABLE"));
        }
        break;
    default: break;
    }
}

static void other_back(const void *ctx, const struct statement *s, const struct catalog *catalog,
                       struct inverse *out)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_FUNCTION: function_back(ctx, s, catalog, out); break;
    case SQL_STMT_CREATE_VIEW: view_back(ctx, s, catalog, out); break;
    case SQL_STMT_CREATE_TRIGGER: on_relation_back(ctx, s, "TRIGGER", out); break;
    case SQL_STMT_CREATE_POLICY: on_relation_back(ctx, s, "POLICY", out); break;
    case SQL_STMT_CREATE_RULE: on_relation_back(ctx, s, "RULE", out); break;
    case SQL_STMT_COMMENT: comment_back(ctx, s, catalog, out); break;
    case SQL_STMT_RENAME: rename_back(ctx, s, out); break;
    case SQL_STMT_CREATE_INDEX:
        if (s->create_index->name) {
            back(ctx, out,
                 mem_printf(ctx, "DROP INDEX %s%s", s->concurrently ? "CONCURRENTLY " : "",
                            sql_of(ctx, &(struct sql_name){ s->create_index->table.schema,
                                                            s->create_index->name })));
        }
        out->alone = s->concurrently;
        break;
    default: break;
    }
}

struct inverse inverse_of(const void *ctx, const struct statement *s, const struct sql_alter *alter,
                          const struct catalog *catalog)
{
    struct inverse out = { .phase = "expand" };
    const char *keyword = created_keyword(s);
    if (keyword && s->name.name) {
        back(ctx, &out, mem_printf(ctx, "DROP %s %s", keyword, sql_of(ctx, &s->name)));
    } else if (alter) {
        alter_back(ctx, s, alter, catalog, &out);
    } else {
        other_back(ctx, s, catalog, &out);
    }
    if (!out.down.count && !out.why) {
        out.why = mem_printf(ctx, "the way back of \"%s\" cannot be told from the statement",
                             sql_statement_name(s->kind));
        out.phase = "contract";
    }
    return out;
}

const char *alter_alone(const void *ctx, const struct statement *s, const struct sql_alter *alter)
{
    const char *table = sql_of(ctx, &s->name);
    switch (alter->kind) {
    case SQL_ALTER_ADD_CONSTRAINT:
        return mem_printf(
            ctx, "ALTER TABLE %s ADD %s%s %s", table, alter->constraint->name ? "CONSTRAINT " : "",
            alter->constraint->name ? text_quote_ident(ctx, alter->constraint->name) : "",
            alter->constraint->definition);
    case SQL_ALTER_DROP_CONSTRAINT:
        return mem_printf(ctx, "ALTER TABLE %s DROP CONSTRAINT %s%s%s", table,
                          alter->if_exists ? "IF EXISTS " : "", text_quote_ident(ctx, alter->name),
                          alter->cascade ? " CASCADE" : "");
    default: return NULL;
    }
}

static void index_key(const void *ctx, const struct sql_index_key *key, struct text *t)
{
    if (key->column) {
        text_add(t, text_quote_ident(ctx, key->column));
    } else {
        text_addf(t, "(%s)", key->expression->text);
    }
    if (key->collation) {
        text_addf(t, " COLLATE %s", key->collation);
    }
    if (key->opclass) {
        text_addf(t, " %s", key->opclass);
    }
    text_add(t, key->descending ? " DESC" : "");
    text_add(t, key->nulls == 'f' ? " NULLS FIRST" : key->nulls == 'l' ? " NULLS LAST" : "");
}

const char *index_tail(const void *ctx, const struct sql_index *index)
{
    struct text t = text_init(ctx, TEXT_SQL);
    text_addf(&t, "USING %s (", index->method);
    for (size_t i = 0; i < index->key_count; i++) {
        text_add(&t, i ? ", " : "");
        index_key(ctx, &index->keys[i], &t);
    }
    text_addc(&t, ')');
    for (size_t i = 0; i < index->include.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : " INCLUDE (",
                  text_quote_ident(ctx, index->include.items[i]));
    }
    text_add(&t, index->include.count ? ")" : "");
    text_add(&t, index->nulls_not_distinct ? " NULLS NOT DISTINCT" : "");
    if (index->where) {
        text_addf(&t, " WHERE (%s)", index->where->text);
    }
    return t.data;
}
