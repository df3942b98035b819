#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "controller/cli/commands.h"
#include "controller/desk/driving.h"
#include "controller/desk/status_text.h"
#include "controller/rollout/engine.h"
#include "controller/terminal/printer.h"

/* watch and logs: the events of a rollout, until it rests, or as far as they go. */

enum { REFRESH_MS = 500, BATCH = 1000, ORPHAN_MS = 10000 };

struct options {
    struct rollout_options on;
    bool follow;
};

/* Prints the events after *seen; true when there were as many as one batch holds. */
static bool print_events(struct place *place, struct printer *printer, int64_t *seen, bool *more,
                         struct error *err)
{
    SCOPE(tmp);
    json_t *events = NULL;
    if (!store_events(tmp, place->store, place->rollout->id, *seen, BATCH, &events, err))
        return false;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        *seen = json_int_of(event, "seq");
        printer_event(printer, event);
    }
    *more = json_array_size(events) == BATCH;
    return true;
}

/* The driver is dead, or there has been none for longer than a lease lasts: the rollout will not
 * come to rest by itself. */
static bool refuse_orphan(const struct place *place, int64_t *since, struct error *err)
{
    SCOPE(tmp);
    const char *holder = NULL;
    if (!store_lease_holder(tmp, place->store, place->rollout->id, clock_wall_ms(), &holder, err))
        return false;
    int64_t now = clock_mono_ms();
    bool dead = holder && lease_holder_is_dead(holder);
    if ((holder && !dead) || rollout_rests(place->rollout->status))
        *since = now;
    if (rollout_rests(place->rollout->status) || (!dead && now - *since < ORPHAN_MS))
        return true;
    fail(err, ERROR_NOT_FOUND, "rollout %s: no process drives it", place->rollout->id);
    return fail_hint(err, "`flotilla resume %s` does; what runs on the hosts has gone on",
                     place->rollout->id);
}

static size_t screen_lines(void)
{
    struct winsize size = { 0 };
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : SIZE_MAX;
}

/* On a screen the whole picture, again and again; else every event. */
static bool follow(const void *ctx, const struct options *o, bool screen, struct place *place,
                   struct error *err)
{
    const char *id = mem_text(ctx, place->rollout->id);
    int64_t until = o->on.flags.timeout ? clock_mono_ms() + o->on.flags.timeout : INT64_MAX;
    struct printer *printer = printer_new(ctx, &o->on.flags);
    int64_t seen = 0;
    int64_t driven = clock_mono_ms();
    for (bool more = false;;) {
        SCOPE(tmp);
        if (!place_rollout(tmp, place, id, err))
            return false;
        bool ended = rollout_rests(place->rollout->status);
        if (screen) {
            fputs("\033[H\033[J", stdout);
            status_print_within(stdout, place, screen_lines());
            fflush(stdout);
        } else if (!print_events(place, printer, &seen, &more, err)) {
            return false;
        }
        if (ended && !more)
            break;
        if (!refuse_orphan(place, &driven, err))
            return false;
        if (clock_mono_ms() > until)
            return fail(err, ERROR_TIMEOUT, "rollout %s has not come to rest in time",
                        place->rollout->id);
        if (!more)
            clock_sleep_ms(REFRESH_MS);
    }
    return place_rollout(ctx, place, id, err);
}

int command_watch(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct place place = { 0 };
    struct error err;
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text =
            "Follow a rollout until it ends or waits at a gate.\v"
            "--format ndjson prints every event as one line of JSON.\n\n"
            "Exit codes: 0 done or rolled back, 3 it waits at a gate, 1 it failed, was aborted, or "
            "there is none.\n\n"
            "Examples:\n  flotilla watch\n  flotilla watch --format ndjson\n",
        .arguments = rollout_argument,
        .shows = SHOW_ROLLOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.on.flags, &o);
    bool screen = o.on.flags.format == FORMAT_TEXT && isatty(STDOUT_FILENO);
    if (!place_open(tmp, &o.on.flags, o.on.rollout, &place, &err) ||
        !follow(tmp, &o, screen, &place, &err))
        return command_failed(argv[0], &err);
    if (o.on.flags.format == FORMAT_TEXT && !screen)
        status_print(stdout, &place);
    return driving_code(&place);
}

/* --- logs ---------------------------------------------------------------------------------- */

static const struct argp_option logs_options[] = {
    { "follow", 'f', NULL, 0, "go on until it ends or waits", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    (void)arg;
    if (key != 'f')
        return ARGP_ERR_UNKNOWN;
    o->follow = true;
    return 0;
}

static bool print_all(const void *ctx, const struct options *o, struct place *place,
                      struct error *err)
{
    struct printer *printer = printer_new(ctx, &o->on.flags);
    int64_t seen = 0;
    for (bool more = true; more;)
        if (!print_events(place, printer, &seen, &more, err))
            return false;
    return true;
}

int command_logs(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct place place = { 0 };
    struct error err;
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "The events of a rollout, oldest first.\v"
                "Examples:\n  flotilla logs\n  flotilla logs -f --format ndjson\n",
        .arguments = rollout_argument,
        .options = logs_options,
        .parse = parse,
        .shows = SHOW_ROLLOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.on.flags, &o);
    if (!place_open(tmp, &o.on.flags, o.on.rollout, &place, &err) ||
        !(o.follow ? follow(tmp, &o, false, &place, &err) : print_all(tmp, &o, &place, &err)))
        return command_failed(argv[0], &err);
    return EXIT_DONE;
}
