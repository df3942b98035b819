/*
 * Words that a migration tool replaces before the server sees the text: ${name} (Flyway, Liquibase,
 * goose, dbmate), :name, :"name", :'name' (psql, Sqitch, graphile-migrate), {{ name }} (tern,
 * Jinja). What they stand for a configuration says; without it a name takes their place, or nothing
 * where a schema would stand. Lines stay lines.
 */
#ifndef CONTROLLER_LINT_PLACEHOLDER_H
#define CONTROLLER_LINT_PLACEHOLDER_H

#include <stddef.h>

#include "controller/sql/object.h"

struct lint_placeholder {
    const char *name; /* as written in the text, without what marks it; or any text, as "@owner@" */
    const char *value; /* what stands there instead */
};

/* The text itself when it has none. *unsaid: those that nobody says the meaning of, each once, as
 * written. Owned by ctx. */
const char *lint_placeholders_fill(const void *ctx, const char *text, size_t *length,
                                   const struct lint_placeholder *said, size_t count,
                                   struct sql_texts *unsaid);

#endif
