/*
 * Work: one run of one part on one database, as the runner carries it out. It joins what every kind
 * of step needs: two sessions, the part, the limits of the host, where events go, and the orders
 * that come in from outside. Created by the runner, owned by it, used by one thread.
 *
 * `db` does the work and holds the advisory lock; `watch` looks on (blockers, progress, health) and
 * never writes to users' tables.
 */
#ifndef AGENTS_AGENT_WORK_H
#define AGENTS_AGENT_WORK_H

#include <jansson.h>

#include "agents/agent/spool.h"
#include "agents/part/part.h"
#include "agents/pg/connection.h"

/* What the host allows, in milliseconds where it is time. */
struct work_limits {
    int64_t lock_budget_ms;   /* longest wait that a step may cause: our wait in the queue + hold */
    int64_t step_deadline_ms; /* how long a step goes on asking for its locks */
    int64_t batch_ms;         /* what a batch of a backfill aims at */
    int64_t lag_ms;           /* replicas behind by more hold a backfill back */
    int64_t lag_bytes;        /* the same for replication slots */
    const char *places;       /* folder of the places for backfills; null: no limit */
    const char *snapshots;    /* folder of snapshots */
    const char *scratch;      /* conninfo of the scratch database; null: none */
    const char *scratch_service;
};

/* A dependent's word, that the controller passes on. */
struct work_ack {
    const char *service;
    const char *note;
};

struct work {
    struct connection *db;
    struct connection *watch;
    const struct part *part;
    const char *run;      /* id of this run */
    const char *rollout;  /* id of the rollout */
    const char *instance; /* as in the part */
    const char *database; /* as agent.yaml names it */
    const char *identity; /* cluster and database, of the first session; null: none yet */
    int64_t fence;
    bool back;
    bool rehearsal;    /* on a clone: rights differ, and more is measured */
    bool begun;        /* it was let in, and the journal says so */
    const char *until; /* stop after this step; null: go to the end */
    const struct work_ack *acks;
    size_t ack_count;
    struct work_limits limits;
    struct spool *spool;
    const struct step *step; /* under work: events carry its id */
    int64_t last_progress_ms;
    bool deadlock_tuned; /* this session may and does set deadlock_timeout */
};

/* Appends an event; fields (may be null) are taken over and put beside the usual ones. */
bool work_event(struct work *work, const char *event, json_t *fields, struct error *err) MUSTCHECK;

struct work_progress {
    int64_t done, total;
    int64_t began_ms; /* monotonic; for the rate */
    double share;     /* of the work, 0 to 1; below 0: done / total tells */
    bool last;
};

/* A progress event, at most four a second unless `last`; done never exceeds total. */
bool work_progress(struct work *work, const struct work_progress *progress,
                   struct error *err) MUSTCHECK;

/* Looks at the orders: waits while paused, fails with ERROR_CANCELLED when told to stop. To be
 * called where stopping is safe. */
bool work_orders(struct work *work, struct error *err) MUSTCHECK;

/* Sleeps, cut short by an order. */
void work_sleep(struct work *work, int64_t ms);

/* BEGIN with our settings, then a lock on the fence that lasts as long as the transaction: a runner
 * that was fenced fails here with ERROR_FENCED and can never commit after its successor began. */
bool work_begin(struct work *work, struct error *err) MUSTCHECK;
bool work_commit(struct work *work, struct error *err) MUSTCHECK;
/* Rolls back whatever is open; the error that led here stays untouched. */
void work_rollback(struct work *work);

#endif
