/*
 * The state machine of a rollout: one table, status x event, every cell decided. It prints itself
 * (the diagram in docs/ARCHITECTURE.md is its output) and a test walks all of it. Pure.
 */
#ifndef CONTROLLER_ROLLOUT_TRANSITIONS_H
#define CONTROLLER_ROLLOUT_TRANSITIONS_H

#include "controller/rollout/state.h"

/* What the engine observes, then what people ask for. */
#define ROLLOUT_EVENTS(X)             \
    X(GATE_CLOSED, "gate_closed")     \
    X(TASK_FAILED, "task_failed")     \
    X(QUIET, "quiet")                 \
    X(ALL_DONE, "all_done")           \
    X(ALL_UNDONE, "all_undone")       \
    X(PART_WAY_BACK, "part_way_back") \
    X(RESUME, "resume")               \
    X(PROMOTE, "promote")             \
    X(PAUSE, "pause")                 \
    X(RETRY, "retry")                 \
    X(ABORT, "abort")                 \
    X(ROLLBACK, "rollback")           \
    X(GIVE_UP, "give_up")

enum rollout_event {
#define X(id, name) ON_##id,
    ROLLOUT_EVENTS(X)
#undef X
        ROLLOUT_EVENT_COUNT
};

/* What has to be done once the new status is saved. */
enum rollout_effect {
    EFFECT_NONE = 0,
    EFFECT_PAUSE = 1,     /* ask the runners to wait */
    EFFECT_CONTINUE = 2,  /* ask waiting runners to go on */
    EFFECT_STOP = 4,      /* ask the runners to stop at a safe point */
    EFFECT_TURN_BACK = 8, /* direction becomes back; stopped and done tasks are to be undone */
    EFFECT_AGAIN = 16,    /* failed and stopped tasks become pending */
    EFFECT_FORWARD = 32,  /* after a partial way back: undone tasks become pending */
    EFFECT_PROMOTE = 64,  /* the current phase counts as promoted */
};

struct transition {
    enum rollout_status next;
    unsigned effects;
    const char *refusal; /* not null: the event is refused here, this is why */
};

const char *rollout_event_name(enum rollout_event event);

/* The cell of the table. */
struct transition rollout_next(enum rollout_status status, enum rollout_event event);

/* The table as a Mermaid state diagram. */
const char *rollout_diagram(const void *ctx);

#endif
