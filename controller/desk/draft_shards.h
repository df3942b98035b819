/*
 * Shards: the instances of one service are planned as one. The first one's catalog stands for all
 * of them, so where a change touches objects the others must have the same.
 */
#ifndef CONTROLLER_DESK_DRAFT_SHARDS_H
#define CONTROLLER_DESK_DRAFT_SHARDS_H

#include "controller/compile/compile.h"
#include "controller/desk/catalogs.h"

/* Leaves in *catalogs the first of each service and moves the others to *shards. */
void shards_part(const void *ctx, struct catalogs *catalogs, struct catalogs *shards);

/* A refusal among the compiler's findings for every object that a part is bound to and that one of
 * the service's other instances has otherwise, or not at all. */
void shards_compare(const void *ctx, const struct catalogs *shards, struct compiled *compiled);

#endif
