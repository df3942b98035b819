#include "controller/judge/judging.h"

#include <stdarg.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* What a row costs under an effect, in nanoseconds: medians of the timing measurements on
 * PostgreSQL 15, a 20-column table of 222 bytes a row and one extra index, warm cache, fsync off.
 */
static int64_t nanoseconds(enum effect effect)
{
    switch (effect) {
    case EFFECT_ADD_FK:
    case EFFECT_VALIDATE_FK:
    case EFFECT_ADD_COLUMN_REFERENCES_SCAN: return 1500;
    case EFFECT_CREATE_INDEX:
    case EFFECT_ADD_UNIQUE:
    case EFFECT_REINDEX: return 800;
    case EFFECT_CREATE_INDEX_CONCURRENTLY:
    case EFFECT_REINDEX_CONCURRENTLY: return 1100;
    case EFFECT_WRITE_SCAN: return 17000;
    case EFFECT_REFRESH:
    case EFFECT_REFRESH_CONCURRENTLY:
    case EFFECT_CREATE_FROM_QUERY: return 2300;
    case EFFECT_TRUNCATE: return 0;
    default: return lock_row_has(effect, 'R') ? 5900 : lock_row_has(effect, 'S') ? 400 : 0;
    }
}

static void cost_add(struct judging *g, enum effect effect, const struct world_table *table)
{
    int64_t each = nanoseconds(effect);
    int64_t rows = table->fresh || each == 0 ? 0 : table->rows;
    struct verdict *v = g->v;
    if (rows < 0) {
        v->rows = v->ms = -1;
    } else if (v->rows >= 0) {
        v->rows = rows > v->rows ? rows : v->rows;
        v->ms += rows * each / 1000000;
    }
}

static struct verdict_lock *lock_of(struct judging *g, const struct world_table *table)
{
    struct verdict *v = g->v;
    const char *key = table->key ? table->key : table_key(g->ctx, table);
    for (size_t i = 0; i < v->lock_count; i++) {
        if (text_eq(v->locks[i].relation, key)) {
            return &v->locks[i];
        }
    }
    v->locks = mem_room(g->ctx, v->locks, struct verdict_lock, v->lock_count + 1);
    v->locks[v->lock_count] = (struct verdict_lock){ .relation = key,
                                                     .schema = table->schema,
                                                     .name = table->name,
                                                     .fresh = table->fresh || table->temporary };
    return &v->locks[v->lock_count++];
}

void lock_take(struct judging *g, const struct world_table *table, enum lock_mode mode,
               const char *flags)
{
    if (!table || mode == LOCK_NONE) {
        return;
    }
    struct verdict_lock *lock = lock_of(g, table);
    bool stores = table->kind == 'r' || table->kind == 'm';
    bool rewrite = stores && strchr(flags, 'R'), scan = stores && strchr(flags, 'S');
    lock->mode = mode > lock->mode ? mode : lock->mode;
    lock->rewrite = lock->rewrite || rewrite;
    lock->scan = lock->scan || scan;
    g->v->rewrite = g->v->rewrite || (rewrite && !lock->fresh);
    g->v->full_scan = g->v->full_scan || (scan && !lock->fresh);
}

void index_take(struct judging *g, const char *schema, const char *name, enum lock_mode mode)
{
    struct verdict *v = g->v;
    const char *key = mem_printf(g->ctx, "%s.%s", schema ? schema : world_schema(g->world), name);
    for (size_t i = 0; i < v->index_lock_count; i++) {
        if (text_eq(v->index_locks[i].relation, key)) {
            return;
        }
    }
    v->index_locks = mem_room(g->ctx, v->index_locks, struct verdict_lock, v->index_lock_count + 1);
    v->index_locks[v->index_lock_count++] = (struct verdict_lock){ .relation = key, .mode = mode };
}

void index_named(struct judging *g, struct sql_name name, enum lock_mode mode)
{
    struct world_index *index;
    const struct world_table *t = name.name ? world_index(g->world, name, &index) : NULL;
    if (name.name && (t || !world_has_catalog(g->world))) {
        index_take(g, t ? index->schema : name.schema, name.name, mode);
    }
}

void indexes_take(struct judging *g, const struct world_table *t, enum lock_mode mode)
{
    struct world_table *child;
    for (size_t i = 0; t->kind != 'p' && i < t->index_count; i++) {
        index_take(g, t->indexes[i].schema, t->indexes[i].name, mode);
    }
    if (!walk_enter(g, t)) {
        return;
    }
    for (size_t i = 0; t->kind == 'p' && (child = world_child_at(g->world, i)); i++) {
        if (child != t && is_child_of(g, child, t)) {
            indexes_take(g, child, mode);
        }
    }
    walk_leave(g);
}

void effect_take(struct judging *g, enum effect effect, const struct world_table *target,
                 const struct world_table *other)
{
    const struct lock_row *row = lock_row(effect);
    if (target) {
        lock_take(g, target, row->mode, row->flags);
        cost_add(g, effect, target);
    }
    lock_take(g, other, row->other, lock_row_has(effect, 'O') ? "S" : "");
    if (lock_row_has(effect, 'N')) {
        g->v->transaction = false;
    }
}

bool is_child_of(const struct judging *g, const struct world_table *child,
                 const struct world_table *parent)
{
    for (size_t i = 0; !child->gone && i < child->parent_count; i++) {
        if (table_is(parent, g->world, child->parents[i])) {
            return true;
        }
    }
    return false;
}

