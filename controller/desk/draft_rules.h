/*
 * A change's steps before the rules, which do not know who wrote them: every rule that a step
 * meets, forward and on the way back, with what discharges it.
 *
 * What nothing discharges is a finding. A finding of severity error refuses the change, unless the
 * intent that asked for the step accepts it in so many words: `note` (or `irreversible`) of an sql
 * intent, `accept_loss` where rows or values go, `irreversible` on a step that destroys. A file of
 * DDL is taken at its word (`written`), but for locks that last and tables written anew. A comment
 * `-- flotilla: ignore RULE reason` at a statement stays in the signed SQL and takes the finding
 * back.
 */
#ifndef CONTROLLER_DESK_DRAFT_RULES_H
#define CONTROLLER_DESK_DRAFT_RULES_H

#include "controller/compile/compile.h"
#include "controller/desk/catalogs.h"
#include "controller/plan/plan.h"
#include "controller/rules/rule.h"

struct judged {
    struct plan_finding *findings; /* with the ids that plan_build() gives */
    size_t finding_count;
    struct plan_discharge *discharged;
    size_t discharged_count;
    size_t refusals;
};

/* All steps in the order in which they run, service by service. */
bool draft_rules(const void *ctx, const struct catalogs *catalogs, const struct compiled *compiled,
                 struct judged *out, struct error *err) MUSTCHECK;

/* The intent takes what the rule warns of upon itself: why, in its own words; null: it does not. */
const char *draft_accepts(const struct intent *intent, const struct step *step,
                          const struct rule *rule);

#endif
