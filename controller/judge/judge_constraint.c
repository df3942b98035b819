#include "controller/judge/judge_constraint.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* The same ALTER TABLE drops it: the server does that first, wherever it stands. */
static bool dropped_here(const struct judging *g, const char *constraint)
{
    for (size_t i = 0; i < g->s->alter_count; i++) {
        const struct sql_alter *a = &g->s->alters[i];
        if (a->kind == SQL_ALTER_DROP_CONSTRAINT && text_eq(a->name, constraint)) {
            return true;
        }
    }
    return false;
}

/* A constraint that an earlier migration made, validated in this script: what it says is not known
 * here, but its name tells. */
static bool validated_by_name(const struct world_table *t, const char *column)
{
    for (size_t i = 0; !t->known && i < t->validated_unseen.count; i++) {
        const char *name = t->validated_unseen.items[i];
        if (strcasestr(name, column) || strcasestr(name, "null")) {
            return true;
        }
    }
    return false;
}

/* A validated check, or PostgreSQL's own constraint, that says the column is never null. */
bool column_proven(struct judging *g, const struct world_table *t, const char *column)
{
    const struct world_column *c = table_column(t, column);
    bool seen = false;
    if (c && c->not_null) {
        return true;
    }
    for (size_t i = 0; i < t->constraint_count; i++) {
        struct world_constraint *k = &t->constraints[i];
        constraint_prepare(g->world, k);
        if (k->kind == 'c' && k->validated && sql_texts_have(&k->not_null, column) &&
            !dropped_here(g, k->name)) {
            return true;
        }
        seen = seen || sql_texts_have(&k->not_null, column);
    }
    return !seen && validated_by_name(t, column);
}

static bool view_reads(const struct judging *g, const struct world_table *view,
                       const struct world_table *t, const char *column)
{
    for (size_t i = 0; !view->gone && i < view->read_count; i++) {
        const struct sql_object *o = &view->reads[i];
        bool same = o->name && table_is(t, g->world, (struct sql_name){ o->schema, o->name });
        if (same && (!column || text_eq(o->column, column) || text_eq(o->column, "*"))) {
            return true;
        }
    }
    return false;
}

static void views_lock(struct judging *g, const struct world_table *t, const char *column,
                       bool cascade, const char *what)
{
    struct world_table *v;
    if (!walk_enter(g, t)) {
        return;
    }
    for (size_t i = 0; (v = world_at(g->world, i)); i++) {
        if (v->read_count == 0 || !view_reads(g, v, t, column)) {
            continue;
        }
        if (cascade) {
            effect_take(g, EFFECT_DROP, v, NULL);
            views_lock(g, v, NULL, true, what);
        } else {
            will_fail(g, "cannot %s column \"%s\": the view \"%s\" reads it", what, column,
                      v->name);
        }
    }
    walk_leave(g);
}

void dependents_lock(struct judging *g, const struct world_table *t, const char *column,
                     bool cascade, const char *what)
{
    views_lock(g, t, column, cascade, what);
    if (cascade) {
        return;
    }
    if (table_policy_uses(t, column)) {
        will_fail(g, "cannot %s column \"%s\": a policy on \"%s\" uses it", what, column, t->name);
    }
    for (size_t i = 0; i < t->column_count; i++) {
        if (sql_texts_have(&t->columns[i].uses, column)) {
            will_fail(g, "cannot %s column \"%s\": the generated column \"%s\" uses it", what,
                      column, t->columns[i].name);
        }
    }
    for (size_t i = 0; i < t->trigger_count; i++) {
        if (sql_texts_have(&t->triggers[i].columns, column)) {
            will_fail(g, "cannot %s column \"%s\": the trigger \"%s\" names it", what, column,
                      t->triggers[i].name);
        }
    }
}

static bool names(const struct sql_texts *columns, const char *column)
{
    return !column || columns->count == 0 || sql_texts_have(columns, column);
}

void foreign_keys_lock(struct judging *g, enum effect effect, const struct world_table *t,
                       const char *column, bool referencing)
{
    struct world_table *other;
    for (size_t i = 0; i < t->constraint_count; i++) {
        const struct world_constraint *k = &t->constraints[i];
        if (k->kind == 'f' && names(&k->columns, column)) {
            effect_take(g, effect, NULL, world_find(g->world, k->ref));
        }
    }
    for (size_t i = 0; referencing && (other = world_at(g->world, i)); i++) {
        for (size_t j = 0; !other->gone && j < other->constraint_count; j++) {
            const struct world_constraint *k = &other->constraints[j];
            if (k->kind == 'f' && other != t && table_is(t, g->world, k->ref) &&
                names(&k->ref_columns, column)) {
                effect_take(g, effect, NULL, other);
            }
        }
    }
}

static void add_foreign_key(struct judging *g, struct world_table *t,
                            const struct sql_constraint *k)
{
    struct world_table *ref = table_of(g, k->ref, false);
    if (k->not_valid && !k->not_enforced && t->kind == 'p' && g->judge->version < 18) {
        needs_version(g, 18);
        will_fail(g, "a foreign key of a partitioned table cannot be NOT VALID before PostgreSQL "
                     "18");
    }
    effect_partitions(g, k->not_valid ? EFFECT_ADD_FK_NOT_VALID : EFFECT_ADD_FK, t, ref);
}

static bool index_nullable(struct judging *g, const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        for (size_t j = 0; text_eq(x->name, name) && j < x->columns.count; j++) {
            if (!column_proven(g, t, x->columns.items[j])) {
                return true;
            }
        }
        if (text_eq(x->name, name)) {
            return false;
        }
    }
    return true;
}

