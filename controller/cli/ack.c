#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/place.h"
#include "controller/rollout/gate.h"
#include "controller/terminal/near.h"

enum { KEY_PLAN = 0x2000, KEY_NOTE };

struct options {
    struct flags flags;
    const char *service, *plan, *note;
};

static const struct argp_option option_list[] = {
    { "plan", KEY_PLAN, "PLAN", 0, "the plan file (or the id of a rollout)", 0 },
    { "note", KEY_NOTE, "TEXT", 0, "what was deployed, as \"orders v42 reads id as bigint\"", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_PLAN: o->plan = arg; return 0;
    case KEY_NOTE: o->note = arg; return 0;
    case ARGP_KEY_END:
        if (!o->plan)
            argp_error(state, "which plan? flotilla ack SERVICE --plan PLAN.yaml");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argument arguments[] = {
    { "SERVICE", offsetof(struct options, service),
      "which service? flotilla ack SERVICE --plan PLAN.yaml" },
    { 0 },
};

static const struct usage usage = {
    .takes = "SERVICE",
    .text =
        "Give a dependent's word: its deployed versions live with the new shape and no longer need "
        "the old one. Contract waits for it. Callable from a deployment pipeline.\v"
        "Example:\n  flotilla ack orders --plan widen.yaml --note \"orders v42 reads id as bigint\"\n",
    .arguments = arguments,
    .options = option_list,
    .parse = parse,
    .shows = SHOW_MANIFEST | SHOW_STATE,
};

/* The services a plan waits for, over all phases. */
static void expected(const void *ctx, const struct plan *plan, struct step_texts *out)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        gate_acknowledgers(ctx, plan, (enum phase)phase, out);
}

static bool is_expected(const void *ctx, const struct plan *plan, const char *service,
                        struct error *err)
{
    struct step_texts list = { 0 };
    expected(ctx, plan, &list);
    for (size_t i = 0; i < list.count; i++)
        if (text_eq(list.items[i], service))
            return true;
    fail(err, ERROR_INVALID, "the plan does not wait for the word of %s", service);
    return list.count ? near_hint(err, service, &list) : fail_hint(err, "it waits for nobody's");
}

static bool acknowledge(const void *ctx, struct options *o, struct error *err)
{
    struct place place = { 0 };
    struct passwd *pw = getpwuid(getuid());
    if (!place_store(ctx, &o->flags, &place, err))
        return false;
    struct store_rollout *row = NULL;
    if (!store_find(ctx, place.store, o->plan, &row, err))
        return false;
    if (row ? !place_rollout(ctx, &place, o->plan, err)
            : !place_plan(ctx, o->plan, &place.plan, err))
        return false;
    if (!is_expected(ctx, place.plan, o->service, err))
        return false;
    struct store_word word = {
        .plan = place.plan->id,
        .service = o->service,
        .who = pw ? pw->pw_name : "unknown",
        .text = o->note ? o->note : "",
        .time_ms = clock_wall_ms(),
    };
    return store_ack_add(place.store, &word, err);
}

int command_ack(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!acknowledge(tmp, &o, &err))
        return command_failed(argv[0], &err);
    printf("%s acknowledged\n", o.service);
    return EXIT_DONE;
}
