/*
 * Rehearsal evidence: PLAN.evidence/SERVICE.INSTANCE.json beside PLAN.yaml, one file an instance.
 * It names the digests of the parts that were rehearsed, so that it stops counting the moment a
 * part changes.
 */
#ifndef CONTROLLER_ROLLOUT_EVIDENCE_H
#define CONTROLLER_ROLLOUT_EVIDENCE_H

#include <jansson.h>

#include "agents/part/part.h"

/* PLAN.SUFFIX beside the plan file ("plan.yaml", "approvals" -> "plan.approvals"). */
const char *evidence_beside(const void *ctx, const char *plan_path, const char *suffix);

/* Writes what an agent measured about the parts (all of one service). `proven`: up, down and up
 * again went through and the catalogs were equal. */
struct evidence {
    const char *service, *instance;
    const struct part *const *parts;
    size_t part_count;
    bool proven;
    const json_t *result;
    int64_t now_ms;
};
bool evidence_write(const char *plan_path, const struct evidence *evidence,
                    struct error *err) MUSTCHECK;

/* True when the file is there and proves this very part on this instance. */
bool evidence_holds(const char *plan_path, const struct part *part, const char *instance);

#endif
