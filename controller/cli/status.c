#include <stdio.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "controller/cli/commands.h"
#include "controller/desk/driving.h"
#include "controller/desk/status_text.h"

static int code_of(const struct place *place)
{
    return place->rollout->status == ROLLOUT_GATE ? EXIT_GATE : EXIT_DONE;
}

static void print_status(const struct place *place)
{
    SCOPE(tmp);
    if (place->flags->format == FORMAT_TEXT)
        status_print(stdout, place);
    else if (place->flags->format == FORMAT_JSON)
        puts(json_pretty(tmp, json_own(tmp, status_json(place))));
    else
        puts(json_compact(tmp, json_own(tmp, status_json(place))));
}

/* For people, every one that has not ended; a program gets one document, or is asked which. */
static bool print_all(const void *ctx, const struct rollout_options *o, struct place *place,
                      int *code, struct error *err)
{
    struct store_rollout *rows = NULL;
    size_t count = 0;
    if (!o->rollout && o->flags.format == FORMAT_TEXT &&
        !place_active(ctx, place, &rows, &count, err))
        return false;
    for (size_t i = 0; i < (count > 1 ? count : 1); i++) {
        if (!place_rollout(ctx, place, count > 1 ? rows[i].id : o->rollout, err))
            return false;
        if (i)
            putchar('\n');
        print_status(place);
        *code = code_of(place) > *code ? code_of(place) : *code;
    }
    return true;
}

int command_status(int argc, char **argv)
{
    SCOPE(tmp);
    struct rollout_options o = { 0 };
    struct place place = { 0 };
    struct error err;
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "Where a rollout stands: those that have not ended, or the newest.\v"
                "Exit codes: 0, 3 when it waits at a gate, 1 when there is none.\n\n"
                "Examples:\n  flotilla status\n  flotilla status --format json\n",
        .arguments = rollout_argument,
        .shows = SHOW_ROLLOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    int code = EXIT_DONE;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!place_look(tmp, &o.flags, &place, &err) || !print_all(tmp, &o, &place, &code, &err))
        return command_failed(argv[0], &err);
    return code;
}
