/*
 * A statement as the world sees it once it has run: tables made, columns gone, names changed. What
 * it does to the session and the transaction is the judge's (judge_follow in judge/judging.h).
 */
#ifndef CONTROLLER_WORLD_WORLD_APPLY_H
#define CONTROLLER_WORLD_WORLD_APPLY_H

#include "controller/world/world.h"

void world_apply(struct world *world, const struct statement *s);
/* ALTER TABLE and ALTER DOMAIN of it (world_alter.c). */
void world_apply_alter(struct world *world, const struct statement *s);
void world_add_column(struct world *world, struct world_table *table,
                      const struct sql_column *column);
void world_add_constraint(struct world *world, struct world_table *table,
                          const struct sql_constraint *constraint);

#endif
