/* ALTER TABLE: each sub-command by the table, the whole takes the strongest. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/judge/type_change.h"

static struct sql_name type_name(const void *ctx, const char *type)
{
    const char *dot = strchr(type, '.');
    return (struct sql_name){ dot ? mem_textn(ctx, type, (size_t)(dot - type)) : NULL,
                              dot ? dot + 1 : type };
}

static bool constrained_domain(struct judging *g, const char *type)
{
    const struct world_type *t = type ? world_type(g->world, type_name(g->ctx, type)) : NULL;
    return world_type_constrained(g->world, t);
}

bool column_rewrites(struct judging *g, const struct sql_column *c)
{
    return c->serial || c->identity || c->generated == 's' ||
           default_rewrites(g, c->default_expr) || constrained_domain(g, c->type);
}

static void sequences_read(struct judging *g, const struct sql_expression *e)
{
    for (size_t i = 0; e && i < e->sequences.count; i++) {
        effect_take(g, EFFECT_SEQUENCE_VALUE,
                    world_find(g->world, type_name(g->ctx, e->sequences.items[i])), NULL);
    }
}

static void column_constraints(struct judging *g, struct world_table *t, const struct sql_column *c,
                               bool filled)
{
    for (size_t i = 0; i < c->constraint_count; i++) {
        const struct sql_constraint *k = &c->constraints[i];
        enum effect effect = k->kind != 'f'            ? EFFECT_ADD_COLUMN_SCAN
                             : filled && !k->not_valid ? EFFECT_ADD_COLUMN_REFERENCES_SCAN
                                                       : EFFECT_ADD_COLUMN_REFERENCES;
        effect_below(g, effect, t, k->kind == 'f' ? table_of(g, k->ref, false) : NULL);
    }
}

/* A column of a composite type looks that relation up. */
static void composite_read(struct judging *g, const char *type)
{
    struct world_table *t = type ? world_find(g->world, type_name(g->ctx, type)) : NULL;
    if (t && t->kind == 'c') {
        lock_take(g, t, LOCK_ACCESS_SHARE, "");
    }
}

static void add_column(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct sql_column *c = a->definition;
    tag_add(g, TAG_ADDITIVE);
    if (table_column(t, c->name)) { /* IF NOT EXISTS on what exists locks all the same */
        effect_below(g, EFFECT_ADD_COLUMN, t, NULL);
        return;
    }
    bool filled = c->default_expr && !c->default_expr->null;
    effect_below(g,
                 column_rewrites(g, c)                ? EFFECT_ADD_COLUMN_REWRITE
                 : c->generated == 'v' && c->not_null ? EFFECT_ADD_COLUMN_SCAN
                                                      : EFFECT_ADD_COLUMN,
                 t, NULL);
    sequences_read(g, c->default_expr);
    composite_read(g, c->type);
    if (c->serial || c->identity) {
        fresh_take(g, t->schema, mem_printf(g->ctx, "%s_%s_seq", t->name, c->name));
    }
    column_constraints(g, t, c, filled);
    bool made = c->serial || c->identity || c->generated || filled;
    if (c->not_null && !made && !t->fresh && t->rows != 0) {
        will_fail(g,
                  "column \"%s\" of relation \"%s\" contains null values: a table with rows "
                  "cannot take a NOT NULL column without a default",
                  c->name, t->name);
    }
}

static void drop_column(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct world_column *c = table_column(t, a->column);
    bool mine = c && c->fresh;
    tag_add(g, mine ? TAG_NEUTRAL : TAG_DESTRUCTIVE | TAG_CONTRACT);
    effect_family(g, EFFECT_DROP_COLUMN, t);
    effect_take(g, EFFECT_DROP, NULL, c ? sequence_of(g, t, a->column) : NULL);
    dependents_lock(g, t, a->column, a->cascade, "drop");
    foreign_keys_lock(g, EFFECT_DROP_COLUMN, t, a->column, a->cascade);
}

static void set_not_null(struct judging *g, struct world_table *t, const char *column)
{
    bool proven = column_proven(g, t, column);
    tag_add(g, t->fresh ? TAG_ADDITIVE : TAG_CONTRACT);
    effect_below(g, proven ? EFFECT_SET_NOT_NULL_PROVEN : EFFECT_SET_NOT_NULL, t, NULL);
}

/* An index or a check has to be made anew although the values stay. */
static bool rechecks(struct judging *g, const struct world_table *t, const struct sql_alter *a,
                     const struct type_change *change)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        struct world_constraint *k = &t->constraints[i];
        constraint_prepare(g->world, k);
        if (k->kind == 'c' && k->validated && sql_texts_have(&k->columns, a->column)) {
            return true;
        }
    }
    for (size_t i = 0; i < t->index_count; i++) {
        struct world_index *x = &t->indexes[i];
        index_prepare(g->world, x);
        bool key = sql_texts_have(&x->columns, a->column);
        /* the server does not compare expressions and predicates: such an index is made anew */
        bool compared = !x->expression && !x->partial;
        if (sql_texts_have(&x->uses, a->column) ||
            (key && (change->reindex || a->collation || !compared))) {
            return true;
        }
    }
    return false;
}

