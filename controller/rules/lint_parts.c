/* Files whose parts run at different times. */
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"

/* What undoing is for, and habits that matter less there. */
static bool expected(const struct rule *rule)
{
    static const char *const groups[] = { "destructive", "compat", "session", "style" };
    static const char *const rules[] = { "index-dropped-perf", "index-drop-blocking",
                                         "drop-constraint", "stmt-after-strong-lock",
                                         "multi-alter-same-table" };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (text_eq(groups[i], rule->group)) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (text_eq(rules[i], rule->id)) {
            return true;
        }
    }
    return false;
}

static void soften(struct lint_statement *s, enum lint_down down)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct finding f = s->findings[i];
        bool fails = text_eq(f.rule->group, "txn") || text_eq(f.rule->group, "opaque");
        if (down == DOWN_SKIP || expected(f.rule)) {
            continue;
        }
        f.severity = fails ? f.severity : SEVERITY_INFO;
        s->findings[kept++] = f;
    }
    s->count = kept;
}

static void result_join(struct lint_result *all, struct lint_result *one, enum lint_way way,
                        enum lint_down down)
{
    all->version = one->version;
    all->statements =
        mem_room(all, all->statements, struct lint_statement, all->count + one->count);
    for (size_t i = 0; i < one->count; i++) {
        struct lint_statement s = one->statements[i];
        s.way = way;
        if (way != LINT_UP && down != DOWN_FULL) {
            soften(&s, down);
        }
        all->statements[all->count++] = s;
    }
}

static int by_place(const void *a, const void *b)
{
    size_t x = ((const struct lint_statement *)a)->statement->offset;
    size_t y = ((const struct lint_statement *)b)->statement->offset;
    return (x > y) - (x < y);
}

/* Another judge, after the way up: the one that follows all files must not see it taken back. */
static struct judge *judge_apart(const void *ctx, const struct lint_options *options,
                                 const struct lint_result *up)
{
    struct judge *judge = lint_judge(ctx, options);
    for (size_t i = 0; i < up->count; i++) {
        judge_follow(judge, up->statements[i].statement);
    }
    return judge;
}

bool lint_parts(const void *ctx, const struct lint_part *parts, size_t count, size_t length,
                const struct lint_options *options, struct lint_result **out, struct error *err)
{
    struct lint_result *all = mem_new(ctx, struct lint_result);
    struct judge *judge = options->judge ? options->judge : lint_judge(all, options);
    for (size_t i = 0; i < count; i++) {
        struct lint_result *one;
        struct lint_options o = *options;
        o.units = parts[i].units;
        o.unit_count = parts[i].unit_count;
        o.partial = count > 1;
        o.disorder = i == 0 ? options->disorder : NULL;
        if (i == 1 && options->judge) {
            judge = judge_apart(all, options, all);
        }
        if (i > 0) {
            judge_settle(judge);
        }
        if (!lint_with(all, judge, parts[i].text, length, &o, &one, err)) {
            return false;
        }
        result_join(all, one, parts[i].way, options->down);
    }
    if (count > 1 && all->count > 0) {
        qsort(all->statements, all->count, sizeof *all->statements, by_place);
    }
    *out = all;
    return true;
}
