#include "controller/check/rule.h"

#include "agents/base/text.h"
#include "controller/check/rules.h"

enum { RULES_MAX = 160 };

const struct rule *const *rules_all(size_t *count)
{
    /* Filled by every call: no state that threads would share. */
    static _Thread_local const struct rule *all[RULES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < rules_1_count; i++) {
        all[n++] = &rules_1[i];
    }
    for (size_t i = 0; i < rules_2_count; i++) {
        all[n++] = &rules_2[i];
    }
    for (size_t i = 0; i < rules_3_count; i++) {
        all[n++] = &rules_3[i];
    }
    *count = n;
    return all;
}

static const struct rule *find_in(const struct rule *rules, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (text_eq(rules[i].id, id)) {
            return &rules[i];
        }
    }
    return NULL;
}

const struct rule *rule_find(const char *id)
{
    const struct rule *rule = find_in(rules_1, rules_1_count, id);
    rule = rule ? rule : find_in(rules_2, rules_2_count, id);
    return rule ? rule : find_in(rules_3, rules_3_count, id);
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = { "info", "warning", "error" };
    return names[severity];
}

bool severity_from_name(const char *name, enum severity *out)
{
    for (enum severity s = SEVERITY_INFO; s <= SEVERITY_ERROR; s++) {
        if (text_eq(severity_name(s), name)) {
            *out = s;
            return true;
        }
    }
    return false;
}
