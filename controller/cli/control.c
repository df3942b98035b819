#include <stdio.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/driving.h"
#include "controller/desk/forecast.h"
#include "controller/terminal/near.h"

/* The verbs that ask something of a rollout that exists. They differ in words only. */

enum { KEY_TO = 0x2000, KEY_DRY_RUN, KEY_UNTIL, KEY_GIVE_UP };

struct options {
    struct flags flags;
    const char *rollout;
    const char *step;  /* retry */
    const char *phase; /* --to, --until */
    bool dry_run;
    bool give_up;
    bool takes_step;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_TO:
        o->phase = phase_name((enum phase)usage_phase("--to", arg, state));
        if (text_eq(o->phase, phase_name(PHASE_CONTRACT)))
            argp_error(state, "--to: nothing comes after contract; there are: expand, migrate");
        return 0;
    case KEY_UNTIL: o->phase = phase_name((enum phase)usage_phase("--until", arg, state)); return 0;
    case KEY_DRY_RUN: o->dry_run = true; return 0;
    case KEY_GIVE_UP: o->give_up = true; return 0;
    case ARGP_KEY_ARG:
        if (!o->takes_step || o->step || !strchr(arg, '/'))
            return ARGP_ERR_UNKNOWN;
        o->step = arg;
        return 0;
    case ARGP_KEY_END:
        if (o->dry_run && o->flags.format == FORMAT_NDJSON)
            argp_error(state, "--dry-run is one document: --format json");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argument arguments[] = {
    { "ROLLOUT", offsetof(struct options, rollout), NULL },
    { 0 },
};

#define EXIT_CODES \
    "Exit codes: 0 done, 1 failed or refused, 3 stopped at a gate, which is named.\n\n"

static bool open_rollout(const void *ctx, struct options *o, struct place *place, struct error *err)
{
    return place_open(ctx, &o->flags, o->rollout, place, err) &&
           place_fleet(ctx, &o->flags, place->plan->environment, place, err);
}

/* Everything that failed is tried again, for a phase goes on as a whole: a step that was named has
 * to be one of it. */
static bool has_failed(const struct options *o, const struct rollout *rollout, struct error *err)
{
    SCOPE(tmp);
    struct step_texts failed = { 0 };
    for (size_t i = 0; i < rollout->task_count; i++) {
        const struct task *task = &rollout->tasks[i];
        if (task->step && (task->status == TASK_FAILED || task->status == TASK_STOPPED))
            near_add(tmp, &failed, task->step);
    }
    for (size_t i = 0; i < failed.count; i++)
        if (text_eq(failed.items[i], o->step))
            return true;
    fail(err, ERROR_INVALID, "rollout %s: no step %s has failed or was stopped", rollout->id,
         o->step);
    if (failed.count)
        return near_hint(err, o->step, &failed);
    return fail_hint(err, "`flotilla status %s` says where it stands and what comes next",
                     rollout->id);
}

static int control(struct options *o, const struct driving *base, char **argv)
{
    SCOPE(tmp);
    struct place place = { 0 };
    struct error err;
    struct driving driving = *base;
    driving.name = argv[0];
    if (!open_rollout(tmp, o, &place, &err) || (o->step && !has_failed(o, place.rollout, &err)))
        return command_failed(argv[0], &err);
    if (o->dry_run) {
        enum phase phase;
        int back_to = phase_from_name(o->phase, &phase) ? (int)phase : -1;
        json_t *forecast = forecast_back(tmp, &place, back_to);
        if (o->flags.format == FORMAT_JSON)
            puts(json_pretty(tmp, forecast));
        else
            forecast_print(stdout, forecast);
        return EXIT_DONE;
    }
    driving.argument = o->phase;
    int code = driving_run(tmp, &place, &driving);
    enum rollout_status status = place.rollout->status;
    bool stopped = (text_eq(base->verb, "abort") && status == ROLLOUT_ABORTED) ||
                   (o->give_up && status == ROLLOUT_GIVEN_UP);
    return stopped ? EXIT_DONE : code;
}

/* For verbs after which nothing is waited for: any state it rests in is a success. */
static int settled(int code)
{
    return code == EXIT_GATE ? EXIT_DONE : code;
}

static const struct argp_option until_options[] = {
    { "until", KEY_UNTIL, "PHASE", 0, "stop after this phase", 0 },
    { 0 },
};

int command_promote(int argc, char **argv)
{
    struct options o = { 0 };
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text =
            "Open the gate of the next phase (contract always waits for this) and drive on.\v"
            "The gate still needs its signatures and acknowledgements; what is missing is named.\n\n" EXIT_CODES
            "Example:\n  flotilla promote\n",
        .arguments = arguments,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return control(&o, &(struct driving){ .verb = "promote" }, argv);
}

int command_resume(int argc, char **argv)
{
    struct options o = { 0 };
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text =
            "Go on: after pause, after a gate's signatures came in, after the driver was killed.\v"
            "Nothing is done twice: agents know what is done.\n\n" EXIT_CODES
            "Examples:\n  flotilla resume\n  flotilla resume --until migrate\n",
        .arguments = arguments,
        .options = until_options,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return control(&o, &(struct driving){ .verb = "resume" }, argv);
}

int command_pause(int argc, char **argv)
{
    struct options o = { 0 };
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "Ask the runners to wait at their next safe point; `flotilla resume` goes on.\v"
                "Example:\n  flotilla pause\n",
        .arguments = arguments,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return settled(control(&o, &(struct driving){ .verb = "pause", .leave = true }, argv));
}

int command_retry(int argc, char **argv)
{
    struct options o = { .takes_step = true };
    static const struct usage usage = {
        .takes = "[STEP] [ROLLOUT]",
        .text =
            "Try again what failed or was aborted. A STEP that is named must be one of those.\v" EXIT_CODES
            "Examples:\n  flotilla retry\n  flotilla retry expand/orders/2\n",
        .arguments = arguments,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return control(&o, &(struct driving){ .verb = "retry" }, argv);
}

static const struct argp_option abort_options[] = {
    { "give-up", KEY_GIVE_UP, NULL, 0,
      "end one for good that stands still and has no way on or back: nothing is undone, its tables "
      "are free for others",
      0 },
    { 0 },
};

int command_abort(int argc, char **argv)
{
    struct options o = { 0 };
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "Stop at the next safe point without undoing; `flotilla retry` goes on from there, "
                "`flotilla rollback` undoes.\v"
                "Examples:\n  flotilla abort\n  flotilla abort --give-up\n",
        .arguments = arguments,
        .options = abort_options,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return control(&o, &(struct driving){ .verb = o.give_up ? "give up" : "abort" }, argv);
}

static const struct argp_option rollback_options[] = {
    { "to", KEY_TO, "PHASE", 0, "undo everything after this phase (default: everything)", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "say what would be undone, how long, how much disk", 0 },
    { 0 },
};

int command_rollback(int argc, char **argv)
{
    struct options o = { 0 };
    static const struct usage usage = {
        .takes = "[ROLLOUT]",
        .text = "Undo a rollout, data included, in exact reverse; also one that is done, while its "
                "snapshots are kept.\v" EXIT_CODES
                "Examples:\n  flotilla rollback --dry-run\n  flotilla rollback --to expand\n",
        .arguments = arguments,
        .options = rollback_options,
        .parse = parse,
        .shows = SHOW_ROLLOUT | SHOW_TIMEOUT,
        .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
    };
    usage_read(&usage, argc, argv, &o.flags, &o);
    return control(&o, &(struct driving){ .verb = "rollback" }, argv);
}
