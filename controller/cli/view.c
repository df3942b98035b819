#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/driving.h"

/* How rollouts and their events look to people. Facts come from the rollout and the store only, so
 * that watch, status and a script read the same. */

static bool is_utf8_terminal(void)
{
    static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);
        if (!text_empty(value))
            return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
    }
    return false;
}

struct glyph {
    const char *utf8, *ascii, *color;
};

static const struct glyph glyphs[TASK_STATUS_COUNT] = {
    [TASK_PENDING] = { "◌", ".", "" },         [TASK_RUNNING] = { "◷", ">", "\033[36m" },
    [TASK_DONE] = { "✔", "+", "\033[32m" },    [TASK_FAILED] = { "✖", "x", "\033[31m" },
    [TASK_STOPPED] = { "॥", "=", "\033[33m" }, [TASK_UNDONE] = { "↩", "<", "\033[33m" },
};

/* --- events -------------------------------------------------------------------------------- */

static const char *place_text(const void *ctx, const json_t *e)
{
    const char *service = json_text_of(e, "service");
    const char *instance = json_text_of(e, "instance");
    const char *phase = json_text_of(e, "phase");
    if (!service)
        return phase ? mem_text(ctx, phase) : "";
    return mem_printf(ctx, "%s %s", phase ? phase : "",
                      instance ? text_printable(ctx, instance) : service);
}

static const char *measured_text(const void *ctx, const json_t *e)
{
    const json_t *m = json_object_get(e, "measured");
    struct text t = text_init(ctx, TEXT_LINE);
    int64_t rows = json_int_of(m, "rows");
    if (json_object_get(m, "ms"))
        text_addf(&t, "  %s", text_duration(ctx, json_int_of(m, "ms")));
    if (json_object_get(m, "hold_ms"))
        text_addf(&t, ", lock held %lld ms", (long long)json_int_of(m, "hold_ms"));
    if (json_int_of(m, "wait_ms") > 0)
        text_addf(&t, ", waited %lld ms", (long long)json_int_of(m, "wait_ms"));
    if (rows > 0)
        text_addf(&t, ", %s rows", text_count(ctx, rows));
    return t.data;
}

static const char *progress_text(const void *ctx, const json_t *e)
{
    int64_t done = json_int_of(e, "done");
    int64_t total = json_int_of(e, "total");
    struct text t = text_init(ctx, TEXT_LINE);
    text_addf(&t, "  %s of %s", text_count(ctx, done), text_count(ctx, total));
    if (total > 0)
        text_addf(&t, " (%lld %%)", (long long)(done >= total ? 100 : done * 100 / total));
    if (json_int_of(e, "rate") > 0)
        text_addf(&t, ", %s/s", text_count(ctx, json_int_of(e, "rate")));
    if (json_int_of(e, "eta_seconds") > 0 && done < total)
        text_addf(&t, ", %s left", text_duration(ctx, json_int_of(e, "eta_seconds") * 1000));
    return t.data;
}

static const char *blockers_text(const void *ctx, const json_t *e)
{
    struct text t = text_init(ctx, TEXT_LINE);
    const json_t *list = json_object_get(e, "blockers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *b = json_array_get(list, i);
        const char *who = json_text_of(b, "application");
        if (text_empty(who))
            who = json_text_of(b, "user");
        text_addf(&t, "%s pid %lld %s", i ? "," : "  blocked by", (long long)json_int_of(b, "pid"),
                  text_printable(ctx, who ? who : ""));
    }
    return t.data;
}

static const char *detail_text(const void *ctx, const json_t *e)
{
    const char *event = json_text_of(e, "event");
    const char *message = json_text_of(json_object_get(e, "error"), "message");
    const char *gate = json_text_of(e, "gate");
    const char *reason = json_text_of(e, "reason");
    if (text_eq(event, "progress"))
        return progress_text(ctx, e);
    if (text_eq(event, "lock_waiting"))
        return blockers_text(ctx, e);
    if (text_eq(event, "step_done") || text_eq(event, "step_undone"))
        return measured_text(ctx, e);
    const char *by = json_text_of(e, "by");
    const char *words = message ? message : gate ? gate : reason;
    return mem_printf(ctx, "%s%s%s%s", by ? "  by " : "", by ? text_printable(ctx, by) : "",
                      words ? "  " : "", words ? text_printable(ctx, words) : "");
}

static bool is_worth_a_line(const json_t *e)
{
    static const char *const quiet[] = { "step_started", "step_undoing", "gate_opened",
                                         "run_started",  "run_ended",    "rollout_started" };
    const char *event = json_text_of(e, "event");
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
        if (text_eq(event, quiet[i]))
            return false;
    return event != NULL;
}

static const char *event_color(const char *event)
{
    if (strstr(event, "failed") || text_eq(event, "drift"))
        return "\033[31m";
    if (strstr(event, "done") || strstr(event, "undone"))
        return "\033[32m";
    if (strstr(event, "waiting") || strstr(event, "lost") || text_eq(event, "throttled"))
        return "\033[33m";
    return "";
}

