/*
 * Rows that have no value in a column get one, in batches: one step a leaf. Rows for which the
 * value itself is null are left alone, or the backfill would find them again and again.
 */
#ifndef CONTROLLER_FAMILY_FILL_H
#define CONTROLLER_FAMILY_FILL_H

#include "controller/work/work.h"

/* The intent's new column; nullable: clients may write nulls into it meanwhile. */
void fill_column(struct work *work, struct relation *relation, const char *value, bool nullable);
/* Nulls in a column that was there. */
void fill_nulls(struct work *work, struct relation *relation, const char *column,
                const char *value);
/* On the way back only: rows that came without a value while it was not asked for. */
void fill_nulls_back(struct work *work, const struct place *place, const char *column,
                     const char *value);

#endif
