/*
 * Materialized views around an exchange of columns: built beside, put in place.
 */
#ifndef CONTROLLER_FAMILY_MATVIEW_H
#define CONTROLLER_FAMILY_MATVIEW_H

#include "controller/family/families.h"

/* The view reads that column itself ("schema.table.column"), not through another view. */
bool matview_reads(const struct relation *view, const char *column);
/* The steps, in contract: forward behind the exchange, or for the way back before it. Refuses when
 * a view on it cannot be made again. */
bool matview_again(struct work *work, const struct state *state, struct relation *view,
                   bool forward);

#endif
