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
    struct rollout_options on;
    const char *step;  /* retry */
    const char *phase; /* --to, --until */
    bool dry_run;
    bool give_up;
    bool takes_step;
};

struct verb {
    struct usage usage;
    const char *name;
    bool takes_step;
    bool leaves; /* nothing is waited for: any state that it rests in is a success */
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
        if (o->dry_run)
            usage_one_document("--dry-run", &o->on.flags, state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static bool open_rollout(const void *ctx, struct options *o, struct place *place, struct error *err)
{
    return place_open(ctx, &o->on.flags, o->on.rollout, place, err) &&
           place_fleet(ctx, &o->on.flags, place->plan->environment, place, err);
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

static int drive(const struct verb *verb, struct options *o, const char *argv0)
{
    SCOPE(tmp);
    struct place place = { 0 };
    struct error err;
    struct driving driving = {
        .name = argv0,
        .verb = o->give_up ? "give up" : verb->name,
        .argument = o->phase,
        .leave = verb->leaves,
    };
    if (!open_rollout(tmp, o, &place, &err) || (o->step && !has_failed(o, place.rollout, &err)))
        return command_failed(argv0, &err);
    if (o->dry_run) {
        enum phase phase;
        int back_to = phase_from_name(o->phase, &phase) ? (int)phase : -1;
        forecast_show(&o->on.flags, forecast_back(tmp, &place, back_to));
        return EXIT_DONE;
    }
    int code = driving_run(tmp, &place, &driving);
    enum rollout_status status = place.rollout->status;
    bool stopped = (text_eq(driving.verb, "abort") && status == ROLLOUT_ABORTED) ||
                   (o->give_up && status == ROLLOUT_GIVEN_UP);
    return stopped || (verb->leaves && code == EXIT_GATE) ? EXIT_DONE : code;
}

static int control(const struct verb *verb, int argc, char **argv)
{
    struct options o = { .takes_step = verb->takes_step };
    usage_read(&verb->usage, argc, argv, &o.on.flags, &o);
    return drive(verb, &o, argv[0]);
}

/* --- the verbs ----------------------------------------------------------------------------- */

#define EXIT_CODES \
    "Exit codes: 0 done, 1 failed or refused, 3 stopped at a gate, which is named.\n\n"
#define VERB_USAGE(takes_, options_, text_)                                                      \
    {                                                                                            \
        .takes = takes_, .text = text_, .arguments = rollout_argument, .options = options_,      \
        .parse = parse, .shows = SHOW_ROLLOUT, .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON), \
    }

int command_promote(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "promote",
        .usage = VERB_USAGE(
            "[ROLLOUT]", NULL,
            "Open the gate of the next phase (contract always waits for this) and drive on.\v"
            "The gate still needs its signatures and acknowledgements; what is missing is named.\n\n" EXIT_CODES
            "Example:\n  flotilla promote\n"),
    };
    return control(&verb, argc, argv);
}

static const struct argp_option until_options[] = {
    { "until", KEY_UNTIL, "PHASE", 0, "stop after this phase", 0 },
    { 0 },
};

int command_resume(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "resume",
        .usage = VERB_USAGE(
            "[ROLLOUT]", until_options,
            "Go on: after pause, after a gate's signatures came in, after the driver was killed.\v"
            "Nothing is done twice: agents know what is done.\n\n" EXIT_CODES
            "Examples:\n  flotilla resume\n  flotilla resume --until migrate\n"),
    };
    return control(&verb, argc, argv);
}

int command_pause(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "pause",
        .leaves = true,
        .usage = VERB_USAGE(
            "[ROLLOUT]", NULL,
            "Ask the runners to wait at their next safe point; `flotilla resume` goes on.\v"
            "Example:\n  flotilla pause\n"),
    };
    return control(&verb, argc, argv);
}

int command_retry(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "retry",
        .takes_step = true,
        .usage = VERB_USAGE(
            "[STEP] [ROLLOUT]", NULL,
            "Try again what failed or was aborted. A STEP that is named must be one of those.\v" EXIT_CODES
            "Examples:\n  flotilla retry\n  flotilla retry expand/orders/2\n"),
    };
    return control(&verb, argc, argv);
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
    static const struct verb verb = {
        .name = "abort",
        .usage = VERB_USAGE(
            "[ROLLOUT]", abort_options,
            "Stop at the next safe point without undoing; `flotilla retry` goes on from there, "
            "`flotilla rollback` undoes.\v"
            "Examples:\n  flotilla abort\n  flotilla abort --give-up\n"),
    };
    return control(&verb, argc, argv);
}

static const struct argp_option rollback_options[] = {
    { "to", KEY_TO, "PHASE", 0, "undo everything after this phase (default: everything)", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "say what would be undone, how long, how much disk", 0 },
    { 0 },
};

int command_rollback(int argc, char **argv)
{
    static const struct verb verb = {
        .name = "rollback",
        .usage = VERB_USAGE(
            "[ROLLOUT]", rollback_options,
            "Undo a rollout, data included, in exact reverse; also one that is done, while its "
            "snapshots are kept.\v" EXIT_CODES
            "Examples:\n  flotilla rollback --dry-run\n  flotilla rollback --to expand\n"),
    };
    return control(&verb, argc, argv);
}
