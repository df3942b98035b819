/* Fills a world from a catalog, which must outlive it. Private to check/. */
#ifndef CONTROLLER_CHECK_WORLD_IMPORT_H
#define CONTROLLER_CHECK_WORLD_IMPORT_H

#include "controller/check/world.h"

void world_import(struct world *world, const struct catalog *catalog);

#endif
