#include <stdio.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/driving.h"
#include "controller/desk/status_text.h"
#include "controller/rollout/recovery.h"
#include "controller/session/pool.h"

struct options {
    struct flags flags;
    const char *plan;
};

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, plan),
      "which plan? The file that the lost rollout was started from" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text =
        "Rebuild the lost state of a plan's rollout from the journals in its databases.\v"
        "The rollout then stands as aborted: `flotilla retry` goes on, `flotilla rollback` undoes. "
        "Databases that cannot be reached are listed; nothing is rebuilt without them.\n\n"
        "Example:\n  flotilla recover widen.yaml\n",
    .arguments = arguments,
    .shows = SHOW_MANIFEST | SHOW_STATE,
    .formats = FORMAT_BIT(JSON),
};

static bool is_in_plan(const struct plan *plan, const char *service)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (plan_part(plan, (enum phase)phase, service))
            return true;
    return false;
}

static size_t ask(const void *ctx, const struct place *place, struct pool_task **out)
{
    struct pool_task *tasks = NULL;
    size_t count = 0;
    for (size_t i = 0; i < place->fleet->service_count; i++) {
        const struct service *service = &place->fleet->services[i];
        const struct instance *const *instances = NULL;
        size_t n = service_instances(ctx, service, place->environment, &instances);
        for (size_t k = 0; k < n && is_in_plan(place->plan, service->name); k++) {
            tasks = mem_room(ctx, tasks, struct pool_task, count + 1);
            json_t *args = json_own(ctx, json_object());
            json_set_text(args, "database", instances[k]->agent_database);
            tasks[count++] =
                (struct pool_task){ .instance = instances[k], .op = OP_STATE, .args = args };
        }
    }
    pool_run(ctx, NULL, tasks, count);
    *out = tasks;
    return count;
}

static bool answers_of(const void *ctx, const struct pool_task *tasks, size_t count,
                       struct recovery_answer **out, struct error *err)
{
    struct recovery_answer *answers = mem_array(ctx, struct recovery_answer, count);
    for (size_t i = 0; i < count; i++) {
        if (!tasks[i].ok) {
            *err = tasks[i].error;
            return fail_in(err, "%s", tasks[i].instance->name);
        }
        answers[i] = (struct recovery_answer){ tasks[i].instance->service, tasks[i].instance->name,
                                               tasks[i].result };
    }
    *out = answers;
    return true;
}

static bool keep(const void *ctx, const struct options *o, struct place *place, struct error *err)
{
    struct rollout *r = place->rollout;
    struct store_rollout row = {
        .id = r->id,
        .plan = place->plan->id,
        .plan_digest = place->plan->digest,
        .fleet = place->plan->fleet,
        .environment = place->plan->environment,
        .title = place->plan->title,
        .status = rollout_status_name(r->status),
        .active = rollout_holds(r->status),
        .created_ms = clock_wall_ms(),
        .plan_text = plan_to_yaml(ctx, place->plan),
        .plan_path = o->plan,
        .doc = json_own(ctx, rollout_to_json(r)),
    };
    json_t *event = json_own(ctx, json_pack("{s:s, s:s, s:s}", "event", "recovered", "rollout",
                                            r->id, "status", row.status));
    json_set_int(event, "time_ms", row.created_ms);
    json_set_text(event, "time", clock_rfc3339(ctx, row.created_ms));
    return store_add(place->store, &row, &event, 1, err);
}

static bool recover(const void *ctx, const struct options *o, struct place *place,
                    struct error *err)
{
    struct pool_task *tasks = NULL;
    struct recovery_answer *answers = NULL;
    struct store_rollout *known = NULL;
    if (!place_plan(ctx, o->plan, &place->plan, err) ||
        !place_fleet(ctx, &o->flags, place->plan->environment, place, err) ||
        !place_store(ctx, &o->flags, place, err))
        return false;
    size_t count = ask(ctx, place, &tasks);
    if (!answers_of(ctx, tasks, count, &answers, err) ||
        !recovery_rebuild(ctx, place->plan, answers, count, &place->rollout, err))
        return false;
    if (!place->rollout) {
        fail(err, ERROR_NOT_FOUND, "no journal knows this plan: it was never started");
        return fail_hint(err, "`flotilla start %s` begins it", o->plan);
    }
    if (!store_find(ctx, place->store, place->rollout->id, &known, err))
        return false;
    if (known) {
        fail(err, ERROR_EXISTS, "the state still has rollout %s", known->id);
        return fail_hint(err, "`flotilla status %s` tells where it stands", known->id);
    }
    return recovery_approvals(place->store, place->plan, answers, count, err) &&
           keep(ctx, o, place, err);
}

int command_recover(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct place place = { 0 };
    struct error err;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!recover(tmp, &o, &place, &err))
        return command_failed(argv[0], &err);
    if (o.flags.format == FORMAT_JSON)
        puts(json_pretty(tmp, json_own(tmp, status_json(&place))));
    else
        status_print(stdout, &place);
    return EXIT_DONE;
}
