#include "controller/rollout/follow.h"

#include <stdlib.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/session/session.h"

enum {
    BACKOFF_FIRST_MS = 250,
    BACKOFF_MOST_MS = 5000,
    RUNNER_DEATHS_MOST = 20, /* a runner that dies this often without one event is sick */
    ROOM_MS = 200,
};

json_t *follow_args(const struct follow *follow, const struct job *job)
{
    json_t *approvals = json_array();
    for (size_t i = 0; i < job->approval_count; i++)
        json_array_append_new(approvals, approval_to_json(&job->approvals[i]));
    json_t *args = json_object();
    json_set_text(args, "database", follow->instance->agent_database);
    json_set_int(args, "lock_budget_ms", follow->policy->lock_budget_ms);
    json_set_text(args, "rollout", job->rollout);
    json_set_int(args, "fence", job->token);
    json_set_int(args, "attempt", job->attempt);
    json_set_text(args, "direction", job->back ? "back" : "forward");
    json_object_set_new(args, "part", part_to_json(job->part, true));
    json_object_set_new(args, "approvals", approvals);
    json_object_set_new(args, "acks", job->acks ? json_deep_copy(job->acks) : json_array());
    json_object_set_new(args, "seen", job->seen ? json_deep_copy(job->seen) : json_object());
    return args;
}

/* --- what goes to the engine --------------------------------------------------------------- */

static void tell(struct follow *f, enum report_kind kind, json_t *body, const struct error *err)
{
    struct report *m = report_new(kind, f->task, f->attempt, body);
    if (err)
        m->err = *err;
    mailbox_send(f->mailbox, m);
}

struct listening {
    struct follow *follow;
    bool reached; /* the agent found or started the run */
    bool heard;   /* an event came: the run does something */
};

static bool on_event(void *self, const json_t *event)
{
    struct listening *l = self;
    int64_t seq = json_int_of(event, "seq");
    while (!mailbox_room(l->follow->mailbox, ROOM_MS) && !l->follow->is_ending(l->follow->self))
        ;
    if (seq > l->follow->after) {
        l->follow->after = seq;
        l->heard = true;
        tell(l->follow, REPORT_EVENT, json_deep_copy(event), NULL);
    }
    return !l->follow->is_ending(l->follow->self);
}

/* --- one conversation ---------------------------------------------------------------------- */

enum outcome { OUTCOME_ENDED, OUTCOME_AGAIN, OUTCOME_LOST, OUTCOME_FAILED };

/* Asking again may help with these; everything else stays as it is until a person acts. */
static bool is_passing(const struct error *err)
{
    return err->code == ERROR_CONNECT || err->code == ERROR_TIMEOUT || err->code == ERROR_IO ||
           err->code == ERROR_BUSY || err->code == ERROR_CANCELLED;
}

static enum outcome outcome_of(const struct session *session, const struct error *err)
{
    if (!session_usable(session))
        return OUTCOME_LOST;
    return is_passing(err) ? OUTCOME_LOST : OUTCOME_FAILED;
}

static enum outcome attach(struct session *session, const void *ctx, const char *run,
                           struct listening *listening, struct error *err)
{
    json_t *args = json_own(ctx, json_object());
    json_t *result = NULL;
    json_set_text(args, "run", run);
    json_set_int(args, "after", listening->follow->after);
    struct call call = {
        .op = OP_ATTACH,
        .args = args,
        .on_event = on_event,
        .self = listening,
    };
    if (!session_call(session, ctx, &call, &result, err)) {
        /* The agent answers, but its runner was killed: ask for another one. */
        bool dead = session_usable(session) && err->code == ERROR_CONNECT;
        return dead ? OUTCOME_AGAIN : outcome_of(session, err);
    }
    const char *state = json_text_of(result, "state");
    bool ended = text_eq(state, "done") || text_eq(state, "undone") || text_eq(state, "stopped") ||
                 text_eq(state, "failed");
    if (ended)
        tell(listening->follow, REPORT_ENDED, json_deep_copy(result), NULL);
    return ended ? OUTCOME_ENDED : OUTCOME_AGAIN;
}

