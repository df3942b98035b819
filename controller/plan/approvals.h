/*
 * Signature files beside a plan: PLAN.approvals/PHASE.SERVICE.SIGNER.sig for PLAN.yaml, each the
 * armoured signature and the signed text. Whether one counts is for approval_verify() to say.
 */
#ifndef CONTROLLER_PLAN_APPROVALS_H
#define CONTROLLER_PLAN_APPROVALS_H

#include "agents/part/signature.h"
#include "controller/plan/plan.h"

/* "widen.yaml" -> "widen.approvals". */
const char *plan_approvals_folder(const void *ctx, const char *plan_path);

/* The file of one signature; service and signer are made safe for a file name. */
const char *plan_approval_path(const void *ctx, const char *plan_path, const struct part *part,
                               const char *signer);

/* Writes it, making the folder. */
bool plan_approval_save(const char *plan_path, const struct part *part,
                        const struct approval *approval, struct error *err) MUSTCHECK;

/* The signatures in the folder that name this part by its digest, ordered by signer. What is no
 * signature file is passed over: it cannot count. */
size_t plan_approvals_of(const void *ctx, const char *plan_path, const struct part *part,
                         struct approval **out);

/* A file of the folder that signs no part of the plan, and why. */
struct plan_stray {
    const char *path;
    const char *why;
};

/* Those files, by name: what cannot be read, and what signs something else. */
size_t plan_approval_strays(const void *ctx, const char *plan_path, const struct plan *plan,
                            struct plan_stray **out);

#endif