const char *event_line(const void *ctx, const json_t *e, bool color)
{
    if (!is_worth_a_line(e))
        return "";
    const char *time = json_text_of(e, "time");
    const char *event = json_text_of(e, "event");
    const char *step = json_text_of(e, "step");
    const char *paint = color ? event_color(event) : "";
    return mem_printf(ctx, "%.8s  %-24s %s%s%s%s%s%s", time && strlen(time) > 19 ? time + 11 : "",
                      place_text(ctx, e), paint, event, *paint ? "\033[0m" : "", step ? " " : "",
                      step ? text_printable(ctx, step) : "", detail_text(ctx, e));
}

/* --- where it stands ----------------------------------------------------------------------- */

static void print_work(FILE *to, const struct task *task)
{
    SCOPE(tmp);
    if (task->step)
        fprintf(to, "  %s", text_printable(tmp, task->step));
    if (task->total <= 0)
        return;
    fprintf(to, "  %s/%s", text_count(tmp, task->done), text_count(tmp, task->total));
    fprintf(to, " %lld%%",
            (long long)(task->done >= task->total ? 100 : task->done * 100 / task->total));
    if (task->rate > 0)
        fprintf(to, "  %s/s", text_count(tmp, task->rate));
    if (task->eta_ms > 0)
        fprintf(to, "  %s left", text_duration(tmp, task->eta_ms));
}

static void print_failure(FILE *to, const struct task *task)
{
    SCOPE(tmp);
    if (task->error)
        fprintf(to, "        %s: %s\n", task->step ? text_printable(tmp, task->step) : "",
                text_printable(tmp, task->error));
    if (task->hint)
        fprintf(to, "        hint: %s\n", text_printable(tmp, task->hint));
}

static void print_task(FILE *to, const struct place *place, const struct task *task)
{
    SCOPE(tmp);
    const struct glyph *glyph = &glyphs[task->status];
    bool color = place->flags->color && *glyph->color;
    fprintf(to, "    %s%s%s %-20s %zu/%zu steps", color ? glyph->color : "",
            is_utf8_terminal() ? glyph->utf8 : glyph->ascii, color ? "\033[0m" : "",
            text_printable(tmp, task->instance), task->steps_done, task->part->step_count);
    if (task->status == TASK_RUNNING)
        print_work(to, task);
    if (task->lost)
        fputs("  out of reach, asked again; what runs there goes on:", to);
    if (task->waiting)
        fprintf(to, "  %s", text_printable(tmp, task->waiting));
    fputc('\n', to);
    if (task->status == TASK_FAILED)
        print_failure(to, task);
}

static void print_next(FILE *to, const struct rollout *r)
{
    switch (r->status) {
    case ROLLOUT_GATE:
        fprintf(to, "  gate: %s\n  next: %s\n", r->gate ? r->gate : "",
                r->gate_hint ? r->gate_hint : "flotilla promote");
        break;
    case ROLLOUT_FAILED:
        fprintf(to,
                "  next: `flotilla retry %s` once the cause is gone, or `flotilla rollback "
                "%s`\n",
                r->id, r->id);
        break;
    case ROLLOUT_PAUSED: fprintf(to, "  next: `flotilla resume %s`\n", r->id); break;
    case ROLLOUT_ABORTED:
        fprintf(to, "  next: `flotilla retry %s` goes on, `flotilla rollback %s` undoes\n", r->id,
                r->id);
        break;
    case ROLLOUT_GIVEN_UP:
        fprintf(to, "  it ended where it stood; `flotilla show` has the way back of each step\n");
        break;
    case ROLLOUT_DONE:
        fprintf(to, "  the way back: `flotilla rollback %s` (`--dry-run` says what it takes)\n",
                r->id);
        break;
    default: break;
    }
}

void status_print(FILE *to, const struct place *place)
{
    SCOPE(tmp);
    const struct rollout *r = place->rollout;
    fprintf(to, "%s  %s  %s%s\n", r->id, text_printable(tmp, place->plan->title),
            rollout_status_name(r->status), r->back && rollout_holds(r->status) ? " (back)" : "");
    int shown = -1;
    for (size_t i = 0; i < r->task_count; i++) {
        if ((int)r->tasks[i].phase != shown) {
            shown = (int)r->tasks[i].phase;
            fprintf(to, "  %s\n", phase_name(r->tasks[i].phase));
        }
        print_task(to, place, &r->tasks[i]);
    }
    print_next(to, r);
}

json_t *status_json(const struct place *place)
{
    json_t *o = json_object();
    json_t *state = rollout_to_json(place->rollout);
    json_set_text(o, "rollout", place->rollout->id);
    json_set_text(o, "plan", place->plan->id);
    json_set_text(o, "title", place->plan->title);
    json_set_text(o, "environment", place->plan->environment);
    json_set_text(o, "direction", place->rollout->back ? "back" : "forward");
    json_object_del(state, "id");
    json_object_update_missing(o, state);
    json_decref(state);
    return o;
}
