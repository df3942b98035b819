/*
 * The real world of the engine: the system's clocks, and threads that hold one session each to the
 * host of the task they work on. They share nothing with the engine but the mailbox, through which
 * owned reports go.
 *
 * A thread asks the agent to run its part, follows the run's events, and comes back after every
 * lost connection with the number of the last event it delivered: each event arrives once and in
 * order.
 */
#ifndef CONTROLLER_ROLLOUT_WORKERS_H
#define CONTROLLER_ROLLOUT_WORKERS_H

#include "controller/manifest/fleet.h"
#include "controller/rollout/world.h"

struct workers;

/* fleet must outlive it. A host that gives no answer for patience_ms makes its
 * task fail; what runs there goes on. */
struct workers *workers_new(const void *ctx, const struct fleet *fleet, const char *environment,
                            int64_t patience_ms);

struct world *workers_world(struct workers *workers);

/* Ends what can be ended within the time; runs on hosts go on. Frees. */
void workers_end(struct workers *workers, int64_t within_ms);

#endif