static enum outcome converse(struct session *session, const void *ctx, struct listening *listening,
                             struct error *err)
{
    json_t *result = NULL;
    struct call call = { .op = OP_RUN, .args = listening->follow->args };
    if (!session_call(session, ctx, &call, &result, err))
        return outcome_of(session, err);
    const char *run = json_text_of(result, "run");
    if (!run) {
        fail(err, ERROR_PROTOCOL, "%s: the agent did not name its run",
             listening->follow->instance->name);
        return OUTCOME_FAILED;
    }
    listening->reached = true;
    listening->follow->on_run(listening->follow->self, listening->follow->task, run);
    tell(listening->follow, REPORT_FOUND, NULL, NULL);
    return attach(session, ctx, run, listening, err);
}

/* --- until it has ended -------------------------------------------------------------------- */

struct patience {
    int64_t backoff_ms, lost_since;
    int deaths;
};

/* Jitter, so that a fleet does not come back in one moment. */
static void back_off(struct follow *f, struct patience *p)
{
    int64_t until = clock_mono_ms() + p->backoff_ms / 2 + rand() % (p->backoff_ms / 2 + 1);
    while (clock_mono_ms() < until && !f->is_ending(f->self))
        clock_sleep_ms(20);
    p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : p->backoff_ms * 2;
}

/* False with the reason in err when it is time to give up. */
static bool bear(struct follow *f, struct patience *p, enum outcome outcome, struct error *err)
{
    SCOPE(tmp);
    if (outcome == OUTCOME_AGAIN) {
        if (++p->deaths < RUNNER_DEATHS_MOST)
            return true;
        fail(err, ERROR_INTERNAL, "%s: its runner keeps dying", f->instance->name);
        return fail_hint(err, "`flotilla agent logs` shows what it wrote on the host");
    }
    if (p->lost_since == 0)
        p->lost_since = clock_mono_ms();
    if (clock_mono_ms() - p->lost_since < f->patience_ms)
        return true;
    return fail_in(err, "given up after %s", text_duration(tmp, f->patience_ms));
}

static enum outcome try_once(struct follow *f, struct patience *p, struct error *err)
{
    SCOPE(tmp);
    struct listening listening = { .follow = f };
    struct session *session = NULL;
    if (!session_open(tmp, f->instance, NULL, &session, err))
        return is_passing(err) ? OUTCOME_LOST : OUTCOME_FAILED;
    enum outcome outcome = converse(session, tmp, &listening, err);
    session_close(session);
    /* A host that answers is not lost, however silent its work is; a runner that says something is
     * not sick. */
    if (listening.reached) {
        p->lost_since = 0;
        p->backoff_ms = BACKOFF_FIRST_MS;
    }
    if (listening.heard)
        p->deaths = 0;
    return outcome;
}

void follow_run(struct follow *f)
{
    struct patience p = { .backoff_ms = BACKOFF_FIRST_MS };
    struct error err;
    while (!f->is_ending(f->self)) {
        enum outcome outcome = try_once(f, &p, &err);
        if (outcome == OUTCOME_ENDED)
            return;
        if (outcome == OUTCOME_LOST)
            tell(f, REPORT_LOST, NULL, &err);
        if (outcome == OUTCOME_FAILED || !bear(f, &p, outcome, &err)) {
            tell(f, REPORT_FAILED, NULL, &err);
            return;
        }
        back_off(f, &p);
    }
}

void follow_control(const struct instance *instance, const struct order *order)
{
    SCOPE(tmp);
    struct error ignored;
    struct session *session = NULL;
    json_t *result = NULL;
    json_t *args = json_own(tmp, json_object());
    json_set_text(args, "run", order->run);
    json_set_text(args, "action", order->action);
    json_set_int(args, "fence", order->token);
    struct call call = { .op = OP_CONTROL, .args = args };
    if (session_open(tmp, instance, NULL, &session, &ignored) &&
        !session_call(session, tmp, &call, &result, &ignored))
        result = NULL;
    session_close(session);
}
