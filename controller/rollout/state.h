/*
 * A rollout as data: its status, its direction, and one task for every (phase, service, instance)
 * of the plan. It is saved whole, as JSON, together with the events that explain each change.
 * Pure: nothing here looks at a clock, a socket or a file.
 */
#ifndef CONTROLLER_ROLLOUT_STATE_H
#define CONTROLLER_ROLLOUT_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/part/part.h"
#include "controller/plan/plan.h"

/* RUNNING      tasks are being carried out, in the rollout's direction
 * GATE         the next phase may not start yet; `gate` says why
 * PAUSED       runners keep their place; `resume` goes on
 * ABORTING     runners are asked to stop at their next safe point ...
 * ABORTED      ... and have stopped; nothing was undone
 * TURNING      runners are asked to stop, then the way back begins
 * FAILED       a task failed; nothing runs any more
 * DONE         every phase is done
 * ROLLED_BACK  everything was undone
 * GIVEN_UP     ended where it stood, by somebody's word: nothing was undone, nothing is held */
#define ROLLOUT_STATUSES(X)       \
    X(RUNNING, "running")         \
    X(GATE, "gate")               \
    X(PAUSED, "paused")           \
    X(ABORTING, "aborting")       \
    X(ABORTED, "aborted")         \
    X(TURNING, "turning")         \
    X(FAILED, "failed")           \
    X(DONE, "done")               \
    X(ROLLED_BACK, "rolled_back") \
    X(GIVEN_UP, "given_up")

enum rollout_status {
#define X(id, name) ROLLOUT_##id,
    ROLLOUT_STATUSES(X)
#undef X
        ROLLOUT_STATUS_COUNT
};

/* PENDING  not started, or undone and to be done again
 * RUNNING  a runner works on it (or is being asked to)
 * STOPPED  its runner stopped at a safe point before the end
 * UNDONE   its way back is complete */
#define TASK_STATUSES(X)  \
    X(PENDING, "pending") \
    X(RUNNING, "running") \
    X(DONE, "done")       \
    X(FAILED, "failed")   \
    X(STOPPED, "stopped") \
    X(UNDONE, "undone")

enum task_status {
#define X(id, name) TASK_##id,
    TASK_STATUSES(X)
#undef X
        TASK_STATUS_COUNT
};

struct task {
    const struct part *part; /* of the plan */
    enum phase phase;
    const char *service, *instance;
    enum task_status status;
    int attempt;      /* from 1; a retry or a change of direction counts up */
    int64_t seq;      /* of the runner's last event that was taken, within this attempt */
    bool lost;        /* its agent cannot be reached just now */
    bool started;     /* something of it may have been done: the way back has to visit it */
    const char *step; /* the one at work, or the last */
    size_t steps_done;
    int64_t done, total, rate, eta_ms; /* of a backfill; total 0: no progress to show */
    int64_t percent;                   /* of the way through the table */
    const char *waiting;               /* "blocked 4 s by pid 812 pg_dump"; null */
    const char *error, *error_code, *hint;
    int64_t rows;     /* moved so far, by finished steps */
    const char *left; /* lines: what the way back could not make as it was; null */
    /* Not saved: when each of the frequent events was last taken, how many others were. */
    int64_t often_ms[3];
    size_t told;
};

struct rollout {
    const char *id;
    const struct plan *plan;
    enum rollout_status status;
    bool back;        /* direction */
    enum phase phase; /* at work, or whose gate is waited for */
    bool phase_open;  /* the gate of `phase` was passed */
    int until;        /* last phase to run before stopping; PHASE_COUNT - 1: all */
    int back_to;      /* way back: undo phases after this one; -1: all */
    int promoted;     /* phases up to this one were promoted; -1: none */
    const char *gate; /* why it waits; null unless GATE */
    const char *gate_hint;
    int64_t token; /* of the lease under which it is driven */
    struct task *tasks;
    size_t task_count;
};

const char *rollout_status_name(enum rollout_status status);

/* Nothing runs, and nothing will before somebody asks for it. */
bool rollout_rests(enum rollout_status status);

/* A rollout that still holds its objects: every one that has not ended. */
bool rollout_holds(enum rollout_status status);

/* A new rollout of a plan: every task pending, standing before the first phase. */
struct rollout *rollout_new(const void *ctx, const struct plan *plan, const char *id);

/* The saved form, and back; the plan must be the one it was made from. */
json_t *rollout_to_json(const struct rollout *rollout);
bool rollout_from_json(const void *ctx, const struct plan *plan, const json_t *json,
                       struct rollout **out, struct error *err) MUSTCHECK;

/* Replaces a text field that hangs on the rollout (null is fine). */
void rollout_text(const struct rollout *rollout, const char **field, const char *value);

/* Counts tasks of a status; phase PHASE_COUNT: of all. */
size_t rollout_tasks(const struct rollout *rollout, enum phase phase, enum task_status status);

#endif
