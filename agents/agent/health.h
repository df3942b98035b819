/*
 * Health: the service's own read-only query, part of what is signed, asked around each step.
 */
#ifndef AGENTS_AGENT_HEALTH_H
#define AGENTS_AGENT_HEALTH_H

#include "agents/agent/work.h"

/* Holds when the query gives a row whose first column, where it is a boolean, is true. `when` is
 * "before" or "after". ERROR_VERIFY otherwise. Without a query there is nothing to ask. */
bool health_check(struct work *work, const char *when, struct error *err) MUSTCHECK;

#endif