/* On a partitioned table the partitions only get an index, unless NOT NULL comes along; since
 * PostgreSQL 18 all children are locked like the parent. */
static void add_key(struct judging *g, struct world_table *t, const struct sql_constraint *k)
{
    struct world_table *child;
    bool shares = g->judge->version < 18;
    bool nulls = false;
    for (size_t i = 0; k->kind == 'p' && i < k->columns.count; i++) {
        const struct world_column *c = table_column(t, k->columns.items[i]);
        nulls = nulls || !c || !c->not_null;
    }
    effect_take(g, EFFECT_ADD_UNIQUE, t, NULL);
    for (size_t i = 0; (child = world_child_at(g->world, i)); i++) {
        if (!is_child_of(g, child, t)) {
            continue;
        }
        if (t->kind == 'p') {
            effect_below(g, shares && !nulls ? EFFECT_ADD_UNIQUE_PARTITION : EFFECT_ADD_UNIQUE,
                         child, NULL);
        } else if (nulls || !shares) {
            effect_below(g, nulls ? EFFECT_SET_NOT_NULL : EFFECT_COLUMN_METADATA, child, NULL);
        }
    }
}

static void add_constraint(struct judging *g, struct world_table *t, const struct sql_constraint *k)
{
    tag_add(g, t->fresh ? TAG_ADDITIVE : TAG_CONTRACT);
    switch (k->kind) {
    case 'f': add_foreign_key(g, t, k); break;
    case 'c':
        if (k->no_inherit) {
            /* since PostgreSQL 18 the children are locked all the same */
            effect_family(g, EFFECT_ADD_CHECK_NOT_VALID, g->judge->version >= 18 ? t : NULL);
            effect_take(g, k->not_valid ? EFFECT_ADD_CHECK_NOT_VALID : EFFECT_ADD_CHECK, t, NULL);
        } else {
            effect_below(g, k->not_valid ? EFFECT_ADD_CHECK_NOT_VALID : EFFECT_ADD_CHECK, t, NULL);
        }
        break;
    case 'n': {
        bool free =
            k->not_valid || (k->columns.count > 0 && column_proven(g, t, k->columns.items[0]));
        effect_below(g, free ? EFFECT_SET_NOT_NULL_PROVEN : EFFECT_SET_NOT_NULL, t, NULL);
        break;
    }
    default:
        if (!k->using_index) {
            add_key(g, t, k);
        } else if (k->kind == 'p' && index_nullable(g, t, k->using_index)) {
            effect_take(g, EFFECT_ADD_USING_INDEX_NULLABLE, t, NULL);
        } else {
            effect_take(g, EFFECT_ADD_USING_INDEX, t, NULL);
        }
        break;
    }
}

static void validate(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct world_constraint *k = table_constraint(t, a->name);
    tag_add(g, TAG_NEUTRAL);
    if (k && k->validated) {
        effect_below(g, EFFECT_VALIDATE_NOTHING, t, NULL);
    } else if (k && k->kind == 'f') {
        effect_partitions(g, EFFECT_VALIDATE_FK, t, world_find(g->world, k->ref));
    } else {
        effect_below(g, EFFECT_VALIDATE, t, NULL);
    }
}

static void alter_constraint(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct world_constraint *k = table_constraint(t, a->name);
    tag_add(g, TAG_CONTRACT);
    if (a->state == 'e') {
        effect_take(g, EFFECT_ENFORCE_FK, t, k ? world_find(g->world, k->ref) : NULL);
    } else if (a->state == 'd') { /* its triggers go, on both sides */
        effect_take(g, EFFECT_DROP_CONSTRAINT, t, k ? world_find(g->world, k->ref) : NULL);
    } else {
        effect_take(g, EFFECT_ALTER_CONSTRAINT, t, NULL);
    }
}

static void drop_constraint(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct world_constraint *k = table_constraint(t, a->name);
    struct world_table *other;
    tag_add(g, TAG_NEUTRAL);
    effect_below(g, EFFECT_DROP_CONSTRAINT, t, NULL);
    if (k && k->kind == 'f') {
        effect_take(g, EFFECT_DROP_CONSTRAINT, NULL, world_find(g->world, k->ref));
    }
    bool unique = k && (k->kind == 'p' || k->kind == 'u');
    for (size_t i = 0; unique && (other = world_at(g->world, i)); i++) {
        for (size_t j = 0; !other->gone && j < other->constraint_count; j++) {
            const struct world_constraint *f = &other->constraints[j];
            if (f->kind != 'f' || !table_is(t, g->world, f->ref)) {
                continue;
            }
            if (a->cascade) {
                effect_take(g, EFFECT_DROP_CONSTRAINT, NULL, other);
            } else if (k->kind == 'p' && f->ref_columns.count == 0) {
                will_fail(g, "the foreign key \"%s\" of \"%s\" depends on it",
                          f->name ? f->name : "", other->name);
            }
        }
    }
}

bool judge_constraint(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_ADD_CONSTRAINT: add_constraint(g, t, a->constraint); break;
    case SQL_ALTER_ALTER_CONSTRAINT: alter_constraint(g, t, a); break;
    case SQL_ALTER_VALIDATE_CONSTRAINT: validate(g, t, a); break;
    case SQL_ALTER_DROP_CONSTRAINT: drop_constraint(g, t, a); break;
    default: return false;
    }
    return true;
}
