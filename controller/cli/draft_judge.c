#include "controller/cli/draft_judge.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/judge.h"
#include "controller/check/plan_check.h"
#include "controller/sql/script.h"

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

/* What a person's SQL touches binds the plan like what the compiler's does. */
static void objects_bind(const void *ctx, const struct catalog *catalog, struct part *part,
                         const struct step *step)
{
    for (size_t i = 0; i < step->lock_count; i++) {
        const char *object = step->locks[i].relation;
        const char *print = catalog_object_fingerprint(ctx, catalog, object);
        bool there = false;
        for (size_t k = 0; k < part->object_count && !there; k++) {
            there = text_eq(part->objects[k].object, object);
        }
        if (print && !there) {
            part->objects =
                mem_room(ctx, part->objects, struct part_object, part->object_count + 1);
            part->objects[part->object_count++] = (struct part_object){ object, print };
        }
    }
}

static void refusal_add(const void *ctx, struct compiled *compiled, const struct part *part,
                        const struct step *step, const char *message)
{
    const struct intent *intent =
        step->intent > 0 && (size_t)step->intent <= compiled->intents->count
            ? &compiled->intents->items[step->intent - 1]
            : NULL;
    compiled->findings =
        mem_room(ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = "error",
        .rule = "statement",
        .service = part->service,
        .place = intent ? intent->place : NULL,
        .message = message,
        .hint = "the agent runs each item of up and down as one statement, in its own transaction",
        .intent = step->intent,
    };
    compiled->refusals++;
}

/* An item of up or down is what the agent sends at once: one statement that stays in the agent's
 * transaction. Null: it is. */
static const char *cannot_run(const void *ctx, const struct script *script)
{
    const struct statement *s = script->count > 0 ? &script->statements[0] : NULL;
    if (script->count != 1) {
        return mem_printf(ctx, "it holds %zu statements: write each as an item of its own",
                          script->count);
    }
    if (s->problem) {
        return mem_printf(ctx, "line %d: %s", s->problem->line, s->problem->message);
    }
    if (s->kind == SQL_STMT_TRANSACTION) {
        return "it begins or ends a transaction: take it out";
    }
    return s->kind == SQL_STMT_PSQL ? "it is a command of psql, which the server does not know"
                                    : NULL;
}

static bool items_check(const void *ctx, struct compiled *compiled, const struct part *part,
                        const struct step *step, struct error *err)
{
    const struct step_texts *lists[] = { &step->up, &step->down };
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            SCOPE(tmp);
            struct script *script;
            const char *sql = lists[l]->items[i];
            if (!sql_parse(tmp, sql, strlen(sql), &script, err)) {
                return fail_in(err, "%s: %s", part->service, step->what);
            }
            const char *why = cannot_run(tmp, script);
            if (why) {
                refusal_add(ctx, compiled, part, step,
                            mem_printf(ctx, "item %zu of %s cannot run: %s", i + 1,
                                       l ? "down" : "up", why));
            }
        }
    }
    return true;
}

static bool judge_part(const void *ctx, struct judge *judge, const struct service_catalog *item,
                       struct part *part, struct compiled *compiled, struct error *err)
{
    for (size_t i = 0; i < part->step_count; i++) {
        struct step *step = &part->steps[i];
        struct step_estimate mine = step->estimate;
        size_t risks = step->risks.count;
        if (!is_judged(step)) {
            continue;
        }
        size_t refusals = compiled->refusals;
        if (!items_check(ctx, compiled, part, step, err)) {
            return false;
        }
        if (compiled->refusals > refusals) {
            continue;
        }
        if (!step_judge(ctx, judge, step, err)) {
            return fail_in(err, "%s: %s", part->service, step->what);
        }
        own_blocks(compiled->intents, step, risks);
        if (is_raw(compiled->intents, step)) {
            objects_bind(ctx, item->catalog, part, step);
        }
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
    /* An error of a rule is for a person to weigh before signing; a refusal is the compiler's, and
     * of what the server cannot do at all. */
    bool never = text_eq(found->finding.rule->id, "txn-forbidden");
    const char *severity = never ? severities[SEVERITY_ERROR]
                           : found->finding.severity == SEVERITY_INFO
                               ? severities[SEVERITY_INFO]
                               : severities[SEVERITY_WARNING];
    const int intent = line->steps[found->step].intent;
    compiled->refusals += never;
    compiled->findings =
        mem_room(ctx, compiled->findings, struct compile_finding, compiled->finding_count + 1);
    compiled->findings[compiled->finding_count++] = (struct compile_finding){
        .severity = severity,
        .rule = found->finding.rule->id,
        .service = part->service,
        .message = mem_printf(ctx, "%s/%s/%zu: %s", phase_name(part->phase), part->service,
                              line->places[found->step], found->finding.message),
        .place = never ? compiled->intents->items[intent - 1].place : NULL,
        .hint = never ? "write it as an intent of its own with transaction: false"
                      : found->finding.hint,
        .intent = intent,
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
                !judge_part(ctx, judge, item, part, compiled, err)) {
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
    for (size_t i = 0; i < compiled->part_count; i++) {
        compile_approvals(catalogs->fleet, compiled->parts[i]);
    }
    return true;
}
