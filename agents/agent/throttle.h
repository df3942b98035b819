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

#endif
