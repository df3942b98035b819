/*
 * DDL, statement by statement. Where a statement means a typed intent, the compiler knows the safe
 * way to it; everything else stays SQL.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/change/change.h"
#include "controller/change/inverse.h"
#include "controller/sql/script.h"

struct reading {
    const void *ctx;
    struct change *change;
    const struct change_text *text;
    const struct catalog *catalog;
    const struct statement *statement;
};

static const char *table_text(const struct reading *r, const struct sql_name *name)
{
    return object_name_join(r->ctx, name->schema, name->name);
}

/* Every intent of DDL goes through its JSON: so the plan file shows what was understood. */
static bool add(struct reading *r, json_t *fields, const char *operation, struct error *err)
{
    struct intent intent;
    const char *pointer;
    json_t *json = json_own(r->ctx, json_object());
    json_set_text(fields, "service", r->text->service);
    json_object_set_new(json, operation, fields);
    if (!intent_from_json(r->ctx, json, &intent, &pointer, err)) {
        return fail_in(err, "%s:%d", r->text->name, r->statement->line);
    }
    struct intents *intents = r->change->intents;
    intent.exact = true;
    intent.place = mem_printf(r->ctx, "%s:%d", r->text->name, r->statement->line);
    intents->items = mem_room(r->ctx, intents->items, struct intent, intents->count + 1);
    intents->items[intents->count++] = intent;
    return true;
}

static json_t *about(const struct reading *r, const struct sql_name *table, const char *column)
{
    json_t *fields = json_object();
    json_set_text(fields, "table", table_text(r, table));
    json_set_text(fields, "column", column);
    return fields;
}

static json_t *texts_json(const struct sql_texts *texts)
{
    return json_from_texts(texts->items, texts->count);
}

static const char *action_name(char letter)
{
    return letter == 'c'   ? "cascade"
           : letter == 'r' ? "restrict"
           : letter == 'n' ? "set null"
           : letter == 'd' ? "set default"
                           : NULL;
}

static json_t *references_json(const struct reading *r, const struct sql_constraint *key)
{
    json_t *target = json_object();
    json_set_text(target, "table", table_text(r, &key->ref));
    if (key->ref_columns.count) {
        json_object_set_new(target, "columns", texts_json(&key->ref_columns));
    }
    return target;
}

/* A constraint that the typed intents can say whole; everything else stays SQL. */
static bool typed_constraint(struct reading *r, const struct sql_constraint *c, bool *known,
                             struct error *err)
{
    json_t *fields = about(r, &r->statement->name, NULL);
    json_set_text(fields, "name", c->name);
    *known = true;
    if (c->kind == 'f' && c->match == 's' && !c->not_valid && !c->initially_deferred) {
        json_object_set_new(fields, "columns", texts_json(&c->columns));
        json_object_set_new(fields, "references", references_json(r, c));
        json_set_text(fields, "on_delete", action_name(c->on_delete));
        json_set_text(fields, "on_update", action_name(c->on_update));
        if (c->deferrable) {
            json_set_bool(fields, "deferrable", true);
        }
        return add(r, fields, "add_foreign_key", err);
    }
    if (c->kind == 'c' && !c->no_inherit) {
        json_set_text(fields, "expression", c->expression->text);
        if (c->not_valid) {
            json_set_bool(fields, "not_valid", true);
        }
        return add(r, fields, "add_check", err);
    }
    json_decref(fields);
    *known = false;
    return true;
}

static bool typed_column(struct reading *r, const struct sql_alter *alter, bool *known,
                         struct error *err)
{
    const struct sql_column *c = alter->definition;
    *known = !c->serial && !c->identity && !c->generated && !c->storage && !c->compression;
    for (size_t i = 0; i < c->constraint_count; i++) {
        const struct sql_constraint *k = &c->constraints[i];
        *known = *known && k->kind == 'n';
    }
    if (!*known) {
        return true;
    }
    json_t *fields = about(r, &r->statement->name, c->name);
    json_set_text(fields, "type", c->type_text);
    json_set_text(fields, "collation", c->collation);
    json_set_text(fields, "default", c->default_expr ? c->default_expr->text : NULL);
    if (c->not_null) {
        json_set_bool(fields, "nullable", false);
    }
    return add(r, fields, "add_column", err);
}

static bool typed_alter(struct reading *r, const struct sql_alter *alter, bool *known,
                        struct error *err)
{
    const struct sql_name *table = &r->statement->name;
    json_t *fields;
    *known = true;
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN: return typed_column(r, alter, known, err);
    case SQL_ALTER_ADD_CONSTRAINT: return typed_constraint(r, alter->constraint, known, err);
    case SQL_ALTER_DROP_COLUMN: return add(r, about(r, table, alter->column), "drop_column", err);
    case SQL_ALTER_SET_NOT_NULL: return add(r, about(r, table, alter->column), "set_not_null", err);
    case SQL_ALTER_DROP_NOT_NULL:
        return add(r, about(r, table, alter->column), "drop_not_null", err);
    case SQL_ALTER_DROP_DEFAULT: return add(r, about(r, table, alter->column), "drop_default", err);
    case SQL_ALTER_SET_DEFAULT:
        fields = about(r, table, alter->column);
        json_set_text(fields, "default", alter->expression->text);
        return add(r, fields, "set_default", err);
    case SQL_ALTER_SET_TYPE:
        fields = about(r, table, alter->column);
        json_set_text(fields, "to", alter->type_text);
        json_set_text(fields, "using", alter->expression ? alter->expression->text : NULL);
        return add(r, fields, "change_type", err);
    default: *known = false; return true;
    }
}

