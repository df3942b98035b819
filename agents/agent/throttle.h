/*
 * Throttle: holds a backfill back while replicas or replication slots are behind.
 */
#ifndef AGENTS_AGENT_THROTTLE_H
#define AGENTS_AGENT_THROTTLE_H

#include "agents/agent/work.h"

struct throttle {
    int64_t looked_ms; /* monotonic */
};

/* Returns when nobody is behind (looks at most once a second); says why it waits in `throttled`
 * events. Orders are obeyed meanwhile. */
bool throttle_wait(struct throttle *throttle, struct work *work, struct error *err) MUSTCHECK;

/* One of the few places for backfills on this host: more of them at once would only take the
 * machine from the applications. Waits, with `throttled` events, until one is free; it is given
 * back with the descriptor. Without a folder for them there is no limit (*fd is -1). */
bool throttle_place(struct work *work, int *fd, struct error *err) MUSTCHECK;

#endif
