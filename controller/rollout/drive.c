#include "controller/rollout/drive.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "controller/rollout/schedule.h"

int64_t drive_wall(const struct drive *d)
{
    return d->engine->world->wall_ms(d->engine->world);
}

int64_t drive_mono(const struct drive *d)
{
    return d->engine->world->mono_ms(d->engine->world);
}

void drive_event(struct drive *d, const char *event, const struct task *task, json_t *fields)
{
    SCOPE(tmp);
    json_t *o = fields ? fields : json_object();
    json_set_text(o, "event", event);
    json_set_text(o, "rollout", d->rollout->id);
    json_set_int(o, "time_ms", drive_wall(d));
    json_set_text(o, "time", clock_rfc3339(tmp, drive_wall(d)));
    if (task) {
        json_set_text(o, "phase", phase_name(task->phase));
        json_set_text(o, "service", task->service);
        json_set_text(o, "instance", task->instance);
    }
    json_array_append_new(d->events, o);
    d->changed = true;
}

bool drive_save(struct drive *d, struct error *err)
{
    if (!d->changed)
        return true;
    SCOPE(tmp);
    size_t count = json_array_size(d->events);
    json_t **events = mem_array(tmp, json_t *, count);
    for (size_t i = 0; i < count; i++)
        events[i] = json_array_get(d->events, i);
    struct store_rollout row = {
        .id = d->rollout->id,
        .status = rollout_status_name(d->rollout->status),
        .active = rollout_holds(d->rollout->status),
        .doc = json_own(tmp, rollout_to_json(d->rollout)),
    };
    if (!store_save(d->engine->store, &row, d->token, events, count, err))
        return false;
    for (size_t i = 0; d->engine->on_event && i < count; i++)
        d->engine->on_event(d->engine->self, events[i]);
    json_array_clear(d->events);
    d->changed = false;
    return true;
}

static void announce(struct drive *d, enum rollout_event event)
{
    static const char *const names[ROLLOUT_EVENT_COUNT] = {
        [ON_GATE_CLOSED] = "gate_waiting",
        [ON_TASK_FAILED] = "rollout_failed",
        [ON_ALL_DONE] = "rollout_done",
        [ON_ALL_UNDONE] = "rolled_back",
        [ON_PART_WAY_BACK] = "rolled_back",
        [ON_RESUME] = "resumed",
        [ON_PROMOTE] = "promoted",
        [ON_PAUSE] = "paused",
        [ON_RETRY] = "retried",
        [ON_ABORT] = "aborting",
        [ON_ROLLBACK] = "rollback_started",
        [ON_GIVE_UP] = "given_up",
    };
    if (!names[event])
        return;
    json_t *fields = json_object();
    json_set_text(fields, "status", rollout_status_name(d->rollout->status));
    json_set_text(fields, "gate", d->rollout->gate);
    json_set_text(fields, "hint", d->rollout->gate_hint);
    drive_event(d, names[event], NULL, fields);
}

bool drive_transition(struct drive *d, enum rollout_event event, const char **refusal)
{
    struct rollout *r = d->rollout;
    struct transition t = rollout_next(r->status, event);
    *refusal = t.refusal;
    if (t.refusal)
        return false;
    bool ends = t.next == ROLLOUT_ABORTED && r->status != ROLLOUT_ABORTED;
    if (t.next != ROLLOUT_GATE) {
        rollout_text(r, &r->gate, NULL);
        rollout_text(r, &r->gate_hint, NULL);
    }
    /* What was asked for and changes nothing is no news. */
    bool news = event < ON_RESUME || t.effects || t.next != r->status;
    r->status = t.next;
    schedule_apply(r, t.effects);
    d->effects |= t.effects;
    d->changed = true;
    if (news)
        announce(d, event);
    if (ends)
        drive_event(d, "aborted", NULL, NULL);
    return true;
}

void drive_observe(struct drive *d, enum rollout_event event)
{
    const char *refusal = NULL;
    if (!drive_transition(d, event, &refusal))
        drive_event(d, "ignored", NULL, json_pack("{s:s}", "what", rollout_event_name(event)));
}
