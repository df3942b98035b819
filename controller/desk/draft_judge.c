#include "controller/desk/draft_judge.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/lint_grammar.h"
#include "controller/judge/judge.h"
#include "controller/sql/script.h"

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

/* What the grammar here ends before: the server that it is for was asked. Null: it knows it. */
static const char *not_known(const void *ctx, struct judge *judge, const struct statement *s)
{
    struct verdict *v = NULL;
    struct error err;
    if (!statement_foresee(ctx, judge, s, &v, &err)) {
        return mem_text(ctx, err.message);
    }
    return v->known_there ? NULL
                          : mem_printf(ctx, "line %d: %s", s->problem->line,
                                       v->fails ? v->fails : s->problem->message);
}

/* An item of up or down is what the agent sends at once: one statement that stays in the agent's
 * transaction. Null: it is. */
static const char *cannot_run(const void *ctx, struct judge *judge, const struct script *script)
{
    const struct statement *s = script->count > 0 ? &script->statements[0] : NULL;
    if (script->count != 1) {
        return mem_printf(ctx, "it holds %zu statements: write each as an item of its own",
                          script->count);
    }
    if (s->problem) {
        return not_known(ctx, judge, s);
    }
    if (s->kind == SQL_STMT_TRANSACTION) {
        return "it begins or ends a transaction: take it out";
    }
    return s->kind == SQL_STMT_PSQL ? "it is a command of psql, which the server does not know"
                                    : NULL;
}

static bool items_check(const void *ctx, struct judge *judge, struct compiled *compiled,
                        const struct part *part, const struct step *step, struct error *err)
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
            const char *why = cannot_run(tmp, judge, script);
            if (why) {
                refusal_add(ctx, compiled, part, step,
                            mem_printf(ctx, "%s cannot run: %s: %.100s", l ? "down" : "up", why,
                                       text_printable(tmp, sql)));
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
        if (!is_judged(step)) {
            continue;
        }
        size_t refusals = compiled->refusals;
        if (!items_check(ctx, judge, compiled, part, step, err)) {
            return false;
        }
        if (compiled->refusals > refusals) {
            continue;
        }
        if (!step_judge(ctx, judge, step, err)) {
            return fail_in(err, "%s: %s", part->service, step->what);
        }
        if (is_raw(compiled->intents, step)) {
            objects_bind(ctx, item->catalog, part, step);
        }
        step->estimate.ms = step->estimate.ms > mine.ms ? step->estimate.ms : mine.ms;
        step->estimate.rows = step->estimate.rows > mine.rows ? step->estimate.rows : mine.rows;
    }
    return true;
}

static bool judge_service(const void *ctx, const struct catalogs *catalogs,
                          const struct service_catalog *item, struct compiled *compiled,
                          struct error *err)
{
    struct lint_options asking = { 0 };
    struct judge *judge = judge_new(ctx, item->catalog, 0);
    lint_grammar_of_catalog(ctx, catalogs, item, &asking);
    judge_ask(judge, asking.ask, asking.ask_data);
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
        if (!judge_service(ctx, catalogs, &catalogs->items[i], compiled, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < compiled->part_count; i++) {
        compile_approvals(catalogs->fleet, compiled->parts[i]);
    }
    return true;
}
