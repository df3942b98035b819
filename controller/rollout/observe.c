#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/drive.h"

enum {
    OFTEN_MS = 200,          /* runners tell progress every 250 ms */
    EVENT_BYTES = 64 * 1024, /* of one event */
    LEFT_BYTES = 8 * 1024,   /* of what a way back left, of one part */
    TOLD_MOST = 1000,        /* other events of a run: pauses, restarts of the server ... */
    TOLD_A_STEP = 50,        /* ... and what each step may tell, with retries */
};

/* What a runner's event changes about its task; everything else is only written down. */

static void on_step_started(struct rollout *r, struct task *task, const json_t *body)
{
    rollout_text(r, &task->step, json_text_of(body, "step"));
    rollout_text(r, &task->waiting, NULL);
    task->done = task->total = task->rate = task->eta_ms = task->percent = 0;
}

static const char *blocker_text(const void *ctx, const json_t *blocker)
{
    const char *application = json_text_of(blocker, "application");
    return mem_printf(ctx, "pid %lld %s", (long long)json_int_of(blocker, "pid"),
                      text_empty(application) ? json_text_of(blocker, "user") : application);
}

static void on_lock_waiting(struct rollout *r, struct task *task, const json_t *body)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_LINE);
    const json_t *blockers = json_object_get(body, "blockers");
    text_add(&t, "waits for a lock");
    for (size_t i = 0; i < json_array_size(blockers); i++)
        text_addf(&t, "%s %s", i ? "," : ", blocked by",
                  blocker_text(tmp, json_array_get(blockers, i)));
    rollout_text(r, &task->waiting, t.data);
}

/* An agent may say no percent, or nonsense. */
static int64_t share_of(const json_t *body)
{
    int64_t done = json_int_of(body, "done"), total = json_int_of(body, "total");
    int64_t percent = json_int_of(body, "percent");
    if (!json_object_get(body, "percent"))
        percent = total > 0 && done < total ? done * 100 / total : 100;
    return percent < 0 ? 0 : percent > 100 ? 100 : percent;
}

static void on_progress(struct rollout *r, struct task *task, const json_t *body)
{
    task->done = json_int_of(body, "done");
    task->total = json_int_of(body, "total");
    task->rate = json_int_of(body, "rate");
    task->percent = share_of(body);
    task->eta_ms = json_int_of(body, "eta_seconds") * 1000;
    rollout_text(r, &task->waiting, NULL);
}

static void on_throttled(struct rollout *r, struct task *task, const json_t *body)
{
    SCOPE(tmp);
    const char *reason = json_text_of(body, "reason");
    rollout_text(r, &task->waiting, mem_printf(tmp, "throttled: %s", reason ? reason : "load"));
}

static void on_step_done(struct rollout *r, struct task *task, const json_t *body)
{
    const json_t *measured = json_object_get(body, "measured");
    task->steps_done++;
    task->rows += json_int_of(measured, "rows");
    rollout_text(r, &task->waiting, NULL);
}

/* What stays other than it was stands in the rollout until somebody goes forward again. */
static void remember_left(struct rollout *r, struct task *task, const json_t *body)
{
    SCOPE(tmp);
    const json_t *left = json_object_get(json_object_get(body, "measured"), "left");
    struct text t = text_init(tmp, LEFT_BYTES);
    text_add(&t, task->left ? task->left : "");
    for (size_t i = 0; i < json_array_size(left); i++) {
        const char *line = json_string_value(json_array_get(left, i));
        if (line && !strstr(t.data, line))
            text_addf(&t, "%s%s", t.len ? "\n" : "", line);
    }
    rollout_text(r, &task->left, t.len ? t.data : NULL);
}

static void on_step_undone(struct rollout *r, struct task *task, const json_t *body)
{
    remember_left(r, task, body);
    task->steps_done -= task->steps_done > 0;
    rollout_text(r, &task->waiting, NULL);
}

static const struct {
    const char *event;
    void (*function)(struct rollout *r, struct task *task, const json_t *body);
} observers[] = {
    { "step_started", on_step_started }, { "lock_waiting", on_lock_waiting },
    { "progress", on_progress },         { "throttled", on_throttled },
    { "step_done", on_step_done },       { "step_undone", on_step_undone },
};

static void task_failed(struct drive *d, struct task *task, const struct error *why)
{
    struct rollout *r = d->rollout;
    task->status = TASK_FAILED;
    rollout_text(r, &task->error, why->message);
    rollout_text(r, &task->error_code, error_code_name(why->code));
    rollout_text(r, &task->hint, why->hint[0] ? why->hint : NULL);
    json_t *error = json_object();
    json_set_text(error, "code", error_code_name(why->code));
    json_set_text(error, "message", why->message);
    json_set_text(error, "sqlstate", why->sqlstate[0] ? why->sqlstate : NULL);
    json_set_text(error, "detail", why->detail[0] ? why->detail : NULL);
    json_set_text(error, "hint", why->hint[0] ? why->hint : NULL);
    json_t *fields = json_object();
    json_set_text(fields, "step", task->step);
    json_object_set_new(fields, "error", error);
    drive_event(d, "part_failed", task, fields);
}

/* The host says what no agent of ours would: its part is not followed any further. */
static void mistrust(struct drive *d, struct task *task, const char *what)
{
    struct error why;
    if (!fail(&why, ERROR_PROTOCOL, "the agent of %s %s", task->instance, what) &&
        !fail_hint(&why, "look at that host: `flotilla doctor`, `flotilla agent version`"))
        task_failed(d, task, &why);
}

/* --- what a host may tell ------------------------------------------------------------------ */