bool walk_enter(struct judging *g, const struct world_table *table)
{
    struct world_table *t = (struct world_table *)(uintptr_t)table;
    struct judge *judge = g->judge;
    if (judge->walking == 0) {
        judge->walk++;
    } else if (t->walk == judge->walk) {
        return false;
    }
    if (judge->budget <= 0) {
        return false;
    }
    t->walk = judge->walk;
    judge->budget--;
    judge->walking++;
    return true;
}

void walk_leave(struct judging *g)
{
    g->judge->walking--;
}

void effect_below(struct judging *g, enum effect effect, const struct world_table *target,
                  const struct world_table *other)
{
    struct world_table *t;
    effect_take(g, effect, target, other);
    if (!target || g->s->only || !walk_enter(g, target)) {
        return;
    }
    for (size_t i = 0; (t = world_child_at(g->world, i)); i++) {
        if (t != target && is_child_of(g, t, target)) {
            effect_below(g, effect, t, NULL);
        }
    }
    walk_leave(g);
}

void effect_family(struct judging *g, enum effect effect, const struct world_table *t)
{
    struct world_table *child;
    if (!t) {
        return;
    }
    effect_below(g, effect, t, NULL);
    for (size_t i = 0; g->s->only && (child = world_child_at(g->world, i)); i++) {
        if (is_child_of(g, child, t)) {
            effect_take(g, effect, child, NULL);
        }
    }
}

void effect_partitions(struct judging *g, enum effect effect, const struct world_table *target,
                       const struct world_table *other)
{
    if (target && target->kind == 'p') {
        effect_below(g, effect, target, other);
    } else {
        effect_take(g, effect, target, other);
    }
}

void tag_add(struct judging *g, unsigned tags)
{
    g->v->tags |= tags;
}

/* It fails whatever the files before it left. */
static bool sure(const char *why)
{
    return strstr(why, "PostgreSQL") || strstr(why, "COMMIT") || strstr(why, "CONCURRENTLY");
}

void will_fail(struct judging *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!g->v->fails) {
        const char *why = talloc_vasprintf(g->ctx, fmt, ap);
        g->v->fails = g->judge->hearsay && !sure(why) ? NULL : why;
    }
    va_end(ap);
}

void not_seen(struct judging *g, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (!g->v->unknown) {
        g->v->unknown = talloc_vasprintf(g->ctx, fmt, ap);
    }
    va_end(ap);
}

void needs_version(struct judging *g, int version)
{
    g->v->min_version = version > g->v->min_version ? version : g->v->min_version;
    g->v->version_ok = g->v->version_ok && g->judge->version >= version;
}

struct world_table *table_of(struct judging *g, struct sql_name name, bool missing_ok)
{
    struct world_table *t = world_table(g->world, name);
    if (!t && name.name && !missing_ok && !text_eq(name.schema, "pg_catalog") &&
        !text_eq(name.schema, "information_schema") && !text_starts(name.name, "pg_")) {
        will_fail(g, "relation \"%s\" does not exist", sql_name_text(g->ctx, name));
    }
    return t;
}

/* A LANGUAGE sql function of one SELECT without FROM is replaced by its expression: then that one's
 * volatility counts (add_col_default_user_volatile_fn and measurements beside it). */
static bool inlines_quietly(struct judging *g, struct world_function *f)
{
    function_prepare(g->world, f);
    const struct script *body = f->body;
    if (!text_eq(f->language, "sql") || f->fenced || !body || body->count != 1 ||
        body->statements[0].kind != SQL_STMT_SELECT) {
        return false;
    }
    const struct sql_query *q = body->statements[0].query;
    bool quiet = q && !q->from && q->write_count == 0;
    for (size_t i = 0; quiet && i < q->functions.count; i++) {
        quiet = sql_function_volatility(q->functions.items[i]) <= SQL_STABLE;
    }
    return quiet;
}

bool default_rewrites(struct judging *g, const struct sql_expression *e)
{
    if (!e || e->constant || e->volatility <= SQL_STABLE) {
        return false;
    }
    if (e->volatility == SQL_VOLATILE) {
        return true;
    }
    for (size_t i = 0; i < e->unknown.count; i++) {
        const char *dot = strchr(e->unknown.items[i], '.');
        struct sql_name name = { dot ? mem_textn(g->ctx, e->unknown.items[i],
                                                 (size_t)(dot - e->unknown.items[i]))
                                     : NULL,
                                 dot ? dot + 1 : e->unknown.items[i] };
        struct world_function *f = world_function(g->world, name);
        if (!f || (f->volatility == SQL_VOLATILE && !inlines_quietly(g, f))) {
            return true;
        }
    }
    return false;
}

void fresh_take(struct judging *g, const char *schema, const char *name)
{
    struct world_table *t = mem_new(g->ctx, struct world_table);
    t->schema = schema ? schema : world_schema(g->world);
    t->name = name ? name : "";
    t->fresh = true;
    t->kind = 'r';
    if (!text_eq(t->schema, "pg_temp")) {
        lock_take(g, t, lock_row(EFFECT_CREATE)->mode, "");
    }
}

struct world_table *sequence_of(struct judging *g, const struct world_table *t, const char *column)
{
    struct world_table *s;
    for (size_t i = 0; (s = world_at(g->world, i)); i++) {
        if (s->kind == 'S' && !s->gone && s->owner_table.name &&
            (!column || text_eq(s->owner_column, column)) &&
            table_is(t, g->world, s->owner_table)) {
            return s;
        }
    }
    return NULL;
}

struct sql_name name_split(const void *ctx, const char *s)
{
    const char *dot = strchr(s, '.');
    return (struct sql_name){ dot ? mem_textn(ctx, s, (size_t)(dot - s)) : NULL,
                              dot ? dot + 1 : s };
}
