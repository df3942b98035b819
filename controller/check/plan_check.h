/*
 * The steps of a plan through the same judge and rules as any script, whoever wrote them: forward,
 * and then all the way back. Every rule that a step meets comes out, with the evidence that
 * discharges it (discharge.h) and where that evidence is, or without any: then it is a finding.
 * Nothing is waived in bulk.
 */
#ifndef CONTROLLER_CHECK_PLAN_CHECK_H
#define CONTROLLER_CHECK_PLAN_CHECK_H

#include "agents/part/step.h"
#include "controller/check/discharge.h"
#include "controller/rules/lint.h"

/* One rule that one step meets, once for each statement. */
struct step_met {
    size_t step; /* index in `steps` */
    bool back;   /* on the way back */
    const struct rule *rule;
    enum severity severity;
    const char *message; /* null when only the safe form of a statement was met */
    const char *hint, *rewrite_sql;
    const char *statement;
    const struct discharge *by; /* null: nothing discharges it */
    const char *proof;          /* where the evidence is: "proven by migrate/users/2"; null */
};

struct steps_met {
    struct step_met *items;
    size_t count;
};

struct steps_options {
    const struct catalog
        *catalog;           /* may be null: then sizes are unknown, and what it would prove */
    int version;            /* 0: the catalog's, else 15 */
    int64_t lock_budget_ms; /* 0: 200 */
    const char *schema;     /* of names without one; null: the usual */
    judge_ask_fn *ask;      /* as judge_ask; null: nobody */
    void *ask_data;
};

/* Steps of one service in the order in which they run, over all phases, with their ids. What is
 * found is in that order, the way back last and from the last step on. *out is owned by ctx. */
bool steps_check(const void *ctx, const struct step *steps, size_t count,
                 const struct steps_options *options, struct steps_met **out,
                 struct error *err) MUSTCHECK;

/* The phase of the step's id is that one's too. */
bool steps_same_phase(const struct step *a, const struct step *b);

#endif
