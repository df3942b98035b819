/* One script linted for several databases: what is true of any of them is said. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/lint.h"

static struct finding *same_rule(const struct lint_statement *s, const struct rule *rule)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->findings[i].rule == rule) {
            return &s->findings[i];
        }
    }
    return NULL;
}

static void locks_join(const void *ctx, struct verdict_lock **list, size_t *count,
                       const struct verdict_lock *more, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct verdict_lock *old = NULL;
        for (size_t k = 0; k < *count; k++) {
            old = text_eq((*list)[k].relation, more[i].relation) ? &(*list)[k] : old;
        }
        if (!old) {
            *list = mem_room(ctx, *list, struct verdict_lock, *count + 1);
            (*list)[(*count)++] = more[i];
        } else {
            old->mode = more[i].mode > old->mode ? more[i].mode : old->mode;
            old->fresh = old->fresh && more[i].fresh;
            old->rewrite = old->rewrite || more[i].rewrite;
            old->scan = old->scan || more[i].scan;
        }
    }
}

static const char *either(const void *ctx, const char *a, const char *b, const char *where)
{
    return a ? a : b ? mem_printf(ctx, "on %s: %s", where, b) : NULL;
}

static int64_t worse(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a > b ? a : b;
}

static struct verdict_lock *locks_copy(const void *ctx, const struct verdict_lock *from, size_t n)
{
    struct verdict_lock *copy = n ? mem_array(ctx, struct verdict_lock, n) : NULL;
    for (size_t i = 0; i < n; i++) {
        copy[i] = from[i];
    }
    return copy;
}

static const struct verdict *verdict_join(const void *ctx, const struct verdict *a,
                                          const struct verdict *b, const char *where)
{
    struct verdict *v = mem_new(ctx, struct verdict);
    *v = *a;
    v->locks = locks_copy(ctx, a->locks, a->lock_count);
    v->index_locks = locks_copy(ctx, a->index_locks, a->index_lock_count);
    locks_join(ctx, &v->locks, &v->lock_count, b->locks, b->lock_count);
    locks_join(ctx, &v->index_locks, &v->index_lock_count, b->index_locks, b->index_lock_count);
    v->rewrite = a->rewrite || b->rewrite;
    v->full_scan = a->full_scan || b->full_scan;
    v->transaction = a->transaction && b->transaction;
    v->version_ok = a->version_ok && b->version_ok;
    v->known_there = a->known_there || b->known_there;
    v->min_version = a->min_version > b->min_version ? a->min_version : b->min_version;
    v->tags = a->tags | b->tags;
    v->fails = either(ctx, a->fails, b->fails, where);
    v->waits = a->waits ? a->waits : b->waits;
    v->unknown = either(ctx, a->unknown, b->unknown, where);
    v->rows = worse(a->rows, b->rows);
    v->ms = worse(a->ms, b->ms);
    return v;
}

static void statement_join(const void *ctx, struct lint_statement *into,
                           const struct lint_statement *from, const char *where)
{
    into->verdict = verdict_join(ctx, into->verdict, from->verdict, where);
    for (size_t i = 0; i < from->count; i++) {
        const struct finding *f = &from->findings[i];
        struct finding *old = same_rule(into, f->rule);
        if (old) {
            old->severity = f->severity > old->severity ? f->severity : old->severity;
            continue;
        }
        into->findings = mem_room(ctx, into->findings, struct finding, into->count + 1);
        into->findings[into->count] = *f;
        into->findings[into->count++].message = mem_printf(ctx, "on %s: %s", where, f->message);
    }
}

void lint_merge(const void *ctx, struct lint_result *into, const struct lint_result *from,
                const char *where)
{
    if (judge_facts(from->version) > judge_facts(into->version)) {
        into->version = from->version;
    }
    for (size_t i = 0; i < into->count && i < from->count; i++) {
        statement_join(ctx, &into->statements[i], &from->statements[i], where);
    }
}
