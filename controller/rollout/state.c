#include "controller/rollout/state.h"

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const status_names[] = {
#define X(id, name) name,
    ROLLOUT_STATUSES(X)
#undef X
};

static const char *const task_names[] = {
#define X(id, name) name,
    TASK_STATUSES(X)
#undef X
};

const char *rollout_status_name(enum rollout_status status)
{
    return (unsigned)status < ROLLOUT_STATUS_COUNT ? status_names[status] : "unknown";
}

static const char *task_status_name(enum task_status status)
{
    return (unsigned)status < TASK_STATUS_COUNT ? task_names[status] : "unknown";
}

bool rollout_rests(enum rollout_status status)
{
    return status != ROLLOUT_RUNNING && status != ROLLOUT_ABORTING && status != ROLLOUT_TURNING &&
           status != ROLLOUT_PAUSED;
}

bool rollout_holds(enum rollout_status status)
{
    return status != ROLLOUT_DONE && status != ROLLOUT_ROLLED_BACK && status != ROLLOUT_GIVEN_UP;
}

void rollout_text(const struct rollout *rollout, const char **field, const char *value)
{
    const char *old = *field;
    *field = mem_text(rollout, value);
    talloc_free((void *)(uintptr_t)old);
}

static void add_tasks(struct rollout *rollout, const struct part *part)
{
    for (size_t i = 0; i < part->instances.count; i++) {
        size_t n = rollout->task_count++;
        rollout->tasks = mem_room(rollout, rollout->tasks, struct task, n + 1);
        rollout->tasks[n] = (struct task){
            .part = part,
            .phase = part->phase,
            .service = part->service,
            .instance = part->instances.items[i],
            .attempt = 1,
        };
    }
}

struct rollout *rollout_new(const void *ctx, const struct plan *plan, const char *id)
{
    struct rollout *rollout = mem_new(ctx, struct rollout);
    rollout->id = mem_text(rollout, id);
    rollout->plan = plan;
    rollout->until = PHASE_COUNT - 1;
    rollout->back_to = -1;
    rollout->promoted = -1;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (size_t i = 0; i < plan->phases[phase].count; i++)
            add_tasks(rollout, plan->phases[phase].parts[i]);
    return rollout;
}

size_t rollout_tasks(const struct rollout *rollout, enum phase phase, enum task_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < rollout->task_count; i++) {
        const struct task *task = &rollout->tasks[i];
        n += (phase == PHASE_COUNT || task->phase == phase) && task->status == status;
    }
    return n;
}

/* --- the saved form ------------------------------------------------------------------------ */

static json_t *task_json(const struct task *t)
{
    json_t *o = json_object();
    json_set_text(o, "phase", phase_name(t->phase));
    json_set_text(o, "service", t->service);
    json_set_text(o, "instance", t->instance);
    json_set_text(o, "status", task_status_name(t->status));
    json_set_int(o, "attempt", t->attempt);
    json_set_int(o, "seq", t->seq);
    json_set_bool(o, "lost", t->lost);
    json_set_bool(o, "started", t->started);
    json_set_text(o, "step", t->step);
    json_set_int(o, "steps_done", (int64_t)t->steps_done);
    json_set_int(o, "done", t->done);
    json_set_int(o, "total", t->total);
    json_set_int(o, "percent", t->percent);
    json_set_int(o, "rate", t->rate);
    json_set_int(o, "eta_ms", t->eta_ms);
    json_set_text(o, "waiting", t->waiting);
    json_set_text(o, "error", t->error);
    json_set_text(o, "error_code", t->error_code);
    json_set_text(o, "hint", t->hint);
    json_set_int(o, "rows", t->rows);
    json_set_text(o, "left", t->left);
    return o;
}

json_t *rollout_to_json(const struct rollout *r)
{
    json_t *o = json_object();
    json_set_text(o, "id", r->id);
    json_set_text(o, "status", rollout_status_name(r->status));
    json_set_bool(o, "back", r->back);
    json_set_text(o, "phase", phase_name(r->phase));
    json_set_bool(o, "phase_open", r->phase_open);
    json_set_int(o, "until", r->until);
    json_set_int(o, "back_to", r->back_to);
    json_set_int(o, "promoted", r->promoted);
    json_set_text(o, "gate", r->gate);
    json_set_text(o, "gate_hint", r->gate_hint);
    json_t *tasks = json_array();
    for (size_t i = 0; i < r->task_count; i++)
        json_array_append_new(tasks, task_json(&r->tasks[i]));
    json_object_set_new(o, "tasks", tasks);
    return o;
}

