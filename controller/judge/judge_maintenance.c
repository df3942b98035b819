/* TRUNCATE, LOCK, REFRESH, and maintenance commands. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"

/* The tables of a TRUNCATE; with CASCADE those that refer to them, and so on. */
struct emptied {
    const struct world_table **tables;
    size_t count;
};

static bool in(const struct emptied *list, const struct world_table *t)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->tables[i] == t) {
            return true;
        }
    }
    return false;
}

static void empty_add(struct judging *g, struct emptied *list, const struct world_table *t)
{
    if (t && !in(list, t)) {
        list->tables = mem_room(g->ctx, list->tables, const struct world_table *, list->count + 1);
        list->tables[list->count++] = t;
    }
}

static void referring(struct judging *g, struct emptied *list, const struct world_table *t)
{
    struct world_table *other;
    for (size_t i = 0; (other = world_at(g->world, i)); i++) {
        for (size_t k = 0; !other->gone && k < other->constraint_count; k++) {
            if (other->constraints[k].kind != 'f' ||
                !table_is(t, g->world, other->constraints[k].ref) || in(list, other)) {
                continue;
            }
            if (g->s->cascade) {
                empty_add(g, list, other);
            } else {
                will_fail(g,
                          "cannot truncate \"%s\": the foreign key \"%s\" of \"%s\" refers to it",
                          t->name, other->constraints[k].name ? other->constraints[k].name : "",
                          other->name);
            }
        }
    }
}

static void empty(struct judging *g, const struct world_table *t, bool only)
{
    struct world_table *sequence;
    if (only) {
        effect_take(g, EFFECT_TRUNCATE, t, NULL);
    } else {
        effect_below(g, EFFECT_TRUNCATE, t, NULL);
    }
    for (size_t i = 0; g->s->restart_identity && (sequence = world_at(g->world, i)); i++) {
        if (sequence->kind == 'S' && !sequence->gone && sequence->owner_table.name &&
            table_is(t, g->world, sequence->owner_table)) {
            effect_take(g, EFFECT_TRUNCATE, sequence, NULL);
        }
    }
}

void judge_truncate(struct judging *g)
{
    const struct statement *s = g->s;
    struct emptied list = { NULL, 0 };
    for (size_t i = 0; i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        const struct world_table *t = table_of(g, name, false);
        if (t) {
            tag_add(g, t->fresh ? TAG_NEUTRAL : TAG_DESTRUCTIVE);
            empty_add(g, &list, t);
            empty(g, t, s->objects[i].only);
        }
    }
    size_t named = list.count;
    for (size_t i = 0; i < list.count; i++) {
        referring(g, &list, list.tables[i]);
    }
    for (size_t i = named; i < list.count; i++) {
        empty(g, list.tables[i], false);
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

static void lock_below(struct judging *g, const struct world_table *t, enum lock_mode mode,
                       bool only)
{
    struct world_table *other;
    lock_take(g, t, mode, "");
    if (!t || !walk_enter(g, t)) {
        return;
    }
    for (size_t i = 0; t->kind == 'v' && i < t->read_count; i++) {
        struct sql_name name = { t->reads[i].schema, t->reads[i].name };
        other = name.name ? world_find(g->world, name) : NULL;
        if (other && other != t) {
            lock_below(g, other, mode, false);
        }
    }
    for (size_t i = 0; !only && (other = world_child_at(g->world, i)); i++) {
        if (other != t && is_child_of(g, other, t)) {
            lock_below(g, other, mode, false);
        }
    }
    walk_leave(g);
}

void judge_lock(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_NEUTRAL);
    for (size_t i = 0; i < s->object_count; i++) {
        struct sql_name name = { s->objects[i].schema, s->objects[i].name };
        lock_below(g, table_of(g, name, false), mode_named(s->text), s->objects[i].only);
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
    enum effect effect = s->only           ? EFFECT_TRUNCATE /* WITH NO DATA */
                         : s->concurrently ? EFFECT_REFRESH_CONCURRENTLY
                                           : EFFECT_REFRESH;
    effect_take(g, effect, view, NULL);
    bool unique = !view->known && view->read_count == 0;
    for (size_t i = 0; i < view->index_count; i++) {
        unique = unique || (view->indexes[i].unique && !view->indexes[i].partial);
    }
    if (s->concurrently && !unique) {
        will_fail(g, "it needs a unique index on the materialized view");
    }
    for (size_t i = 0; !s->only && i < view->read_count; i++) {
        struct sql_name name = { view->reads[i].schema, view->reads[i].name };
        struct world_table *base = name.name ? world_find(g->world, name) : NULL;
        if (base) {
            read_below(g, base, EFFECT_READ_SCAN, QUERY_RUN);
        }
    }
}

static bool is_clustered(const struct world_table *t)
{
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].clustered) {
            return true;
        }
    }
    return false;
}

