/* Queries, COPY, CALL, maintenance commands. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/judging.h"

/* A column among `compared` leads an index, or there is no catalog to say otherwise. */
static bool narrowed(const struct world_table *t, const struct sql_texts *compared)
{
    if (!t->known) {
        return compared->count > 0;
    }
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].columns.count > 0 &&
            sql_texts_have(compared, t->indexes[i].columns.items[0])) {
            return true;
        }
    }
    return false;
}

static void read_below(struct judging *g, const struct world_table *t, enum effect effect)
{
    struct world_table *child;
    effect_take(g, effect, t, NULL);
    if (!walk_enter(g, t)) {
        return;
    }
    for (size_t i = 0; t->kind == 'v' && i < t->read_count; i++) {
        struct sql_name name = { t->reads[i].schema, t->reads[i].name };
        struct world_table *base = name.name ? world_find(g->world, name) : NULL;
        if (base && base != t) {
            read_below(g, base, effect);
        }
    }
    for (size_t i = 0; (t->kind == 'p' || t->kind == 'r') && (child = world_at(g->world, i)); i++) {
        if (child != t && is_child_of(g, child, t)) {
            read_below(g, child, effect);
        }
    }
    walk_leave(g);
}

static bool sets_any(const struct sql_write *w, const struct sql_texts *columns)
{
    bool any = w->kind != SQL_UPDATE;
    for (size_t j = 0; j < columns->count; j++) {
        any = any || sql_texts_have(&w->columns, columns->items[j]);
    }
    return any;
}

/* Rows that refer to deleted ones are changed or at least locked. */
static void referring_rows(struct judging *g, const struct world_table *t,
                           const struct world_table *other)
{
    for (size_t j = 0; !other->gone && j < other->constraint_count; j++) {
        const struct world_constraint *k = &other->constraints[j];
        if (k->kind == 'f' && other != t && table_is(t, g->world, k->ref)) {
            bool acts = k->on_delete == 'c' || k->on_delete == 'n' || k->on_delete == 'd';
            effect_take(g, acts ? EFFECT_WRITE : EFFECT_KEY_SHARE, other, NULL);
        }
    }
}

/* Rows of other tables that foreign keys look at or change. */
static void foreign_rows(struct judging *g, const struct world_table *t, const struct sql_write *w)
{
    struct world_table *other;
    for (size_t i = 0; i < t->constraint_count && w->kind != SQL_DELETE; i++) {
        const struct world_constraint *k = &t->constraints[i];
        if (k->kind == 'f' && sets_any(w, &k->columns)) {
            effect_take(g, EFFECT_KEY_SHARE, world_find(g->world, k->ref), NULL);
        }
    }
    for (size_t i = 0; w->deletes && (other = world_at(g->world, i)); i++) {
        referring_rows(g, t, other);
    }
}

static void write_lock(struct judging *g, const struct sql_write *w, bool runs)
{
    struct world_table *t = table_of(g, w->relation, false);
    if (!t) {
        return;
    }
    bool scans = runs && (w->kind == SQL_UPDATE || w->kind == SQL_DELETE || w->kind == SQL_MERGE) &&
                 !narrowed(t, &w->compared);
    effect_below(g, scans ? EFFECT_WRITE_SCAN : EFFECT_WRITE, t, NULL);
    g->v->full_scan = g->v->full_scan || (runs && w->kind == SQL_INSERT && w->from_query &&
                                          !w->bounded && !t->fresh && !t->known);
    if (runs) {
        foreign_rows(g, t, w);
    }
}

static struct sql_name split(const void *ctx, const char *s)
{
    const char *dot = strchr(s, '.');
    return (struct sql_name){ dot ? mem_textn(ctx, s, (size_t)(dot - s)) : NULL,
                              dot ? dot + 1 : s };
}

