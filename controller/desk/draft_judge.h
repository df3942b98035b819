/*
 * A change's steps before the judge, which does not know who wrote them: locks, rewrites, tags
 * of every statement.
 */
#ifndef CONTROLLER_DESK_DRAFT_JUDGE_H
#define CONTROLLER_DESK_DRAFT_JUDGE_H

#include "controller/compile/compile.h"
#include "controller/desk/catalogs.h"

/* Judges all steps in the order in which they run, service by service, and writes what it finds
 * into them. What no agent could run is a refusal among the compiler's findings. */
bool draft_judge(const void *ctx, const struct catalogs *catalogs, struct compiled *compiled,
                 struct error *err) MUSTCHECK;

#endif
