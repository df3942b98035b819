/* What people ask of a rollout while it is driven: verbs become transitions, or are refused. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/drive.h"

static const struct {
    const char *verb;
    enum rollout_event event;
} verbs[] = {
    { "resume", ON_RESUME },   { "promote", ON_PROMOTE }, { "pause", ON_PAUSE },
    { "retry", ON_RETRY },     { "abort", ON_ABORT },     { "rollback", ON_ROLLBACK },
    { "give up", ON_GIVE_UP },
};

static void take_argument(struct rollout *r, const struct store_control *control,
                          enum rollout_event event)
{
    enum phase phase;
    bool has_phase = phase_from_name(control->argument, &phase);
    if (event == ON_ROLLBACK)
        r->back_to = has_phase ? (int)phase : -1;
    if (event == ON_RESUME || event == ON_PROMOTE)
        r->until = has_phase ? (int)phase : PHASE_COUNT - 1;
}

/* Null when a rollback may be tried. */
static const char *no_way_back(struct drive *d)
{
    struct error busy;
    if (d->rollout->back_to == PHASE_COUNT - 1)
        return "nothing comes after contract; `--to expand` undoes migrate and contract";
    if (rollout_holds(d->rollout->status) ||
        engine_apart(d->engine->store, d->rollout->plan, d->rollout->id, &busy))
        return NULL;
    return mem_text(d->ctx, busy.message);
}

static const char *control_take(struct drive *d, const struct store_control *control)
{
    const char *refusal = "there is no such verb";
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!text_eq(verbs[i].verb, control->verb))
            continue;
        int back_to = d->rollout->back_to;
        int until = d->rollout->until;
        take_argument(d->rollout, control, verbs[i].event);
        size_t before = json_array_size(d->events);
        const char *blocked = verbs[i].event == ON_ROLLBACK ? no_way_back(d) : NULL;
        if (blocked)
            refusal = blocked;
        else if (drive_transition(d, verbs[i].event, &refusal)) {
            if (json_array_size(d->events) > before)
                json_set_text(json_array_get(d->events, before), "by", control->who);
            return "";
        }
        d->rollout->back_to = back_to;
        d->rollout->until = until;
    }
    return refusal;
}

bool drive_controls(struct drive *d, struct error *err)
{
    SCOPE(tmp);
    struct store_control *controls = NULL;
    size_t count = 0;
    if (!store_controls(tmp, d->engine->store, d->rollout->id, &controls, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *answer = control_take(d, &controls[i]);
        /* Saved before it is answered: an ask that was acknowledged is never forgotten. */
        if (!drive_save(d, err) ||
            !store_control_answer(d->engine->store, controls[i].id, answer, err))
            return false;
    }
    return true;
}