struct type_change alter_type_change(struct judging *g, const struct world_table *t,
                                     const struct sql_alter *a)
{
    const struct world_column *c = table_column(t, a->column);
    struct type_change change = type_change(g->world, c ? c->type : NULL, a->type, g->judge->utc);
    if (!type_using_is_plain(a->expression, a->column, a->type)) {
        change.lossy = change.lossy || change.narrowing || change.effect != TYPE_NEW_VALUES;
        change.effect = TYPE_NEW_VALUES;
    }
    /* a foreign table has no rows of its own: only what is declared of them changes */
    if (t->kind == 'f') {
        change.effect = change.effect == TYPE_NEW_VALUES ? TYPE_BINARY : change.effect;
        change.lossy = false;
    }
    return change;
}

bool alter_rechecks(struct judging *g, const struct world_table *t, const struct sql_alter *a)
{
    struct type_change change = alter_type_change(g, t, a);
    if (t->kind == 'f') {
        return false;
    }
    return (change.effect == TYPE_BINARY || a->collation) && rechecks(g, t, a, &change);
}

static void set_type(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    struct type_change change = alter_type_change(g, t, a);
    enum effect effect = change.effect == TYPE_NEW_VALUES ? EFFECT_TYPE_REWRITE
                         : alter_rechecks(g, t, a)        ? EFFECT_TYPE_RECHECK
                                                          : EFFECT_TYPE_FREE;
    unsigned tags =
        change.effect == TYPE_NEW_VALUES || change.narrowing ? TAG_CONTRACT : TAG_ADDITIVE;
    tags |= change.lossy ? TAG_DESTRUCTIVE : 0;
    tag_add(g, t->fresh ? TAG_ADDITIVE : tags);
    effect_below(g, effect, t, NULL);
    dependents_lock(g, t, a->column, false, "alter type of");
    foreign_keys_lock(g, effect, t, a->column, true);
    const struct world_column *c = table_column(t, a->column);
    if (c && (c->identity || g->judge->version < 16)) {
        effect_take(g, c->identity ? EFFECT_IDENTITY_SEQUENCE : EFFECT_NO_INHERIT, NULL,
                    sequence_of(g, t, a->column));
    }
}

static void set_options(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    bool strong = t->kind == 'v' || g->s->object == SQL_OBJECT_VIEW ||
                  (a->options && strstr(a->options, "user_catalog_table"));
    tag_add(g, TAG_NEUTRAL);
    effect_take(g, strong ? EFFECT_TABLE_OPTIONS_STRONG : EFFECT_TABLE_OPTIONS, t, NULL);
}

static void set_identity(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    struct world_table *sequence = sequence_of(g, t, a->column);
    tag_add(g, TAG_NEUTRAL);
    effect_take(g, EFFECT_COLUMN_METADATA, t, NULL);
    if (a->kind == SQL_ALTER_ADD_IDENTITY) {
        fresh_take(g, t->schema, mem_printf(g->ctx, "%s_%s_seq", t->name, a->column));
    } else if (a->kind == SQL_ALTER_SET_IDENTITY) {
        effect_take(g, EFFECT_IDENTITY_SEQUENCE, NULL, sequence);
        g->v->new_sequence = g->v->new_sequence || a->restart || !a->identity;
    } else if (a->kind == SQL_ALTER_DROP_IDENTITY) {
        effect_take(g, EFFECT_DROP, NULL, sequence);
    }
}

static void logged(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    bool same = t->known && t->unlogged == (a->kind == SQL_ALTER_SET_UNLOGGED) && !t->fresh &&
                world_has_catalog(g->world);
    tag_add(g, TAG_NEUTRAL);
    effect_take(g, same ? EFFECT_TABLE_METADATA : EFFECT_TABLE_REWRITE, t, NULL);
}

static void plain(struct judging *g, struct world_table *t, enum effect effect, unsigned tags)
{
    tag_add(g, t->fresh ? TAG_ADDITIVE : tags);
    effect_take(g, effect, t, NULL);
}

static void inherit(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    tag_add(g, TAG_NEUTRAL);
    effect_take(g, a->kind == SQL_ALTER_INHERIT ? EFFECT_INHERIT : EFFECT_NO_INHERIT, t,
                table_of(g, a->other, false));
}

static void set_expression(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    const struct world_column *c = table_column(t, a->column);
    needs_version(g, 17);
    tag_add(g, TAG_CONTRACT);
    effect_below(g, c && c->generated == 'v' ? EFFECT_COLUMN_METADATA : EFFECT_EXPRESSION_REWRITE,
                 t, NULL);
}

