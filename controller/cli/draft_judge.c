#include "controller/cli/draft_judge.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/judge.h"

static void finding_add(const void *ctx, struct compiled *compiled, const struct part *part,
                        const struct step *step)
{
    compiled->findings =
        mem_room(ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = "warning",
        .rule = "rewrite",
        .service = part->service,
        .message = mem_printf(ctx, "\"%s\" rewrites a whole table under a strong lock", step->what),
        .hint = "split the change so that a new column is filled in batches",
        .intent = step->intent,
    };
}

/* What a judge measures by the statement says less of these than the compiler does. */
static bool is_judged(const struct step *step)
{
    return (step->kind == STEP_STATEMENT || step->kind == STEP_CONCURRENTLY) && step->up.count > 0;
}

/* "unknown" is about SQL that somebody else wrote: what the compiler's own blocks do is known. */
static void own_blocks(const struct intents *intents, struct step *step, size_t risks)
{
    bool own = step->intent > 0 && (size_t)step->intent <= intents->count &&
               intents->items[step->intent - 1].operation != INTENT_SQL;
    if (own && (step->tags & TAG_UNKNOWN)) {
        step->tags &= ~(unsigned)TAG_UNKNOWN;
        step->risks.count = risks;
    }
}

static bool judge_part(const void *ctx, struct judge *judge, struct part *part,
                       struct compiled *compiled, struct error *err)
{
    for (size_t i = 0; i < part->step_count; i++) {
        struct step *step = &part->steps[i];
        struct step_estimate mine = step->estimate;
        size_t risks = step->risks.count;
        if (!is_judged(step)) {
            continue;
        }
        if (!step_judge(ctx, judge, step, err)) {
            return fail_in(err, "%s: %s", part->service, step->what);
        }
        own_blocks(compiled->intents, step, risks);
        step->estimate.ms = step->estimate.ms > mine.ms ? step->estimate.ms : mine.ms;
        step->estimate.rows = step->estimate.rows > mine.rows ? step->estimate.rows : mine.rows;
        if (step->rewrite) {
            finding_add(ctx, compiled, part, step);
        }
    }
    return true;
}

static bool judge_service(const void *ctx, const struct service_catalog *item,
                          struct compiled *compiled, struct error *err)
{
    struct judge *judge = judge_new(ctx, item->catalog, 0);
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        for (size_t i = 0; i < compiled->part_count; i++) {
            struct part *part = compiled->parts[i];
            if (part->phase == phase && text_eq(part->service, item->service) &&
                !judge_part(ctx, judge, part, compiled, err)) {
                return false;
            }
        }
        judge_settle(judge);
    }
    return true;
}

bool draft_judge(const void *ctx, const struct catalogs *catalogs, struct compiled *compiled,
                 struct error *err)
{
    for (size_t i = 0; i < catalogs->count; i++) {
        if (!judge_service(ctx, &catalogs->items[i], compiled, err)) {
            return false;
        }
    }
    return true;
}
