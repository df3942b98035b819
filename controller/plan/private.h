/*
 * Private to this folder: what builder and reader of plans share.
 */
#ifndef CONTROLLER_PLAN_PRIVATE_H
#define CONTROLLER_PLAN_PRIVATE_H

#include "agents/base/yaml.h"
#include "controller/plan/plan.h"

/* Puts the parts of each phase in an order in which they can be carried out. Fails when `after`
 * names a service without a part in that phase, or runs in a circle, which is named. */
bool plan_arrange(struct plan *plan, struct error *err) MUSTCHECK;

/* Over the header and all parts with their digests; not over titles, what and why. */
bool plan_digest(const void *ctx, const struct plan *plan, const char **out,
                 struct error *err) MUSTCHECK;

/* A finding as in the file. */
json_t *plan_finding_json(const struct plan_finding *finding);

/* While a plan file is read. `plan` owns what is kept. */
struct plan_reading {
    struct plan *plan;
    struct yaml_problems *problems;
};

/* One entry of `services:`; null when it has problems. */
struct part *plan_part_read(struct plan_reading *r, enum phase phase,
                            const struct yaml_node *node) MUSTCHECK;

#define KEYS(...)                         \
    (const char *const[]){ __VA_ARGS__ }, \
        sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)

#endif
