/* What breaks running code or its readers: renames, types, functions, rights, triggers. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"
#include "controller/world/schemas.h"

static bool fresh_type(struct linter *l)
{
    const struct world_type *t = world_type(l->world, l->s->name);
    return t && t->fresh;
}

static bool fresh_function(struct linter *l)
{
    const struct world_function *f = world_function(l->world, l->s->name);
    return f && f->fresh;
}

static void table_renamed(struct linter *l)
{
    const struct statement *s = l->s;
    struct world_index *x;
    if (!old_table(l, s->name) ||
        (!world_find(l->world, s->name)->known && world_index(l->world, s->name, &x))) {
        return;
    }
    const struct world_table *t = world_find(l->world, s->name);
    if (!strchr("rpf", t->kind)) { /* ALTER TABLE takes views too */
        found(l, "rename-object", NULL, "code that names \"%s\" fails from COMMIT on", t->name);
        return;
    }
    bool view = made_later(l, SQL_OBJECT_VIEW, s->name);
    if (view && in_transaction(l)) {
        return;
    }
    found(l, "rename-table",
          mem_printf(l->ctx,
                     "BEGIN;\n%s;\nCREATE VIEW %s WITH (security_invoker) AS SELECT * FROM %s;\n"
                     "COMMIT;",
                     s->sql, sql_of(l->ctx, s->name),
                     sql_of(l->ctx, (struct sql_name){ s->name.schema, s->new_name })),
          "queries on \"%s\" fail from COMMIT on", s->name.name);
}

static void column_renamed(struct linter *l)
{
    const struct world_table *t = old_table(l, l->s->name);
    const struct world_column *c = t ? table_column(t, l->s->sub_name) : NULL;
    if (t && !(c && c->fresh)) {
        found(l, "rename-column", NULL, "queries that name \"%s\" fail from COMMIT on",
              l->s->sub_name);
    }
}

static void renamed(struct linter *l)
{
    const struct statement *s = l->s;
    switch (s->object) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_FOREIGN_TABLE: table_renamed(l); break;
    case SQL_OBJECT_COLUMN: column_renamed(l); break;
    case SQL_OBJECT_SCHEMA:
        if (world_schema_fresh(l->world, s->name.name)) {
            break;
        }
        found(l, "rename-schema", NULL, "every name that begins with \"%s\" breaks", s->name.name);
        break;
    case SQL_OBJECT_TRIGGER: break;
    case SQL_OBJECT_INDEX:
    case SQL_OBJECT_CONSTRAINT:
    case SQL_OBJECT_DOMAIN_CONSTRAINT:
    case SQL_OBJECT_POLICY:
    case SQL_OBJECT_RULE: break;
    case SQL_OBJECT_ROLE:
    case SQL_OBJECT_DATABASE:
    case SQL_OBJECT_TABLESPACE:
        found(l, "global-object", NULL, "%s \"%s\" belongs to the whole cluster",
              sql_object_kind_name(s->object), s->name.name);
        break;
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN:
        if (fresh_type(l)) {
            break;
        }
        /* fall through */
    default:
        if (world_find(l->world, s->name) && world_find(l->world, s->name)->fresh) {
            break;
        }
        found(l, "rename-object", NULL, "code that names the %s \"%s\" fails from COMMIT on",
              sql_object_kind_name(s->object), s->name.name ? s->name.name : "");
        break;
    }
}

static void json_columns(struct linter *l, const struct sql_column *c)
{
    if (text_eq(c->type, "json") || text_eq(c->type, "json[]")) {
        found(l, "add-json-column", rewrite_types(l, "json", "jsonb"),
              "\"%s\" is json, which has no equality", c->name);
    }
}

static void columns(struct linter *l)
{
    const struct statement *s = l->s;
    for (size_t i = 0; s->kind == SQL_STMT_CREATE_TABLE && i < s->table->column_count; i++) {
        json_columns(l, &s->table->columns[i]);
    }
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        if (s->alters[i].definition) {
            json_columns(l, s->alters[i].definition);
        }
    }
}

static bool grants_much(const struct sql_grant *g)
{
    return g->privileges.count == 0 || sql_texts_have(&g->grantees, "public");
}

static void rights(struct linter *l)
{
    const struct statement *s = l->s;
    bool fresh = s->object_count > 0;
    for (size_t i = 0; i < s->object_count; i++) {
        fresh = fresh && made_here(l, &s->objects[i]);
    }
    if (s->grant && s->grant->roles) {
        found(l, "grant-change", NULL, "membership in a role changes");
    } else if (s->grant && (!fresh || (s->kind == SQL_STMT_GRANT &&
                                       sql_texts_have(&s->grant->grantees, "public")))) {
        found(l, "grant-change", NULL, "%s%s",
              s->kind == SQL_STMT_REVOKE ? "rights are taken away" : "rights are given",
              grants_much(s->grant) ? " (ALL, or PUBLIC)" : "");
    }
}

