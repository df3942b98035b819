/* Partitions: attach, detach, and what proves their bounds. */
#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"

struct world_table *default_partition(struct judging *g, const struct world_table *parent)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_child_at(g->world, i)); i++) {
        if (t->is_default && is_child_of(g, t, parent)) {
            return t;
        }
    }
    return NULL;
}

struct sql_texts partition_columns(const void *ctx, const struct world_table *parent)
{
    struct sql_texts out = { NULL, 0 };
    const char *open = parent->partition_by ? strchr(parent->partition_by, '(') : NULL;
    for (const char *p = open ? open + 1 : ""; *p != '\0' && *p != ')';) {
        size_t n = strcspn(p, ",() ");
        if (n > 0) {
            sql_texts_add(ctx, &out, mem_textn(ctx, p, n));
        }
        p += n + strspn(p + n, ", ");
        if (*p == '(') { /* an expression */
            return (struct sql_texts){ NULL, 0 };
        }
    }
    return out;
}

static bool word_in(const char *text, const char *word, size_t n)
{
    for (const char *p = text; (p = strstr(p, word)) != NULL; p++) {
        bool left = p == text || !(isalnum((unsigned char)p[-1]) || p[-1] == '_');
        bool right = !(isalnum((unsigned char)p[n]) || p[n] == '_');
        if (left && right) {
            return true;
        }
    }
    return false;
}

/* Every literal of the bound stands in the check: as near as one gets to implication by reading. */
static bool literals_in(const char *bound, const char *check, bool all)
{
    SCOPE(tmp);
    bool any = false;
    for (const char *p = strchr(bound, '('); p && *p != '\0';) {
        size_t n = strspn(p, "() ,'");
        p += n;
        n = strcspn(p, "() ,'");
        const char *word = mem_textn(tmp, p, n);
        bool keyword = text_eq(word, "TO") || text_eq(word, "MINVALUE") ||
                       text_eq(word, "MAXVALUE") || text_eq(word, "to");
        if (n > 0 && !keyword) {
            bool here = word_in(check, word, n);
            if (all && !here) {
                return false;
            }
            any = any || here;
        }
        p += n;
    }
    return any;
}

static bool proven(struct judging *g, const struct world_table *parent,
                   const struct world_table *child, const char *bound, bool all)
{
    SCOPE(tmp);
    struct sql_texts keys = partition_columns(tmp, parent);
    for (size_t i = 0; i < child->constraint_count; i++) {
        struct world_constraint *k = &child->constraints[i];
        constraint_prepare(g->world, k);
        bool about = k->kind == 'c' && k->validated && k->text && bound;
        for (size_t j = 0; about && j < keys.count; j++) {
            about = sql_texts_have(&k->columns, keys.items[j]);
        }
        if (about && literals_in(bound, k->text, all)) {
            return true;
        }
    }
    return false;
}

/* The parent's index has no match on the child: it is built during ATTACH. */
static bool index_missing(const struct world_table *parent, const struct world_table *child)
{
    for (size_t i = 0; i < parent->index_count; i++) {
        const struct world_index *x = &parent->indexes[i];
        bool found = false;
        for (size_t j = 0; !found && j < child->index_count; j++) {
            const struct world_index *y = &child->indexes[j];
            found = x->columns.count == y->columns.count && x->unique == y->unique;
            for (size_t c = 0; found && c < x->columns.count; c++) {
                found = text_eq(x->columns.items[c], y->columns.items[c]);
            }
        }
        if (!found) {
            return true;
        }
    }
    return false;
}

bool attach_scans(struct judging *g, const struct world_table *parent,
                  const struct world_table *child, const char *bound)
{
    return !child->fresh &&
           (!proven(g, parent, child, bound, true) || index_missing(parent, child));
}

static void attach(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    struct world_table *child = table_of(g, a->other, false);
    struct world_table *rest = default_partition(g, t);
    tag_add(g, TAG_ADDITIVE);
    effect_take(g,
                child && attach_scans(g, t, child, a->bound) ? EFFECT_ATTACH : EFFECT_ATTACH_PROVEN,
                t, child);
    if (rest && rest != child) {
        bool scans = !rest->fresh && !proven(g, t, rest, a->bound, false);
        effect_take(g, scans ? EFFECT_ATTACH : EFFECT_ATTACH_PROVEN, NULL, rest);
    }
}

static void detach(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    struct world_table *child = table_of(g, a->other, false);
    tag_add(g, TAG_CONTRACT);
    if (!a->concurrently) {
        effect_take(g, a->finalize ? EFFECT_ATTACH_PROVEN : EFFECT_DETACH, t, child);
        effect_take(g, EFFECT_DETACH, NULL, a->finalize ? NULL : default_partition(g, t));
        effect_below(g, EFFECT_DROP, child, NULL);
        return;
    }
    effect_take(g, EFFECT_DETACH_CONCURRENTLY, t, child);
    effect_below(g, EFFECT_DROP, child, NULL);
    g->v->waits = "it waits for all transactions that use the partitioned table";
    if (default_partition(g, t)) {
        will_fail(g, "a partitioned table with a default partition cannot DETACH CONCURRENTLY");
    }
}

bool judge_partition(struct judging *g, struct world_table *t, const struct sql_alter *a)
{
    switch (a->kind) {
    case SQL_ALTER_ATTACH_PARTITION: attach(g, t, a); break;
    case SQL_ALTER_DETACH_PARTITION: detach(g, t, a); break;
    case SQL_ALTER_SPLIT_PARTITION:
        tag_add(g, TAG_CONTRACT);
        effect_below(g, EFFECT_TABLE_REWRITE, t, NULL);
        break;
    default: return false;
    }
    return true;
}
