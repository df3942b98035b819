/*
 * The order of a phase's parts: after what each names in `after`, by name otherwise.
 */
#ifndef CONTROLLER_PLAN_ORDER_H
#define CONTROLLER_PLAN_ORDER_H

#include "controller/plan/plan.h"

/* Sorts in place. Fails when `after` names a service without a part in the phase or runs in a
 * circle, which is named. */
bool plan_order(struct plan_phase *phase, enum phase which, struct error *err) MUSTCHECK;

/* The plan's digest: over the header and every part's digest, in order. */
bool plan_digest(const void *ctx, const struct plan *plan, const char **out,
                 struct error *err) MUSTCHECK;

#endif
