/*
 * Drift: what somebody else changed between plan and apply, or between two of our phases, object by
 * object.
 *
 * An object that this rollout has not touched yet must look as the plan saw it; one that it has
 * touched, as our last run left it. A run that died before it could write that down leaves the
 * question open for that object, and it is not asked.
 */
#ifndef AGENTS_AGENT_DRIFT_H
#define AGENTS_AGENT_DRIFT_H

#include "agents/agent/work.h"

/* Before the first step of a run: a `drift` event for each object that changed. Forward that is
 * ERROR_DRIFT, which names them; on the way back it is told and no more. */
bool drift_check(struct work *work, struct error *err) MUSTCHECK;

/* After the last step: how we leave the part's objects. */
bool drift_record(struct work *work, struct error *err) MUSTCHECK;

#endif