/* The whole statement as it stands. */
static bool stay_sql(struct reading *r, const char *sql, const struct sql_alter *alter,
                     struct error *err)
{
    struct inverse inverse = inverse_of(r->ctx, r->statement, alter, r->catalog);
    json_t *fields = json_object(), *up = json_array(), *down = json_array();
    json_array_append_new(up, json_string(sql));
    json_object_set_new(fields, "up", up);
    for (size_t i = 0; i < inverse.down.count; i++) {
        json_array_append_new(down, json_string(inverse.down.items[i]));
    }
    if (inverse.down.count) {
        json_object_set_new(fields, "down", down);
    } else {
        json_decref(down);
        json_set_text(fields, "irreversible", inverse.why);
    }
    json_set_text(fields, "phase", inverse.phase);
    if (inverse.alone) {
        json_set_bool(fields, "transaction", false);
    }
    return add(r, fields, "sql", err);
}

static bool read_alters(struct reading *r, struct error *err)
{
    const struct statement *s = r->statement;
    for (size_t i = 0; i < s->alter_count; i++) {
        bool known;
        if (!typed_alter(r, &s->alters[i], &known, err)) {
            return false;
        }
        if (known) {
            continue;
        }
        if (s->alter_count > 1) {
            const char *one = alter_alone(r->ctx, s, &s->alters[i]);
            if (!one) {
                (void)fail(err, ERROR_UNSUPPORTED,
                           "%s:%d: \"%s\" cannot be taken apart from the other actions of its "
                           "ALTER TABLE",
                           r->text->name, s->line, sql_alter_name(s->alters[i].kind));
                return fail_hint(err, "write it as a statement of its own");
            }
            if (!stay_sql(r, one, &s->alters[i], err)) {
                return false;
            }
        } else if (!stay_sql(r, s->sql, &s->alters[i], err)) {
            return false;
        }
    }
    return true;
}

/* What an index definition says from USING on, as PostgreSQL would print it is not needed: the
 * compiler compares and maps tokens. */
static bool read_index(struct reading *r, struct error *err)
{
    const struct sql_index *index = r->statement->create_index;
    bool plain = index->name && !index->with && !index->only;
    for (size_t i = 0; i < index->key_count; i++) {
        plain = plain && (index->keys[i].column || index->keys[i].expression);
    }
    const char *tail = plain ? index_tail(r->ctx, index) : NULL;
    if (!tail) {
        return stay_sql(r, r->statement->sql, NULL, err);
    }
    json_t *fields = about(r, &index->table, NULL), *columns = json_array();
    for (size_t i = 0; i < index->key_count; i++) {
        if (index->keys[i].column) {
            json_array_append_new(columns, json_string(index->keys[i].column));
        }
    }
    json_set_text(fields, "name", index->name);
    json_set_text(fields, "definition", tail);
    if (json_array_size(columns) > 0) {
        json_object_set(fields, "columns", columns);
    }
    json_decref(columns);
    if (index->unique) {
        json_set_bool(fields, "unique", true);
    }
    return add(r, fields, "add_index", err);
}

static bool read_statement(struct reading *r, struct error *err)
{
    const struct statement *s = r->statement;
    if (s->problem) {
        (void)fail(err, ERROR_INVALID, "%s:%d: %s", r->text->name, s->problem->line,
                   s->problem->message);
        return fail_hint(err, "correct the statement, then draft again");
    }
    switch (s->kind) {
    case SQL_STMT_TRANSACTION:
    case SQL_STMT_SHOW:
    case SQL_STMT_RESET:
    case SQL_STMT_PSQL: return true;
    case SQL_STMT_SET: return true;
    case SQL_STMT_ALTER_TABLE:
        return s->object == SQL_OBJECT_TABLE ? read_alters(r, err) : stay_sql(r, s->sql, NULL, err);
    case SQL_STMT_CREATE_INDEX: return read_index(r, err);
    case SQL_STMT_RENAME:
        if (s->object == SQL_OBJECT_COLUMN &&
            catalog_relation(r->catalog, s->name.schema, s->name.name) &&
            strchr("rp", catalog_relation(r->catalog, s->name.schema, s->name.name)->kind)) {
            json_t *fields = about(r, &s->name, s->sub_name);
            json_set_text(fields, "to", s->new_name);
            return add(r, fields, "rename_column", err);
        }
        return stay_sql(r, s->sql, NULL, err);
    default: return stay_sql(r, s->sql, NULL, err);
    }
}

bool change_add_sql(const void *ctx, struct change *change, const struct change_text *text,
                    const struct catalog *catalog, struct error *err)
{
    struct script *script;
    struct reading r = { ctx, change, text, catalog, NULL };
    if (!sql_parse(ctx, text->sql, strlen(text->sql), &script, err)) {
        return fail_in(err, "%s", text->name);
    }
    for (size_t i = 0; i < script->count; i++) {
        r.statement = &script->statements[i];
        if (!read_statement(&r, err)) {
            return false;
        }
    }
    return true;
}
