#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/emit.h"
#include "controller/plan/private.h"

/* The order in which people read a part and a step. */
static const char *const part_order[] = { "service", "instances", "after",  "approvals",
                                          "catalog", "health",    "digest", "steps" };
static const char *const step_order[] = {
    "id",      "what",      "why",          "intent",      "kind",    "up",      "down",
    "batch",   "check",     "of",           "key",         "columns", "current", "inverse",
    "for",     "from",      "irreversible", "transaction", "probe",   "tags",    "locks",
    "rewrite", "full_scan", "estimate",     "risks",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A new object with the keys of `o` in that order; what the order does not name comes last. */
static json_t *arranged(json_t *o, const char *const *order, size_t count)
{
    json_t *fresh = json_object();
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(o, order[i]);
        if (value)
            json_object_set(fresh, order[i], value);
    }
    json_object_update_missing(fresh, o);
    json_decref(o);
    return fresh;
}

static json_t *part_json(const struct part *part)
{
    json_t *o = arranged(part_to_json(part, false), part_order, COUNT(part_order));
    json_t *steps = json_object_get(o, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        json_t *step = json_incref(json_array_get(steps, i));
        json_array_set_new(steps, i, arranged(step, step_order, COUNT(step_order)));
    }
    return o;
}

static json_t *phase_json(const struct plan *plan, enum phase phase)
{
    json_t *services = json_array();
    for (size_t i = 0; i < plan->phases[phase].count; i++)
        json_array_append_new(services, part_json(plan->phases[phase].parts[i]));
    json_t *o = json_object();
    json_set_text(o, "phase", phase_name(phase));
    json_object_set_new(o, "services", services);
    return o;
}

json_t *plan_finding_json(const struct plan_finding *f)
{
    json_t *o = json_object();
    json_set_text(o, "rule", f->rule);
    json_set_text(o, "severity", f->severity);
    json_set_text(o, "service", f->service);
    json_set_text(o, "step", f->step);
    json_set_text(o, "message", f->message);
    json_set_text(o, "hint", f->hint);
    return o;
}

static json_t *findings_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->finding_count; i++)
        json_array_append_new(list, plan_finding_json(&plan->findings[i]));
    return list;
}

static json_t *discharged_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < plan->discharged_count; i++) {
        const struct plan_discharge *d = &plan->discharged[i];
        json_t *o = json_object();
        json_set_text(o, "step", d->step);
        if (d->back)
            json_set_bool(o, "back", true);
        json_set_text(o, "rule", d->rule);
        json_set_text(o, "by", d->by);
        json_set_text(o, "proof", d->proof);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *change_json(const struct plan *plan)
{
    SCOPE(tmp);
    json_error_t ignored;
    json_t *change = json_loads(plan->change ? plan->change : "{}", 0, &ignored);
    return change ? change : json_object();
}

json_t *plan_to_json(const void *ctx, const struct plan *plan)
{
    json_t *o = json_object();
    json_set_int(o, "flotilla_plan", PLAN_VERSION);
    json_set_text(o, "id", plan->id);
    json_set_text(o, "title", plan->title);
    json_set_text(o, "author", plan->author);
    json_set_text(o, "fleet", plan->fleet);
    json_set_text(o, "environment", plan->environment);
    json_object_set_new(o, "change", change_json(plan));
    json_t *phases = json_array();
    for (int p = 0; p < PHASE_COUNT; p++)
        if (plan->phases[p].count > 0)
            json_array_append_new(phases, phase_json(plan, (enum phase)p));
    json_object_set_new(o, "phases", phases);
    json_set_text(o, "digest", plan->digest);
    json_object_set_new(o, "findings", findings_json(plan));
    if (plan->discharged_count)
        json_object_set_new(o, "discharged", discharged_json(plan));
    return json_own(ctx, o);
}

const char *plan_to_yaml(const void *ctx, const struct plan *plan)
{
    SCOPE(tmp);
    struct text t = text_init(ctx, TEXT_FILE);
    text_add(&t, "# A plan of flotilla. `flotilla show` explains it; `up` and `down` are plain SQL "
                 "that psql can\n# run: up in this order, down in the reverse. Signed parts must "
                 "not be edited.\n");
    emit_document(&t, plan_to_json(tmp, plan));
    return t.data;
}

/* --- the digest of the plan ------------------------------------------------------------------ */

static json_t *digested_part(const struct part *part)
{
    json_t *o = part_to_json(part, false);
    json_set_text(o, "phase", phase_name(part->phase));
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(o, "steps"), i, step) {
        json_object_del(step, "what");
        json_object_del(step, "why");
    }
    return o;
}

bool plan_digest(const void *ctx, const struct plan *plan, const char **out, struct error *err)
{
    SCOPE(tmp);
    json_t *o = json_own(tmp, json_object());
    json_set_int(o, "flotilla_plan", PLAN_VERSION);
    json_set_text(o, "id", plan->id);
    json_set_text(o, "author", plan->author);
    json_set_text(o, "fleet", plan->fleet);
    json_set_text(o, "environment", plan->environment);
    /* As text: a change may hold fractions, which canonical JSON does not take. */
    json_set_text(o, "change", digest_text(tmp, plan->change));
    json_object_set_new(o, "findings", findings_json(plan));
    if (plan->discharged_count)
        json_object_set_new(o, "discharged", discharged_json(plan));
    json_t *parts = json_array();
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < plan->phases[p].count; i++)
            json_array_append_new(parts, digested_part(plan->phases[p].parts[i]));
    json_object_set_new(o, "parts", parts);
    return digest_json(ctx, o, out, err);
}