/* Readers by an index wait for it too, although the table can be read. */
static void reindex_indexes(struct judging *g, const struct world_table *t)
{
    enum lock_mode mode = g->s->concurrently ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_EXCLUSIVE;
    if (g->s->object != SQL_OBJECT_INDEX && t) {
        indexes_take(g, t, mode);
    } else if (!(t && t->kind == 'p')) {
        index_named(g, g->s->name, mode);
    }
}

/* A command without a name means it. */
static bool meant(const struct world_table *t, enum effect effect, const char *schema)
{
    bool stores = t->kind == 'r' || t->kind == 'm';
    bool sorted = effect != EFFECT_CLUSTER_MANY || !t->known || is_clustered(t);
    return !t->gone && stores && sorted && (!schema || text_eq(t->schema, schema));
}

static void many(struct judging *g, enum effect effect, const char *schema)
{
    struct world_table *t;
    bool unknown = !world_has_catalog(g->world);
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (!meant(t, effect, schema)) {
            continue;
        }
        effect_take(g, effect, t, NULL);
        if (g->s->kind == SQL_STMT_REINDEX) {
            reindex_indexes(g, t);
        }
    }
    g->v->transaction = g->v->transaction && !lock_row_has(effect, 'N');
    g->v->full_scan = g->v->full_scan || (unknown && lock_row_has(effect, 'S'));
    g->v->rewrite = g->v->rewrite || (unknown && lock_row_has(effect, 'R'));
}

/* One partition after the other, each in its own transaction; the parent is let go at once. */
static void cluster_partitions(struct judging *g, const struct world_table *parent)
{
    struct world_table *t;
    g->v->transaction = false;
    for (size_t i = 0; (t = world_child_at(g->world, i)); i++) {
        if (is_child_of(g, t, parent)) {
            effect_take(g, EFFECT_CLUSTER_MANY, t, NULL);
        }
    }
}

/* Partitions are listed under SHARE, and each is then done in a transaction of its own. */
static void reindex_partitions(struct judging *g, struct world_table *t)
{
    struct world_table *child;
    g->v->transaction = false;
    effect_take(g, g->s->concurrently ? EFFECT_REINDEX_CONCURRENTLY : EFFECT_REINDEX_MANY, t, NULL);
    for (size_t i = 0; (child = world_child_at(g->world, i)); i++) {
        if (is_child_of(g, child, t) && child->known && child->index_count == 0) {
            effect_below(g, EFFECT_REINDEX_NOTHING, child, NULL);
        } else if (is_child_of(g, child, t)) {
            effect_below(g, EFFECT_REINDEX_MANY, child, NULL);
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
    reindex_indexes(g, t);
    if (!t) {
        g->v->full_scan = true;
    } else if (t->kind == 'p') {
        reindex_partitions(g, t);
    } else if (t->known && t->index_count == 0 && !s->concurrently) {
        effect_take(g, EFFECT_REINDEX_NOTHING, t, NULL);
    } else {
        effect_take(g, one, t, NULL);
    }
}

/* ANALYZE reads the children of a table too, for statistics of the whole; from PostgreSQL 18 on
 * they get their own as well, as partitions always did, and ONLY leaves that out. */
static void inherited(struct judging *g, enum effect effect, const struct world_table *t, bool only)
{
    struct world_table *child;
    if (!only && (t->kind == 'p' || g->judge->version >= 18)) {
        effect_below(g, effect, t, NULL);
        return;
    }
    effect_take(g, effect, t, NULL);
    for (size_t i = 0; effect == EFFECT_ANALYZE && (child = world_child_at(g->world, i)); i++) {
        if (is_child_of(g, child, t)) {
            read_below(g, child, EFFECT_READ_SCAN, QUERY_RUN);
        }
    }
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
        } else if (t && s->kind == SQL_STMT_CLUSTER) {
            effect_take(g, effect, t, NULL);
        } else if (t) {
            inherited(g, effect, t, s->objects[i].only);
        }
    }
}
