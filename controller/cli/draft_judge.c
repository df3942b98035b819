#include "controller/cli/draft_judge.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/judge.h"
#include "controller/check/plan_check.h"

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

static bool is_raw(const struct intents *intents, const struct step *step)
{
    return step->intent > 0 && (size_t)step->intent <= intents->count &&
           intents->items[step->intent - 1].operation == INTENT_SQL;
}

/* "unknown" is about SQL that somebody else wrote: what the compiler's own blocks do is known. */
static void own_blocks(const struct intents *intents, struct step *step, size_t risks)
{
    if (!is_raw(intents, step) && (step->tags & TAG_UNKNOWN)) {
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

/* Where each step of a service stands, in the order in which they run. */
struct line {
    struct step *steps;
    const struct part **parts;
    size_t *places; /* index in the part, from 1: the end of the step's id */
    size_t count;
};

static void line_add(const void *ctx, struct line *line, const struct part *part)
{
    for (size_t i = 0; i < part->step_count; i++) {
        size_t n = line->count++;
        line->steps = mem_room(ctx, line->steps, struct step, n + 1);
        line->parts = mem_room(ctx, line->parts, const struct part *, n + 1);
        line->places = mem_room(ctx, line->places, size_t, n + 1);
        line->steps[n] = part->steps[i];
        line->parts[n] = part;
        line->places[n] = i + 1;
    }
}

static void rule_add(const void *ctx, struct compiled *compiled, const struct line *line,
                     const struct step_finding *found)
{
    static const char *const severities[] = {
        [SEVERITY_ERROR] = "error", [SEVERITY_WARNING] = "warning", [SEVERITY_INFO] = "info"
    };
    const struct part *part = line->parts[found->step];
    /* An error of a rule is for a person to weigh before signing; a refusal is the compiler's. */
    const char *severity = found->finding.severity == SEVERITY_INFO ? severities[SEVERITY_INFO]
                                                                    : severities[SEVERITY_WARNING];
    compiled->findings =
        mem_room(ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = severity,
        .rule = found->finding.rule->id,
        .service = part->service,
        .message = mem_printf(ctx, "%s/%s/%zu: %s", phase_name(part->phase), part->service,
                              line->places[found->step], found->finding.message),
        .hint = found->finding.hint,
        .intent = line->steps[found->step].intent,
    };
}

/* Steps of a person's own SQL through the rules. What the compiler writes breaks some of them on
 * purpose, under conditions that the rules do not see yet; the judge looks at those steps. */
static bool rules_check(const void *ctx, const struct service_catalog *item,
                        struct compiled *compiled, struct error *err)
{
    struct line line = { 0 };
    struct step_findings *found = NULL;
    for (enum phase phase = 0; phase < PHASE_COUNT; phase++) {
        for (size_t i = 0; i < compiled->part_count; i++) {
            if (compiled->parts[i]->phase == phase &&
                text_eq(compiled->parts[i]->service, item->service)) {
                line_add(ctx, &line, compiled->parts[i]);
            }
        }
    }
    if (line.count == 0) {
        return true;
    }
    if (!steps_check(ctx, line.steps, line.count, item->catalog, 0, &found, err)) {
        return fail_in(err, "%s", item->service);
    }
    for (size_t i = 0; i < found->count; i++) {
        if (is_raw(compiled->intents, &line.steps[found->items[i].step])) {
            rule_add(ctx, compiled, &line, &found->items[i]);
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
        if (!judge_service(ctx, &catalogs->items[i], compiled, err) ||
            !rules_check(ctx, &catalogs->items[i], compiled, err)) {
            return false;
        }
    }
    return true;
}
