#include "controller/plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/emit.h"
#include "controller/plan/order.h"

/* --- building ------------------------------------------------------------------------------ */

static void copy_header(struct plan *plan, const struct plan_draft *draft)
{
    plan->id = mem_text(plan, draft->id);
    plan->title = mem_text(plan, draft->title);
    plan->author = mem_text(plan, draft->author);
    plan->change = mem_text(plan, draft->change);
    plan->fleet = mem_text(plan, draft->fleet);
    plan->environment = mem_text(plan, draft->environment);
}

static void copy_findings(struct plan *plan, const struct plan_draft *draft)
{
    plan->findings = mem_array(plan, struct plan_finding, draft->finding_count);
    plan->finding_count = draft->finding_count;
    for (size_t i = 0; i < draft->finding_count; i++) {
        const struct plan_finding *f = &draft->findings[i];
        plan->findings[i] = (struct plan_finding){
            .rule = mem_text(plan, f->rule),
            .severity = mem_text(plan, f->severity),
            .service = mem_text(plan, f->service),
            .step = mem_text(plan, f->step),
            .message = mem_text(plan, f->message),
            .hint = mem_text(plan, f->hint),
        };
    }
}

/* A step that an agent would refuse to read must not get into a plan. */
static bool shapes_check(const struct part *part, struct error *err)
{
    for (size_t i = 0; i < part->step_count; i++) {
        SCOPE(tmp);
        struct step copy;
        json_t *json = json_own(tmp, step_to_json(&part->steps[i]));
        if (!step_from_json(tmp, json, &copy, err))
            return fail_in(err, "%s of %s", phase_name(part->phase), part->service);
    }
    return true;
}

static bool finish_part(struct plan *plan, struct part *part, struct error *err)
{
    part->fleet = plan->fleet;
    part->environment = plan->environment;
    part->plan = plan->id;
    part->author = plan->author;
    if (part->step_count == 0)
        return fail(err, ERROR_INTERNAL, "%s of %s has no steps", phase_name(part->phase),
                    part->service);
    for (size_t i = 0; i < part->step_count; i++)
        part->steps[i].id =
            mem_printf(part, "%s/%s/%zu", phase_name(part->phase), part->service, i + 1);
    return shapes_check(part, err) && part_digest(part, part, &part->digest, err);
}

static bool add_part(struct plan *plan, struct part *part, struct error *err)
{
    struct plan_phase *phase = &plan->phases[part->phase];
    if (plan_part(plan, part->phase, part->service))
        return fail(err, ERROR_INTERNAL, "%s of %s is there twice", phase_name(part->phase),
                    part->service);
    phase->parts = mem_room(plan, phase->parts, struct part *, phase->count + 1);
    phase->parts[phase->count++] = mem_give(plan, part);
    return true;
}

/* Over the header and every part's digest, in the plan's order. */
bool plan_digest(const void *ctx, const struct plan *plan, const char **out, struct error *err)
{
    json_auto_t *o = json_object();
    json_t *parts = json_array();
    json_set_text(o, "id", plan->id);
    json_set_text(o, "author", plan->author);
    json_set_text(o, "fleet", plan->fleet);
    json_set_text(o, "environment", plan->environment);
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (size_t i = 0; i < plan->phases[phase].count; i++)
            json_array_append_new(parts, json_string(plan->phases[phase].parts[i]->digest));
    json_object_set_new(o, "parts", parts);
    return digest_json(ctx, o, out, err);
}

bool plan_build(const void *ctx, const struct plan_draft *draft, struct plan **out,
                struct error *err)
{
    struct plan *plan = mem_new(ctx, struct plan);
    copy_header(plan, draft);
    copy_findings(plan, draft);
    for (size_t i = 0; i < draft->part_count; i++)
        if (!add_part(plan, draft->parts[i], err) || !finish_part(plan, draft->parts[i], err))
            return false;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (!plan_order(&plan->phases[phase], (enum phase)phase, err))
            return false;
    if (!plan_digest(plan, plan, &plan->digest, err))
        return false;
    *out = plan;
    return true;
}

/* --- questions ----------------------------------------------------------------------------- */

const char *plan_same_id(const struct plan *previous, const struct plan_draft *draft)
{
    if (!previous || !text_eq(previous->fleet, draft->fleet) ||
        !text_eq(previous->environment, draft->environment))
        return NULL;
    bool same = text_eq(previous->title, draft->title) || text_eq(previous->change, draft->change);
    return same ? previous->id : NULL;
}

bool plan_is_empty(const struct plan *plan)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (plan->phases[phase].count)
            return false;
    return true;
}

struct part *plan_part(const struct plan *plan, enum phase phase, const char *service)
{
    for (size_t i = 0; i < plan->phases[phase].count; i++)
        if (text_eq(plan->phases[phase].parts[i]->service, service))
            return plan->phases[phase].parts[i];
    return NULL;
}

/* --- writing ------------------------------------------------------------------------------- */

static json_t *phases_json(const struct plan *plan)
{
    json_t *phases = json_array();
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        json_t *services = json_array();
        for (size_t i = 0; i < plan->phases[phase].count; i++)
            json_array_append_new(services, part_to_json(plan->phases[phase].parts[i], false));
        if (json_array_size(services))
            json_array_append_new(phases,
                                  json_pack("{s:s, s:o}", "phase", phase_name((enum phase)phase),
                                            "services", services));
        else
            json_decref(services);
    }
    return phases;
}

static json_t *findings_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->finding_count; i++) {
        const struct plan_finding *f = &plan->findings[i];
        json_t *o = json_object();
        json_set_text(o, "rule", f->rule);
        json_set_text(o, "severity", f->severity);
        json_set_text(o, "service", f->service);
        json_set_text(o, "step", f->step);
        json_set_text(o, "message", f->message);
        json_set_text(o, "hint", f->hint);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *plan_to_json(const void *ctx, const struct plan *plan)
{
    struct error ignored;
    json_t *change = NULL;
    json_t *o = json_own(ctx, json_object());
    json_set_int(o, "flotilla_plan", PLAN_VERSION);
    json_set_text(o, "id", plan->id);
    json_set_text(o, "title", plan->title);
    json_set_text(o, "author", plan->author);
    if (plan->change && json_parse(ctx, plan->change, strlen(plan->change), &change, &ignored))
        json_object_set(o, "change", change);
    json_set_text(o, "fleet", plan->fleet);
    json_set_text(o, "environment", plan->environment);
    json_object_set_new(o, "phases", phases_json(plan));
    json_set_text(o, "digest", plan->digest);
    json_object_set_new(o, "findings", findings_json(plan));
    return o;
}

const char *plan_to_yaml(const void *ctx, const struct plan *plan)
{
    SCOPE(tmp);
    return yaml_from_json(ctx, plan_to_json(tmp, plan));
}
