/*
 * The databases that a script is for: one service's instances, as far as they differ. Instances
 * of the same major version and the same definitions are one variant, with the largest number of
 * rows that any of them has.
 */
#ifndef CONTROLLER_DESK_LINT_VARIANTS_H
#define CONTROLLER_DESK_LINT_VARIANTS_H

#include "controller/desk/catalogs.h"
#include "controller/rules/lint.h"

struct lint_variant {
    const struct catalog *catalog;
    const char *where; /* "orders-2 and 3 more (PostgreSQL 16)" */
    judge_ask_fn *ask; /* its own server; null: nobody */
    void *ask_data;
};

struct lint_variants {
    struct lint_variant *items;
    size_t count;
};

/* Of all catalogs of that service; null: of all. `live`: their agents may be asked about syntax. */
void lint_variants_find(const void *ctx, const struct catalogs *catalogs, const char *service,
                        bool live, struct lint_variants *out);

#endif
