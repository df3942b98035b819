#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/world/world_apply.h"

static void sequence_made(struct world *w, const struct world_table *t, const char *column)
{
    struct sql_name name = { t->schema,
                             mem_printf(world_context(w), "%s_%s_seq", t->name, column) };
    struct world_table *s = world_make(w, name, 'S');
    s->fresh = true;
    s->owner_table = (struct sql_name){ t->schema, t->name };
    s->owner_column = column;
}

/* A sequence goes with the column, or the identity, that owns it. */
static void sequence_gone(struct world *w, const struct world_table *t, const char *column)
{
    struct world_table *s;
    for (size_t i = 0; (s = world_at(w, i)); i++) {
        if (s->kind == 'S' && s->owner_table.name && text_eq(s->owner_column, column) &&
            table_is(t, w, s->owner_table)) {
            s->gone = true;
        }
    }
}

void world_add_column(struct world *w, struct world_table *t, const struct sql_column *c)
{
    const void *ctx = world_context(w);
    if (table_column(t, c->name)) {
        return;
    }
    t->columns = mem_room(ctx, t->columns, struct world_column, t->column_count + 1);
    t->columns[t->column_count++] = (struct world_column){
        .name = c->name,
        .id = world_id(w),
        .type = text_eq(c->type, "bigserial")     ? "bigint"
                : text_eq(c->type, "serial")      ? "integer"
                : text_eq(c->type, "smallserial") ? "smallint"
                                                  : c->type,
        .not_null = c->not_null || c->identity,
        .has_default = c->default_expr || c->serial || c->identity,
        .sequences = c->default_expr ? c->default_expr->sequences : (struct sql_texts){ NULL, 0 },
        .fresh = true,
        .generated = c->generated,
        .identity = c->identity,
        .collation = c->collation,
        .uses = c->generate ? c->generate->columns : (struct sql_texts){ NULL, 0 },
    };
    for (size_t i = 0; i < c->constraint_count; i++) {
        world_add_constraint(w, t, &c->constraints[i]);
    }
    if (c->serial || c->identity) {
        sequence_made(w, t, c->name);
    }
}

static const char *constraint_name(const void *ctx, const struct world_table *t,
                                   const struct sql_constraint *k)
{
    if (k->name) {
        return k->name;
    }
    if (k->using_index) {
        return k->using_index;
    }
    if (k->kind == 'p') {
        return mem_printf(ctx, "%s_pkey", t->name);
    }
    struct text name = text_init(ctx, TEXT_LINE);
    const struct sql_texts *columns = k->expression ? &k->expression->columns : &k->columns;
    text_add(&name, t->name);
    for (size_t i = 0; i < columns->count && !(k->kind == 'c' && columns->count > 1); i++) {
        text_addf(&name, "_%s", columns->items[i]);
    }
    text_add(&name, k->kind == 'c'   ? "_check"
                    : k->kind == 'f' ? "_fkey"
                    : k->kind == 'x' ? "_excl"
                    : k->kind == 'n' ? "_not_null"
                                     : "_key");
    return name.data;
}

static void key_index(struct world *w, struct world_table *t, const struct sql_constraint *k,
                      const char *name)
{
    const void *ctx = world_context(w);
    for (size_t i = 0; i < t->index_count; i++) {
        if (text_eq(t->indexes[i].name, k->using_index) && k->using_index) {
            t->indexes[i].constraint = name;
            t->indexes[i].name = name;
            world_note_index(w, t, &t->indexes[i]);
            return;
        }
    }
    t->indexes = mem_room(ctx, t->indexes, struct world_index, t->index_count + 1);
    t->indexes[t->index_count++] = (struct world_index){
        .schema = t->schema,
        .name = name,
        .columns = k->columns,
        .unique = k->kind != 'x',
        .valid = true,
        .fresh = true,
        .prepared = true,
        .constraint = name,
    };
    world_note_index(w, t, &t->indexes[t->index_count - 1]);
}

static struct sql_texts index_columns(const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->index_count; i++) {
        if (text_eq(t->indexes[i].name, name)) {
            return t->indexes[i].columns;
        }
    }
    return (struct sql_texts){ NULL, 0 };
}

