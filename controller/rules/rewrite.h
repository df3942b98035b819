/*
 * Safe forms of statements as SQL, made from the text as it was written (never from a printed tree)
 * and checked by parsing: private to rules/. Each returns null when it cannot be done safely. All
 * are owned by the result that is being made.
 */
#ifndef CONTROLLER_RULES_REWRITE_H
#define CONTROLLER_RULES_REWRITE_H

#include "controller/rules/linting.h"

/* SET of a time limit, then the statement. */
const char *rewrite_limited(struct linter *l, const char *setting, const char *value);
/* The statement in a transaction of its own, behind the open one. */
const char *rewrite_apart(struct linter *l);
/* The statement outside of any transaction. */
const char *rewrite_outside(struct linter *l);
/* A DELETE, UPDATE or TRUNCATE as one batch of itself, to be run until it finds nothing. */
const char *rewrite_batch(struct linter *l);
/* The sub-commands of the statement before and of this one in one ALTER TABLE. */
const char *rewrite_merged(struct linter *l);
/* Every column whose type begins so gets the other type. */
const char *rewrite_types(struct linter *l, const char *type, const char *to);
/* Without its words at the beginning of the statement ("UNLOGGED"). */
const char *rewrite_without(struct linter *l, const char *words);
/* With text put before the first such words outside of brackets; behind the end when there are none
 * and `or_end`. */
const char *rewrite_with(struct linter *l, const char *text, const char *before, bool or_end);

/* column SET NOT NULL by a validated check: statements without the last semicolon's line end. */
const char *rewrite_not_null(struct linter *l, const char *column);
/* ADD COLUMN … NOT NULL, serial or identity, GENERATED … STORED: column first, rows later. */
const char *rewrite_column_filled(struct linter *l, const struct sql_column *c);
const char *rewrite_column_numbered(struct linter *l, const struct sql_column *c);
const char *rewrite_column_computed(struct linter *l, const struct sql_column *c);
/* ADD COLUMN … UNIQUE or REFERENCES: the column, then the constraint online. */
const char *rewrite_column_unique(struct linter *l, const struct sql_column *c);
const char *rewrite_column_references(struct linter *l, const struct sql_column *c,
                                      const struct sql_constraint *k);
/* ATTACH PARTITION behind a validated check of the bound; range or list by one column. */
const char *rewrite_attach(struct linter *l, const struct world_table *parent,
                           const struct sql_alter *a);
/* An index on a partitioned table, partition by partition. */
const char *rewrite_partitioned_index(struct linter *l, const struct world_table *parent);

#endif
