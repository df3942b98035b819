#include "controller/desk/draft_rules.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/plan_check.h"
#include "controller/desk/lint_grammar.h"
#include "controller/desk/plan_line.h"

/* What the server cannot do at all nobody can accept. */
static bool is_impossible(const struct rule *rule)
{
    return text_eq(rule->id, "txn-forbidden") || text_eq(rule->id, "syntax-error");
}

/* Locks that last and tables written anew: there is a better way, or a word for why not. */
static bool stops_others(const struct rule *rule)
{
    static const char *const groups[] = { "index", "constraint", "column", "table", "partition" };
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (text_eq(rule->group, groups[i])) {
            return true;
        }
    }
    return false;
}

/* "ignore a, b reason; ignore c": a comment at a statement of DDL. */
static bool ignores(const char *note, const char *rule)
{
    for (const char *p = note; p && *p != '\0';) {
        p += strcspn(p, " ");
        bool more = *p != '\0';
        while (more) {
            p += strspn(p, " ");
            size_t n = strcspn(p, " ,;");
            if (strlen(rule) == n && memcmp(p, rule, n) == 0) {
                return true;
            }
            p += n;
            more = *p == ',';
            p += more;
        }
        p += strcspn(p, ";");
        p += *p == ';';
        p += strspn(p, " ");
    }
    return false;
}

const char *draft_accepts(const struct intent *intent, const struct step *step,
                          const struct rule *rule)
{
    bool destroys = text_eq(rule->group, "destructive");
    bool loses = destroys || text_eq(rule->id, "type-narrowing");
    if (is_impossible(rule)) {
        return NULL;
    }
    if (ignores(intent->note, rule->id)) {
        return intent->note;
    }
    if (destroys && step->irreversible && (step->tags & TAG_DESTRUCTIVE)) {
        return step->irreversible; /* announced, and signed as such */
    }
    if (intent->written) { /* the file of DDL says it word for word, and it breaks no one's wait */
        return stops_others(rule) || text_eq(rule->id, "name-collision") ? NULL : intent->written;
    }
    if (intent->operation == INTENT_SQL) {
        return intent->note ? intent->note : intent->irreversible;
    }
    return intent->accept_loss && loses ? intent->note : NULL;
}

static const struct intent *intent_of(const struct compiled *compiled, const struct step *step)
{
    return step->intent > 0 && (size_t)step->intent <= compiled->intents->count
               ? &compiled->intents->items[step->intent - 1]
               : NULL;
}

/* A way back that is slow or blocks is still a way back: its dry run and the plan say so. One that
 * destroys, or breaks what was there, is none. */
static enum severity severity_of(const struct step_met *met)
{
    static const char *const of_time[] = { "index",     "constraint", "column", "table",
                                           "partition", "data",       "txn" };
    bool slow = met->back && !is_impossible(met->rule);
    for (size_t i = 0; slow && i < sizeof of_time / sizeof *of_time; i++) {
        if (text_eq(met->rule->group, of_time[i]) && met->severity == SEVERITY_ERROR) {
            return SEVERITY_WARNING;
        }
    }
    return met->severity;
}

static void finding_add(const void *ctx, const struct compiled *compiled, const char *service,
                        const struct step *step, const struct step_met *met, struct judged *out)
{
    enum severity severity = severity_of(met);
    const struct intent *intent = intent_of(compiled, step);
    const char *note =
        intent && severity == SEVERITY_ERROR ? draft_accepts(intent, step, met->rule) : NULL;
    const char *way = met->back ? "on the way back: " : "";
    out->findings = mem_room(ctx, out->findings, struct plan_finding, out->finding_count + 1);
    out->findings[out->finding_count++] = (struct plan_finding){
        .rule = met->rule->id,
        .severity = severity_name(note ? SEVERITY_WARNING : severity),
        .service = service,
        .step = step->id,
        .message = note ? mem_printf(ctx, "%s%s; accepted: %s", way, met->message, note)
                        : mem_printf(ctx, "%s%s", way, met->message),
        .hint = text_eq(met->rule->id, "txn-forbidden")
                    ? "write it as an intent of its own with transaction: false"
                    : met->hint,
    };
    out->refusals += severity == SEVERITY_ERROR && !note;
}

/* One row for a step, a way, a rule and a kind: the first proof stands for the others. */
static void discharge_add(const void *ctx, const struct step *step, const struct step_met *met,
                          struct judged *out)
{
    for (size_t i = out->discharged_count; i-- > 0;) {
        const struct plan_discharge *d = &out->discharged[i];
        if (d->step != step->id) {
            break;
        }
        if (d->back == met->back && text_eq(d->rule, met->rule->id) &&
            text_eq(d->by, evidence_name(met->by->by))) {
            return;
        }
    }
    out->discharged =
        mem_room(ctx, out->discharged, struct plan_discharge, out->discharged_count + 1);
    out->discharged[out->discharged_count++] = (struct plan_discharge){
        .step = step->id,
        .back = met->back,
        .rule = met->rule->id,
        .by = evidence_name(met->by->by),
        .proof = met->proof,
    };
}

static bool rules_check(const void *ctx, const struct catalogs *catalogs, size_t at,
                        const struct compiled *compiled, struct judged *out, struct error *err)
{
    const struct service_catalog *item = &catalogs->items[at];
    struct plan_line line = plan_line(ctx, compiled->parts, compiled->part_count, item->service);
    const struct service *service =
        catalogs->fleet ? fleet_service(catalogs->fleet, item->service) : NULL;
    struct lint_options asking = { 0 };
    lint_grammar_of_catalog(ctx, catalogs, item, &asking);
    const struct steps_options options = {
        .catalog = item->catalog,
        .lock_budget_ms = service ? service->policy.lock_budget_ms : 0,
        .ask = asking.ask,
        .ask_data = asking.ask_data,
    };
    struct steps_met *met = NULL;
    if (line.count == 0) {
        return true;
    }
    if (!steps_check(ctx, line.steps, line.count, &options, &met, err)) {
        return fail_in(err, "%s", item->service);
    }
    for (size_t i = 0; i < met->count; i++) {
        const struct step *step = &line.steps[met->items[i].step];
        if (met->items[i].by) {
            discharge_add(ctx, step, &met->items[i], out);
        } else {
            finding_add(ctx, compiled, item->service, step, &met->items[i], out);
        }
    }
    return true;
}

bool draft_rules(const void *ctx, const struct catalogs *catalogs, const struct compiled *compiled,
                 struct judged *out, struct error *err)
{
    *out = (struct judged){ 0 };
    for (size_t i = 0; i < catalogs->count; i++) {
        if (!rules_check(ctx, catalogs, i, compiled, out, err)) {
            return false;
        }
    }
    return true;
}