void query_locks(struct judging *g, const struct sql_query *q, bool scans)
{
    for (size_t i = 0; i < q->read_count; i++) {
        const struct sql_object *o = &q->reads[i];
        struct sql_name name = { o->schema, o->name };
        struct world_table *t = !o->column && o->name ? table_of(g, name, false) : NULL;
        if (t) {
            bool all = scans && !narrowed(t, &q->compared);
            read_below(g, t, all ? EFFECT_READ_SCAN : EFFECT_READ);
        }
    }
    for (size_t i = 0; i < q->row_locks.count; i++) {
        effect_take(g, EFFECT_LOCK_ROWS, table_of(g, split(g->ctx, q->row_locks.items[i]), false),
                    NULL);
    }
    for (size_t i = 0; i < q->sequences.count; i++) {
        struct sql_name name = split(g->ctx, q->sequences.items[i]);
        struct world_table *sequence = world_table(g->world, name);
        if (sequence && !sequence->known) {
            sequence->kind = 'S';
        }
        effect_take(g, EFFECT_SEQUENCE_VALUE, sequence, NULL);
    }
    for (size_t i = 0; i < q->write_count; i++) {
        write_lock(g, &q->writes[i], scans);
    }
}

static void functions_run(struct judging *g, const struct sql_query *q)
{
    for (size_t i = 0; i < q->functions.count; i++) {
        const struct world_function *f =
            world_function(g->world, split(g->ctx, q->functions.items[i]));
        for (size_t j = 0; f && f->body && j < f->body->count; j++) {
            nested_judge(g, &f->body->statements[j]);
        }
    }
}

static unsigned write_tags(struct judging *g, const struct sql_write *w)
{
    const struct world_table *t = world_find(g->world, w->relation);
    if (t && (t->fresh || t->temporary)) {
        return TAG_ADDITIVE;
    }
    if (w->deletes) {
        return TAG_DESTRUCTIVE;
    }
    return w->kind == SQL_INSERT && !w->from_query && !w->conflict ? TAG_ADDITIVE : TAG_BACKFILL;
}

void judge_query(struct judging *g)
{
    const struct statement *s = g->s;
    bool runs = s->kind != SQL_STMT_PREPARE && (s->kind != SQL_STMT_EXPLAIN || s->analyze);
    if (!s->query) {
        return;
    }
    query_locks(g, s->query, runs);
    if (runs) {
        for (size_t i = 0; i < s->query->write_count; i++) {
            tag_add(g, write_tags(g, &s->query->writes[i]));
        }
        functions_run(g, s->query);
    }
}

void judge_execute(struct judging *g)
{
    const struct judge *j = g->judge;
    for (size_t i = j->prepared.count; i > 0; i--) {
        const struct statement *inner = j->prepared_statements[i - 1];
        if (text_eq(j->prepared.items[i - 1], g->s->sub_name) && inner->query) {
            query_locks(g, inner->query, true);
            for (size_t k = 0; k < inner->query->write_count; k++) {
                tag_add(g, write_tags(g, &inner->query->writes[k]));
            }
            return;
        }
    }
    not_seen(g, "the prepared statement \"%s\" is not in the script", g->s->sub_name);
}

void judge_copy(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, s->from ? TAG_ADDITIVE : TAG_NEUTRAL);
    if (s->query) {
        query_locks(g, s->query, true);
    }
    effect_take(g, s->from ? EFFECT_WRITE : EFFECT_READ_SCAN, table_of(g, s->name, false), NULL);
}

void judge_call(struct judging *g)
{
    const struct world_function *f = world_function(g->world, g->s->name);
    if (f && f->commits) {
        g->v->transaction = false;
    }
    for (size_t i = 0; f && f->body && i < f->body->count; i++) {
        nested_judge(g, &f->body->statements[i]);
    }
    if (!f || !f->body) {
        not_seen(g, "what the procedure does is not in the script");
    }
}

void judge_truncate(struct judging *g)
{
    const struct statement *s = g->s;
    struct world_table *other, *t;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        t = table_of(g, (struct sql_name){ o->schema, o->name }, false);
        if (!t) {
            continue;
        }
        tag_add(g, t->fresh ? TAG_NEUTRAL : TAG_DESTRUCTIVE);
        effect_below(g, EFFECT_TRUNCATE, t, NULL);
        for (size_t j = 0; (other = world_at(g->world, j)); j++) {
            bool sequence = other->kind == 'S' && other->owner_table.name &&
                            table_is(t, g->world, other->owner_table);
            if (s->restart_identity && sequence && !other->gone) {
                effect_take(g, EFFECT_TRUNCATE, other, NULL);
            }
            for (size_t k = 0; s->cascade && !other->gone && k < other->constraint_count; k++) {
                if (other->constraints[k].kind == 'f' &&
                    table_is(t, g->world, other->constraints[k].ref)) {
                    effect_take(g, EFFECT_TRUNCATE, other, NULL);
                }
            }
        }
    }
}

