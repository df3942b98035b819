#include "controller/world/world_apply.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/world/schemas.h"

static void parents_set(struct world *w, struct world_table *t, const struct sql_table *from)
{
    size_t parents = from->inherit_count + (from->partition_of.name != NULL);
    t->parents = mem_array(world_context(w), struct sql_name, parents);
    for (size_t i = 0; i < from->inherit_count; i++) {
        t->parents[t->parent_count++] = from->inherits[i];
    }
    if (from->partition_of.name) {
        t->parents[t->parent_count++] = from->partition_of;
        t->bound = from->bound;
        t->is_default = from->is_default;
    }
    if (parents > 0) {
        world_note_child(w, t);
    }
}

static char table_kind(const struct statement *s)
{
    return s->table->partition_by                  ? 'p'
           : s->kind == SQL_STMT_CREATE_MATVIEW    ? 'm'
           : s->object == SQL_OBJECT_FOREIGN_TABLE ? 'f'
                                                   : 'r';
}

/* Then the statement does nothing, or fails. One that was only made up may be the one made now. */
static bool is_there(struct world *w, struct sql_name name, bool if_not_exists)
{
    const struct world_table *old = world_find(w, name);
    return old && (if_not_exists || old->known || old->fresh);
}

static void create_table(struct world *w, const struct statement *s)
{
    const struct sql_table *from = s->table;
    struct sql_name name = s->name;
    if (s->temporary) {
        name.schema = "pg_temp";
    }
    if (!name.name || is_there(w, name, s->if_not_exists)) {
        return;
    }
    struct world_table *t = world_make(w, name, table_kind(s));
    t->fresh = true;
    t->known = !from->as_query && from->like_count == 0 && from->inherit_count == 0 &&
               !from->partition_of.name && !from->of_type.name;
    t->temporary = s->temporary;
    t->unlogged = from->persistence == 'u';
    t->partition_by = from->partition_by;
    t->of_type = from->of_type;
    for (size_t i = 0; i < from->column_count; i++) {
        world_add_column(w, t, &from->columns[i]);
    }
    for (size_t i = 0; i < from->constraint_count; i++) {
        world_add_constraint(w, t, &from->constraints[i]);
    }
    parents_set(w, t, from);
    if (s->query) {
        t->reads = s->query->reads;
        t->read_count = t->kind == 'm' ? s->query->read_count : 0;
    }
}

static void create_view(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    bool fresh = !t;
    t = t ? t : world_make(w, s->name, 'v');
    t->fresh = t->fresh || fresh;
    t->kind = 'v';
    t->reads = s->query ? s->query->reads : NULL;
    t->read_count = s->query ? s->query->read_count : 0;
}

/* The server's choice, without its numbering. */
static const char *index_name(const void *ctx, const struct world_table *t,
                              const struct world_index *x)
{
    struct text name = text_init(ctx, TEXT_LINE);
    text_addf(&name, "%s", t->name);
    for (size_t i = 0; i < x->columns.count; i++) {
        text_addf(&name, "_%s", *x->columns.items[i] ? x->columns.items[i] : "expr");
    }
    text_add(&name, "_idx");
    return name.data;
}

static void create_index(struct world *w, const struct statement *s)
{
    const struct sql_index *from = s->create_index;
    struct world_table *t = world_find(w, from->table);
    const void *ctx = world_context(w);
    struct world_index *old;
    if (!t || (from->name && from->if_not_exists &&
               world_index(w, (struct sql_name){ t->schema, from->name }, &old))) {
        return;
    }
    t->indexes = mem_room(ctx, t->indexes, struct world_index, t->index_count + 1);
    struct world_index *x = &t->indexes[t->index_count++];
    *x = (struct world_index){ .schema = t->schema, .unique = from->unique, .valid = true };
    x->fresh = true;
    x->prepared = true;
    x->partial = from->where != NULL;
    x->name = from->name;
    for (size_t i = 0; i <= from->key_count; i++) {
        const struct sql_expression *e =
            i < from->key_count ? from->keys[i].expression : from->where;
        if (i < from->key_count) {
            const char *column = from->keys[i].column;
            sql_texts_add(ctx, &x->columns, column ? column : "");
            x->expression = x->expression || !column;
        }
        for (size_t j = 0; e && j < e->columns.count; j++) {
            sql_texts_add(ctx, &x->uses, e->columns.items[j]);
        }
    }
    x->name = x->name ? x->name : index_name(ctx, t, x);
    world_note_index(w, t, x);
}

