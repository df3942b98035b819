/*
 * What the query of a verify step proves. Only forms that can be read without doubt prove anything;
 * everything else of a check is for the server. Private to check/; results are owned by ctx.
 */
#ifndef CONTROLLER_CHECK_TRAIL_CHECK_H
#define CONTROLLER_CHECK_TRAIL_CHECK_H

#include "controller/sql/object.h"

struct trail_equality {
    struct sql_name relation;
    const char *left, *right; /* columns; the right one perhaps cast or converted */
    const char *expression;   /* the right side as written */
};

/* The check is true only when no row of the relation has the two different: "SELECT NOT EXISTS
 * (SELECT FROM t WHERE a IS DISTINCT FROM b)" or the same by record_image_ne, perhaps AND more. */
bool trail_check_equality(const void *ctx, const char *check, struct trail_equality *out);

#endif
