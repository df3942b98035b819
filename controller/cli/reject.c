#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/signing.h"

enum { KEY_REASON = 0x2000, KEY_WITHDRAW };

struct options {
    struct flags flags;
    struct signing signing;
    const char *reason;
    bool withdraw;
};

static const struct argp_option option_list[] = {
    SIGNING_OPTIONS("who rejects, as in allowed_signers"),
    { "reason", KEY_REASON, "TEXT", 0, "why: everybody who looks at the rollout sees it", 0 },
    { "withdraw", KEY_WITHDRAW, NULL, 0, "take an earlier rejection back", 0 },
    { 0 },
};

static void end_check(const struct options *o, struct argp_state *state)
{
    if (!o->signing.who)
        argp_error(state, "who rejects? --as NAME, as in allowed_signers");
    if (text_empty(o->reason) && !o->withdraw)
        argp_error(state, "why? --reason TEXT");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_REASON: o->reason = arg; return 0;
    case KEY_WITHDRAW: o->withdraw = true; return 0;
    case ARGP_KEY_END: end_check(o, state); return 0;
    default: return signing_option(&o->signing, key, arg, state);
    }
}

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, signing.path),
      "which plan? flotilla reject PLAN.yaml --as NAME --reason TEXT" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text =
        "Reject the parts of a plan that are yours. The gate stays closed until you withdraw it "
        "(--withdraw, or by approving), or the part changes.\v"
        "Example:\n  flotilla reject widen.yaml --as ana@example.org --reason \"not before the sale\"\n",
    .arguments = arguments,
    .options = option_list,
    .parse = parse,
    .shows = SHOW_MANIFEST | SHOW_SERVICE | SHOW_STATE,
};

static bool speak(const struct options *o, const struct part *part, size_t *count,
                  struct error *err)
{
    SCOPE(tmp);
    const struct signing *s = &o->signing;
    struct store_word word;
    if (!signing_word(tmp, s, part, &word, err))
        return false;
    word.text = o->reason;
    bool spoken = true;
    if (o->withdraw ? !store_rejection_withdraw(s->place.store, &word, &spoken, err)
                    : !store_rejection_add(s->place.store, &word, err))
        return false;
    *count += spoken;
    if (spoken)
        printf("%s %s of %s as %s\n", o->withdraw ? "withdrawn: the rejection of" : "rejected",
               phase_name(part->phase), text_printable(tmp, part->service),
               text_printable(tmp, s->who));
    return true;
}

static bool reject(const void *ctx, struct options *o, struct error *err)
{
    struct signing *s = &o->signing;
    if (!signing_begin(ctx, &o->flags, s, err))
        return false;
    if (!s->place.store) {
        fail(err, ERROR_NOT_FOUND,
             "a rejection is kept in the state, and there is no manifest here");
        return fail_hint(err, "run it beside fleet.yaml, or name the manifest with --manifest");
    }
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!speak(o, s->parts[i], &count, err))
            return false;
    if (count)
        return true;
    fail(err, ERROR_NOT_FOUND, "%s has not rejected any of these parts", s->who);
    return fail_hint(err, "`flotilla status` names the rejections that keep a gate closed");
}

int command_reject(int argc, char **argv)
{
    struct options o = { .signing = { .choice = { .phase = -1 } } };
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    SCOPE(tmp);
    o.signing.choice.service = o.flags.service;
    if (!reject(tmp, &o, &err))
        return command_failed(argv[0], &err);
    return EXIT_DONE;
}
