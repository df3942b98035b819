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
    struct sql_texts made;  /* tables that this text creates: nobody uses them yet */
    struct sql_texts added; /* "table.column" that this text adds */
};

static bool made_here(const struct reading *r, const struct sql_name *table)
{
    return table->name && sql_texts_have(&r->made, table->name);
}

/* A typed intent needs a column that the compiler knows. */
static bool column_known(const struct reading *r, const struct sql_name *table, const char *column)
{
    const struct relation *relation = catalog_relation(r->catalog, table->schema, table->name);
    return (relation && relation_column(relation, column)) ||
           sql_texts_have(&r->added, mem_printf(r->ctx, "%s.%s", table->name, column));
}

static const char *table_text(const struct reading *r, const struct sql_name *name)
{
    return object_name_join(r->ctx, name->schema, name->name);
}

/* Every intent of DDL goes through its JSON: so the plan file shows what was understood. */
static bool add(struct reading *r, json_t *fields, const char *operation, struct error *err)
{
    struct intent intent;
    struct intent_problems problems = { .ctx = r->ctx };
    json_t *json = json_own(r->ctx, json_object());
    json_set_text(fields, "service", r->text->service);
    json_object_set_new(json, operation, fields);
    if (!intent_from_json(r->ctx, json, &intent, &problems)) {
        *err = problems.items[0].error;
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

static bool typed_unique(struct reading *r, const struct sql_constraint *c, json_t *fields,
                         struct error *err)
{
    json_object_set_new(fields, "columns", texts_json(&c->columns));
    if (c->nulls_not_distinct) {
        json_set_bool(fields, "nulls_not_distinct", true);
    }
    return add(r, fields, c->kind == 'u' ? "add_unique" : "add_primary_key", err);
}

static bool typed_key(struct reading *r, const struct sql_constraint *c, json_t *fields,
                      struct error *err)
{
    json_object_set_new(fields, "columns", texts_json(&c->columns));
    json_object_set_new(fields, "references", references_json(r, c));
    json_set_text(fields, "on_delete", action_name(c->on_delete));
    json_set_text(fields, "on_update", action_name(c->on_update));
    if (c->deferrable) {
        json_set_bool(fields, "deferrable", true);
    }
    return add(r, fields, "add_foreign_key", err);
}

static bool typed_check(struct reading *r, const struct sql_constraint *c, json_t *fields,
                        struct error *err)
{
    json_set_text(fields, "expression", c->expression->text);
    if (c->not_valid) {
        json_set_bool(fields, "not_valid", true);
    }
    return add(r, fields, "add_check", err);
}

/* A constraint that the typed intents can say whole; everything else stays SQL. */
static bool typed_constraint(struct reading *r, const struct sql_constraint *c, bool *known,
                             struct error *err)
{
    bool unique = (c->kind == 'u' || c->kind == 'p') && !c->using_index && !c->include.count &&
                  !c->deferrable;
    bool key = c->kind == 'f' && !made_here(r, &c->ref) && c->match == 's' && !c->not_valid &&
               !c->initially_deferred;
    *known = unique || key || (c->kind == 'c' && !c->no_inherit);
    if (!*known) {
        return true;
    }
    json_t *fields = about(r, &r->statement->name, NULL);
    json_set_text(fields, "name", c->name);
    return unique ? typed_unique(r, c, fields, err)
           : key  ? typed_key(r, c, fields, err)
                  : typed_check(r, c, fields, err);
}

static bool typed_column(struct reading *r, const struct sql_alter *alter, bool *known,
                         struct error *err)
{
    const struct sql_column *c = alter->definition;
    *known = !c->storage && !c->compression;
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
    json_set_text(fields, "identity",
                  !c->identity         ? NULL
                  : c->identity == 'a' ? "always"
                                       : "by_default");
    json_set_text(fields, "generated", c->generate ? c->generate->text : NULL);
    if (c->not_null) {
        json_set_bool(fields, "nullable", false);
    }
    sql_texts_add(r->ctx, &r->added, mem_printf(r->ctx, "%s.%s", r->statement->name.name, c->name));
    return add(r, fields, "add_column", err);
}

static bool typed_alter(struct reading *r, const struct sql_alter *alter, bool *known,
                        struct error *err)
{
    const struct sql_name *table = &r->statement->name;
    json_t *fields;
    *known = !made_here(r, table) && catalog_relation(r->catalog, table->schema, table->name) &&
             (alter->kind == SQL_ALTER_ADD_COLUMN || alter->kind == SQL_ALTER_DROP_COLUMN ||
              !alter->column || column_known(r, table, alter->column));
    if (!*known) {
        return true;
    }
    switch (alter->kind) {
    case SQL_ALTER_ADD_COLUMN: return typed_column(r, alter, known, err);
    case SQL_ALTER_ADD_CONSTRAINT: return typed_constraint(r, alter->constraint, known, err);
    case SQL_ALTER_DROP_CONSTRAINT:
        if (alter->cascade) {
            *known = false;
            return true;
        }
        fields = about(r, table, NULL);
        json_set_text(fields, "name", alter->name);
        return add(r, fields, "drop_constraint", err);
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
    if (!inverse.down.count && made_here(r, &r->statement->name)) {
        sql_texts_add(r->ctx, &inverse.down,
                      "SELECT 'nothing to undo: the table goes away with its own step'");
        inverse.phase = "expand";
    }
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

/* Whether the typed intent can say it: on a table that is there, nothing out of the ordinary. */
static bool plain_index(const struct reading *r, const struct sql_index *index)
{
    bool plain = !index->with && !index->only && !made_here(r, &index->table) &&
                 catalog_relation(r->catalog, index->table.schema, index->table.name);
    for (size_t i = 0; i < index->key_count; i++) {
        const struct sql_index_key *key = &index->keys[i];
        plain = plain && (key->column ? column_known(r, &index->table, key->column)
                                      : key->expression != NULL);
    }
    return plain;
}

static bool read_index(struct reading *r, struct error *err)
{
    const struct sql_index *index = r->statement->create_index;
    const struct relation *relation =
        catalog_relation(r->catalog, index->table.schema, index->table.name);
    if (relation && index->name && index->if_not_exists && relation_index(relation, index->name)) {
        return true;
    }
    if (!plain_index(r, index)) {
        return stay_sql(r, r->statement->sql, NULL, err);
    }
    json_t *fields = about(r, &index->table, NULL), *columns = json_array();
    for (size_t i = 0; i < index->key_count; i++) {
        if (index->keys[i].column) {
            json_array_append_new(columns, json_string(index->keys[i].column));
        }
    }
    json_set_text(fields, "name", index->name);
    json_set_text(fields, "definition", index_tail(r->ctx, index));
    if (json_array_size(columns) > 0) {
        json_object_set(fields, "columns", columns);
    }
    json_decref(columns);
    if (index->unique) {
        json_set_bool(fields, "unique", true);
    }
    return add(r, fields, "add_index", err);
}

/* --- what goes ------------------------------------------------------------------------------- */

static const char *drop_operation(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_OBJECT_TABLE: return "drop_table";
    case SQL_OBJECT_INDEX: return "drop_index";
    case SQL_OBJECT_VIEW: return "drop_view";
    case SQL_OBJECT_MATVIEW: return "drop_materialized_view";
    case SQL_OBJECT_FUNCTION:
    case SQL_OBJECT_PROCEDURE: return "drop_function";
    case SQL_OBJECT_TRIGGER: return "drop_trigger";
    case SQL_OBJECT_POLICY: return "drop_policy";
    default: return NULL;
    }
}

static bool is_plain_table(const struct reading *r, const struct sql_object *object)
{
    const struct relation *relation = catalog_relation(r->catalog, object->schema, object->name);
    return relation && relation->kind == 'r' && !relation->parent;
}

/* The table that an index is on; null when there is no such index. */
static const struct relation *table_of_index(const struct reading *r,
                                             const struct sql_object *object)
{
    for (size_t i = 0; i < r->catalog->relation_count; i++) {
        const struct relation *relation = &r->catalog->relations[i];
        if (relation_index(relation, object->name) &&
            (!object->schema || text_eq(object->schema, relation->schema))) {
            return relation;
        }
    }
    return NULL;
}

/* Every target has to be one that a typed intent can take off with a way back. */
static bool drops_typed(const struct reading *r)
{
    const struct statement *s = r->statement;
    bool typed = drop_operation(s->object) && !s->cascade;
    for (size_t i = 0; i < s->object_count && typed; i++) {
        const struct sql_object *object = &s->objects[i];
        if (object->role == SQL_TARGET) {
            typed = object->name && !sql_texts_have(&r->made, object->name) &&
                    (s->object != SQL_OBJECT_TABLE || is_plain_table(r, object) || s->if_exists) &&
                    (s->object != SQL_OBJECT_INDEX || table_of_index(r, object));
        }
    }
    return typed;
}

static bool read_drop(struct reading *r, struct error *err)
{
    const struct statement *s = r->statement;
    if (s->if_exists && s->object == SQL_OBJECT_INDEX && s->object_count == 1 &&
        !table_of_index(r, &s->objects[0])) {
        return true;
    }
    if (!drops_typed(r)) {
        return stay_sql(r, s->sql, NULL, err);
    }
    bool on_table = s->object == SQL_OBJECT_TRIGGER || s->object == SQL_OBJECT_POLICY;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *object = &s->objects[i];
        if (object->role != SQL_TARGET) {
            continue;
        }
        const char *name = object_name_join(r->ctx, object->schema, object->name);
        json_t *fields = json_object();
        if (s->object == SQL_OBJECT_INDEX) {
            const struct relation *relation = table_of_index(r, object);
            json_set_text(fields, "table",
                          object_name_join(r->ctx, relation->schema, relation->name));
        }
        if (on_table || s->object == SQL_OBJECT_TABLE) {
            json_set_text(fields, "table", name);
        }
        if (s->object != SQL_OBJECT_TABLE) {
            json_set_text(fields, "name", on_table ? object->column : name);
        }
        if (!add(r, fields, drop_operation(s->object), err)) {
            return false;
        }
    }
    return true;
}

/* --- what comes ------------------------------------------------------------------------------ */

/* IF NOT EXISTS of something that is there says nothing. */
static bool is_there(const struct reading *r)
{
    const struct statement *s = r->statement;
    if (!s->if_not_exists || !s->name.name) {
        return false;
    }
    if (s->kind == SQL_STMT_CREATE_EXTENSION) {
        for (size_t i = 0; i < r->catalog->extension_count; i++) {
            if (text_eq(r->catalog->extensions[i].name, s->name.name)) {
                return true;
            }
        }
    }
    if (s->kind == SQL_STMT_CREATE_SCHEMA) {
        for (size_t i = 0; i < r->catalog->schema_count; i++) {
            if (text_eq(r->catalog->schemas[i].name, s->name.name)) {
                return true;
            }
        }
    }
    return (s->kind == SQL_STMT_CREATE_TABLE || s->kind == SQL_STMT_CREATE_MATVIEW) &&
           catalog_relation(r->catalog, s->name.schema, s->name.name);
}

static bool read_create(struct reading *r, struct error *err)
{
    const struct statement *s = r->statement;
    if (is_there(r)) {
        return true;
    }
    if (s->kind == SQL_STMT_CREATE_TABLE || s->kind == SQL_STMT_CREATE_TABLE_AS) {
        sql_texts_add(r->ctx, &r->made, s->name.name);
    }
    return stay_sql(r, s->sql, NULL, err);
}

static bool read_rename(struct reading *r, struct error *err)
{
    const struct statement *s = r->statement;
    const struct relation *relation = catalog_relation(r->catalog, s->name.schema, s->name.name);
    if (s->object != SQL_OBJECT_COLUMN || made_here(r, &s->name) || !relation ||
        !strchr("rp", relation->kind) || !column_known(r, &s->name, s->sub_name)) {
        return stay_sql(r, s->sql, NULL, err);
    }
    json_t *fields = about(r, &s->name, s->sub_name);
    json_set_text(fields, "to", s->new_name);
    sql_texts_add(r->ctx, &r->added, mem_printf(r->ctx, "%s.%s", s->name.name, s->new_name));
    return add(r, fields, "rename_column", err);
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
    case SQL_STMT_PSQL:
    case SQL_STMT_SET: return true;
    case SQL_STMT_ALTER_TABLE:
        return s->object == SQL_OBJECT_TABLE ? read_alters(r, err) : stay_sql(r, s->sql, NULL, err);
    case SQL_STMT_CREATE_INDEX: return read_index(r, err);
    case SQL_STMT_DROP: return read_drop(r, err);
    case SQL_STMT_RENAME: return read_rename(r, err);
    default: return read_create(r, err);
    }
}

bool change_add_sql(const void *ctx, struct change *change, const struct change_text *text,
                    const struct catalog *catalog, struct error *err)
{
    struct script *script;
    struct reading r = { .ctx = ctx, .change = change, .text = text, .catalog = catalog };
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
