/*
 * The steps of one service in the order in which they run, over all phases: what check/ looks at.
 */
#ifndef CONTROLLER_DESK_PLAN_LINE_H
#define CONTROLLER_DESK_PLAN_LINE_H

#include "agents/part/part.h"

struct plan_line {
    struct step *steps; /* copies, with the ids that they have in the plan */
    size_t count;
};

/* Of the parts that are this service's; owned by ctx. */
struct plan_line plan_line(const void *ctx, struct part *const *parts, size_t count,
                           const char *service);

#endif
