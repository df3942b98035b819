/*
 * Steps that go over the rows of a table without standing in anybody's way: rows written in small
 * batches, rows kept aside, a sentence about all rows proven. None of them runs in one transaction;
 * each says what it locks and how long it is expected to take.
 */
#ifndef CONTROLLER_WORK_ROW_STEP_H
#define CONTROLLER_WORK_ROW_STEP_H

#include "controller/work/work.h"

/* A backfill of a leaf: the caller adds the one UPDATE that is cut into batches, and its way back.
 * Triggers of the user's own that it fires are its risks. */
struct step *step_batches(struct work *work, const struct place *leaf, const char *what,
                          const char *why);
/* The same for the way back only: nothing is done, and nothing estimated, on the way forward. */
struct step *step_batches_back(struct work *work, const struct place *leaf, const char *what,
                               const char *why);

/* A snapshot of rows by that key; the caller says of which columns. */
struct step *step_aside(struct work *work, const struct place *place, const struct step_texts *key,
                        const char *what, const char *why);
/* A column of a snapshot. current: what the row has by then if nobody has changed it since, ""
 * when nobody can; inverse: what to put where the snapshot has nothing, "" when there is nothing.
 */
void step_aside_column(const struct work *work, struct step *step, const char *column,
                       const char *current, const char *inverse);
/* What `current` of a column is that is written over by that expression: the expression as the
 * column's type, or "" where nobody can say beforehand what a row gets (volatile, read from
 * elsewhere, changed by a trigger): then the way back writes over what clients wrote since, and the
 * step says so. */
const char *step_aside_becomes(struct work *work, struct step *step, struct relation *relation,
                               const char *column, const char *expression);
/* The key that a snapshot can use: columns of the primary key, or of a unique index without nulls;
 * an empty list when there is none. */
struct step_texts snapshot_key(const struct work *work, const struct relation *relation);

/* A verify step that reads the whole table; the caller sets step->check. */
struct step *step_proof(struct work *work, const struct place *place, const char *what,
                        const char *why);

#endif