static enum lock_mode mode_named(const char *name)
{
    for (enum lock_mode mode = LOCK_ACCESS_SHARE; mode < LOCK_ACCESS_EXCLUSIVE; mode++) {
        if (text_eq(lock_mode_name(mode), name)) {
            return mode;
        }
    }
    return LOCK_ACCESS_EXCLUSIVE;
}

void judge_lock(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_NEUTRAL);
    for (size_t i = 0; i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        lock_take(g, table_of(g, name, false), mode_named(s->text), "");
    }
}

void judge_refresh(struct judging *g)
{
    const struct statement *s = g->s;
    struct world_table *view = table_of(g, s->name, false);
    tag_add(g, TAG_NEUTRAL);
    if (!view) {
        return;
    }
    view->kind = view->known ? view->kind : 'm';
    effect_take(g, s->concurrently ? EFFECT_REFRESH_CONCURRENTLY : EFFECT_REFRESH, view, NULL);
    bool unique = !view->known && view->read_count == 0;
    for (size_t i = 0; i < view->index_count; i++) {
        unique = unique || (view->indexes[i].unique && !view->indexes[i].partial);
    }
    if (s->concurrently && !unique) {
        will_fail(g, "it needs a unique index on the materialized view");
    }
    for (size_t i = 0; i < view->read_count; i++) {
        struct sql_name name = { view->reads[i].schema, view->reads[i].name };
        struct world_table *base = name.name ? world_find(g->world, name) : NULL;
        if (base) {
            read_below(g, base, EFFECT_READ_SCAN);
        }
    }
}

static void many(struct judging *g, enum effect effect, const char *schema)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        bool stores = t->kind == 'r' || t->kind == 'm';
        if (!t->gone && stores && (!schema || text_eq(t->schema, schema))) {
            effect_take(g, effect, t, NULL);
        }
    }
    g->v->transaction = g->v->transaction && !lock_row_has(effect, 'N');
    g->v->full_scan = g->v->full_scan || lock_row_has(effect, 'S');
    g->v->rewrite = g->v->rewrite || lock_row_has(effect, 'R');
}

/* One partition after the other, each in its own transaction; the parent is let go at once. */
static void cluster_partitions(struct judging *g, const struct world_table *parent)
{
    struct world_table *t;
    g->v->transaction = false;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (is_child_of(g, t, parent)) {
            effect_take(g, EFFECT_CLUSTER_MANY, t, NULL);
        }
    }
}

static void reindex(struct judging *g)
{
    const struct statement *s = g->s;
    struct world_index *index = NULL;
    enum effect one = s->concurrently ? EFFECT_REINDEX_CONCURRENTLY : EFFECT_REINDEX;
    enum effect all = s->concurrently ? EFFECT_REINDEX_CONCURRENTLY : EFFECT_REINDEX_MANY;
    g->v->transaction = !s->concurrently;
    if (s->concurrently) {
        g->v->waits = "it waits for every transaction in the database that is older than it";
    }
    if (s->object == SQL_OBJECT_SCHEMA || !s->name.name) {
        many(g, all, s->name.name);
        return;
    }
    struct world_table *t = s->object == SQL_OBJECT_INDEX ? world_index(g->world, s->name, &index)
                                                          : table_of(g, s->name, false);
    if (!t) {
        g->v->full_scan = true;
        return;
    }
    effect_below(g, t->kind == 'p' ? all : one, t, NULL);
}

void judge_maintenance(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_NEUTRAL);
    if (s->kind == SQL_STMT_REINDEX) {
        reindex(g);
        return;
    }
    enum effect effect = s->kind == SQL_STMT_ANALYZE   ? EFFECT_ANALYZE
                         : s->kind == SQL_STMT_CLUSTER ? EFFECT_CLUSTER
                         : s->full                     ? EFFECT_VACUUM_FULL
                                                       : EFFECT_VACUUM;
    if (s->object_count == 0) {
        many(g, s->kind == SQL_STMT_CLUSTER ? EFFECT_CLUSTER_MANY : effect, NULL);
        return;
    }
    for (size_t i = 0; i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        struct world_table *t = table_of(g, name, false);
        if (t && t->kind == 'p' && s->kind == SQL_STMT_CLUSTER) {
            cluster_partitions(g, t);
        } else {
            effect_below(g, effect, t, NULL);
        }
    }
}