enum verdict { TAKE, SKIP, FLOOD };

/* A host that is not what it should be cannot write "approved" into the record, nor fill the disk
 * with it: some events are taken so often, the others as many as a run of so many steps can have.
 */
static enum verdict verdict_on(struct drive *d, struct task *task, const char *event,
                               const json_t *body)
{
    static const char *const often[] = { "progress", "lock_waiting", "throttled" };
    static const char *const counted[] = { "step_started", "step_undoing", "step_done",
                                           "step_undone",  "step_failed",  "drift",
                                           "paused",       "resumed",      "database_lost" };
    int64_t now = d->engine->world->mono_ms(d->engine->world);
    if (json_dumpb(body, NULL, 0, 0) > EVENT_BYTES)
        return SKIP;
    for (size_t i = 0; i < sizeof(often) / sizeof(often[0]); i++)
        if (text_eq(event, often[i])) {
            bool due = task->often_ms[i] == 0 || now - task->often_ms[i] >= OFTEN_MS;
            task->often_ms[i] = due ? now : task->often_ms[i];
            return due ? TAKE : SKIP;
        }
    for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
        if (text_eq(event, counted[i]))
            return task->told++ < TOLD_MOST + TOLD_A_STEP * task->part->step_count ? TAKE : FLOOD;
    return SKIP;
}

static void on_event(struct drive *d, struct task *task, const json_t *body)
{
    const char *event = json_text_of(body, "event");
    int64_t seq = json_int_of(body, "seq");
    if (!event || seq <= task->seq) /* a host may repeat or lie: what was taken stays taken */
        return;
    task->seq = seq;
    enum verdict verdict = verdict_on(d, task, event, body);
    if (verdict == FLOOD)
        mistrust(d, task, "tells more than a run can have to tell");
    if (verdict != TAKE)
        return;
    for (size_t i = 0; i < sizeof(observers) / sizeof(observers[0]); i++)
        if (text_eq(event, observers[i].event))
            observers[i].function(d->rollout, task, body);
    json_t *copy = json_copy((json_t *)(uintptr_t)body);
    json_set_int(copy, "run_seq", seq);
    json_object_del(copy, "run");
    drive_event(d, event, task, copy);
}

void drive_fail_running(struct drive *d, const struct error *why)
{
    for (size_t i = 0; i < d->rollout->task_count; i++)
        if (d->rollout->tasks[i].status == TASK_RUNNING)
            task_failed(d, &d->rollout->tasks[i], why);
}

static struct error error_of(const json_t *json)
{
    struct error err;
    const char *message = json_text_of(json, "message");
    const char *sqlstate = json_text_of(json, "sqlstate");
    const char *detail = json_text_of(json, "detail");
    const char *hint = json_text_of(json, "hint");
    bool failed = fail(&err, error_code_from_name(json_text_of(json, "code")), "%s",
                       message ? message : "the agent did not say why");
    if (!failed && hint)
        failed = fail_hint(&err, "%s", hint);
    if (!failed && detail)
        failed = fail_detail(&err, "%s", detail);
    if (sqlstate)
        for (int i = 0; i < 5 && sqlstate[i]; i++)
            err.sqlstate[i] = sqlstate[i];
    return err;
}

static void on_ended(struct drive *d, struct task *task, const json_t *body)
{
    const char *state = json_text_of(body, "state");
    rollout_text(d->rollout, &task->waiting, NULL);
    bool asked = d->rollout->status != ROLLOUT_RUNNING && d->rollout->status != ROLLOUT_PAUSED;
    if (text_eq(state, "done") && !d->rollout->back) {
        task->status = TASK_DONE;
        drive_event(d, "part_done", task, NULL);
    } else if (text_eq(state, "undone") && d->rollout->back) {
        task->status = TASK_UNDONE;
        task->started = false;
        task->steps_done = 0;
        drive_event(d, "part_undone", task, NULL);
    } else if (text_eq(state, "stopped") && asked) {
        task->status = TASK_STOPPED;
        drive_event(d, "part_stopped", task, NULL);
    } else {
        struct error why = error_of(json_object_get(body, "error"));
        const char *step = json_text_of(body, "step");
        if (step)
            rollout_text(d->rollout, &task->step, step);
        if (text_eq(state, "failed"))
            task_failed(d, task, &why);
        else
            mistrust(d, task,
                     mem_printf(d->ctx, "says that it ended as %s, which nobody asked for",
                                text_printable(d->ctx, state ? state : "?")));
    }
}

static void on_reach(struct drive *d, struct task *task, const struct report *report)
{
    bool lost = report->kind == REPORT_LOST;
    json_t *fields = json_object();
    if (lost)
        json_set_text(fields, "reason", report->err.message);
    if (lost || task->lost)
        rollout_text(d->rollout, &task->waiting, lost ? report->err.message : NULL);
    if (task->lost != lost)
        drive_event(d, lost ? "agent_lost" : "agent_back", task, fields);
    else
        json_decref(fields);
    task->lost = lost;
}

void drive_report(struct drive *d, const struct report *report)
{
    if (report->task >= d->rollout->task_count)
        return;
    struct task *task = &d->rollout->tasks[report->task];
    if (report->attempt != task->attempt || task->status != TASK_RUNNING)
        return;
    switch (report->kind) {
    case REPORT_EVENT: on_event(d, task, report->body); break;
    case REPORT_LOST:
    case REPORT_FOUND: on_reach(d, task, report); break;
    case REPORT_ENDED:
        task->lost = false;
        on_ended(d, task, report->body);
        break;
    case REPORT_FAILED:
        task->lost = false;
        task_failed(d, task, &report->err);
        break;
    }
}
