/*
 * A world filled from a catalog. The catalog must outlive the world: names and texts are not
 * copied, and definitions are parsed when they are first asked for.
 */
#ifndef CONTROLLER_WORLD_WORLD_IMPORT_H
#define CONTROLLER_WORLD_WORLD_IMPORT_H

#include "controller/world/world.h"

void world_import(struct world *world, const struct catalog *catalog);

#endif
