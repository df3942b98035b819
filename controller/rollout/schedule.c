#include "controller/rollout/schedule.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/transitions.h"

bool schedule_quiet(const struct rollout *rollout)
{
    return rollout_tasks(rollout, PHASE_COUNT, TASK_RUNNING) == 0;
}

static bool has_way_back(const struct task *task)
{
    return task->started && task->status != TASK_UNDONE;
}

/* Nothing is left to do for it in the rollout's direction. */
static bool task_settled(const struct rollout *rollout, const struct task *task)
{
    return rollout->back ? !has_way_back(task) : task->status == TASK_DONE;
}

static bool comes_after(const struct part *part, const char *service)
{
    for (size_t i = 0; i < part->after_count; i++)
        if (text_eq(part->after[i].service, service))
            return true;
    return false;
}

/* A task waits for those its part names. */
static bool may_start(const struct rollout *rollout, const struct task *task)
{
    for (size_t i = 0; i < rollout->task_count; i++) {
        const struct task *other = &rollout->tasks[i];
        if (other->phase == task->phase && other != task &&
            comes_after(task->part, other->service) && !task_settled(rollout, other))
            return false;
    }
    return true;
}

static bool phase_settled(const struct rollout *rollout, enum phase phase)
{
    for (size_t i = 0; i < rollout->task_count; i++)
        if (rollout->tasks[i].phase == phase && !task_settled(rollout, &rollout->tasks[i]))
            return false;
    return true;
}

static bool next_phase(const struct rollout *rollout, enum phase *out)
{
    for (int i = 0; i < PHASE_COUNT; i++) {
        int phase = rollout->back ? PHASE_COUNT - 1 - i : i;
        if (rollout->back && phase <= rollout->back_to)
            break;
        if (!phase_settled(rollout, (enum phase)phase)) {
            *out = (enum phase)phase;
            return true;
        }
    }
    return false;
}

static void collect(const void *ctx, const struct rollout *rollout, struct schedule *s)
{
    s->tasks = mem_array(ctx, size_t, rollout->task_count);
    for (size_t i = 0; i < rollout->task_count; i++) {
        const struct task *task = &rollout->tasks[i];
        bool idle = task->status != TASK_RUNNING && task->status != TASK_FAILED;
        if (task->phase == s->phase && idle && !task_settled(rollout, task) &&
            may_start(rollout, task))
            s->tasks[s->task_count++] = i;
    }
    s->need = s->task_count ? NEED_DISPATCH : NEED_NOTHING;
}

/* --- back ----------------------------------------------------------------------------------- */

/* Which services the plan ties to each other, through any phase: of each task a number that tied
 * ones share. */
static size_t *ties_of(const void *ctx, const struct rollout *rollout)
{
    size_t *tie = mem_array(ctx, size_t, rollout->task_count);
    bool more = true;
    for (size_t i = 0; i < rollout->task_count; i++)
        for (tie[i] = 0; !text_eq(rollout->tasks[tie[i]].service, rollout->tasks[i].service);)
            tie[i]++;
    while (more) {
        more = false;
        for (size_t i = 0; i < rollout->task_count; i++)
            for (size_t k = 0; rollout->tasks[i].part->after_count && k < rollout->task_count;
                 k++) {
                bool tied = comes_after(rollout->tasks[i].part, rollout->tasks[k].service) ||
                            text_eq(rollout->tasks[i].service, rollout->tasks[k].service);
                size_t least = tie[i] < tie[k] ? tie[i] : tie[k];
                more = more || (tied && tie[i] != tie[k]);
                tie[i] = tied ? least : tie[i];
                tie[k] = tied ? least : tie[k];
            }
    }
    return tie;
}

/* Those whose parts name it, and what came later here and at the services that are tied to it. */
static bool may_go_back(const struct rollout *rollout, const size_t *tie, size_t at)
{
    const struct task *task = &rollout->tasks[at];
    for (size_t i = 0; i < rollout->task_count; i++) {
        const struct task *other = &rollout->tasks[i];
        bool here = text_eq(other->service, task->service);
        bool waits =
            other->phase == task->phase
                ? comes_after(other->part, task->service)
                : other->phase > task->phase &&
                      (here ? text_eq(other->instance, task->instance) : tie[i] == tie[at]);
        if (i != at && waits && !task_settled(rollout, other))
            return false;
    }
    return true;
}

/* It failed because nobody got there. */
static bool is_away(const struct task *task)
{
    static const char *const codes[] = { "connect", "timeout", "auth", "host_key" };
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (text_eq(task->error_code, codes[i]))
            return true;
    return false;
}

