#include "controller/desk/status_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { LINES_AROUND = 8 }; /* title, phases, gate, next, one of an error, the prompt */

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

static void print_work(FILE *to, const struct task *task)
{
    SCOPE(tmp);
    if (task->step)
        fprintf(to, "  %s", text_printable(tmp, task->step));
    if (task->total <= 0)
        return;
    fprintf(to, "  %s of %s", text_count(tmp, task->done), text_count(tmp, task->total));
    fprintf(to, "  %lld %%", (long long)task->percent);
    if (task->rate > 0)
        fprintf(to, "  %s/s", text_count(tmp, task->rate));
    if (task->eta_ms > 0)
        fprintf(to, "  %s left", text_duration(tmp, task->eta_ms));
}

static void print_failure(FILE *to, const struct task *task)
{
    SCOPE(tmp);
    if (task->error)
        fprintf(to, "        %s%s%s\n", task->step ? text_printable(tmp, task->step) : "",
                task->step ? ": " : "", text_printable(tmp, task->error));
    if (task->hint)
        fprintf(to, "        hint: %s\n", text_printable(tmp, task->hint));
}

/* What the way back left other than it was: part of the end-state, until it is put right. */
static void print_left(FILE *to, const struct task *task)
{
    SCOPE(tmp);
    for (const char *at = task->left; !text_empty(at);) {
        size_t n = strcspn(at, "\n");
        fprintf(to, "        left: %s\n", text_printable(tmp, mem_textn(tmp, at, n)));
        at += n + (at[n] == '\n');
    }
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
    if (task->waiting && task->status != TASK_FAILED)
        fprintf(to, "  %s", text_printable(tmp, task->waiting));
    fputc('\n', to);
    if (task->status == TASK_FAILED)
        print_failure(to, task);
    print_left(to, task);
}

/* PLAN in a hint: the file's path as one would type it here. */
static const char *with_plan(const void *ctx, const struct place *place, const char *hint)
{
    static const char word[] = "PLAN";
    const char *path = place->row ? place->row->plan_path : NULL;
    struct text t = text_init(ctx, TEXT_LINE);
    for (const char *p; path && (p = strstr(hint, word)); hint = p + strlen(word)) {
        text_addn(&t, hint, (size_t)(p - hint));
        text_add(&t, path);
    }
    text_add(&t, hint);
    return text_printable(ctx, t.data);
}

/* "orders-1 (migrate), orders-1 (expand)": what a way back has left. */
static const char *not_undone(const void *ctx, const struct rollout *r)
{
    struct text t = text_init(ctx, TEXT_FILE);
    for (size_t i = 0; i < r->task_count; i++) {
        const struct task *task = &r->tasks[i];
        if (!task->started || task->status == TASK_UNDONE || (int)task->phase <= r->back_to)
            continue;
        text_addf(&t, "%s%s (%s)", t.len ? ", " : "", text_printable(ctx, task->instance),
                  phase_name(task->phase));
    }
    return t.data;
}

static void print_next(FILE *to, const struct place *place)
{
    SCOPE(tmp);
    const struct rollout *r = place->rollout;
    switch (r->status) {
    case ROLLOUT_GATE:
        fprintf(to, "  gate: %s\n  next: %s\n", r->gate ? r->gate : "",
                with_plan(tmp, place, r->gate_hint ? r->gate_hint : "`flotilla promote`"));
        break;
    case ROLLOUT_FAILED:
        if (r->back) {
            fprintf(to, "  not undone: %s\n  next: `flotilla retry %s` undoes the rest when ",
                    not_undone(tmp, r), r->id);
            fputs("their hosts are back\n", to);
            break;
        }
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

static const char *status_words(enum rollout_status status)
{
    switch (status) {
    case ROLLOUT_ROLLED_BACK: return "rolled back";
    case ROLLOUT_GIVEN_UP: return "given up";
    case ROLLOUT_GATE: return "waits at a gate";
    default: return rollout_status_name(status);
    }
}

static bool is_quiet(const struct task *task)
{
    return (task->status == TASK_PENDING || task->status == TASK_DONE ||
            task->status == TASK_UNDONE) &&
           !task->waiting && !task->lost;
}

/* The tasks of a phase that need no look: how many of each kind. */
static void print_numbers(FILE *to, const struct place *place, enum phase phase)
{
    static const char *const words[TASK_STATUS_COUNT] = {
        [TASK_PENDING] = "to come",
        [TASK_DONE] = "done",
        [TASK_UNDONE] = "undone",
    };
    size_t numbers[TASK_STATUS_COUNT] = { 0 };
    const struct rollout *r = place->rollout;
    for (size_t i = 0; i < r->task_count; i++)
        if (r->tasks[i].phase == phase && is_quiet(&r->tasks[i]))
            numbers[r->tasks[i].status]++;
    const char *between = "    ";
    for (size_t i = 0; i < TASK_STATUS_COUNT; i++) {
        if (!numbers[i])
            continue;
        fprintf(to, "%s%s %zu %s", between, is_utf8_terminal() ? glyphs[i].utf8 : glyphs[i].ascii,
                numbers[i], words[i]);
        between = ", ";
    }
    if (*between == ',')
        fputc('\n', to);
}

void status_print(FILE *to, const struct place *place)
{
    status_print_within(to, place, SIZE_MAX);
}

void status_print_within(FILE *to, const struct place *place, size_t lines)
{
    SCOPE(tmp);
    const struct rollout *r = place->rollout;
    bool brief = r->task_count + LINES_AROUND > lines;
    fprintf(to, "%s  %s  %s%s\n", r->id, text_printable(tmp, place->plan->title),
            status_words(r->status), r->back && rollout_holds(r->status) ? " (back)" : "");
    int shown = -1;
    for (size_t i = 0; i < r->task_count; i++) {
        if ((int)r->tasks[i].phase != shown) {
            shown = (int)r->tasks[i].phase;
            fprintf(to, "  %s\n", phase_name(r->tasks[i].phase));
            if (brief)
                print_numbers(to, place, r->tasks[i].phase);
        }
        if (!brief || !is_quiet(&r->tasks[i]))
            print_task(to, place, &r->tasks[i]);
    }
    print_next(to, place);
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
