/*
 * What is next in a rollout: the phase, the tasks that may start, whether all is done. Pure: it
 * reads and changes the rollout only.
 */
#ifndef CONTROLLER_ROLLOUT_SCHEDULE_H
#define CONTROLLER_ROLLOUT_SCHEDULE_H

#include "controller/rollout/state.h"

enum schedule_need {
    NEED_NOTHING,  /* tasks run; nothing may start now */
    NEED_DISPATCH, /* *tasks may start */
    NEED_GATE,     /* the gate of `phase` has to be looked at */
    NEED_FAIL,     /* a task failed and none runs any more */
    NEED_END,      /* forward: all done; back: all undone */
    NEED_PART_WAY, /* back: undone as far as asked */
};

struct schedule {
    enum schedule_need need;
    enum phase phase; /* of the gate, or of the tasks */
    size_t *tasks;    /* indices, for NEED_DISPATCH */
    size_t task_count;
};

/* For a RUNNING rollout. Forward: the lowest phase that is not done; within it a task starts when
 * the parts that stand in its `after` are done; after a failure nothing new starts. Back: in
 * exactly the other order, except that an instance waits for its own later phases and for those of
 * services that the plan ties to its own, not for the whole fleet: what can be undone is undone
 * while a host cannot be reached. After a failure of another kind nothing new starts. */
struct schedule schedule_next(const void *ctx, const struct rollout *rollout);

/* Carries out what a transition asks of the tasks (TURN_BACK, AGAIN, FORWARD, PROMOTE). */
void schedule_apply(struct rollout *rollout, unsigned effects);

/* True when no task is at work. */
bool schedule_quiet(const struct rollout *rollout);

#endif
