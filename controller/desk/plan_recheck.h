/*
 * A plan that was read, before the same judge and rules as when it was drafted: whoever wrote or
 * edited it, its steps may not say less of themselves than their statements do. Without the
 * catalogs, so only what the statements show by themselves counts: tags that decide how many must
 * sign, locks by which the agent waits, and rules that no catalog takes back.
 */
#ifndef CONTROLLER_DESK_PLAN_RECHECK_H
#define CONTROLLER_DESK_PLAN_RECHECK_H

#include "controller/plan/plan.h"

/* False when a step is not what it says, or does what nothing in the plan discharges and the change
 * does not accept; then *problems has all of them, one a line, owned by ctx ("" when it could not
 * be looked at). */
bool plan_recheck(const void *ctx, const struct plan *plan, const char **problems,
                  struct error *err) MUSTCHECK;

#endif
