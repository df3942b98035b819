#include "controller/family/recall.h"

#include <string.h>

#include "agents/base/text.h"
#include "controller/work/column_map.h"

static bool is_trigger_of(const struct work *work, const struct relation *relation,
                          const struct function *function)
{
    const char *name = say(work, "%s.%s", function->schema, function->name);
    for (size_t i = 0; i < relation->trigger_count; i++) {
        if (text_eq(relation->triggers[i].function, name)) {
            return true;
        }
    }
    return false;
}

static bool is_there(const struct step *step, const char *statement)
{
    for (size_t i = 0; i < step->up.count; i++) {
        if (text_eq(step->up.items[i], statement)) {
            return true;
        }
    }
    return false;
}

void recall_functions(struct work *work, const struct state *state, const struct relation *relation,
                      struct step *step)
{
    const struct catalog *catalog = state->catalog;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *f = &catalog->functions[i];
        if (!text_eq(f->language, "plpgsql") || text_eq(f->schema, "flotilla") || !f->body ||
            !(is_trigger_of(work, relation, f) || column_mentioned(f->body, relation->name))) {
            continue;
        }
        const char *statement =
            say(work, "ALTER ROUTINE %s(%s) SECURITY %s", name_sql(work, f->schema, f->name),
                f->arguments ? f->arguments : "", f->security_definer ? "DEFINER" : "INVOKER");
        if (is_there(step, statement)) {
            continue;
        }
        /* only the owner may, and only of this owner the agent's role is surely a member */
        if (!text_eq(f->owner, relation->owner)) {
            step_risk(work, step,
                      "function %s.%s is not %s's: sessions that ran it fail with \"type of "
                      "parameter does not match\" until they reconnect",
                      f->schema, f->name, relation->owner);
            continue;
        }
        step_up(work, step, "%s", statement);
        step_down(work, step, "%s", statement);
    }
}