void world_add_constraint(struct world *w, struct world_table *t, const struct sql_constraint *k)
{
    const void *ctx = world_context(w);
    const char *name = constraint_name(ctx, t, k);
    struct sql_texts columns = k->expression    ? k->expression->columns
                               : k->using_index ? index_columns(t, k->using_index)
                                                : k->columns;
    t->constraints =
        mem_room(ctx, t->constraints, struct world_constraint, t->constraint_count + 1);
    t->constraints[t->constraint_count++] = (struct world_constraint){
        .name = name,
        .kind = k->kind,
        .columns = columns,
        .not_null = k->expression ? k->expression->not_null : (struct sql_texts){ NULL, 0 },
        .text = k->definition,
        .validated = !k->not_valid,
        .fresh = true,
        .prepared = true,
        .ref = k->ref,
        .ref_columns = k->ref_columns,
        .on_delete = k->on_delete,
    };
    for (size_t i = 0; i < columns.count && (k->kind == 'p' || k->kind == 'n'); i++) {
        struct world_column *c = table_column(t, columns.items[i]);
        if (c) {
            c->not_null = c->not_null || !k->not_valid;
        }
    }
    if (k->kind == 'p' || k->kind == 'u' || k->kind == 'x') {
        key_index(w, t, k, name);
    }
}

/* What goes along with a column: its sequence, constraints and indexes that have it. */
static void drop_column(struct world *w, struct world_table *t, const char *column)
{
    sequence_gone(w, t, column);
    for (size_t i = 0; i < t->column_count; i++) {
        if (text_eq(t->columns[i].name, column)) {
            memmove(&t->columns[i], &t->columns[i + 1],
                    (t->column_count - i - 1) * sizeof *t->columns);
            t->column_count--;
            break;
        }
    }
    for (size_t i = t->constraint_count; i > 0; i--) {
        if (sql_texts_have(&t->constraints[i - 1].columns, column)) {
            t->constraints[i - 1] = t->constraints[--t->constraint_count];
        }
    }
    for (size_t i = t->index_count; i > 0; i--) {
        const struct world_index *x = &t->indexes[i - 1];
        if (sql_texts_have(&x->columns, column) || sql_texts_have(&x->uses, column)) {
            t->indexes[i - 1] = t->indexes[--t->index_count];
        }
    }
}

static void forget_constraint(struct world_table *t, const char *name)
{
    for (size_t i = t->constraint_count; i > 0; i--) {
        if (text_eq(t->constraints[i - 1].name, name)) {
            t->constraints[i - 1] = t->constraints[--t->constraint_count];
        }
    }
    for (size_t i = t->index_count; i > 0; i--) {
        if (text_eq(t->indexes[i - 1].constraint, name)) {
            t->indexes[i - 1] = t->indexes[--t->index_count];
        }
    }
}

static bool texts_same(const struct sql_texts *a, const struct sql_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = text_eq(a->items[i], b->items[i]);
    }
    return same;
}

static bool is_child(const struct world_table *child, const struct world_table *t)
{
    for (size_t i = 0; i < child->parent_count; i++) {
        if (sql_name_eq(child->parents[i], (struct sql_name){ t->schema, t->name })) {
            return true;
        }
    }
    return false;
}

/* What a partition has because the whole has it goes along; it has a name of its own. */
static void drop_constraint(struct world *w, struct world_table *t, const char *name)
{
    struct world_constraint gone = { 0 };
    for (size_t i = 0; i < t->constraint_count; i++) {
        if (text_eq(t->constraints[i].name, name)) {
            gone = t->constraints[i];
        }
    }
    forget_constraint(t, name);
    struct world_table *child;
    for (size_t i = 0; t->kind == 'p' && gone.name && (child = world_child_at(w, i)); i++) {
        for (size_t k = 0; k < child->constraint_count && is_child(child, t); k++) {
            const struct world_constraint *c = &child->constraints[k];
            if (c->kind == gone.kind && texts_same(&c->columns, &gone.columns) &&
                text_eq(c->ref.name, gone.ref.name)) {
                drop_constraint(w, child, c->name);
                break;
            }
        }
    }
}

static void column_changed(struct world *w, struct world_table *t, const struct sql_alter *a)
{
    struct world_column *c = table_column(t, a->column);
    if (!c && !t->known) { /* a column of a table that nobody described */
        struct sql_column made = { .name = a->column };
        world_add_column(w, t, &made);
        c = table_column(t, a->column);
        c->fresh = false;
    }
    if (!c) {
        return;
    }
    switch (a->kind) {
    case SQL_ALTER_SET_DEFAULT: c->has_default = true; break;
    case SQL_ALTER_DROP_DEFAULT: c->has_default = false; break;
    case SQL_ALTER_SET_NOT_NULL: c->not_null = true; break;
    case SQL_ALTER_DROP_NOT_NULL: c->not_null = false; break;
    case SQL_ALTER_SET_TYPE: c->type = a->type; break;
    case SQL_ALTER_ADD_IDENTITY:
        c->identity = a->identity ? a->identity : 'a';
        sequence_made(w, t, c->name);
        break;
    case SQL_ALTER_DROP_IDENTITY:
        c->identity = 0;
        sequence_gone(w, t, c->name);
        break;
    case SQL_ALTER_DROP_EXPRESSION: c->generated = 0; break;
    default: break;
    }
}

