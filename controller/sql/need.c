#include "controller/sql/need.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

static void add(const void *ctx, struct sql_needs *list, struct sql_need need)
{
    if (text_eq(need.name.schema, "flotilla")) {
        return; /* our own */
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct sql_need *old = &list->items[i];
        if (text_eq(old->need, need.need) && text_eq(old->what, need.what) &&
            sql_name_eq(old->name, need.name) && text_eq(old->to, need.to)) {
            return;
        }
    }
    list->items = mem_room(ctx, list->items, struct sql_need, list->count + 1);
    list->items[list->count++] = need;
}

/* What a name of that kind of object is looked up as; null: it is not asked for. A trigger, a
 * policy, a column or a constraint is its relation's. */
static const char *what_of(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_INDEX:
    case SQL_OBJECT_SEQUENCE:
    case SQL_OBJECT_COLUMN:
    case SQL_OBJECT_CONSTRAINT:
    case SQL_OBJECT_TRIGGER:
    case SQL_OBJECT_POLICY:
    case SQL_OBJECT_RULE: return "relation";
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN:
    case SQL_OBJECT_DOMAIN_CONSTRAINT:
    case SQL_OBJECT_ATTRIBUTE: return "type";
    case SQL_OBJECT_FUNCTION:
    case SQL_OBJECT_PROCEDURE:
    case SQL_OBJECT_ROUTINE:
    case SQL_OBJECT_AGGREGATE: return "function";
    case SQL_OBJECT_SCHEMA: return "schema";
    default: return NULL;
    }
}

/* The right that stands in the place of ownership for these; null: none is asked for. */
static const char *right_of(const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_DROP: return "drop";
    case SQL_STMT_TRUNCATE: return "truncate";
    case SQL_STMT_CREATE_TRIGGER: return "trigger";
    case SQL_STMT_LOCK:
    case SQL_STMT_VACUUM:
    case SQL_STMT_ANALYZE:
    case SQL_STMT_GRANT:
    case SQL_STMT_REVOKE:
    case SQL_STMT_DEFAULT_PRIVILEGES:
    case SQL_STMT_FOREIGN_DATA:
    case SQL_STMT_ALTER_EXTENSION:
    case SQL_STMT_CREATE_EXTENSION: return NULL;
    default: return "owner";
    }
}

/* "current_user" and "session_user" are ourselves. */
static void give(const void *ctx, struct sql_needs *list, const char *to, const char *schema,
                 bool in_schema)
{
    if (!to || text_eq(to, "current_user") || text_eq(to, "session_user")) {
        return;
    }
    add(ctx, list, (struct sql_need){ "member", "role", { NULL, to }, NULL });
    if (in_schema) {
        add(ctx, list, (struct sql_need){ "receive", "schema", { NULL, schema }, to });
    }
}

static void of_alters(const void *ctx, struct sql_needs *list, const struct statement *s)
{
    for (size_t i = 0; i < s->alter_count; i++) {
        const struct sql_alter *alter = &s->alters[i];
        if (alter->kind == SQL_ALTER_OWNER) {
            give(ctx, list, alter->name, s->name.schema, true);
        }
        if (alter->kind == SQL_ALTER_ADD_CONSTRAINT && alter->constraint &&
            alter->constraint->kind == 'f') {
            add(ctx, list,
                (struct sql_need){ "references", "relation", alter->constraint->ref, NULL });
        }
        if (alter->kind == SQL_ALTER_ATTACH_PARTITION || alter->kind == SQL_ALTER_INHERIT) {
            add(ctx, list, (struct sql_need){ "owner", "relation", alter->other, NULL });
        }
    }
}

static void of_writes(const void *ctx, struct sql_needs *list, const struct statement *s)
{
    static const char *const rights[] = { "insert", "update", "delete", NULL };
    for (size_t i = 0; s->query && i < s->query->write_count; i++) {
        const struct sql_write *write = &s->query->writes[i];
        const char *right = rights[write->kind];
        if (right) {
            add(ctx, list, (struct sql_need){ right, "relation", write->relation, NULL });
        }
    }
}

static void of_created(const void *ctx, struct sql_needs *list, const struct statement *s,
                       const struct sql_object *object)
{
    const char *what = what_of(object->kind);
    bool on_relation = s->kind == SQL_STMT_CREATE_TRIGGER || s->kind == SQL_STMT_CREATE_POLICY ||
                       s->kind == SQL_STMT_CREATE_RULE || s->kind == SQL_STMT_CREATE_INDEX ||
                       s->kind == SQL_STMT_ALTER_TABLE;
    if (!what || s->temporary || on_relation) {
        return;
    }
    if (object->kind == SQL_OBJECT_SCHEMA) {
        add(ctx, list, (struct sql_need){ "create", "database", { 0 }, NULL });
        return;
    }
    if (text_eq(object->schema, "flotilla") || text_eq(object->schema, "pg_temp")) {
        return;
    }
    add(ctx, list, (struct sql_need){ "create", "schema", { NULL, object->schema }, NULL });
    if (s->or_replace) {
        add(ctx, list, (struct sql_need){ "owner", what, { object->schema, object->name }, NULL });
    }
}

static void of_object(const void *ctx, struct sql_needs *list, const struct statement *s,
                      const struct sql_object *object)
{
    const struct sql_name name = { object->schema, object->name };
    const char *what = what_of(object->kind);
    const char *right = right_of(s);
    if (object->role == SQL_CREATED) {
        of_created(ctx, list, s, object);
    } else if (object->role == SQL_TARGET && what && right && object->name) {
        bool rests = object->kind == SQL_OBJECT_TRIGGER || object->kind == SQL_OBJECT_POLICY ||
                     object->kind == SQL_OBJECT_RULE;
        right = text_eq(right, "drop") && rests ? "owner" : right;
        add(ctx, list, (struct sql_need){ right, what, name, NULL });
    } else if (object->role == SQL_READ && object->name &&
               text_eq(what_of(object->kind), "relation")) {
        add(ctx, list, (struct sql_need){ "select", "relation", name, NULL });
    }
}

void sql_needs_add(const void *ctx, struct sql_needs *list, const struct statement *s)
{
    if (s->problem) {
        return;
    }
    for (size_t i = 0; i < s->object_count; i++) {
        of_object(ctx, list, s, &s->objects[i]);
    }
    if (s->kind == SQL_STMT_CREATE_INDEX && s->create_index) {
        add(ctx, list, (struct sql_need){ "owner", "relation", s->create_index->table, NULL });
    }
    if (s->kind == SQL_STMT_OWNER) {
        give(ctx, list, s->new_name, s->name.schema, s->object != SQL_OBJECT_SCHEMA);
    }
    if (s->kind == SQL_STMT_SET_SCHEMA && !text_eq(s->new_name, "flotilla")) {
        add(ctx, list, (struct sql_need){ "create", "schema", { NULL, s->new_name }, NULL });
    }
    of_alters(ctx, list, s);
    of_writes(ctx, list, s);
}
