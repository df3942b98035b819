#include "controller/rules/rule.h"

#include <stdlib.h>

#include "agents/base/text.h"
#include "controller/rules/rules.h"

enum { RULES_MAX = 160 };

static const struct rule *all[RULES_MAX], *by_id[RULES_MAX];
static size_t all_count;

static int by_name(const void *a, const void *b)
{
    return text_cmp((*(const struct rule *const *)a)->id, (*(const struct rule *const *)b)->id);
}

static void part_add(const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        all[all_count] = by_id[all_count] = &rules[i];
        all_count++;
    }
}

/* Before main: the table is constant for all threads. */
__attribute__((constructor)) static void rules_fill(void)
{
    part_add(rules_table, rules_table_count);
    part_add(rules_session, rules_session_count);
    part_add(rules_client, rules_client_count);
    part_add(rules_catalog, rules_catalog_count);
    part_add(rules_style, rules_style_count);
    qsort(by_id, all_count, sizeof *by_id, by_name);
}

const struct rule *const *rules_all(size_t *count)
{
    *count = all_count;
    return all;
}

static int named(const void *key, const void *item)
{
    return text_cmp(key, (*(const struct rule *const *)item)->id);
}

const struct rule *rule_find(const char *id)
{
    const struct rule *const *at = bsearch(id, by_id, all_count, sizeof *by_id, named);
    return at ? *at : NULL;
}

const char *rule_nearest(const char *id)
{
    const char *names[RULES_MAX];
    for (size_t i = 0; i < all_count; i++) {
        names[i] = all[i]->id;
    }
    return text_nearest(id, names, all_count);
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = { "info", "warning", "error" };
    return names[severity];
}
