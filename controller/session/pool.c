#include "controller/session/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Measured: a session's deepest call (key exchange) takes 60 kB, the resolver about as much;
 * sanitizers multiply it. Only touched pages count. */
enum { STACK_BYTES = 1024 * 1024 };

struct host_work {
    const char *key;
    size_t *tasks; /* indexes */
    size_t count;
};

struct pool {
    const struct pool_options *options;
    struct pool_task *tasks;
    struct host_work *hosts;
    size_t host_count;
};

struct gang {
    void (*work)(void *self, size_t i);
    void *self;
    size_t count;
    size_t next; /* the first that nobody works on */
    pthread_mutex_t lock;
};

static json_t *peer_facts(const struct session *session)
{
    const struct hello *hello = session_peer(session);
    json_t *facts = json_object();
    json_set_text(facts, "program", hello->program);
    json_set_text(facts, "version", hello->version);
    json_object_set_new(facts, "host", json_deep_copy(hello->host));
    return facts;
}

static void task_run(struct session *session, const struct pool_options *options,
                     struct pool_task *task)
{
    SCOPE(tmp);
    json_t *result = NULL;
    struct call call = { .op = task->op, .args = task->args, .timeout_ms = options->timeout_ms };
    int64_t began = clock_mono_ms();
    task->timing = session_timing(session);
    task->peer = peer_facts(session);
    task->ok = session_call(session, tmp, &call, &result, &task->error);
    task->ms = clock_mono_ms() - began;
    if (task->ok)
        task->result = json_incref(result);
}

/* One host: a session for all of its tasks, a new one after a loss; a host that cannot be reached
 * fails all of them. */
static void host_run(void *self, size_t index)
{
    SCOPE(tmp);
    struct pool *pool = self;
    const struct host_work *work = &pool->hosts[index];
    struct session *session = NULL;
    struct error err = { 0 };
    bool reachable = true;
    for (size_t i = 0; i < work->count; i++) {
        struct pool_task *task = &pool->tasks[work->tasks[i]];
        if (session && !session_usable(session)) {
            session_close(session);
            session = NULL;
        }
        if (!session && reachable)
            reachable = session_open(tmp, task->instance, &pool->options->session, &session, &err);
        if (reachable)
            task_run(session, pool->options, task);
        else
            task->error = err;
    }
    session_close(session);
}

static void *worker(void *data)
{
    struct gang *gang = data;
    for (;;) {
        pthread_mutex_lock(&gang->lock);
        size_t mine = gang->next < gang->count ? gang->next++ : gang->count;
        pthread_mutex_unlock(&gang->lock);
        if (mine >= gang->count)
            return NULL;
        gang->work(gang->self, mine);
    }
}

static size_t start_workers(struct gang *gang, pthread_t *threads, size_t wanted)
{
    pthread_attr_t attributes;
    size_t started = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (started < wanted && pthread_create(&threads[started], &attributes, worker, gang) == 0)
        started++;
    pthread_attr_destroy(&attributes);
    return started;
}

void pool_each(int threads, size_t count, void (*work)(void *self, size_t i), void *self)
{
    SCOPE(tmp);
    struct gang gang = { work, self, count, 0, PTHREAD_MUTEX_INITIALIZER };
    size_t wanted = threads > 0 ? (size_t)threads : POOL_THREADS;
    if (wanted > POOL_THREADS_MOST)
        wanted = POOL_THREADS_MOST;
    if (wanted > count)
        wanted = count;
    pthread_t *list = mem_array(tmp, pthread_t, wanted);
    size_t started = start_workers(&gang, list, wanted);
    if (started == 0) /* no thread to be had: then in this one */
        worker(&gang);
    for (size_t i = 0; i < started; i++)
        pthread_join(list[i], NULL);
}

struct keyed {
    const char *key;
    size_t index;
};

static int keyed_compare(const void *a, const void *b)
{
    const struct keyed *x = a;
    const struct keyed *y = b;
    int order = text_cmp(x->key, y->key);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void group_by_host(void *ctx, struct pool *pool, size_t count)
{
    struct keyed *keyed = mem_array(ctx, struct keyed, count);
    size_t *indexes = mem_array(ctx, size_t, count);
    for (size_t i = 0; i < count; i++)
        keyed[i] = (struct keyed){ session_key(ctx, pool->tasks[i].instance), i };
    qsort(keyed, count, sizeof(keyed[0]), keyed_compare);
    pool->hosts = mem_array(ctx, struct host_work, count);
    for (size_t i = 0; i < count; i++) {
        indexes[i] = keyed[i].index;
        if (i == 0 || !text_eq(keyed[i].key, keyed[i - 1].key))
            pool->hosts[pool->host_count++] = (struct host_work){ keyed[i].key, &indexes[i], 0 };
        pool->hosts[pool->host_count - 1].count++;
    }
}

void pool_run(const void *ctx, const struct pool_options *options, struct pool_task *tasks,
              size_t count)
{
    SCOPE(tmp);
    static const struct pool_options defaults;
    struct pool pool = { .options = options ? options : &defaults, .tasks = tasks };
    group_by_host(tmp, &pool, count);
    pool_each(pool.options->threads, pool.host_count, host_run, &pool);
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].result)
            json_own(ctx, tasks[i].result);
        if (tasks[i].peer)
            json_own(ctx, tasks[i].peer);
    }
}
