/*
 * Questions to the rows: would they violate what a statement demands of them? Each is one read-only
 * SELECT of one count, made from the facts of the statement and the catalog; whoever has a
 * connection asks, bounded by a statement_timeout, and hands the answer back as a finding.
 *
 * Asked only of tables that the catalog has and the script has not written to before, with
 * expressions that call nothing but known, unchanging functions.
 */
#ifndef CONTROLLER_RULES_LINT_PROBE_H
#define CONTROLLER_RULES_LINT_PROBE_H

#include "controller/rules/lint.h"

struct lint_probe {
    size_t statement; /* from 0 */
    const char *sql;  /* one row, one bigint */
    const char *what; /* "of \"orders\" have no user_id": follows the number */
};

/* *out is an array of the returned length, owned by ctx. */
size_t lint_probes(const void *ctx, const struct script *script, const struct catalog *catalog,
                   struct lint_probe **out);

#endif
