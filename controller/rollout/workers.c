#include "controller/rollout/workers.h"

#include <pthread.h>
#include <stdlib.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/follow.h"
#include "controller/rollout/mailbox.h"

enum {
    THREADS_MOST = 64,        /* sessions at once: docs, SSH fan-out */
    STACK_BYTES = 512 * 1024, /* libssh2 and jansson need less than half of it */
};

struct errand {
    struct workers *workers;
    struct follow follow;
    struct order order; /* with an action: only this order */
    struct errand *next;
};

struct workers {
    struct world world; /* first: a world is its workers */
    const struct fleet *fleet;
    const char *environment;
    struct mailbox *mailbox;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct errand *waiting, *waiting_last;
    const char **runs; /* by task: the id of its run, once it is known */
    size_t threads, most;
    int64_t patience_ms;
    bool ending;
};

struct world *workers_world(struct workers *workers)
{
    return &workers->world;
}

/* --- threads ------------------------------------------------------------------------------- */

static struct errand *errand_next(struct workers *w)
{
    struct errand *errand = w->waiting;
    if (errand)
        w->waiting = errand->next;
    if (!w->waiting)
        w->waiting_last = NULL;
    return errand;
}

static void *thread_main(void *argument)
{
    struct workers *w = argument;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        struct errand *errand = w->ending ? NULL : errand_next(w);
        if (!errand)
            break;
        pthread_mutex_unlock(&w->lock);
        if (errand->order.action)
            follow_control(errand->follow.instance, &errand->order);
        else
            follow_run(&errand->follow);
        talloc_free(errand);
        pthread_mutex_lock(&w->lock);
    }
    w->threads--;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static bool thread_start(struct workers *w, struct error *err)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int failed = pthread_create(&thread, &attributes, thread_main, w);
    pthread_attr_destroy(&attributes);
    if (failed)
        return fail(err, ERROR_IO, "cannot start a thread for a session");
    w->threads++;
    return true;
}

/* Controls go to the front: what they stop may occupy every thread there is, so they also may go
 * over the limit by as many threads again. */
static bool errand_give(struct workers *w, struct errand *errand, struct error *err)
{
    bool urgent = errand->order.action != NULL;
    pthread_mutex_lock(&w->lock);
    errand->next = urgent ? w->waiting : NULL;
    if (urgent)
        w->waiting = errand;
    else if (w->waiting_last)
        w->waiting_last->next = errand;
    else
        w->waiting = errand;
    if (!errand->next)
        w->waiting_last = errand;
    bool started = true;
    if (w->threads < (urgent ? 2 * w->most : w->most))
        started = thread_start(w, err);
    pthread_mutex_unlock(&w->lock);
    return started || w->threads > 0;
}

static bool is_ending(void *self)
{
    struct workers *w = self;
    pthread_mutex_lock(&w->lock);
    bool ending = w->ending;
    pthread_mutex_unlock(&w->lock);
    return ending;
}

static void on_run(void *self, size_t task, const char *run)
{
    struct workers *w = self;
    pthread_mutex_lock(&w->lock);
    w->runs = mem_room(w, w->runs, const char *, task + 1);
    w->runs[task] = mem_text(w->runs, run);
    pthread_mutex_unlock(&w->lock);
}

/* The id of the task's run, or null while the agent has not named it. */
static const char *run_of(const void *ctx, struct workers *w, size_t task)
{
    pthread_mutex_lock(&w->lock);
    bool known = w->runs && task < talloc_get_size(w->runs) / sizeof(*w->runs);
    const char *run = known ? mem_text(ctx, w->runs[task]) : NULL;
    pthread_mutex_unlock(&w->lock);
    return run;
}

/* --- the world ----------------------------------------------------------------------------- */

static int64_t world_wall(struct world *world)
{
    (void)world;
    return clock_wall_ms();
}

static int64_t world_mono(struct world *world)
{
    (void)world;
    return clock_mono_ms();
}

static const struct instance *find_instance(const struct workers *w, const struct job *job)
{
    struct service *service = fleet_service(w->fleet, job->service);
    for (size_t i = 0; service && i < service->instance_count; i++)
        if (text_eq(service->instances[i].name, job->instance) &&
            text_eq(service->instances[i].environment, w->environment))
            return &service->instances[i];
    return NULL;
}

/* Everything that the thread needs, in one hierarchy of its own. */
static bool errand_new(struct workers *w, const struct job *job, struct errand **out,
                       struct error *err)
{
    const struct instance *instance = find_instance(w, job);
    if (!instance) {
        fail(err, ERROR_NOT_FOUND, "%s has no instance %s in %s", job->service, job->instance,
             w->environment);
        return fail_hint(err, "the manifest changed since the plan was drafted; draft it again");
    }
    struct errand *errand = mem_new(NULL, struct errand);
    errand->workers = w;
    errand->follow = (struct follow){
        .instance = instance,
        .policy = &fleet_service(w->fleet, job->service)->policy,
        .mailbox = w->mailbox,
        .task = job->task,
        .attempt = job->attempt,
        .patience_ms = w->patience_ms,
        .after = job->after,
        .is_ending = is_ending,
        .on_run = on_run,
        .self = w,
    };
    errand->follow.args = json_own(errand, follow_args(&errand->follow, job));
    *out = errand;
    return true;
}

static bool world_dispatch(struct world *world, const struct job *job, struct error *err)
{
    struct workers *w = (struct workers *)world;
    struct errand *errand = NULL;
    struct report *failed = report_new(REPORT_FAILED, job->task, job->attempt, NULL);
    if (!errand_new(w, job, &errand, &failed->err)) {
        mailbox_send(w->mailbox, failed);
        return true;
    }
    talloc_free(failed);
    return errand_give(w, errand, err);
}

static void world_control(struct world *world, const struct job *job, const char *action)
{
    struct workers *w = (struct workers *)world;
    struct errand *errand = NULL;
    struct error ignored; /* the engine asks again while the task has not heard */
    if (!errand_new(w, job, &errand, &ignored))
        return;
    errand->order.run = run_of(errand, w, job->task);
    if (!errand->order.run) {
        talloc_free(errand);
        return;
    }
    errand->order.action = mem_text(errand, action);
    errand->order.token = job->token;
    if (!errand_give(w, errand, &ignored))
        return;
}

static struct report *world_receive(struct world *world, const void *ctx, int64_t timeout_ms)
{
    return mailbox_receive(((struct workers *)world)->mailbox, ctx, timeout_ms);
}

struct workers *workers_new(const void *ctx, const struct fleet *fleet, const char *environment,
                            int64_t patience_ms)
{
    struct workers *w = mem_new(ctx, struct workers);
    w->world =
        (struct world){ world_wall, world_mono, world_dispatch, world_control, world_receive };
    w->fleet = fleet;
    w->environment = mem_text(w, environment);
    w->mailbox = mailbox_new(w);
    w->most = THREADS_MOST;
    w->patience_ms = patience_ms;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

void workers_end(struct workers *w, int64_t within_ms)
{
    int64_t until = clock_mono_ms() + within_ms;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    while (w->threads > 0 && clock_mono_ms() < until) {
        struct timespec at = { .tv_sec = until / 1000, .tv_nsec = (until % 1000) * 1000000 };
        pthread_cond_timedwait(&w->changed, &w->lock, &at);
    }
    size_t left = w->threads;
    for (struct errand *e; (e = errand_next(w));)
        talloc_free(e);
    pthread_mutex_unlock(&w->lock);
    /* Threads that still wait for a host use it: it stays until the process ends. */
    if (left)
        talloc_steal(NULL, w);
    else
        talloc_free(w);
}
