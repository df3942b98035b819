/*
 * The compiler's steps before the judge, which does not know who wrote them: locks, rewrites, tags
 * of every statement, as a check of what the compiler says of its own steps.
 */
#ifndef CONTROLLER_CLI_DRAFT_JUDGE_H
#define CONTROLLER_CLI_DRAFT_JUDGE_H

#include "controller/cli/catalogs.h"
#include "controller/compile/compile.h"

/* Judges all steps in the order in which they run, service by service, and writes what it finds
 * into them. A step that rewrites a table which is there becomes a finding. */
bool draft_judge(const void *ctx, const struct catalogs *catalogs, struct compiled *compiled,
                 struct error *err) MUSTCHECK;

#endif
