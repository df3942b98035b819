#include "controller/check/plan_check.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/linting.h"

/* A snapshot step before this one keeps what it destroys. */
static bool has_snapshot(const struct step *steps, size_t step)
{
    for (size_t i = 0; i < step; i++) {
        const char *of = steps[i].snapshot.of;
        for (size_t k = 0; steps[i].kind == STEP_SNAPSHOT && of && k < steps[step].lock_count;
             k++) {
            if (text_eq(steps[step].locks[k].relation, of)) {
                return true;
            }
        }
    }
    return false;
}

enum discharge { BY_AGENT, BY_SNAPSHOT, BY_BATCHES, BY_KIND, BY_PLAN };

static const struct {
    const char *rule;
    enum discharge by;
    const char *why;
} discharges[] = {
    { "missing-lock-timeout", BY_AGENT,
      "the agent sets lock_timeout from the lock budget and retries" },
    { "missing-statement-timeout", BY_AGENT, "the agent limits every statement" },
    { "trigger-lock", BY_AGENT, "the agent waits within the lock budget and retries" },
    { "fk-parent-lock", BY_AGENT, "the agent waits within the lock budget and retries" },
    { "explicit-lock", BY_AGENT, "the agent bounds the wait by statement_timeout" },
    { "drop-table", BY_SNAPSHOT, "a snapshot of it was taken and verified before" },
    { "drop-column", BY_SNAPSHOT, "a snapshot of it was taken and verified before" },
    { "truncate", BY_SNAPSHOT, "a snapshot of it was taken and verified before" },
    { "delete-unbounded", BY_SNAPSHOT, "a snapshot of it was taken and verified before" },
    { "backfill-unbatched", BY_BATCHES, "the agent cuts it into batches" },
    { "delete-unbounded", BY_BATCHES, "the agent cuts it into batches" },
    { "invalid-index-leftover", BY_KIND, "the agent removes an invalid leftover first" },
    { "multi-alter-same-table", BY_PLAN, "each has its own way back" },
    { "index-build-load", BY_PLAN, "the plan shows its estimate" },
};

const char *step_discharge(const struct step *steps, size_t step, const char *rule)
{
    for (size_t i = 0; i < sizeof discharges / sizeof *discharges; i++) {
        bool by = discharges[i].by == BY_AGENT || discharges[i].by == BY_PLAN ||
                  (discharges[i].by == BY_SNAPSHOT && has_snapshot(steps, step)) ||
                  (discharges[i].by == BY_BATCHES && steps[step].kind == STEP_BACKFILL) ||
                  (discharges[i].by == BY_KIND && steps[step].kind == STEP_CONCURRENTLY);
        if (by && text_eq(discharges[i].rule, rule)) {
            return discharges[i].why;
        }
    }
    return NULL;
}

static void result_add(const void *ctx, struct step_findings *out, const struct step *steps,
                       size_t step, const struct lint_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        for (size_t k = 0; k < result->statements[i].count; k++) {
            const struct finding *f = &result->statements[i].findings[k];
            if (step_discharge(steps, step, f->rule->id)) {
                continue;
            }
            out->items = mem_room(ctx, out->items, struct step_finding, out->count + 1);
            out->items[out->count++] = (struct step_finding){
                .step = step, .finding = *f, .statement = result->statements[i].statement->sql
            };
        }
    }
}

static bool same_phase(const struct step *a, const struct step *b)
{
    size_t n = a->id ? strcspn(a->id, "/") : 0;
    return a->id && b->id && strncmp(a->id, b->id, n + 1) == 0;
}

bool steps_check(const void *ctx, const struct step *steps, size_t count,
                 const struct catalog *catalog, int version, struct step_findings **out,
                 struct error *err)
{
    struct step_findings *all = mem_new(ctx, struct step_findings);
    const struct lint_options options = { .catalog = catalog, .version = version };
    struct judge *judge = judge_new(all, catalog, version);
    for (size_t i = 0; i < count; i++) {
        struct text sql = text_init(all, TEXT_FILE);
        struct lint_result *result;
        for (size_t k = 0; k < steps[i].up.count; k++) {
            text_addf(&sql, "%s\n;\n", steps[i].up.items[k]);
        }
        if (i > 0 && !same_phase(&steps[i - 1], &steps[i])) {
            judge_settle(judge);
        }
        judge_assume_transaction(judge, steps[i].transaction);
        if (!lint_with(all, judge, sql.data, sql.len, &options, &result, err)) {
            return fail_in(err, "step %s", steps[i].id ? steps[i].id : "");
        }
        result_add(all, all, steps, i, result);
    }
    *out = all;
    return true;
}
