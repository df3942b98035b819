/*
 * Constraints, partitions and what hangs on a column: what the judges of ALTER TABLE, of CREATE
 * TABLE and of partitions ask each other, and what rules and evidence ask them. Everything is asked
 * of the world as it is before the statement.
 */
#ifndef CONTROLLER_JUDGE_JUDGE_CONSTRAINT_H
#define CONTROLLER_JUDGE_JUDGE_CONSTRAINT_H

#include "controller/judge/judging.h"
#include "controller/judge/type_change.h"

/* Handles the sub-command when it is one of theirs. */
bool judge_constraint(struct judging *g, struct world_table *t, const struct sql_alter *a);
bool judge_partition(struct judging *g, struct world_table *t, const struct sql_alter *a);

/* Views, policies, generated columns and triggers on a column: locked when they go along (cascade),
 * else a reason why the server refuses. */
void dependents_lock(struct judging *g, const struct world_table *t, const char *column,
                     bool cascade, const char *what);
/* The other tables of foreign keys that the column is part of, on either side. */
void foreign_keys_lock(struct judging *g, enum effect effect, const struct world_table *t,
                       const char *column, bool referencing);

/* The column is NOT NULL or a validated check says so. */
bool column_proven(struct judging *g, const struct world_table *t, const char *column);
bool column_rewrites(struct judging *g, const struct sql_column *column);
struct type_change alter_type_change(struct judging *g, const struct world_table *t,
                                     const struct sql_alter *a);
/* A type change that keeps the values but makes an index or check anew. */
bool alter_rechecks(struct judging *g, const struct world_table *t, const struct sql_alter *a);
/* ATTACH or CREATE … PARTITION OF would scan this table for want of a check. */
bool attach_scans(struct judging *g, const struct world_table *parent,
                  const struct world_table *child, const char *bound);
struct world_table *default_partition(struct judging *g, const struct world_table *parent);
/* Columns of the partition key; empty when it holds expressions or is not known. */
struct sql_texts partition_columns(const void *ctx, const struct world_table *parent);

#endif
