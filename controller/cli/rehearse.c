#include <stdio.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/cli/commands.h"
#include "controller/desk/place.h"
#include "controller/desk/plan_needs.h"
#include "controller/rollout/evidence.h"
#include "controller/session/pool.h"
#include "controller/terminal/plan_text.h"

struct options {
    struct flags flags;
    const char *plan;
};

static const struct argument arguments[] = {
    { "PLAN", offsetof(struct options, plan), "which plan? flotilla rehearse PLAN.yaml" },
    { 0 },
};

static const struct usage usage = {
    .takes = "PLAN",
    .text =
        "Prove a plan: every agent clones the affected tables' schema into its scratch database, runs "
        "the plan up, down and up again, compares the catalogs, and measures locks and time. Users' "
        "databases are only read.\v"
        "The measurements are written as PLAN.evidence/SERVICE.INSTANCE.json beside the plan; a gate "
        "counts them while the parts stay as they are.\n\n"
        "Exit codes: 0 proven everywhere, 1 not.\n\n"
        "Example:\n  flotilla rehearse widen.yaml\n",
    .arguments = arguments,
    .shows = SHOW_MANIFEST | SHOW_SERVICE | SHOW_TIMEOUT,
    .formats = FORMAT_BIT(JSON),
};

/* One rehearsal: all parts of one service on one instance. */
struct rehearsal {
    const struct part **parts;
    size_t part_count;
    const char *service;
};

struct rehearsals {
    struct rehearsal *items;
    struct pool_task *tasks;
    size_t count;
};

static size_t parts_of(const void *ctx, const struct plan *plan, const char *service,
                       const struct part ***out)
{
    size_t n = 0;
    const struct part **parts = mem_array(ctx, const struct part *, PHASE_COUNT);
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        const struct part *part = plan_part(plan, (enum phase)phase, service);
        if (part)
            parts[n++] = part;
    }
    *out = parts;
    return n;
}

static json_t *request(const struct instance *instance, const struct rehearsal *r)
{
    json_t *parts = json_array();
    json_t *needs = json_array();
    for (size_t i = 0; i < r->part_count; i++) {
        json_array_append_new(parts, part_to_json(r->parts[i], true));
        plan_needs(r->parts[i], needs);
    }
    json_t *o = json_object();
    json_set_text(o, "database", instance->agent_database);
    json_set_text(o, "instance", instance->name);
    json_object_set_new(o, "parts", parts);
    json_object_set_new(o, "needs", needs);
    return o;
}

static void add(const void *ctx, const struct plan *plan, const struct instance *instance,
                struct rehearsals *all)
{
    struct rehearsal r = { .service = instance->service };
    r.part_count = parts_of(ctx, plan, instance->service, &r.parts);
    if (r.part_count == 0)
        return;
    all->items = mem_room(ctx, all->items, struct rehearsal, all->count + 1);
    all->tasks = mem_room(ctx, all->tasks, struct pool_task, all->count + 1);
    all->items[all->count] = r;
    all->tasks[all->count++] = (struct pool_task){
        .instance = instance,
        .op = OP_REHEARSE,
        .args = json_own(ctx, request(instance, &r)),
    };
}

static void collect(const void *ctx, const struct place *place, const char *only,
                    struct rehearsals *all)
{
    for (size_t i = 0; i < place->fleet->service_count; i++) {
        const struct service *service = &place->fleet->services[i];
        const struct instance *const *instances = NULL;
        size_t n = service_instances(ctx, service, place->environment, &instances);
        for (size_t k = 0; k < n && (!only || text_eq(only, service->name)); k++)
            add(ctx, place->plan, instances[k], all);
    }
}

static bool is_proven(const struct pool_task *task)
{
    return task->ok && json_true_of(task->result, "equal") &&
           !json_object_get(task->result, "error");
}

static void print_locks(const json_t *step)
{
    SCOPE(tmp);
    const json_t *locks = json_object_get(step, "locks");
    for (size_t i = 0; i < json_array_size(locks); i++) {
        const json_t *lock = json_array_get(locks, i);
        const char *relation = json_text_of(lock, "relation");
        const char *mode = json_text_of(lock, "mode");
        printf("%s %s on %s", i ? "," : " ", mode ? text_printable(tmp, mode) : "",
               relation ? text_printable(tmp, relation) : "");
    }
}

static void print_steps(const json_t *steps)
{
    for (size_t i = 0; i < json_array_size(steps); i++) {
        SCOPE(tmp);
        const json_t *step = json_array_get(steps, i);
        const char *id = json_text_of(step, "id");
        bool ok = json_true_of(step, "ok");
        printf("    %-4s %-24s %6lld ms", ok ? "ok" : "FAIL", id ? text_printable(tmp, id) : "",
               (long long)json_int_of(step, "ms"));
        print_locks(step);
        puts(json_true_of(step, "rewrite") ? "  REWRITES THE TABLE" : "");
        const json_t *error = json_object_get(step, "error");
        const char *message =
            json_is_string(error) ? json_string_value(error) : json_text_of(error, "message");
        if (message)
            printf("         %s\n", text_printable(tmp, message));
    }
}

