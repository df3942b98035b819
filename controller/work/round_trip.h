/*
 * Definitions that come back as they were. What PostgreSQL prints of a parsed expression does not
 * always parse into the same one: `name IN ('a', 'b')` over a varchar is printed with a cast around
 * the whole list, and that text parses into a cast of each element. An index, a check, a view or a
 * policy made again from its own definition then reads otherwise, and compares as drifted.
 * (Tried on PostgreSQL 15.)
 */
#ifndef CONTROLLER_WORK_ROUND_TRIP_H
#define CONTROLLER_WORK_ROUND_TRIP_H

#include "agents/pg/catalog.h"

/* The text that parses into what the server printed `text` from; null stays null. */
const char *round_trip(const void *ctx, const char *text);

/* The same for every definition in the catalog. */
void catalog_round_trip(const void *ctx, struct catalog *catalog);

#endif