static void drop_index(struct world *w, struct sql_name name)
{
    struct world_index *x;
    struct world_table *t = world_index(w, name, &x);
    if (t) {
        *x = t->indexes[--t->index_count];
    }
}

static void drop_of_table(struct world *w, const struct sql_object *o)
{
    struct world_table *t = world_find(w, (struct sql_name){ o->schema, o->name });
    bool trigger = o->kind == SQL_OBJECT_TRIGGER;
    for (size_t i = t && trigger ? t->trigger_count : 0; i > 0; i--) {
        if (text_eq(t->triggers[i - 1].name, o->column)) {
            t->triggers[i - 1] = t->triggers[--t->trigger_count];
        }
    }
    for (size_t i = t && !trigger ? t->policy_count : 0; i > 0; i--) {
        if (text_eq(t->policies[i - 1].name, o->column)) {
            t->policies[i - 1] = t->policies[--t->policy_count];
        }
    }
}

static void drop(struct world *w, const struct statement *s)
{
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        struct sql_name name = { o->schema, o->name };
        struct world_table *t = NULL;
        switch (o->kind) {
        case SQL_OBJECT_TABLE:
        case SQL_OBJECT_VIEW:
        case SQL_OBJECT_MATVIEW:
        case SQL_OBJECT_FOREIGN_TABLE:
        case SQL_OBJECT_SEQUENCE:
            t = world_table(w, name);
            if (t) {
                t->gone = true;
            }
            break;
        case SQL_OBJECT_INDEX: drop_index(w, name); break;
        case SQL_OBJECT_TRIGGER:
        case SQL_OBJECT_POLICY: drop_of_table(w, o); break;
        case SQL_OBJECT_TYPE:
        case SQL_OBJECT_DOMAIN: {
            struct world_type *type = world_type(w, name);
            if (type) {
                type->gone = true;
            }
            break;
        }
        case SQL_OBJECT_SCHEMA:
            world_note_schema(w, o->name, SCHEMA_GONE);
            for (size_t j = 0; (t = world_at(w, j)); j++) {
                t->gone = t->gone || text_eq(t->schema, o->name);
            }
            break;
        default: break;
        }
    }
}

static void rename_type(struct world *w, const struct statement *s)
{
    struct world_type *type = s->kind == SQL_STMT_RENAME ? world_type(w, s->name) : NULL;
    if (type && (s->object == SQL_OBJECT_TYPE || s->object == SQL_OBJECT_DOMAIN)) {
        type->name = mem_text(world_context(w), s->new_name);
    }
}

static void rename_object(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    struct world_index *x;
    if (s->object == SQL_OBJECT_SCHEMA && s->kind == SQL_STMT_RENAME) {
        world_rename_schema(w, s->name.name, s->new_name);
    } else if (s->object == SQL_OBJECT_INDEX || (!t && world_index(w, s->name, &x))) {
        struct world_table *owner = world_index(w, s->name, &x);
        if (owner) {
            x->name = s->new_name;
            world_note_index(w, owner, x);
        }
    } else if (!t) {
        return;
    } else if (s->kind == SQL_STMT_SET_SCHEMA) {
        world_rename_table(w, t, (struct sql_name){ s->new_name, NULL });
    } else if (s->object == SQL_OBJECT_COLUMN) {
        world_rename_column(w, t, s->sub_name, s->new_name);
    } else if (s->object == SQL_OBJECT_CONSTRAINT) {
        struct world_constraint *k = table_constraint(t, s->sub_name);
        if (k) {
            k->name = s->new_name;
        }
    } else if (s->object != SQL_OBJECT_TRIGGER && s->object != SQL_OBJECT_POLICY &&
               s->object != SQL_OBJECT_RULE) {
        world_rename_table(w, t, (struct sql_name){ NULL, s->new_name });
    }
}

static void create_type(struct world *w, const struct statement *s)
{
    char kind = s->kind == SQL_STMT_CREATE_ENUM     ? 'e'
                : s->kind == SQL_STMT_CREATE_DOMAIN ? 'd'
                                                    : 'c';
    struct world_type *t = world_make_type(w, s->name, kind);
    t->fresh = t->made_here = true;
    if (s->type) {
        t->base = s->type->base;
        t->constrained = s->type->not_null || s->type->constraint_count > 0;
    }
    if (kind == 'c' && s->table) {
        world_make(w, s->name, 'c')->fresh = true;
    }
}

