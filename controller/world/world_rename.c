/* What follows a rename in the server's catalog follows it here: it is kept by number there. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/world/schemas.h"
#include "controller/world/world.h"

/* Lists come from statements and are shared: a changed one is a copy. */
static void follow(struct world *w, struct sql_texts *list, const char *from, const char *to)
{
    if (!sql_texts_have(list, from)) {
        return;
    }
    struct sql_texts copy = { NULL, 0 };
    for (size_t i = 0; i < list->count; i++) {
        sql_texts_add(world_context(w), &copy, text_eq(list->items[i], from) ? to : list->items[i]);
    }
    *list = copy;
}

static bool is_of(const struct world_table *t, struct sql_name name)
{
    return text_eq(t->name, name.name) && (!name.schema || text_eq(t->schema, name.schema));
}

static void own_follow(struct world *w, struct world_table *t, const char *from, const char *to)
{
    for (size_t i = 0; i < t->column_count; i++) {
        follow(w, &t->columns[i].uses, from, to);
    }
    for (size_t i = 0; i < t->constraint_count; i++) {
        constraint_prepare(w, &t->constraints[i]);
        follow(w, &t->constraints[i].columns, from, to);
        follow(w, &t->constraints[i].not_null, from, to);
    }
    for (size_t i = 0; i < t->index_count; i++) {
        index_prepare(w, &t->indexes[i]);
        follow(w, &t->indexes[i].columns, from, to);
        follow(w, &t->indexes[i].uses, from, to);
    }
    for (size_t i = 0; i < t->trigger_count; i++) {
        follow(w, &t->triggers[i].columns, from, to);
    }
    for (size_t i = 0; i < t->policy_count; i++) {
        follow(w, &t->policies[i].columns, from, to);
    }
}

/* What others name of `t`: a column of it, or (column null) the table itself as `now`. */
static void reads_follow(struct world *w, struct world_table *view, const struct world_table *t,
                         const char *column, struct sql_object now)
{
    struct sql_object *copy = NULL;
    for (size_t i = 0; i < view->read_count; i++) {
        const struct sql_object *o = &view->reads[i];
        bool same = is_of(t, (struct sql_name){ o->schema, o->name }) &&
                    (!column || text_eq(o->column, column));
        if (same && !copy) {
            copy = mem_array(world_context(w), struct sql_object, view->read_count);
            for (size_t k = 0; k < view->read_count; k++) {
                copy[k] = view->reads[k];
            }
        }
        if (same && column) {
            copy[i].column = now.column;
        } else if (same) {
            copy[i].schema = now.schema;
            copy[i].name = now.name;
        }
    }
    view->reads = copy ? copy : view->reads;
}

void world_rename_column(struct world *w, struct world_table *t, const char *from, const char *to)
{
    struct world_column *c = table_column(t, from);
    struct world_table *other;
    own_follow(w, t, from, to);
    for (size_t i = 0; (other = world_at(w, i)); i++) {
        for (size_t k = 0; k < other->constraint_count; k++) {
            if (other->constraints[k].kind == 'f' && is_of(t, other->constraints[k].ref)) {
                follow(w, &other->constraints[k].ref_columns, from, to);
            }
        }
        reads_follow(w, other, t, from, (struct sql_object){ .column = to });
        if (is_of(t, other->owner_table) && text_eq(other->owner_column, from)) {
            other->owner_column = to;
        }
    }
    if (c) {
        c->name = to;
    }
}

static void name_follow(struct world_table *t, struct sql_name *name, struct sql_name to)
{
    if (name->name && is_of(t, *name)) {
        *name = to;
    }
}

void world_rename_table(struct world *w, struct world_table *t, struct sql_name to)
{
    struct sql_name now = { to.schema ? mem_text(world_context(w), to.schema) : t->schema,
                            to.name ? mem_text(world_context(w), to.name) : t->name };
    struct world_table *other;
    for (size_t i = 0; (other = world_at(w, i)); i++) {
        for (size_t k = 0; k < other->constraint_count; k++) {
            name_follow(t, &other->constraints[k].ref, now);
        }
        for (size_t k = 0; k < other->parent_count; k++) {
            name_follow(t, &other->parents[k], now);
        }
        name_follow(t, &other->owner_table, now);
        reads_follow(w, other, t, NULL,
                     (struct sql_object){ .schema = now.schema, .name = now.name });
    }
    for (size_t i = 0; i < t->index_count; i++) {
        t->indexes[i].schema = now.schema;
    }
    world_rename(w, t, to);
}

void world_rename_schema(struct world *w, const char *from, const char *to)
{
    struct world_table *t;
    struct world_type *type;
    bool fresh = world_schema_fresh(w, from);
    to = mem_text(world_context(w), to);
    for (size_t i = 0; (t = world_at(w, i)); i++) {
        if (!t->gone && text_eq(t->schema, from)) {
            world_rename_table(w, t, (struct sql_name){ to, NULL });
        }
    }
    for (size_t i = 0; (type = world_type_at(w, i)); i++) {
        if (!type->gone && text_eq(type->schema, from)) {
            type->schema = to;
        }
    }
    world_note_schema(w, from, SCHEMA_GONE);
    world_note_schema(w, to, fresh ? SCHEMA_FRESH : SCHEMA_THERE);
}
