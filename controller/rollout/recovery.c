#include "controller/rollout/recovery.h"

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/part/signature.h"

static bool is_of_plan(const struct plan *plan, const json_t *row)
{
    return text_eq(json_text_of(row, "plan"), plan->id);
}

/* By the time of its newest part: journals write ISO 8601 in one zone each, so text order is good
 * enough to tell one rollout of a plan from an earlier one that was rolled back. */
static const char *newest_rollout(const struct plan *plan, const struct recovery_answer *answers,
                                  size_t count)
{
    const char *best = NULL;
    const char *when = NULL;
    for (size_t i = 0; i < count; i++) {
        const json_t *parts = json_object_get(answers[i].result, "parts");
        for (size_t k = 0; k < json_array_size(parts); k++) {
            const json_t *row = json_array_get(parts, k);
            const char *started = json_text_of(row, "started");
            if (!is_of_plan(plan, row) || text_cmp(started, when) <= 0)
                continue;
            when = started;
            best = json_text_of(row, "rollout");
        }
    }
    return best;
}

static struct task *task_of(struct rollout *r, const struct recovery_answer *answer,
                            const char *phase)
{
    for (size_t i = 0; i < r->task_count; i++)
        if (text_eq(r->tasks[i].service, answer->service) &&
            text_eq(r->tasks[i].instance, answer->instance) &&
            text_eq(phase_name(r->tasks[i].phase), phase))
            return &r->tasks[i];
    return NULL;
}

static size_t steps_done(const json_t *row)
{
    size_t n = 0;
    const json_t *steps = json_object_get(row, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const char *state = json_text_of(json_array_get(steps, i), "state");
        n += text_eq(state, "done") || text_eq(state, "already");
    }
    return n;
}

static bool take_row(struct rollout *r, const struct recovery_answer *answer, const json_t *row,
                     struct error *err)
{
    struct task *task = task_of(r, answer, json_text_of(row, "phase"));
    const char *digest = json_text_of(row, "digest");
    const char *state = json_text_of(row, "state");
    if (!task)
        return true;
    if (!text_eq(digest, task->part->digest)) {
        fail(err, ERROR_TAMPERED, "%s: %s was carried out in another form than the plan's",
             answer->instance, phase_name(task->phase));
        return fail_hint(err, "recover with the plan file that was started");
    }
    bool back = text_eq(json_text_of(row, "direction"), "back");
    task->started = !text_eq(state, "undone");
    task->steps_done = steps_done(row);
    /* Attempts start over high: run ids of the lost controller must not be met again. */
    task->attempt = 1000;
    task->status = text_eq(state, "undone")          ? TASK_UNDONE
                   : text_eq(state, "done") && !back ? TASK_DONE
                                                     : TASK_STOPPED;
    if (task->status != TASK_UNDONE && task->phase > r->phase)
        r->phase = task->phase;
    return true;
}

static bool take_answer(struct rollout *r, const struct recovery_answer *answer, struct error *err)
{
    const json_t *parts = json_object_get(answer->result, "parts");
    for (size_t k = 0; k < json_array_size(parts); k++) {
        const json_t *row = json_array_get(parts, k);
        if (is_of_plan(r->plan, row) && text_eq(json_text_of(row, "rollout"), r->id) &&
            !take_row(r, answer, row, err))
            return false;
    }
    return true;
}

bool recovery_rebuild(const void *ctx, const struct plan *plan,
                      const struct recovery_answer *answers, size_t count, struct rollout **out,
                      struct error *err)
{
    const char *id = newest_rollout(plan, answers, count);
    *out = NULL;
    if (!id)
        return true;
    struct rollout *r = rollout_new(ctx, plan, id);
    for (size_t i = 0; i < count; i++)
        if (!take_answer(r, &answers[i], err))
            return false;
    bool all_done = rollout_tasks(r, PHASE_COUNT, TASK_DONE) == r->task_count;
    bool all_undone = true;
    for (size_t i = 0; i < r->task_count; i++)
        all_undone = all_undone && !r->tasks[i].started;
    /* Tasks undone while others go on are to be done again by `retry`. */
    for (size_t i = 0; !all_undone && i < r->task_count; i++)
        if (r->tasks[i].status == TASK_UNDONE)
            r->tasks[i].status = TASK_PENDING;
    r->status = all_done ? ROLLOUT_DONE : all_undone ? ROLLOUT_ROLLED_BACK : ROLLOUT_ABORTED;
    *out = r;
    return true;
}

static bool add_approvals(struct store *store, const struct part *part, const json_t *list,
                          struct error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        SCOPE(tmp);
        struct approval approval;
        if (!approval_from_json(tmp, json_array_get(list, i), &approval, err))
            return false;
        struct store_word word = {
            .plan = part->plan,
            .phase = phase_name(part->phase),
            .service = part->service,
            .digest = part->digest,
            .who = approval.signer,
            .signed_at = approval.signed_at,
            .text = approval.signature,
        };
        if (!store_approval_add(store, &word, err))
            return false;
    }
    return true;
}

bool recovery_approvals(struct store *store, const struct plan *plan,
                        const struct recovery_answer *answers, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *parts = json_object_get(answers[i].result, "parts");
        for (size_t k = 0; k < json_array_size(parts); k++) {
            const json_t *row = json_array_get(parts, k);
            enum phase phase;
            const struct part *part = phase_from_name(json_text_of(row, "phase"), &phase)
                                          ? plan_part(plan, phase, answers[i].service)
                                          : NULL;
            if (part && is_of_plan(plan, row) &&
                text_eq(part->digest, json_text_of(row, "digest")) &&
                !add_approvals(store, part, json_object_get(row, "approvals"), err))
                return fail_in(err, "%s", answers[i].instance);
        }
    }
    return true;
}
