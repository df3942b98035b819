#include <ctype.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/signing.h"
#include "controller/plan/approvals.h"

enum { KEY_KEY = 0x2000, KEY_YES, KEY_IMPORT };

struct options {
    struct flags flags;
    struct signing signing;
    const char *key;
    bool yes, import;
};

static const struct argp_option option_list[] = {
    SIGNING_OPTIONS("who signs, as in allowed_signers"),
    { "key", KEY_KEY, "FILE", 0,
      "the SSH key (default: ~/.ssh/id_ed25519, id_ecdsa, id_rsa); the .pub file of a key in "
      "ssh-agent or on hardware",
      0 },
    { "yes", KEY_YES, NULL, 0, "do not ask before signing", 0 },
    { "import", KEY_IMPORT, NULL, 0, "take the signature files beside the plan into the state", 0 },
    { 0 },
};

static void end_check(const struct options *o, struct argp_state *state)
{
    if (!o->signing.who && !o->import)
        argp_error(state, "who signs? --as NAME, as in allowed_signers");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_KEY: o->key = arg; return 0;
    case KEY_YES: o->yes = true; return 0;
    case KEY_IMPORT: o->import = true; return 0;
    case ARGP_KEY_END: end_check(o, state); return 0;
    default: return signing_option(&o->signing, key, arg, state);
    }
}

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, signing.path),
      "which plan? flotilla approve PLAN.yaml --as NAME" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text =
        "Sign the parts of a plan that are yours: what is printed is what is signed. Needs nothing but "
        "the plan file and your key; with the manifest it also checks that your signature will count.\v"
        "Signatures are files PLAN.approvals/PHASE.SERVICE.NAME.sig: commit them, or hand them over.\n"
        "\nExamples:\n"
        "  flotilla approve widen.yaml --as ana@example.org\n"
        "  flotilla approve widen.yaml --as ana@example.org --phase contract --key ~/.ssh/id_ed25519\n",
    .arguments = arguments,
    .options = option_list,
    .parse = parse,
    .shows = SHOW_MANIFEST | SHOW_SERVICE | SHOW_STATE,
};

/* --- signing --------------------------------------------------------------------------------- */

static const char *default_key(const void *ctx)
{
    static const char *const names[] = { "~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *path = file_path_from(ctx, ".", names[i]);
        if (file_exists(path))
            return path;
    }
    return file_path_from(ctx, ".", names[0]);
}

/* Asks a person; a script has decided already. */
static bool agreed(const struct options *o, struct error *err)
{
    const struct signing *s = &o->signing;
    if (o->yes || !isatty(STDIN_FILENO))
        return true;
    printf("\nSign %zu part%s as %s? [y/N] ", s->count, s->count == 1 ? "" : "s", s->who);
    fflush(stdout);
    char answer[16] = "";
    if (fgets(answer, sizeof(answer), stdin) && tolower((unsigned char)answer[0]) == 'y')
        return true;
    return fail(err, ERROR_CANCELLED, "nothing was signed");
}

/* With the manifest: a signature that would not count is not written. */
static bool will_count(const void *ctx, const struct signing *s, const struct part *part,
                       const struct approval *approval, struct error *err)
{
    if (!s->place.fleet)
        return true;
    const struct service *service = fleet_service(s->place.fleet, part->service);
    struct step_texts who = { 0 };
    const char *const *people = NULL;
    size_t n = service ? service_approvers(ctx, s->place.fleet, service, &people) : 0;
    for (size_t i = 0; i < n; i++)
        step_texts_add(ctx, &who, people[i]);
    struct approval_rule rule = { .allowed_signers = s->place.fleet->allowed_signers,
                                  .who = &who,
                                  .need = part->approvals_need,
                                  .now_ms = clock_wall_ms(),
                                  .author = part->author };
    return approval_verify(part, approval, &rule, err);
}

/* Who signs what they rejected before has changed their mind; `until` is when. */
static bool keep(const void *ctx, const struct signing *s, const struct part *part,
                 const struct approval *approval, int64_t until, struct error *err)
{
    struct store_word word;
    bool ignored = false;
    if (!s->place.store)
        return true;
    if (!signing_word(ctx, s, part, &word, err))
        return false;
    word.who = approval->signer;
    word.signed_at = approval->signed_at;
    word.text = approval->signature;
    word.time_ms = until;
    return store_rejection_withdraw(s->place.store, &word, &ignored, err) &&
           store_approval_add(s->place.store, &word, err);
}