static bool named(const json_t *o, const char *const *names, size_t count, int *out,
                  struct error *err)
{
    const char *s = NULL;
    if (!json_need_text(o, "status", &s, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (text_eq(s, names[i])) {
            *out = (int)i;
            return true;
        }
    return fail(err, ERROR_INVALID, "field \"status\": there is no \"%s\"", s);
}

static bool task_read(const struct rollout *r, const json_t *o, struct task *t, struct error *err)
{
    int status = 0;
    const char *instance = json_text_of(o, "instance");
    if (!text_eq(instance, t->instance) || !text_eq(json_text_of(o, "service"), t->service))
        return fail(err, ERROR_TAMPERED, "task %s/%s is not the plan's", t->service, t->instance);
    if (!named(o, task_names, TASK_STATUS_COUNT, &status, err))
        return false;
    t->status = (enum task_status)status;
    t->attempt = (int)json_int_of(o, "attempt");
    t->seq = json_int_of(o, "seq");
    t->started = json_true_of(o, "started");
    t->lost = json_true_of(o, "lost");
    t->steps_done = (size_t)json_int_of(o, "steps_done");
    t->done = json_int_of(o, "done");
    t->total = json_int_of(o, "total");
    t->percent = json_int_of(o, "percent");
    t->rate = json_int_of(o, "rate");
    t->eta_ms = json_int_of(o, "eta_ms");
    t->rows = json_int_of(o, "rows");
    t->step = mem_text(r, json_text_of(o, "step"));
    t->waiting = mem_text(r, json_text_of(o, "waiting"));
    t->error = mem_text(r, json_text_of(o, "error"));
    t->error_code = mem_text(r, json_text_of(o, "error_code"));
    t->hint = mem_text(r, json_text_of(o, "hint"));
    t->left = mem_text(r, json_text_of(o, "left"));
    return true;
}

static bool tasks_read(struct rollout *r, const json_t *json, struct error *err)
{
    json_t *tasks = NULL;
    if (!json_need_array(json, "tasks", &tasks, err))
        return false;
    if (json_array_size(tasks) != r->task_count)
        return fail(err, ERROR_TAMPERED, "the saved state has %zu tasks, its plan %zu",
                    json_array_size(tasks), r->task_count);
    for (size_t i = 0; i < r->task_count; i++)
        if (!task_read(r, json_array_get(tasks, i), &r->tasks[i], err))
            return false;
    return true;
}

bool rollout_from_json(const void *ctx, const struct plan *plan, const json_t *json,
                       struct rollout **out, struct error *err)
{
    const char *id = NULL;
    const char *phase = NULL;
    int status = 0;
    if (!json_need_text(json, "id", &id, err) || !json_need_text(json, "phase", &phase, err) ||
        !named(json, status_names, ROLLOUT_STATUS_COUNT, &status, err))
        return fail_in(err, "saved rollout");
    struct rollout *r = rollout_new(ctx, plan, id);
    if (!phase_from_name(phase, &r->phase))
        return fail(err, ERROR_INVALID, "saved rollout %s: there is no phase \"%s\"", id, phase);
    r->status = (enum rollout_status)status;
    r->back = json_true_of(json, "back");
    r->phase_open = json_true_of(json, "phase_open");
    r->until = (int)json_int_of(json, "until");
    r->back_to = (int)json_int_of(json, "back_to");
    r->promoted = (int)json_int_of(json, "promoted");
    r->gate = mem_text(r, json_text_of(json, "gate"));
    r->gate_hint = mem_text(r, json_text_of(json, "gate_hint"));
    if (!tasks_read(r, json, err)) {
        talloc_free(r);
        return fail_in(err, "saved rollout %s", id);
    }
    *out = r;
    return true;
}
