/* The engine against a world that remembers like agents do. It is killed after every single saved
 * transition, first one, then two, then three ... of them, and started again: every part must have
 * been carried out exactly once, and every event must have been written down exactly once. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TASKS = 4, RUNS = 16, EVENTS_A_RUN = 4 };

/* What the agents know; it outlives the controller. */
struct memory {
    struct {
        int started[RUNS]; /* by attempt: how often a run was really begun */
        int carried_out;   /* forward minus undone */
    } task[TASKS];
    int64_t newest_token;
    int lives; /* of controllers, so far */
    int fenced;
    int fail_task; /* -1: none; its first attempt fails */
};

static struct memory *memory;
static struct error err;

/* --- the world ----------------------------------------------------------------------------- */

struct queue {
    struct report *items[256];
    size_t head, tail;
};

struct fake {
    struct world world;
    struct queue queue;
    int64_t now;
};

static int64_t fake_clock(struct world *world)
{
    return ((struct fake *)world)->now += 7;
}

static void post(struct fake *f, const struct job *job, enum report_kind kind, json_t *body)
{
    struct report *r = mem_new(NULL, struct report);
    r->kind = kind;
    r->task = job->task;
    r->attempt = job->attempt;
    r->body = json_own(r, body);
    f->queue.items[f->queue.tail++ % 256] = r;
}

static bool fake_dispatch(struct world *world, const struct job *job, struct error *why)
{
    (void)why;
    struct fake *f = (struct fake *)world;
    if (job->token < memory->newest_token) {
        memory->fenced++;
        return true;
    }
    memory->newest_token = job->token;
    bool fails = memory->fail_task == (int)job->task && job->attempt == 1;
    if (memory->task[job->task].started[job->attempt]++ == 0 && !fails)
        memory->task[job->task].carried_out += job->back ? -1 : 1;
    for (int64_t seq = job->after + 1; seq <= EVENTS_A_RUN; seq++)
        post(f, job, REPORT_EVENT,
             json_pack("{s:I, s:s, s:s}", "seq", (json_int_t)seq, "event", "step_done", "step",
                       "x"));
    if (fails)
        post(f, job, REPORT_ENDED,
             json_pack("{s:s, s:{s:s, s:s}}", "state", "failed", "error", "code", "drift",
                       "message", "as asked"));
    else
        post(f, job, REPORT_ENDED, json_pack("{s:s}", "state", job->back ? "undone" : "done"));
    return true;
}

static void fake_control(struct world *world, const struct job *job, const char *action)
{
    (void)world;
    (void)job;
    (void)action;
}

static struct report *fake_receive(struct world *world, const void *ctx, int64_t timeout_ms)
{
    (void)timeout_ms;
    struct fake *f = (struct fake *)world;
    if (f->queue.head == f->queue.tail)
        return NULL;
    return talloc_steal(ctx, f->queue.items[f->queue.head++ % 256]);
}

/* --- a small plan: two services, expand and migrate ---------------------------------------- */

static struct part *make_part(void *ctx, enum phase phase, const char *service)
{
    struct part *part = mem_new(ctx, struct part);
    part->fleet = "shop";
    part->environment = "test";
    part->plan = "p-1";
    part->phase = phase;
    part->service = service;
    step_texts_add(part, &part->instances, mem_printf(part, "%s-1", service));
    part->steps = mem_array(part, struct step, 1);
    part->steps[0] = (struct step){ .id = "x", .what = "x", .transaction = true };
    part->step_count = 1;
    return part;
}

static struct plan *make_plan(void *ctx)
{
    static const char *const services[] = { "orders", "users" };
    struct plan *plan = mem_new(ctx, struct plan);
    plan->id = "p-1";
    plan->title = "T";
    plan->fleet = "shop";
    plan->environment = "test";
    plan->change = "{}";
    plan->digest = "d";
    for (int phase = 0; phase < 2; phase++) {
        plan->phases[phase].parts = mem_array(plan, struct part *, 2);
        plan->phases[phase].count = 2;
        for (int i = 0; i < 2; i++)
            plan->phases[phase].parts[i] = make_part(plan, (enum phase)phase, services[i]);
    }
    struct part *users = plan->phases[0].parts[1];
    users->after = mem_array(users, struct part_after, 1);
    users->after[0] = (struct part_after){ "orders", "test" };
    users->after_count = 1;
    return plan;
}

static struct fleet *make_fleet(void *ctx)
{
    static const char *const names[] = { "orders", "users" };
    struct fleet *fleet = mem_new(ctx, struct fleet);
    fleet->name = "shop";
    fleet->policy.rehearse = REHEARSE_OFF;
    fleet->services = mem_array(fleet, struct service, 2);
    fleet->service_count = 2;
    for (int i = 0; i < 2; i++) {
        fleet->services[i].name = names[i];
        fleet->services[i].policy.rehearse = REHEARSE_OFF;
    }
    return fleet;
}

/* --- one life of a controller -------------------------------------------------------------- */

struct life {
    int left; /* events until it dies; negative: it lives */
};

static void count_event(void *self, const json_t *event)
{
    (void)event;
    struct life *life = self;
    if (life->left > 0 && --life->left == 0)
        _exit(42);
}