static bool sign_part(const struct options *o, const struct part *part, const char *key,
                      struct error *err)
{
    SCOPE(tmp);
    const struct signing *s = &o->signing;
    struct approval approval;
    if (!approval_sign(tmp, part, s->who, key, clock_wall_ms(), &approval, err) ||
        !will_count(tmp, s, part, &approval, err) ||
        !plan_approval_save(s->path, part, &approval, err) ||
        !keep(tmp, s, part, &approval, clock_wall_ms(), err))
        return false;
    printf("signed %s of %s as %s: %s\n", phase_name(part->phase),
           text_printable(tmp, part->service), text_printable(tmp, s->who),
           text_printable(tmp, plan_approval_path(tmp, s->path, part, s->who)));
    return true;
}

static bool sign_all(const void *ctx, const struct options *o, struct error *err)
{
    const struct signing *s = &o->signing;
    if (!place_plan_recheck(ctx, s->path, s->place.plan, err))
        return false;
    const char *key = o->key ? file_path_from(ctx, ".", o->key) : default_key(ctx);
    plan_text_head(stdout, s->place.plan);
    const struct plan_view shown = { .plan = s->place.plan, .path = s->path };
    for (size_t i = 0; i < s->count; i++)
        plan_text_part(stdout, &shown, s->parts[i]);
    if (!agreed(o, err))
        return false;
    fputc('\n', stdout);
    for (size_t i = 0; i < s->count; i++)
        if (!sign_part(o, s->parts[i], key, err))
            return false;
    return true;
}

/* --- importing ------------------------------------------------------------------------------- */

struct imported {
    size_t taken, left;
};

static bool import_part(const struct signing *s, const struct part *part, struct imported *sum,
                        struct error *err)
{
    SCOPE(tmp);
    struct approval *files = NULL;
    size_t count = plan_approvals_of(tmp, s->path, part, &files);
    for (size_t i = 0; i < count; i++) {
        struct error why;
        int64_t signed_ms = 0;
        bool counts = will_count(tmp, s, part, &files[i], &why) &&
                      clock_parse_rfc3339(files[i].signed_at, &signed_ms, &why);
        /* The text is signed to the second: a rejection within it came before. */
        if (counts && !keep(tmp, s, part, &files[i], signed_ms + 999, err))
            return false;
        sum->taken += counts;
        sum->left += !counts;
        printf("%s of %s: %s%s\n", phase_name(part->phase), text_printable(tmp, part->service),
               counts ? "taken, signed by " : "left out: ",
               text_printable(tmp, counts ? files[i].signer : why.message));
    }
    return true;
}

/* Files that name no part of the plan: nobody should wonder where a signature went. */
static size_t say_strays(const struct signing *s)
{
    SCOPE(tmp);
    struct plan_stray *strays = NULL;
    size_t count = plan_approval_strays(tmp, s->path, s->place.plan, &strays);
    for (size_t i = 0; i < count; i++)
        printf("%s: left out: %s\n", text_printable(tmp, strays[i].path),
               text_printable(tmp, strays[i].why));
    return count;
}

static bool import_all(const struct options *o, struct error *err)
{
    const struct signing *s = &o->signing;
    struct imported sum = { 0 };
    if (!s->place.store) {
        fail(err, ERROR_NOT_FOUND, "there is no manifest here, and so no state to import into");
        return fail_hint(err, "run it beside fleet.yaml, or name the manifest with --manifest");
    }
    for (size_t i = 0; i < s->count; i++)
        if (!import_part(s, s->parts[i], &sum, err))
            return false;
    sum.left += say_strays(s);
    printf("%zu signature%s taken from %s\n", sum.taken, sum.taken == 1 ? "" : "s", s->path);
    if (sum.taken > 0 || sum.left == 0)
        return true;
    fail(err, ERROR_REFUSED, "none of the %zu signature files beside %s counts", sum.left, s->path);
    return fail_hint(err, "each says above why; `flotilla approve %s --as NAME` signs anew",
                     s->path);
}

int command_approve(int argc, char **argv)
{
    struct options o = { .signing = { .choice = { .phase = -1 } } };
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    SCOPE(tmp);
    o.signing.choice.service = o.flags.service;
    if (!signing_begin(tmp, &o.flags, &o.signing, &err) ||
        !(o.import ? import_all(&o, &err) : sign_all(tmp, &o, &err)))
        return command_failed(argv[0], &err);
    return EXIT_DONE;
}