static void create_function(struct world *w, const struct statement *s)
{
    struct world_function *f = world_function(w, s->name);
    bool old = f && !f->fresh;
    f = f ? f : world_make_function(w, s->name);
    f->fresh = !old;
    f->language = s->body->language;
    f->volatility = s->body->volatility;
    f->body = s->body->script ? s->body->script : mem_new(w, struct script);
    f->definition = NULL;
    f->opaque = s->body->opaque              ? s->body->opaque
                : s->body->dynamic.count > 0 ? s->body->dynamic.items[0]
                                             : NULL;
    f->commits = s->body->commits;
    f->fenced = s->body->security_definer || s->body->sets_search_path;
}

static void create_trigger(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    const void *ctx = world_context(w);
    if (!t) {
        return;
    }
    t->triggers = mem_room(ctx, t->triggers, struct world_trigger, t->trigger_count + 1);
    struct world_trigger *made = &t->triggers[t->trigger_count++];
    *made = (struct world_trigger){ .name = s->sub_name, .columns = s->values };
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].kind == SQL_OBJECT_FUNCTION) {
            made->function = s->objects[i].name;
        }
    }
}

static void create_rule(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    if (t) {
        sql_texts_add(world_context(w), &t->rules, s->sub_name);
    }
}

static void create_policy(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    if (!t) {
        return;
    }
    t->policies = mem_room(world_context(w), t->policies, struct world_policy, t->policy_count + 1);
    struct world_policy *made = &t->policies[t->policy_count++];
    *made = (struct world_policy){ .name = s->sub_name };
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].kind == SQL_OBJECT_COLUMN) {
            sql_texts_add(world_context(w), &made->columns, s->objects[i].column);
        }
    }
}

static void create_sequence(struct world *w, const struct statement *s)
{
    struct world_table *t = world_find(w, s->name);
    if (!t && s->kind == SQL_STMT_CREATE_SEQUENCE) {
        t = world_make(w, s->name, 'S');
        t->fresh = true;
    }
    for (size_t i = 0; t && i < s->object_count; i++) {
        if (s->objects[i].role == SQL_REFERENCED) {
            t->owner_table = (struct sql_name){ s->objects[i].schema, s->objects[i].name };
            t->owner_column = s->objects[i].column;
        }
    }
}

static void statistics(struct world *w, const struct statement *s)
{
    for (size_t i = 0; i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        struct world_table *t = s->objects[i].kind == SQL_OBJECT_TABLE ? world_find(w, name) : NULL;
        if (t && s->name.name) {
            sql_texts_add(world_context(w), &t->statistics, s->name.name);
        }
    }
}

void world_apply(struct world *w, const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_TABLE_AS:
    case SQL_STMT_CREATE_MATVIEW: create_table(w, s); break;
    case SQL_STMT_CREATE_VIEW: create_view(w, s); break;
    case SQL_STMT_CREATE_INDEX: create_index(w, s); break;
    case SQL_STMT_ALTER_TABLE:
    case SQL_STMT_ALTER_DOMAIN: world_apply_alter(w, s); break;
    case SQL_STMT_DROP: drop(w, s); break;
    case SQL_STMT_RENAME:
    case SQL_STMT_SET_SCHEMA:
        rename_object(w, s);
        rename_type(w, s);
        break;
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_TYPE:
    case SQL_STMT_CREATE_DOMAIN: create_type(w, s); break;
    case SQL_STMT_CREATE_FUNCTION: create_function(w, s); break;
    case SQL_STMT_CREATE_TRIGGER: create_trigger(w, s); break;
    case SQL_STMT_CREATE_POLICY: create_policy(w, s); break;
    case SQL_STMT_CREATE_RULE: create_rule(w, s); break;
    case SQL_STMT_CREATE_SEQUENCE:
    case SQL_STMT_ALTER_SEQUENCE: create_sequence(w, s); break;
    case SQL_STMT_CREATE_STATISTICS: statistics(w, s); break;
    case SQL_STMT_CREATE_SCHEMA:
        if (s->name.name && !s->if_not_exists) {
            world_note_schema(w, s->name.name, SCHEMA_FRESH);
        }
        break;
    default: break;
    }
}
