/*
 * Locks: running statements that need strong locks without making the application wait longer than
 * the lock budget, and telling by name who is in the way.
 *
 * A request for a strong lock queues everybody behind it, so the wait of each try is cut at the
 * budget (less what the hold needs), and the tries go on, with growing pauses, until the step's
 * deadline. lock_timeout counts for each lock anew; where a step names its relations they are
 * therefore taken first, in one fixed order, in one statement under statement_timeout.
 *
 * From the request for the locks to the commit no more than the budget may pass: every statement of
 * a step that says it takes strong locks gets what is left of it as its statement_timeout, and the
 * session ends when it idles in its transaction for as long, so that a process that was stopped
 * holds nobody up. A try that takes longer is taken back, and the step fails after a few.
 */
#ifndef AGENTS_AGENT_LOCKS_H
#define AGENTS_AGENT_LOCKS_H

#include "agents/agent/budget.h"

struct locks {
    struct work *work;
    const char *sql; /* takes all relations; null: the step names none that is there */
    bool strong;     /* application statements may queue behind us */
    bool bounded;    /* a relation that is there is locked strongly: the budget is the server's */
    int64_t wait_ms; /* of each try */
    int64_t deadline_ms;
    int tries;
    int64_t asked_ms; /* monotonic: when this try began */
    int64_t longest_wait_ms;
    int64_t wait_was_ms; /* of this try */
    int overruns;        /* tries that held longer than the budget allows */
    struct budget budget;
    int64_t said_ms;
    json_t *blockers; /* of the last look; owned by the context of locks_new */
    int64_t looked_ms;
};

/* From what the step says about its locks. Relations that are not there (yet) are left out. */
bool locks_new(const void *ctx, struct work *work, struct locks **out, struct error *err) MUSTCHECK;

/* In the transaction that is open: sets the timeouts and takes the locks. */
bool locks_take(struct locks *locks, struct error *err) MUSTCHECK;
/* Before the next statement of our own in that transaction: what is left of the budget is all that
 * it gets. */
bool locks_limit(struct locks *locks, struct error *err) MUSTCHECK;
/* One statement of the step under the same watch. */
bool locks_exec(struct locks *locks, const char *sql, int64_t *rows, struct error *err) MUSTCHECK;

/* After a failed try and its rollback: reports the blockers and waits for the next try, or passes
 * the error on when it is of another kind or the deadline is over. */
bool locks_again(struct locks *locks, struct error *err) MUSTCHECK;

/* Who holds up a backend, as JSON: [{pid, application, user, state, seconds, what}]. Best effort:
 * an empty list when it cannot be told. */
json_t *locks_blockers(struct connection *watch, int backend_pid);

/* The locks that the open transaction holds on users' relations: [{relation, mode}]. */
bool locks_held(const void *ctx, struct connection *db, json_t **out, struct error *err) MUSTCHECK;

#endif
