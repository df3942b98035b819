#include "controller/terminal/printer.h"

#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/terminal/event_text.h"

/* A line of progress a second at first, then rarer: hours of work are not thousands of lines. */
enum { PROGRESS_MS = 1000, PROGRESS_MOST_MS = 60 * 1000, PROGRESS_SHARE = 10 };

/* Few instances report at once: a list is enough. */
struct last {
    const char *instance, *step;
    int64_t since_ms; /* of the step's first line of progress */
    int64_t time_ms;  /* of its last one */
};

struct printer {
    const struct flags *flags;
    struct last *lasts;
    size_t count;
    int64_t seen;
};

struct printer *printer_new(const void *ctx, const struct flags *flags)
{
    struct printer *printer = mem_new(ctx, struct printer);
    printer->flags = flags;
    return printer;
}

static struct last *last_of(struct printer *p, const char *instance)
{
    for (size_t i = 0; i < p->count; i++)
        if (text_eq(p->lasts[i].instance, instance))
            return &p->lasts[i];
    p->lasts = mem_room(p, p->lasts, struct last, p->count + 1);
    p->lasts[p->count] = (struct last){ .instance = mem_text(p, instance) };
    return &p->lasts[p->count++];
}

static bool is_due(struct printer *p, const json_t *event)
{
    const char *instance = json_text_of(event, "instance");
    int64_t now = json_int_of(event, "time_ms");
    if (!text_eq(json_text_of(event, "event"), "progress") || !instance)
        return true;
    struct last *last = last_of(p, instance);
    const char *step = json_text_of(event, "step");
    if (step && !text_eq(step, last->step)) {
        last->step = mem_text(p, step);
        last->since_ms = now;
        last->time_ms = 0;
    }
    int64_t pause = (now - last->since_ms) / PROGRESS_SHARE;
    pause = pause > PROGRESS_MOST_MS ? PROGRESS_MOST_MS : pause < PROGRESS_MS ? PROGRESS_MS : pause;
    if (now - last->time_ms < pause)
        return false;
    last->time_ms = now;
    return true;
}

void printer_event(struct printer *p, const json_t *event)
{
    SCOPE(tmp);
    p->seen = json_int_of(event, "seq");
    if (p->flags->format != FORMAT_TEXT) {
        puts(json_compact(tmp, event));
    } else if (is_due(p, event)) {
        const char *line = event_line(tmp, event, p->flags->color);
        if (*line)
            puts(line);
    }
    fflush(stdout);
}

int64_t printer_seen(const struct printer *printer)
{
    return printer->seen;
}
