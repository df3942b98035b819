/*
 * The pool: one operation on many instances at once. Instances on one host share a session and are
 * asked one after the other; different hosts are asked in parallel by a bounded number of threads.
 *
 *     struct pool_task tasks[] = { { .instance = a, .op = OP_INSPECT, .args = args_a }, ... };
 *     pool_run(ctx, NULL, tasks, count);
 *     for each task: tasks[i].ok ? tasks[i].result : tasks[i].error
 *
 * One host that fails leaves the others alone: each task has its own end.
 */
#ifndef CONTROLLER_SESSION_POOL_H
#define CONTROLLER_SESSION_POOL_H

#include "controller/session/session.h"

enum { POOL_THREADS = 64, POOL_THREADS_MOST = 1024 };

struct pool_options {
    int threads; /* at most; 0: POOL_THREADS */
    struct session_options session;
    int64_t timeout_ms; /* as in struct call */
};

struct pool_task {
    const struct instance *instance;
    enum operation op;
    const json_t *args; /* null: none; lent until pool_run returns */

    bool ok;
    json_t *result; /* owned by pool_run's ctx */
    struct error error;
    json_t *peer; /* facts of the agent's hello: {program, version, host}; null: not reached */
    struct session_timing timing;
    int64_t ms; /* the call itself */
};

/* Runs all tasks to their end. options may be null. */
void pool_run(const void *ctx, const struct pool_options *options, struct pool_task *tasks,
              size_t count);

/* Calls work(self, 0) ... work(self, count - 1), each once, in at most `threads` threads (0:
 * POOL_THREADS), and returns when all have returned. */
void pool_each(int threads, size_t count, void (*work)(void *self, size_t i), void *self);

#endif
