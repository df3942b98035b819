#include "controller/terminal/event_text.h"

#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

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
        text_addf(&t, ", %s row%s", text_count(ctx, rows), rows == 1 ? "" : "s");
    const json_t *left = json_object_get(m, "left");
    for (size_t i = 0; i < json_array_size(left); i++)
        text_addf(&t, "\n          left: %s",
                  text_printable(ctx, json_string_value(json_array_get(left, i))));
    return t.data;
}

static const char *progress_text(const void *ctx, const json_t *e)
{
    int64_t done = json_int_of(e, "done");
    int64_t total = json_int_of(e, "total");
    struct text t = text_init(ctx, TEXT_LINE);
    text_addf(&t, "  %s of %s", text_count(ctx, done), text_count(ctx, total));
    int64_t percent = json_int_of(e, "percent");
    if (!json_object_get(e, "percent") && total > 0)
        percent = done >= total ? 100 : done * 100 / total;
    text_addf(&t, " (%lld %%)", (long long)(percent > 100 ? 100 : percent));
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

/* The words of an event's name. */
static const char *event_words(const void *ctx, const char *event)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (const char *p = event; *p; p++)
        text_addc(&t, *p == '_' ? ' ' : *p);
    return text_printable(ctx, t.data);
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
                      place_text(ctx, e), paint, event_words(ctx, event), *paint ? "\033[0m" : "",
                      step ? " " : "", step ? text_printable(ctx, step) : "", detail_text(ctx, e));
}
