/* What a rollout does next: the schedule says what it needs, and this brings it about. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "controller/rollout/drive.h"
#include "controller/rollout/schedule.h"

static void phase_done(struct drive *d)
{
    const struct rollout *r = d->rollout;
    if (r->phase_open && !r->back)
        drive_event(d, "phase_done", NULL, json_pack("{s:s}", "phase", phase_name(r->phase)));
}

static bool at_gate(struct drive *d, enum phase phase, struct error *err)
{
    SCOPE(tmp);
    struct rollout *r = d->rollout;
    struct gate_facts facts;
    const char *why = NULL;
    const char *hint = NULL;
    struct gate_source source = { d->engine->fleet, d->engine->store, d->engine->plan_path,
                                  drive_wall(d) };
    if (r->phase != phase)
        phase_done(d);
    r->phase = phase;
    r->phase_open = false;
    d->changed = true;
    if (!gate_look(tmp, &source, r, phase, &facts, err))
        return false;
    if (!gate_open(tmp, r, phase, &facts, &why, &hint)) {
        /* A promote that could not open it is not kept for the day when it could. */
        if (r->promoted >= (int)phase)
            r->promoted = (int)phase - 1;
        rollout_text(r, &r->gate, why);
        rollout_text(r, &r->gate_hint, hint);
        drive_observe(d, ON_GATE_CLOSED);
        return true;
    }
    r->phase_open = true;
    drive_event(d, "gate_opened", NULL, json_pack("{s:s}", "phase", phase_name(phase)));
    drive_event(d, "phase_started", NULL, json_pack("{s:s}", "phase", phase_name(phase)));
    return true;
}

static void plan_dispatch(struct drive *d, const struct schedule *s)
{
    d->rollout->phase = s->phase;
    for (size_t i = 0; i < s->task_count; i++) {
        struct task *task = &d->rollout->tasks[s->tasks[i]];
        task->status = TASK_RUNNING;
        task->started = true;
        d->dispatch = mem_room(d->ctx, d->dispatch, size_t, d->dispatch_count + 1);
        d->dispatch[d->dispatch_count++] = s->tasks[i];
        drive_event(d, d->rollout->back ? "part_undo_started" : "part_started", task, NULL);
    }
}

static void after_failure(struct drive *d)
{
    const char *refusal = NULL;
    drive_observe(d, ON_TASK_FAILED);
    bool back = d->rollout->back;
    if (back || d->engine->fleet->policy.on_failure != ON_FAILURE_COMPENSATE)
        return;
    d->rollout->back_to = -1;
    if (!drive_transition(d, ON_ROLLBACK, &refusal))
        drive_event(d, "ignored", NULL, json_pack("{s:s}", "what", refusal));
}

static void part_way_back(struct drive *d)
{
    SCOPE(tmp);
    struct rollout *r = d->rollout;
    const char *last = phase_name((enum phase)r->back_to);
    rollout_text(r, &r->gate, mem_printf(tmp, "undone as asked: what comes after %s", last));
    rollout_text(r, &r->gate_hint,
                 "`flotilla resume` goes forward again, `flotilla rollback` undoes the rest");
    drive_observe(d, ON_PART_WAY_BACK);
}

/* A runner stops within seconds; an agent that goes on answering without stopping it (a frozen
 * host, a lying one) must not keep people from the next command. Its fence holds whatever it does.
 */
static void bound_stop(struct drive *d, bool stopping)
{
    int64_t patience = d->engine->patience_ms;
    int64_t now = drive_mono(d);
    struct error why;
    if (!stopping || d->stopping_at == 0)
        d->stopping_at = stopping ? now : 0;
    if (!stopping || patience == 0 || now - d->stopping_at < patience)
        return;
    if (!fail(&why, ERROR_TIMEOUT, "its runner was asked to stop for %lld s and has not",
              (long long)patience / 1000) &&
        !fail_hint(&why, "look at that host: `flotilla doctor`, `flotilla agent logs`"))
        drive_fail_running(d, &why);
}

bool drive_advance(struct drive *d, struct error *err)
{
    SCOPE(tmp);
    struct rollout *r = d->rollout;
    bool stopping = r->status == ROLLOUT_ABORTING || r->status == ROLLOUT_TURNING;
    bound_stop(d, stopping);
    if (stopping && schedule_quiet(r))
        drive_observe(d, ON_QUIET);
    if (r->status != ROLLOUT_RUNNING)
        return true;
    struct schedule s = schedule_next(tmp, r);
    switch (s.need) {
    case NEED_DISPATCH: plan_dispatch(d, &s); return true;
    case NEED_GATE: return at_gate(d, s.phase, err);
    case NEED_FAIL: after_failure(d); return true;
    case NEED_END:
        phase_done(d);
        drive_observe(d, r->back ? ON_ALL_UNDONE : ON_ALL_DONE);
        return true;
    case NEED_PART_WAY: part_way_back(d); return true;
    case NEED_NOTHING: break;
    }
    return true;
}