static void print_lines(const char *what, const json_t *lines)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        SCOPE(tmp);
        const char *line = json_string_value(json_array_get(lines, i));
        printf("    %s: %s\n", what, line ? text_printable(tmp, line) : "");
    }
}

static void print_rights(const json_t *missing)
{
    for (size_t i = 0; i < json_array_size(missing); i++) {
        SCOPE(tmp);
        const json_t *right = json_array_get(missing, i);
        const char *step = json_text_of(right, "step"), *fix = json_text_of(right, "fix");
        const char *message = json_text_of(right, "message");
        printf("    right missing: %s: the agent's role %s\n      hint: %s\n",
               step ? text_printable(tmp, step) : "", message ? text_printable(tmp, message) : "",
               fix ? text_printable(tmp, fix) : "");
    }
}

static void print_task(const struct pool_task *task, const char *service)
{
    SCOPE(tmp);
    printf("  %s on %s: %s\n", service, task->instance->name,
           is_proven(task) ? "proven" : "NOT PROVEN");
    if (!task->ok) {
        printf("    %s\n", text_printable(tmp, task->error.message));
        if (task->error.hint[0])
            printf("    hint: %s\n", text_printable(tmp, task->error.hint));
        return;
    }
    print_steps(json_object_get(task->result, "steps"));
    print_lines("differs", json_object_get(task->result, "differences"));
    print_rights(json_object_get(task->result, "rights"));
    print_lines("note", json_object_get(task->result, "notes"));
}

static bool report(const struct options *o, const struct rehearsals *all, size_t *proven,
                   struct error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct pool_task *task = &all->tasks[i];
        struct evidence evidence = {
            .service = all->items[i].service,
            .instance = task->instance->name,
            .parts = (const struct part *const *)all->items[i].parts,
            .part_count = all->items[i].part_count,
            .proven = is_proven(task),
            .result = task->result,
            .now_ms = clock_wall_ms(),
        };
        *proven += evidence.proven;
        if (task->ok && !evidence_write(o->plan, &evidence, err))
            return false;
        if (o->flags.format == FORMAT_TEXT)
            print_task(task, all->items[i].service);
    }
    return true;
}

static void print_json(const struct rehearsals *all)
{
    SCOPE(tmp);
    json_t *list = json_own(tmp, json_array());
    for (size_t i = 0; i < all->count; i++) {
        const struct pool_task *task = &all->tasks[i];
        json_t *o = json_object();
        json_set_text(o, "service", all->items[i].service);
        json_set_text(o, "instance", task->instance->name);
        json_set_bool(o, "proven", is_proven(task));
        json_set_text(o, "error", task->ok ? NULL : task->error.message);
        if (task->ok)
            json_object_set(o, "result", task->result);
        json_array_append_new(list, o);
    }
    puts(json_pretty(tmp, list));
}

/* What was asked for must be there: nothing rehearsed is nothing proven. */
static bool prepare(const void *ctx, const struct options *o, struct place *place,
                    struct rehearsals *all, struct error *err)
{
    struct plan_choice choice = { .service = o->flags.service, .phase = -1 };
    struct part **parts = NULL;
    size_t count = 0;
    if (!place_plan(ctx, o->plan, &place->plan, err) ||
        !plan_choose(ctx, place->plan, &choice, &parts, &count, err) ||
        !place_fleet(ctx, &o->flags, place->plan->environment, place, err))
        return false;
    collect(ctx, place, o->flags.service, all);
    if (all->count || count == 0)
        return true;
    fail(err, ERROR_NOT_FOUND, "%s has no instance of the plan's services in %s",
         place->fleet->path, place->environment);
    return fail_hint(err, "is it the manifest that the plan was drafted over?");
}

int command_rehearse(int argc, char **argv)
{
    SCOPE(tmp);
    struct options o = { 0 };
    struct place place = { 0 };
    struct rehearsals all = { 0 };
    struct error err;
    size_t proven = 0;
    usage_read(&usage, argc, argv, &o.flags, &o);
    if (!prepare(tmp, &o, &place, &all, &err))
        return command_failed(argv[0], &err);
    if (o.flags.format == FORMAT_TEXT)
        printf("rehearsing %zu instance%s on clones\n", all.count, all.count == 1 ? "" : "s");
    fflush(stdout);
    pool_run(tmp, &(struct pool_options){ .timeout_ms = o.flags.timeout }, all.tasks, all.count);
    if (!report(&o, &all, &proven, &err))
        return command_failed(argv[0], &err);
    if (o.flags.format == FORMAT_JSON)
        print_json(&all);
    else
        printf("%zu of %zu proven\n", proven, all.count);
    return proven == all.count ? EXIT_DONE : EXIT_FAILED;
}
