/*
 * Where the grammar of this program ends, the server is asked: that of --dsn directly, that of a
 * service's database through its agent. Asked once a statement, bounded in time, nothing is run.
 */
#ifndef CONTROLLER_DESK_LINT_GRAMMAR_H
#define CONTROLLER_DESK_LINT_GRAMMAR_H

#include "controller/desk/catalogs.h"
#include "controller/rules/lint.h"

/* Makes options->ask the database of `dsn`. It connects at the first question, once a process. */
void lint_grammar_of_dsn(const void *ctx, const char *dsn, struct lint_options *options);

/* The same through the agent of an instance, in a scratch database there. */
void lint_grammar_of_instance(const void *ctx, const struct instance *instance,
                              struct lint_options *options);

/* The instance that the catalog is of; null. */
const struct instance *lint_grammar_instance(const void *ctx, const struct catalogs *catalogs,
                                             const struct service_catalog *item);

/* Whoever the catalog came from: the database of --dsn, the agent of its instance. A saved one has
 * nobody to ask. */
void lint_grammar_of_catalog(const void *ctx, const struct catalogs *catalogs,
                             const struct service_catalog *item, struct lint_options *options);

#endif