/* Sub-commands that depend on more than the table. */
static bool particular(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: add_column(g, t, a); break;
    case SQL_ALTER_DROP_COLUMN: drop_column(g, t, a); break;
    case SQL_ALTER_SET_NOT_NULL: set_not_null(g, t, a->column); break;
    case SQL_ALTER_SET_TYPE: set_type(g, t, a); break;
    case SQL_ALTER_SET_EXPRESSION: set_expression(g, t, a); break;
    case SQL_ALTER_SET_IDENTITY:
    case SQL_ALTER_ADD_IDENTITY:
    case SQL_ALTER_DROP_IDENTITY: set_identity(g, t, a); break;
    case SQL_ALTER_SET_OPTIONS: set_options(g, t, a); break;
    case SQL_ALTER_SET_LOGGED:
    case SQL_ALTER_SET_UNLOGGED: logged(g, t, a); break;
    case SQL_ALTER_INHERIT:
    case SQL_ALTER_NO_INHERIT: inherit(g, t, a); break;
    default: return judge_constraint(g, t, a) || judge_partition(g, t, a);
    }
    return true;
}

/* It is there already, as far as the catalog says. */
static bool stays(const struct judging *g, const struct world_table *t, const char *to,
                  const char *now, const char *usual)
{
    return t->known && !t->fresh && world_has_catalog(g->world) && text_eq(to, now ? now : usual);
}

static void sub_command(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    if (particular(g, t, a)) {
        return;
    }
    switch (a->kind) {
    case SQL_ALTER_SET_STATISTICS:
        tag_add(g, TAG_NEUTRAL);
        effect_below(g, EFFECT_COLUMN_STATISTICS, t, NULL);
        break;
    case SQL_ALTER_SET_STORAGE:
        tag_add(g, TAG_NEUTRAL);
        effect_below(g, EFFECT_COLUMN_METADATA, t, NULL);
        break;
    case SQL_ALTER_SET_COLUMN_OPTIONS: plain(g, t, EFFECT_COLUMN_STATISTICS, TAG_NEUTRAL); break;
    case SQL_ALTER_CLUSTER_ON: plain(g, t, EFFECT_TABLE_OPTIONS, TAG_NEUTRAL); break;
    case SQL_ALTER_SET_ACCESS_METHOD:
        plain(g, t,
              stays(g, t, a->name, t->access_method, "heap") ? EFFECT_TABLE_METADATA
                                                             : EFFECT_TABLE_REWRITE,
              TAG_NEUTRAL);
        break;
    case SQL_ALTER_SET_TABLESPACE:
        plain(g, t,
              stays(g, t, a->name, t->tablespace, "pg_default") ? EFFECT_TABLE_METADATA
                                                                : EFFECT_TABLE_MOVE,
              TAG_NEUTRAL);
        break;
    case SQL_ALTER_ENABLE_TRIGGER:
    case SQL_ALTER_DISABLE_TRIGGER: plain(g, t, EFFECT_TRIGGER_STATE, TAG_NEUTRAL); break;
    case SQL_ALTER_ROW_SECURITY: plain(g, t, EFFECT_TABLE_METADATA, TAG_CONTRACT); break;
    case SQL_ALTER_DROP_EXPRESSION: plain(g, t, EFFECT_COLUMN_METADATA, TAG_CONTRACT); break;
    case SQL_ALTER_DROP_NOT_NULL:
        tag_add(g, TAG_ADDITIVE);
        effect_below(g, EFFECT_COLUMN_METADATA, t, NULL);
        break;
    case SQL_ALTER_SET_DEFAULT:
    case SQL_ALTER_DROP_DEFAULT:
        tag_add(g, TAG_NEUTRAL);
        effect_below(g, EFFECT_COLUMN_METADATA, t, NULL);
        break;
    default: plain(g, t, EFFECT_TABLE_METADATA, TAG_NEUTRAL); break;
    }
}

/* ALTER INDEX locks the index; only ATTACH PARTITION looks at the tables. */
static void alter_index(struct judging *g)
{
    struct world_index *index;
    bool moves = false;
    tag_add(g, TAG_NEUTRAL);
    for (size_t i = 0; i < g->s->alter_count; i++) {
        const struct sql_alter *a = &g->s->alters[i];
        moves = moves || a->kind == SQL_ALTER_SET_TABLESPACE;
        if (a->kind == SQL_ALTER_ATTACH_PARTITION) {
            index_named(g, a->other, LOCK_ACCESS_EXCLUSIVE);
            effect_take(g, EFFECT_ATTACH_INDEX, world_index(g->world, g->s->name, &index),
                        world_index(g->world, a->other, &index));
        } else if (a->kind == SQL_ALTER_SET_TABLESPACE) {
            g->v->rewrite = true;
        }
    }
    index_named(g, g->s->name, moves ? LOCK_ACCESS_EXCLUSIVE : LOCK_SHARE_UPDATE_EXCLUSIVE);
}

void judge_alter_table(struct judging *g)
{
    if (g->s->object == SQL_OBJECT_INDEX) {
        alter_index(g);
        return;
    }
    struct world_table *t = table_of(g, g->s->name, g->s->if_exists);
    if (!t) {
        tag_add(g, TAG_NEUTRAL);
        return;
    }
    for (size_t i = 0; i < g->s->alter_count; i++) {
        sub_command(g, t, &g->s->alters[i]);
    }
}
