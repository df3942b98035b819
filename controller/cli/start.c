#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/driving.h"
#include "controller/desk/forecast.h"
#include "controller/rollout/engine.h"
#include "controller/sql/script.h"

enum { KEY_UNTIL = 0x2000, KEY_DETACH, KEY_DRY_RUN };

struct options {
    struct flags flags;
    const char *plan;
    const char *until;
    bool detach, dry_run;
};

static const struct argp_option option_list[] = {
    { "until", KEY_UNTIL, "PHASE", 0, "stop after this phase: expand, migrate or contract", 0 },
    { "detach", KEY_DETACH, NULL, 0, "drive in the background; follow with `flotilla watch`", 0 },
    { "dry-run", KEY_DRY_RUN, NULL, 0, "say what would happen, how long, how much disk", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_UNTIL: o->until = phase_name((enum phase)usage_phase("--until", arg, state)); return 0;
    case KEY_DETACH: o->detach = true; return 0;
    case KEY_DRY_RUN: o->dry_run = true; return 0;
    case ARGP_KEY_END:
        if (o->dry_run)
            usage_one_document("--dry-run", &o->flags, state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, plan),
      "which plan? `flotilla draft CHANGE.yaml -o PLAN.yaml` makes one" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text =
        "Carry out a plan: expand and migrate as far as gates are open; contract waits for `flotilla "
        "promote`. Starting a plan again continues its rollout.\v"
        "Exit codes: 0 done, 1 failed or refused, 3 stopped at a gate, which is named.\n\n"
        "Examples:\n"
        "  flotilla start widen.yaml --dry-run\n"
        "  flotilla start widen.yaml --until expand\n",
    .arguments = arguments,
    .options = option_list,
    .parse = parse,
    .shows = SHOW_MANIFEST | SHOW_STATE | SHOW_TIMEOUT | SHOW_COLOR,
    .formats = FORMAT_BIT(JSON) | FORMAT_BIT(NDJSON),
};

static bool has_fleet(const struct plan *plan, struct error *err)
{
    if (!text_eq(plan->fleet, "-"))
        return true;
    fail(err, ERROR_REFUSED, "the plan was drafted without a manifest: it cannot be started");
    return fail_hint(err, "draft it over the fleet: `flotilla draft CHANGE.yaml -o PLAN.yaml`");
}

static bool fits_fleet(const struct plan *plan, const struct fleet *fleet, struct error *err)
{
    if (!text_eq(plan->fleet, fleet->name))
        return fail(err, ERROR_REFUSED, "the plan is for the fleet %s, %s is %s", plan->fleet,
                    fleet->path, fleet->name);
    return true;
}

static bool create(const void *ctx, struct place *place, const char *path, const char *id,
                   struct error *err)
{
    const char *existing = NULL;
    struct store_rollout row = {
        .id = id,
        .plan = place->plan->id,
        .plan_digest = place->plan->digest,
        .fleet = place->plan->fleet,
        .environment = place->plan->environment,
        .title = place->plan->title,
        .created_ms = clock_wall_ms(),
        .plan_text = plan_to_yaml(ctx, place->plan),
        .plan_path = path,
    };
    return engine_create(ctx, place->store, place->plan, &row, &place->rollout, &existing, err);
}

/* Two that start at once: the second looks after the first has made its rollout. The lock goes with
 * the descriptor. */
static bool lock_starts(const void *ctx, const struct flags *flags, int *out, struct error *err)
{
    const char *path = mem_printf(ctx, "%s/start.lock", place_state(ctx, flags));
    *out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*out < 0 || flock(*out, LOCK_EX) != 0)
        return fail_errno(err, "state: lock %s", path);
    return true;
}

/* The rollout of this plan that has not ended; *created tells whether it is new. */
static bool find_or_create(const void *ctx, struct place *place, const char *path, bool *created,
                           struct error *err)
{
    struct store_rollout *row = NULL;
    AUTO_FD lock = -1;
    if (!lock_starts(ctx, place->flags, &lock, err) ||
        !store_find(ctx, place->store, place->plan->id, &row, err))
        return false;
    bool goes_on = row && (row->active || text_eq(row->status, "done"));
    *created = !goes_on;
    if (goes_on && !text_eq(row->plan_digest, place->plan->digest)) {
        fail(err, ERROR_REFUSED, "rollout %s was started from an earlier draft of this plan",
             row->id);
        return fail_hint(err,
                         "go on with it (`flotilla resume %s`) or undo it (`flotilla "
                         "rollback %s`) first",
                         row->id, row->id);
    }
    const char *id = goes_on ? row->id : mem_printf(ctx, "r-%s", digest_random_id(ctx, 4));
    if (!goes_on && !create(ctx, place, path, id, err))
        return false;
    return place_rollout(ctx, place, id, err);
}

/* The child drives on with its output in the state's folder. */
static int detach(struct place *place, const struct driving *driving, const struct flags *flags)
{
    SCOPE(tmp);
    struct error err;
    const char *log = mem_printf(tmp, "%s/%s.log", place_state(tmp, flags), place->rollout->id);
    /* SQLite must not be carried over a fork, not even to be closed: the locks are the parent's. */
    talloc_free(place->store);
    place->store = NULL;
    sql_deep_end();
    pid_t pid = fork();
    if (pid < 0) {
        fail_errno(&err, "fork");
        return command_failed(driving->name, &err);
    }
    if (pid > 0)
        return EXIT_DONE;
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (setsid() < 0 || out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
        dup2(out, 2) < 0)
        _exit(EXIT_FAILED);
    if (!place_store(tmp, flags, place, &err) || !place_rollout(tmp, place, place->row->id, &err))
        return command_failed(driving->name, &err);
    return driving_run(tmp, place, driving);
}

static bool prepare(const void *ctx, const struct options *o, struct place *place, bool *created,
                    struct error *err)
{
    if (!place_plan_checked(ctx, o->plan, &place->plan, err) || !has_fleet(place->plan, err) ||
        !place_fleet(ctx, &o->flags, place->plan->environment, place, err) ||
        !fits_fleet(place->plan, place->fleet, err))
        return false;
    if (plan_is_empty(place->plan))
        return true;
    if (o->dry_run)
        return !file_exists(place_state(ctx, &o->flags)) || place_store(ctx, &o->flags, place, err);
    return place_store(ctx, &o->flags, place, err) &&
           find_or_create(ctx, place, o->plan, created, err);
}

int command_start(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct place place = { 0 };
    struct error err;
    bool created = false;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!prepare(tmp, &o, &place, &created, &err))
        return command_failed(argv[0], &err);
    if (plan_is_empty(place.plan)) {
        puts("nothing to do: the catalogs are as wished");
        return EXIT_DONE;
    }
    if (o.dry_run) {
        json_t *forecast = NULL;
        if (!forecast_forward(tmp, &place, o.plan, &forecast, &err))
            return command_failed(argv[0], &err);
        forecast_show(&o.flags, forecast);
        return EXIT_DONE;
    }
    if (o.flags.format == FORMAT_TEXT)
        printf("rollout %s%s\n", place.rollout->id, created ? "" : " goes on");
    if (o.flags.format == FORMAT_TEXT && o.detach)
        printf("in the background; follow it with `flotilla watch %s`\n", place.rollout->id);
    fflush(stdout);
    if (place.rollout->status == ROLLOUT_DONE)
        return driving_end(&place);
    struct driving driving = { .name = argv[0], .verb = "resume", .argument = o.until };
    return o.detach ? detach(&place, &driving, &o.flags) : driving_run(tmp, &place, &driving);
}
