/*
 * The steps of a plan through the same judge and rules as any script, whoever wrote them. What
 * discharges a rule for a step is a table, rule by rule, with its reason; nothing is waived in
 * bulk.
 */
#ifndef CONTROLLER_CHECK_PLAN_CHECK_H
#define CONTROLLER_CHECK_PLAN_CHECK_H

#include "agents/part/step.h"
#include "controller/check/lint.h"

struct step_finding {
    size_t step; /* index in `steps` */
    struct finding finding;
    const char *statement;
};

struct step_findings {
    struct step_finding *items;
    size_t count;
};

/* Steps of one service in the order in which they run, over all phases; the picture of the database
 * goes along from `catalog` (may be null). version 0: the catalog's. *out is owned by ctx. */
bool steps_check(const void *ctx, const struct step *steps, size_t count,
                 const struct catalog *catalog, int version, struct step_findings **out,
                 struct error *err) MUSTCHECK;

/* Why the rule does not count for the step; null: it counts. For people and for the docs. */
const char *step_discharge(const struct step *steps, size_t step, const char *rule);

#endif
