/*
 * Which server answers: after a lost connection, a restart or a failover another one may. Called by
 * the guard before anything is written.
 */
#ifndef AGENTS_AGENT_IDENTITY_H
#define AGENTS_AGENT_IDENTITY_H

#include "agents/agent/work.h"

/* ERROR_REFUSED when within this run another cluster, or a database made anew, answers to the name;
 * and when the timeline is older than one that any run on this host has seen for that cluster: a
 * primary that came back after its replica was promoted. */
bool identity_check(struct work *work, const char *spool, struct error *err) MUSTCHECK;

#endif