static void trigger(struct linter *l)
{
    const struct world_table *t = old_table(l, l->s->name);
    if (t && !l->lock_timeout && !l->local_lock_timeout) {
        found(l, "trigger-lock", rewrite_limited(l, "lock_timeout", "2s"),
              "\"%s\" is locked while its trigger changes", t->name);
    }
}

/* Without a catalog: OR REPLACE of a trigger function for which a trigger is made further down is
 * taken for the usual way to write a new one. */
static bool for_new_trigger(const struct linter *l)
{
    if (!text_eq(l->s->body->returns, "trigger")) {
        return false;
    }
    for (size_t i = l->index + 1; i < l->script->count; i++) {
        const struct statement *s = &l->script->statements[i];
        for (size_t k = 0; s->kind == SQL_STMT_CREATE_TRIGGER && k < s->object_count; k++) {
            const struct sql_object *o = &s->objects[k];
            struct sql_name name = { o->schema, o->name };
            if (o->kind == SQL_OBJECT_FUNCTION && sql_name_eq(name, l->s->name)) {
                return true;
            }
        }
    }
    return false;
}

static void functions(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_CREATE_FUNCTION && s->or_replace && !fresh_function(l)) {
        const struct world_function *f = world_function(l->world, s->name);
        if (f || (!world_has_catalog(l->world) && !for_new_trigger(l))) {
            found(l, "function-change", NULL, "\"%s\" changes under the code that calls it",
                  s->name.name);
        }
    }
    if (s->kind == SQL_STMT_ALTER_FUNCTION && !fresh_function(l)) {
        found(l, "function-change", NULL, "\"%s\" changes under the code that calls it",
              s->name.name);
    }
    if (s->body->security_definer && !s->body->sets_search_path) {
        found(l, "definer-search-path",
              s->kind == SQL_STMT_CREATE_FUNCTION
                  ? rewrite_with(l, "SET search_path = pg_catalog, pg_temp", "AS", false)
                  : NULL,
              "\"%s\" runs with its owner's rights and the caller's search_path", s->name.name);
    }
}

static void view(struct linter *l)
{
    const struct world_table *t = world_find(l->world, l->s->name);
    if (l->s->or_replace && !l->s->temporary && !(t && t->fresh) &&
        (t || !world_has_catalog(l->world))) {
        found(l, "view-change", NULL, "readers of \"%s\" get something else", l->s->name.name);
    }
}

static void changed(struct linter *l)
{
    const struct statement *s = l->s;
    switch (s->kind) {
    case SQL_STMT_CREATE_FUNCTION:
    case SQL_STMT_ALTER_FUNCTION: functions(l); break;
    case SQL_STMT_CREATE_VIEW: view(l); break;
    case SQL_STMT_ALTER_EXTENSION:
        found(l, "extension-change", NULL, "\"%s\" is updated in place", s->name.name);
        break;
    case SQL_STMT_CREATE_POLICY:
    case SQL_STMT_ALTER_POLICY:
        if (old_table(l, s->name)) {
            found(l, "policy-change", NULL, "who sees which rows of \"%s\" changes", s->name.name);
        }
        break;
    case SQL_STMT_CREATE_TRIGGER: trigger(l); break;
    case SQL_STMT_GRANT:
    case SQL_STMT_REVOKE:
    case SQL_STMT_DEFAULT_PRIVILEGES: rights(l); break;
    default: break;
    }
}

void lint_compat(struct linter *l)
{
    const struct statement *s = l->s;
    bool of_trigger = s->object == SQL_OBJECT_TRIGGER;
    switch (s->kind) {
    case SQL_STMT_RENAME:
        renamed(l);
        if (of_trigger) {
            trigger(l);
        }
        break;
    case SQL_STMT_SET_SCHEMA:
        if (!world_find(l->world, s->name) || !world_find(l->world, s->name)->fresh) {
            found(l, "rename-schema", NULL, "qualified names of \"%s\" break", s->name.name);
        }
        break;
    case SQL_STMT_ALTER_ENUM:
        if (!s->add_value && !fresh_type(l)) {
            found(l, "rename-enum-value",
                  mem_printf(l->ctx, "ALTER TYPE %s ADD VALUE %s AFTER %s;",
                             sql_of(l->ctx, s->name), text_quote_literal(l->ctx, s->new_name),
                             text_quote_literal(l->ctx, s->sub_name)),
                  "code that compares with '%s' fails", s->sub_name);
        }
        break;
    case SQL_STMT_DROP:
        if (of_trigger) {
            trigger(l);
        }
        break;
    default: changed(l); break;
    }
    columns(l);
}
