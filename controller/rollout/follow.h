/*
 * Following one task on its host, in a thread of its own: run, attach, come back after a lost
 * connection, until the run has ended or cannot be done.
 */
#ifndef CONTROLLER_ROLLOUT_FOLLOW_H
#define CONTROLLER_ROLLOUT_FOLLOW_H

#include "controller/manifest/fleet.h"
#include "controller/rollout/mailbox.h"

struct follow {
    const struct instance *instance;
    const struct fleet_policy *policy;
    const json_t *args; /* of the operation `run`: follow_args() */
    struct mailbox *mailbox;
    size_t task;
    int attempt;
    int64_t patience_ms; /* how long the host may give no answer; work there goes on */
    int64_t after;       /* number of the last event delivered */
    bool (*is_ending)(void *self);
    /* Called with the run's id once the agent has named it; orders go by that id. */
    void (*on_run)(void *self, size_t task, const char *run);
    void *self;
};

/* The arguments of `run` for a job: a new reference. */
json_t *follow_args(const struct follow *follow, const struct job *job);

/* Returns when there is nothing more to report. */
void follow_run(struct follow *follow);

/* Orders a run to pause, resume or cancel; refused there when `token` was overtaken. Best effort:
 * the engine asks again. */
struct order {
    const char *run, *action;
    int64_t token;
};
void follow_control(const struct instance *instance, const struct order *order);

#endif