static void partition(struct world *w, struct world_table *t, const struct sql_alter *a)
{
    struct world_table *child = world_find(w, a->other);
    if (!child) {
        return;
    }
    bool attach = a->kind == SQL_ALTER_ATTACH_PARTITION;
    child->parents = mem_array(world_context(w), struct sql_name, 1);
    child->parents[0] = (struct sql_name){ t->schema, t->name };
    child->parent_count = attach ? 1 : 0;
    world_note_child(w, child);
    child->bound = attach ? a->bound : NULL;
    child->is_default = attach && a->is_default;
    t->kind = 'p';
}

static void inherit(struct world *w, struct world_table *t, const struct sql_alter *a)
{
    if (a->kind == SQL_ALTER_INHERIT) {
        struct sql_name *parents =
            mem_array(world_context(w), struct sql_name, t->parent_count + 1);
        for (size_t i = 0; i < t->parent_count; i++) {
            parents[i] = t->parents[i];
        }
        parents[t->parent_count++] = a->other;
        t->parents = parents;
        world_note_child(w, t);
    } else {
        for (size_t i = t->parent_count; i > 0; i--) {
            if (sql_name_eq(t->parents[i - 1], a->other)) {
                t->parents[i - 1] = t->parents[--t->parent_count];
            }
        }
    }
}

static void sub_command(struct world *w, struct world_table *t, const struct sql_alter *a)
{
    struct world_constraint *k;
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: world_add_column(w, t, a->definition); break;
    case SQL_ALTER_DROP_COLUMN: drop_column(w, t, a->column); break;
    case SQL_ALTER_ADD_CONSTRAINT: world_add_constraint(w, t, a->constraint); break;
    case SQL_ALTER_VALIDATE_CONSTRAINT:
        k = table_constraint(t, a->name);
        if (k) {
            k->validated = true;
        } else if (!t->known && a->name) {
            sql_texts_add(world_context(w), &t->validated_unseen, a->name);
        }
        break;
    case SQL_ALTER_DROP_CONSTRAINT: drop_constraint(w, t, a->name); break;
    case SQL_ALTER_ATTACH_PARTITION:
    case SQL_ALTER_DETACH_PARTITION: partition(w, t, a); break;
    case SQL_ALTER_INHERIT:
    case SQL_ALTER_NO_INHERIT: inherit(w, t, a); break;
    case SQL_ALTER_SET_LOGGED: t->unlogged = false; break;
    case SQL_ALTER_SET_UNLOGGED: t->unlogged = true; break;
    case SQL_ALTER_SET_TABLESPACE: t->tablespace = a->name; break;
    case SQL_ALTER_SET_ACCESS_METHOD: t->access_method = a->name; break;
    case SQL_ALTER_OWNER: t->role = a->name; break;
    case SQL_ALTER_REPLICA_IDENTITY: t->replica_identity = a->state; break;
    case SQL_ALTER_ROW_SECURITY:
        t->row_security = a->state == 'e' || (t->row_security && a->state != 'd');
        break;
    default:
        if (a->column) {
            column_changed(w, t, a);
        }
        break;
    }
}

static void domain(struct world *w, const struct statement *s)
{
    struct world_type *t = world_type(w, s->name);
    const struct sql_alter *a = &s->alters[0];
    if (!t) {
        return;
    }
    if (a->kind == SQL_ALTER_ADD_CONSTRAINT || a->kind == SQL_ALTER_SET_NOT_NULL) {
        t->constrained = true;
        if (a->constraint && a->constraint->not_valid && a->name) {
            sql_texts_add(world_context(w), &t->not_valid, a->name);
        }
    }
}

void world_apply_alter(struct world *w, const struct statement *s)
{
    if (s->kind == SQL_STMT_ALTER_DOMAIN) {
        domain(w, s);
        return;
    }
    if (s->object == SQL_OBJECT_INDEX) {
        return;
    }
    struct world_table *t = world_table(w, s->name);
    for (size_t i = 0; t && i < s->alter_count; i++) {
        sub_command(w, t, &s->alters[i]);
    }
}
