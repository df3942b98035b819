/*
 * What lint asks beside the text: who in other services reads what this database has (from the
 * fleet's catalogs), and whether rows that are there now violate what a script demands (from the
 * development database of --dsn, read-only and bounded in time).
 */
#ifndef CONTROLLER_DESK_LINT_LIVE_H
#define CONTROLLER_DESK_LINT_LIVE_H

#include "controller/desk/catalogs.h"
#include "controller/rules/lint.h"

/* Fills options->outside with the readers that other services have of `service`. */
bool lint_outside_find(const void *ctx, const struct catalogs *catalogs, const char *service,
                       struct lint_options *options, struct error *err) MUSTCHECK;

/* Makes options->count ask the database of `dsn`: read-only, each question given a few seconds, all
 * of them together not much longer. It connects at the first question, once a process. */
void lint_rows_from(const void *ctx, const char *dsn, struct lint_options *options);

#endif
