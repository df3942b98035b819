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

int command_status(int argc, char **argv)
{
    SCOPE(tmp);
    struct rollout_options o = { 0 };
    struct place place = { 0 };
    struct error err;
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "Where a rollout stands: the one that has not ended, or the newest.\v"
                "Exit codes: 0, 3 when it waits at a gate, 1 when there is none.\n\n"
                "Examples:\n  flotilla status\n  flotilla status --format json\n",
        .arguments = rollout_argument,
        .shows = SHOW_ROLLOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!place_open(tmp, &o.flags, o.rollout, &place, &err))
        return command_failed(argv[0], &err);
    print_status(&place);
    return code_of(&place);
}
