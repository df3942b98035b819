/* Findings about the comments themselves. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/suppress.h"

/* Makes the statement that the comment belongs to the one that is spoken of. */
static bool statement_at(struct linter *l, int line)
{
    size_t low = 0, high = l->script->count;
    while (low + 1 < high) {
        size_t middle = low + (high - low - 1) / 2;
        if (l->script->statements[middle].end_line >= line) {
            high = middle + 1;
        } else {
            low = middle + 1;
        }
    }
    l->index = low;
    return low < l->script->count;
}

static void said_of(struct linter *l, const char *rule, const struct suppression *s,
                    const char *message)
{
    struct lint_statement *at = &l->result->statements[l->index];
    size_t before = at->count;
    found(l, rule, NULL, "%s", message);
    if (at->count > before) {
        at->findings[before].line = s->line;
    }
}

/* Whether it could have taken something back: its rule is looked at in this run. */
static bool looked_at(const struct linter *l, const struct suppression *s)
{
    if (!s->name || s->theirs) {
        return true;
    }
    const struct rule *rule = rule_find(s->name);
    return rule && rule_is_on(l->options, rule) && !text_eq(rule->group, "suppress");
}

void suppressions_check(struct linter *l)
{
    for (size_t i = 0; l->suppressions && i < l->suppressions->count; i++) {
        const struct suppression *s = &l->suppressions->items[i];
        if (!statement_at(l, s->line)) {
            continue;
        }
        l->small = false;
        if (!s->known) {
            said_of(l, "suppression-unknown", s,
                    *s->name ? mem_printf(l->ctx, "there is no rule \"%.80s\": nothing is ignored",
                                          s->name)
                             : "it names no rule: nothing is ignored");
        } else if (!s->used && looked_at(l, s) && !(s->file && l->options->partial)) {
            said_of(l, "suppression-unused", s,
                    mem_printf(l->ctx, "nothing to ignore here: %.80s", s->name ? s->name : "all"));
        }
    }
}
