#include "controller/check/rule.h"

#include "agents/base/text.h"
#include "controller/check/rules.h"

enum { RULES_MAX = 160 };

const struct rule *const *rules_all(size_t *count)
{
    /* Filled once per call: cheap, and no state that threads would share. */
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

const struct rule *rule_find(const char *id)
{
    size_t count;
    const struct rule *const *all = rules_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (text_eq(all[i]->id, id)) {
            return all[i];
        }
    }
    return NULL;
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
