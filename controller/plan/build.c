#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/private.h"

static int by_text(const void *a, const void *b)
{
    return text_cmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_after(const void *a, const void *b)
{
    return text_cmp(((const struct part_after *)a)->service,
                    ((const struct part_after *)b)->service);
}

static int by_object(const void *a, const void *b)
{
    return text_cmp(((const struct part_object *)a)->object,
                    ((const struct part_object *)b)->object);
}

static void sort(void *list, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 1)
        qsort(list, count, size, order);
}

/* One spelling of what has no order of its own. */
static void part_sort(struct part *part)
{
    sort(part->instances.items, part->instances.count, sizeof(char *), by_text);
    sort(part->approvals_from.items, part->approvals_from.count, sizeof(char *), by_text);
    sort(part->after, part->after_count, sizeof(*part->after), by_after);
    sort(part->objects, part->object_count, sizeof(*part->objects), by_object);
}

/* The step is what an agent would take when it goes through JSON and back. */
static bool steps_check(struct part *part, struct error *err)
{
    for (size_t i = 0; i < part->step_count; i++) {
        SCOPE(tmp);
        struct step *step = &part->steps[i];
        struct step again;
        step->id = mem_printf(part, "%s/%s/%zu", phase_name(part->phase), part->service, i + 1);
        if (!step_from_json(tmp, json_own(tmp, step_to_json(step)), &again, err))
            return false;
    }
    return true;
}

static bool part_fill(struct plan *plan, struct part *part, struct error *err)
{
    if ((unsigned)part->phase >= PHASE_COUNT || text_empty(part->service))
        return fail(err, ERROR_INTERNAL, "a part has no phase or service");
    if (part->step_count == 0)
        return fail(err, ERROR_INTERNAL, "%s of %s has no steps", phase_name(part->phase),
                    part->service);
    part->fleet = plan->fleet;
    part->environment = plan->environment;
    part->plan = plan->id;
    part->author = plan->author;
    part_sort(part);
    return steps_check(part, err) && part_digest(part, part, &part->digest, err);
}

static void part_add(struct plan *plan, struct part *part)
{
    struct plan_phase *phase = &plan->phases[part->phase];
    phase->parts = mem_room(plan, phase->parts, struct part *, phase->count + 1);
    phase->parts[phase->count++] = part;
}

static void findings_copy(struct plan *plan, const struct plan_draft *draft)
{
    plan->findings = mem_array(plan, struct plan_finding, draft->finding_count);
    plan->finding_count = draft->finding_count;
    for (size_t i = 0; i < draft->finding_count; i++) {
        const struct plan_finding *f = &draft->findings[i];
        plan->findings[i] = (struct plan_finding){
            mem_text(plan, f->rule), mem_text(plan, f->severity), mem_text(plan, f->service),
            mem_text(plan, f->step), mem_text(plan, f->message),  mem_text(plan, f->hint),
        };
    }
}

static void discharged_copy(struct plan *plan, const struct plan_draft *draft)
{
    plan->discharged = mem_array(plan, struct plan_discharge, draft->discharged_count);
    plan->discharged_count = draft->discharged_count;
    for (size_t i = 0; i < draft->discharged_count; i++) {
        const struct plan_discharge *d = &draft->discharged[i];
        plan->discharged[i] = (struct plan_discharge){
            .step = mem_text(plan, d->step),
            .back = d->back,
            .rule = mem_text(plan, d->rule),
            .by = mem_text(plan, d->by),
            .proof = mem_text(plan, d->proof),
        };
    }
}

/* The same text for the same value: compact, in the order of the file. */
static bool change_copy(struct plan *plan, const char *change, struct error *err)
{
    SCOPE(tmp);
    json_t *json = NULL;
    const char *text = change ? change : "{}";
    if (!json_parse(tmp, text, strlen(text), &json, err))
        return fail_in(err, "change");
    if (!json_is_object(json))
        return fail(err, ERROR_INTERNAL, "the change of a plan is no JSON object");
    plan->change = json_compact(plan, json);
    return true;
}

bool plan_build(const void *ctx, const struct plan_draft *draft, struct plan **out,
                struct error *err)
{
    SCOPE(tmp);
    struct plan *plan = mem_new(tmp, struct plan);
    if (text_empty(draft->id))
        return fail(err, ERROR_INTERNAL, "a plan needs an id");
    plan->id = mem_text(plan, draft->id);
    plan->title = mem_text(plan, text_empty(draft->title) ? "Untitled" : draft->title);
    plan->author = mem_text(plan, text_empty(draft->author) ? "unknown" : draft->author);
    plan->fleet = mem_text(plan, draft->fleet ? draft->fleet : "-");
    plan->environment = mem_text(plan, draft->environment ? draft->environment : "-");
    if (!change_copy(plan, draft->change, err))
        return false;
    findings_copy(plan, draft);
    discharged_copy(plan, draft);
    for (size_t i = 0; i < draft->part_count; i++) {
        if (!part_fill(plan, draft->parts[i], err))
            return false;
        part_add(plan, draft->parts[i]);
    }
    if (!plan_arrange(plan, err) || !plan_digest(plan, plan, &plan->digest, err))
        return false;
    for (size_t i = 0; i < draft->part_count; i++)
        mem_give(plan, draft->parts[i]);
    *out = mem_give(ctx, plan);
    return true;
}

const char *plan_same_id(const struct plan *previous, const struct plan_draft *draft)
{
    if (!previous || !text_eq(previous->fleet, draft->fleet ? draft->fleet : "-") ||
        !text_eq(previous->environment, draft->environment ? draft->environment : "-"))
        return NULL;
    bool same = text_eq(previous->title, draft->title) || text_eq(previous->change, draft->change);
    return same ? previous->id : NULL;
}

bool plan_is_empty(const struct plan *plan)
{
    for (int p = 0; p < PHASE_COUNT; p++)
        if (plan->phases[p].count > 0)
            return false;
    return true;
}

struct part *plan_part(const struct plan *plan, enum phase phase, const char *service)
{
    for (size_t i = 0; (unsigned)phase < PHASE_COUNT && i < plan->phases[phase].count; i++)
        if (text_eq(plan->phases[phase].parts[i]->service, service))
            return plan->phases[phase].parts[i];
    return NULL;
}