static bool reopen(void *ctx, struct store *store, const struct plan *plan,
                   struct rollout **rollout)
{
    struct store_rollout *row = NULL;
    const char *existing = NULL;
    struct store_rollout fresh = { .id = "r-1",
                                   .plan = "p-1",
                                   .plan_digest = "d",
                                   .fleet = "shop",
                                   .environment = "test",
                                   .title = "T",
                                   .created_ms = 1,
                                   .plan_text = "",
                                   .plan_path = "p.yaml" };
    assert_true(store_find(ctx, store, "r-1", &row, &err));
    if (!row)
        return engine_create(ctx, store, plan, &fresh, rollout, &existing, &err);
    return rollout_from_json(ctx, plan, row->doc, rollout, &err);
}

/* Drives once; the status it came to rest in, or -1 when the drive failed. */
static int drive(const char *folder, int dies_after, const char *verb)
{
    SCOPE(tmp);
    struct store *store = NULL;
    struct rollout *rollout = NULL;
    struct life life = { dies_after };
    struct fake fake = { .world = { fake_clock, fake_clock, fake_dispatch, fake_control,
                                    fake_receive } };
    /* each life comes later than the one before: its lease has run out */
    fake.now = 100000 * (int64_t)++memory->lives;
    assert_true(store_open(tmp, folder, &store, &err));
    assert_true(reopen(tmp, store, make_plan(tmp), &rollout));
    if (verb) {
        int64_t id = 0;
        struct store_control ask = { .verb = verb, .who = "test" };
        assert_true(store_control_add(store, "r-1", &ask, 1, &id, &err));
    }
    struct engine engine = {
        .world = &fake.world,
        .store = store,
        .fleet = make_fleet(tmp),
        .plan_path = "/nonexistent/p.yaml",
        .holder = mem_printf(tmp, "test:%d", getpid()),
        .rollout = rollout,
        .on_event = count_event,
        .self = &life,
    };
    return engine_run(&engine, &err) ? (int)rollout->status : -1;
}

static bool dies(const char *folder, int after)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(drive(folder, after, NULL) < 0 ? 1 : 0);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 42 || WEXITSTATUS(status) == 0);
    return WEXITSTATUS(status) == 42;
}

static const char *fresh(void *ctx)
{
    char *folder = talloc_strdup(ctx, "/tmp/flotilla-engine-XXXXXX");
    assert_non_null(mkdtemp(folder));
    memset(memory, 0, sizeof(*memory));
    memory->fail_task = -1;
    return folder;
}

/* Each (instance, phase, run_seq) once. */
static void check_events(const char *folder)
{
    SCOPE(tmp);
    struct store *store = NULL;
    json_t *events = NULL;
    int64_t count = 0;
    assert_true(store_open(tmp, folder, &store, &err));
    assert_true(store_verify(store, &count, &err));
    assert_true(store_events(tmp, store, "r-1", 0, 10000, &events, &err));
    json_t *seen = json_own(tmp, json_object());
    int runner_events = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i);
        if (!json_object_get(e, "run_seq"))
            continue;
        const char *key =
            mem_printf(tmp, "%s %s %lld", json_text_of(e, "instance"), json_text_of(e, "phase"),
                       (long long)json_int_of(e, "run_seq"));
        assert_null(json_object_get(seen, key));
        json_set_bool(seen, key, true);
        runner_events++;
    }
    assert_int_equal(runner_events, TASKS * EVENTS_A_RUN);
}

static void killed_after_every_transition(void **state)
{
    (void)state;
    for (int gap = 1; gap <= 12; gap++) {
        SCOPE(tmp);
        const char *folder = fresh(tmp);
        int deaths = 0;
        while (dies(folder, gap) && deaths < 200)
            deaths++;
        assert_true(deaths > 0 && deaths < 200);
        assert_int_equal(drive(folder, -1, NULL), ROLLOUT_DONE);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(memory->task[i].carried_out, 1);
        assert_int_equal(memory->fenced, 0);
        check_events(folder);
    }
}

static void order_is_the_plans(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *folder = fresh(tmp);
    struct store *store = NULL;
    json_t *events = NULL;
    assert_int_equal(drive(folder, -1, NULL), ROLLOUT_DONE);
    assert_true(store_open(tmp, folder, &store, &err));
    assert_true(store_events(tmp, store, "r-1", 0, 1000, &events, &err));
    struct text order = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *e = json_array_get(events, i);
        if (text_eq(json_text_of(e, "event"), "part_started"))
            text_addf(&order, "%s/%s ", json_text_of(e, "phase"), json_text_of(e, "service"));
    }
    assert_string_equal(order.data, "expand/orders expand/users migrate/orders migrate/users ");
}

static void failure_retry_and_way_back(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *folder = fresh(tmp);
    memory->fail_task = 1;
    assert_int_equal(drive(folder, -1, NULL), ROLLOUT_FAILED);
    assert_int_equal(memory->task[0].carried_out, 1);
    assert_int_equal(memory->task[2].carried_out, 0);
    assert_int_equal(drive(folder, -1, "retry"), ROLLOUT_DONE);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(memory->task[i].carried_out, 1);
    assert_int_equal(drive(folder, -1, "rollback"), ROLLOUT_ROLLED_BACK);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(memory->task[i].carried_out, 0);
}

static int set_up(void **state)
{
    (void)state;
    memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_after_every_transition),
        cmocka_unit_test(order_is_the_plans),
        cmocka_unit_test(failure_retry_and_way_back),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
