/* What a saved transition does to the hosts: jobs handed to them, runners asked to pause or stop.
 */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/drive.h"

enum { ASK_AGAIN_MS = 2000 }; /* pause and stop are repeated to runners that did not hear */

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

/* What every message to the task's host says: which task, and who asks. */
static struct job job_of(const struct drive *d, size_t index)
{
    const struct task *task = &d->rollout->tasks[index];
    return (struct job){
        .task = index,
        .service = task->service,
        .instance = task->instance,
        .rollout = d->rollout->id,
        .part = task->part,
        .token = d->token,
        .attempt = task->attempt,
        .back = d->rollout->back,
    };
}

static bool make_job(const void *ctx, struct drive *d, size_t index, struct job *job,
                     struct error *err)
{
    const struct task *task = &d->rollout->tasks[index];
    struct gate_source source = { d->engine->fleet, d->engine->store, d->engine->plan_path,
                                  drive_wall(d) };
    json_t *acks = NULL;
    struct approval *approvals = NULL;
    *job = job_of(d, index);
    job->after = task->seq;
    if (!gate_approvals(ctx, &source, job->part, &approvals, &job->approval_count, err) ||
        !acks_of(ctx, d, &acks, err))
        return false;
    job->approvals = approvals;
    job->acks = acks;
    job->seen = seen_of(ctx, d->rollout, task);
    return true;
}

bool drive_dispatch(struct drive *d, struct error *err)
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
        const struct job job = job_of(d, i);
        if (task->status == TASK_RUNNING)
            d->engine->world->control(d->engine->world, &job, action);
    }
    d->asked_at = drive_mono(d);
}

void drive_carry_out(struct drive *d)
{
    if (d->effects & EFFECT_PAUSE)
        ask_runners(d, "pause");
    if (d->effects & EFFECT_CONTINUE)
        ask_runners(d, "resume");
    if (d->effects & EFFECT_STOP)
        ask_runners(d, "cancel");
    d->effects = 0;
    enum rollout_status status = d->rollout->status;
    if (drive_mono(d) - d->asked_at < ASK_AGAIN_MS)
        return;
    if (status == ROLLOUT_PAUSED)
        ask_runners(d, "pause");
    if (status == ROLLOUT_ABORTING || status == ROLLOUT_TURNING)
        ask_runners(d, "cancel");
}