/* Tasks that failed; *here: one of them for a reason that the host itself gave. */
static size_t failures(const struct rollout *rollout, bool *here)
{
    size_t count = 0;
    *here = false;
    for (size_t i = 0; i < rollout->task_count; i++) {
        bool failed = rollout->tasks[i].status == TASK_FAILED;
        count += failed;
        *here = *here || (failed && !is_away(&rollout->tasks[i]));
    }
    return count;
}

static bool is_due(const struct rollout *rollout, const struct task *task)
{
    return task->status != TASK_RUNNING && task->status != TASK_FAILED &&
           (int)task->phase > rollout->back_to && !task_settled(rollout, task);
}

static struct schedule back_next(const void *ctx, const struct rollout *rollout)
{
    SCOPE(tmp);
    struct schedule s = { .phase = rollout->phase };
    bool here = false;
    size_t failed = failures(rollout, &here);
    if (!here && !next_phase(rollout, &s.phase)) {
        s.need = rollout->back_to >= 0 ? NEED_PART_WAY : NEED_END;
        return s;
    }
    const size_t *tie = ties_of(tmp, rollout);
    s.tasks = mem_array(ctx, size_t, rollout->task_count);
    for (size_t i = 0; i < rollout->task_count && !here; i++)
        if (is_due(rollout, &rollout->tasks[i]) && may_go_back(rollout, tie, i))
            s.tasks[s.task_count++] = i;
    if (s.task_count)
        s.need = NEED_DISPATCH;
    else if (failed && schedule_quiet(rollout))
        s.need = NEED_FAIL;
    return s;
}

struct schedule schedule_next(const void *ctx, const struct rollout *rollout)
{
    struct schedule s = { .phase = rollout->phase };
    if (rollout->back)
        return back_next(ctx, rollout);
    if (rollout_tasks(rollout, PHASE_COUNT, TASK_FAILED) > 0) {
        s.need = schedule_quiet(rollout) ? NEED_FAIL : NEED_NOTHING;
        return s;
    }
    if (!next_phase(rollout, &s.phase)) {
        s.need = NEED_END;
        return s;
    }
    if (s.phase != rollout->phase || !rollout->phase_open) {
        s.need = NEED_GATE;
        return s;
    }
    collect(ctx, rollout, &s);
    return s;
}

static void task_anew(const struct rollout *rollout, struct task *task, enum task_status status)
{
    task->status = status;
    task->attempt++;
    task->seq = 0;
    task->lost = false;
    task->done = task->total = task->rate = task->eta_ms = task->percent = 0;
    rollout_text(rollout, &task->waiting, NULL);
    rollout_text(rollout, &task->error, NULL);
    rollout_text(rollout, &task->error_code, NULL);
    rollout_text(rollout, &task->hint, NULL);
    if (!rollout->back)
        rollout_text(rollout, &task->left, NULL);
}

static void turn_back(struct rollout *rollout)
{
    rollout->back = true;
    rollout->phase_open = false;
    for (size_t i = 0; i < rollout->task_count; i++) {
        struct task *task = &rollout->tasks[i];
        if (has_way_back(task))
            task_anew(rollout, task, task->status == TASK_DONE ? TASK_DONE : TASK_PENDING);
    }
}

static void forward_again(struct rollout *rollout)
{
    rollout->back = false;
    rollout->phase_open = false;
    for (size_t i = 0; i < rollout->task_count; i++)
        if (rollout->tasks[i].status == TASK_UNDONE)
            task_anew(rollout, &rollout->tasks[i], TASK_PENDING);
    if (rollout->promoted > rollout->back_to)
        rollout->promoted = rollout->back_to;
    rollout->phase = (enum phase)(rollout->back_to + 1);
    rollout->back_to = -1;
}

static void try_again(struct rollout *rollout)
{
    for (size_t i = 0; i < rollout->task_count; i++) {
        struct task *task = &rollout->tasks[i];
        if (task->status == TASK_FAILED || task->status == TASK_STOPPED)
            task_anew(rollout, task, TASK_PENDING);
    }
}

void schedule_apply(struct rollout *rollout, unsigned effects)
{
    if (effects & EFFECT_TURN_BACK)
        turn_back(rollout);
    if (effects & EFFECT_AGAIN)
        try_again(rollout);
    if (effects & EFFECT_FORWARD)
        forward_again(rollout);
    if (effects & EFFECT_PROMOTE && rollout->promoted < (int)rollout->phase)
        rollout->promoted = (int)rollout->phase;
}
