#include "controller/rollout/engine.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/drive.h"
#include "controller/rollout/schedule.h"

enum {
    LEASE_MS = 6000,       /* a driver that is silent this long has lost its rollout */
    LEASE_RENEW_MS = 1500, /* four tries before it is lost */
    TICK_MS = 200,         /* how soon an ask of another process is seen: promised is 1 s */
    ASK_AGAIN_MS = 2000,   /* pause and stop are repeated to runners that did not hear */
};

static int64_t wall(const struct drive *d)
{
    return d->engine->world->wall_ms(d->engine->world);
}

static int64_t mono(const struct drive *d)
{
    return d->engine->world->mono_ms(d->engine->world);
}

/* --- events and saving --------------------------------------------------------------------- */

void drive_event(struct drive *d, const char *event, const struct task *task, json_t *fields)
{
    SCOPE(tmp);
    json_t *o = fields ? fields : json_object();
    json_set_text(o, "event", event);
    json_set_text(o, "rollout", d->rollout->id);
    json_set_int(o, "time_ms", wall(d));
    json_set_text(o, "time", clock_rfc3339(tmp, wall(d)));
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

/* --- transitions --------------------------------------------------------------------------- */

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

/* For events that the engine itself observes: the table accepts them wherever they can happen. */
static void observe(struct drive *d, enum rollout_event event)
{
    const char *refusal = NULL;
    if (!drive_transition(d, event, &refusal))
        drive_event(d, "ignored", NULL, json_pack("{s:s}", "what", rollout_event_name(event)));
}

/* --- what is next -------------------------------------------------------------------------- */

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
                                  wall(d) };
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
        observe(d, ON_GATE_CLOSED);
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
    observe(d, ON_TASK_FAILED);
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
    observe(d, ON_PART_WAY_BACK);
}

/* A runner stops within seconds; an agent that goes on answering without stopping it (a frozen
 * host, a lying one) must not keep people from the next command. Its fence holds whatever it does.
 */
static void bound_stop(struct drive *d, bool stopping)
{
    int64_t patience = d->engine->patience_ms;
    int64_t now = mono(d);
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

static bool advance(struct drive *d, struct error *err)
{
    SCOPE(tmp);
    struct rollout *r = d->rollout;
    bool stopping = r->status == ROLLOUT_ABORTING || r->status == ROLLOUT_TURNING;
    bound_stop(d, stopping);
    if (stopping && schedule_quiet(r))
        observe(d, ON_QUIET);
    if (r->status != ROLLOUT_RUNNING)
        return true;
    struct schedule s = schedule_next(tmp, r);
    switch (s.need) {
    case NEED_DISPATCH: plan_dispatch(d, &s); return true;
    case NEED_GATE: return at_gate(d, s.phase, err);
    case NEED_FAIL: after_failure(d); return true;
    case NEED_END:
        phase_done(d);
        observe(d, r->back ? ON_ALL_UNDONE : ON_ALL_DONE);
        return true;
    case NEED_PART_WAY: part_way_back(d); return true;
    case NEED_NOTHING: break;
    }
    return true;
}

/* --- effects ------------------------------------------------------------------------------- */

static bool acks_of(const void *ctx, struct drive *d, json_t **out, struct error *err)
{
    struct store_word *words = NULL;
    size_t count = 0;
    if (!store_words(ctx, d->engine->store, STORE_ACKS, d->rollout->plan->id, &words, &count, err))
        return false;
    json_t *list = json_own(ctx, json_array());
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "service", words[i].service, "note", words[i].text));
    *out = list;
    return true;
}

/* Steps of that database, by phase, whose end was reported: its journal knows of each of them. */
static json_t *seen_of(const void *ctx, const struct rollout *r, const struct task *task)
{
    json_t *seen = json_own(ctx, json_object());
    for (size_t i = 0; i < r->task_count; i++) {
        const struct task *t = &r->tasks[i];
        bool same = text_eq(t->service, task->service) && text_eq(t->instance, task->instance);
        size_t steps = t->status == TASK_DONE ? t->part->step_count : t->steps_done;
        if (same && steps > 0 && t->status != TASK_UNDONE)
            json_set_int(seen, phase_name(t->phase), (int64_t)steps);
    }
    return seen;
}

static bool make_job(const void *ctx, struct drive *d, size_t index, struct job *job,
                     struct error *err)
{
    const struct task *task = &d->rollout->tasks[index];
    struct gate_source source = { d->engine->fleet, d->engine->store, d->engine->plan_path,
                                  wall(d) };
    json_t *acks = NULL;
    struct approval *approvals = NULL;
    *job = (struct job){
        .task = index,
        .service = task->service,
        .instance = task->instance,
        .rollout = d->rollout->id,
        .part = task->part,
        .token = d->token,
        .attempt = task->attempt,
        .back = d->rollout->back,
        .after = task->seq,
    };
    if (!gate_approvals(ctx, &source, job->part, &approvals, &job->approval_count, err) ||
        !acks_of(ctx, d, &acks, err))
        return false;
    job->approvals = approvals;
    job->acks = acks;
    job->seen = seen_of(ctx, d->rollout, task);
    return true;
}

