#include "controller/terminal/printer.h"

#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/terminal/event_text.h"

enum { PROGRESS_MS = 1000 };

/* Few instances report at once: a list is enough. */
struct last {
    const char *instance;
    int64_t time_ms; /* of its last line of progress */
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
    if (now - last->time_ms < PROGRESS_MS)
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