static bool dispatch_planned(struct drive *d, struct error *err)
{
    for (size_t i = 0; i < d->dispatch_count; i++) {
        SCOPE(tmp);
        struct job job;
        if (!make_job(tmp, d, d->dispatch[i], &job, err) ||
            !d->engine->world->dispatch(d->engine->world, &job, err))
            return false;
    }
    d->dispatch_count = 0;
    return true;
}

static void ask_runners(struct drive *d, const char *action)
{
    for (size_t i = 0; i < d->rollout->task_count; i++) {
        const struct task *task = &d->rollout->tasks[i];
        struct job job = {
            .task = i,
            .service = task->service,
            .instance = task->instance,
            .rollout = d->rollout->id,
            .part = task->part,
            .token = d->token,
            .attempt = task->attempt,
            .back = d->rollout->back,
        };
        if (task->status == TASK_RUNNING)
            d->engine->world->control(d->engine->world, &job, action);
    }
    d->asked_at = mono(d);
}

static void carry_out_effects(struct drive *d)
{
    if (d->effects & EFFECT_PAUSE)
        ask_runners(d, "pause");
    if (d->effects & EFFECT_CONTINUE)
        ask_runners(d, "resume");
    if (d->effects & EFFECT_STOP)
        ask_runners(d, "cancel");
    d->effects = 0;
    enum rollout_status status = d->rollout->status;
    if (mono(d) - d->asked_at < ASK_AGAIN_MS)
        return;
    if (status == ROLLOUT_PAUSED)
        ask_runners(d, "pause");
    if (status == ROLLOUT_ABORTING || status == ROLLOUT_TURNING)
        ask_runners(d, "cancel");
}

/* --- the loop ------------------------------------------------------------------------------ */

static bool take_lease(struct drive *d, struct error *err)
{
    SCOPE(tmp);
    struct store *store = d->engine->store;
    const char *id = d->rollout->id;
    struct store_lease lease = { .rollout = id, .holder = d->engine->holder, .token = d->token };
    if (!store_lease_take(tmp, store, &lease, wall(d), LEASE_MS, err))
        return false;
    if (lease.token == 0 && lease_holder_is_dead(lease.other)) {
        if (!store_lease_break(store, id, lease.other, err) ||
            !store_lease_take(tmp, store, &lease, wall(d), LEASE_MS, err))
            return false;
    }
    if (lease.token == 0 && d->token)
        return fail(err, ERROR_FENCED, "rollout %s: process %s took over", id, lease.other);
    if (lease.token == 0) {
        fail(err, ERROR_BUSY, "rollout %s is driven by process %s", id, lease.other);
        return fail_hint(err, "`flotilla watch %s` follows it", id);
    }
    if (d->token && lease.token != d->token)
        return fail(err, ERROR_FENCED, "rollout %s: the lease was lost", id);
    d->token = lease.token;
    d->rollout->token = lease.token;
    d->lease_at = mono(d);
    return true;
}

/* After a restart: what was running is asked for again; agents continue or say how it ended. */
static void continue_running(struct drive *d)
{
    for (size_t i = 0; i < d->rollout->task_count; i++)
        if (d->rollout->tasks[i].status == TASK_RUNNING) {
            d->dispatch = mem_room(d->ctx, d->dispatch, size_t, d->dispatch_count + 1);
            d->dispatch[d->dispatch_count++] = i;
        }
}

static bool has_ended(const struct drive *d)
{
    switch (d->rollout->status) {
    case ROLLOUT_GATE:
    case ROLLOUT_ABORTED:
    case ROLLOUT_FAILED:
    case ROLLOUT_DONE:
    case ROLLOUT_ROLLED_BACK:
    case ROLLOUT_GIVEN_UP: return true;
    case ROLLOUT_PAUSED: return d->engine->leave_when_quiet;
    default: return false;
    }
}

static void take_reports(struct drive *d)
{
    SCOPE(tmp);
    struct world *world = d->engine->world;
    struct report *m = world->receive(world, tmp, TICK_MS);
    /* Bounded, so that a flood of progress cannot keep asks and the lease waiting. */
    for (int i = 0; m && i < 256; i++) {
        drive_report(d, m);
        m = world->receive(world, tmp, 0);
    }
    if (m)
        drive_report(d, m);
}

static bool turn(struct drive *d, struct error *err)
{
    if (mono(d) - d->lease_at > LEASE_RENEW_MS && !take_lease(d, err))
        return false;
    if (!drive_controls(d, err) || !advance(d, err) || !drive_save(d, err) ||
        !dispatch_planned(d, err))
        return false;
    carry_out_effects(d);
    return true;
}

static bool drive_on(struct drive *d, struct error *err)
{
    if (!take_lease(d, err))
        return false;
    continue_running(d);
    for (;;) {
        if (!turn(d, err))
            return false;
        if (has_ended(d) && !d->changed)
            return true;
        if (d->engine->interrupted && *d->engine->interrupted)
            return fail(err, ERROR_CANCELLED, "interrupted; what was started goes on on the hosts");
        take_reports(d);
    }
}

bool engine_run(struct engine *engine, struct error *err)
{
    SCOPE(tmp);
    struct drive d = { .engine = engine, .rollout = engine->rollout, .ctx = tmp };
    d.events = json_own(tmp, json_array());
    bool ok = drive_on(&d, err);
    struct error ignored;
    if (d.token && !store_lease_release(engine->store, engine->rollout->id, d.token, &ignored))
        d.token = 0; /* it runs out by itself */
    return ok;
}
