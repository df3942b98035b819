/*
 * Statements of ways back that end whatever rows were written since: what those rows do not allow
 * is left as near to the start as it can be, and said, by a warning that the agent passes on (the
 * event's measured.left, the rollout's end-state). A way back that stopped there instead would wait
 * for a person, with neither the old shape nor the new one whole.
 */
#ifndef CONTROLLER_FAMILY_LEFTOVER_H
#define CONTROLLER_FAMILY_LEFTOVER_H

#include "controller/work/work.h"

/* The statement, or the warning where a row violates what it makes. */
const char *leftover_or(const struct work *work, const char *statement, const char *words);
/* VALIDATE CONSTRAINT, of a check or a foreign key that else stays NOT VALID. */
const char *leftover_proof(const struct work *work, const struct relation *relation,
                           const char *constraint);
/* The same for the check that leftover_not_null() rests on, without a word. */
const char *leftover_not_null_proof(const struct work *work, const struct relation *relation,
                                    const char *check);
/* SET NOT NULL by a check that was proven, which goes; unproven, it stays, and the column may be
 * null. */
const char *leftover_not_null(const struct work *work, const struct relation *relation,
                              const char *column, const char *check);
/* `add` makes a constraint by the index; where the index is missing `make` builds it on a small
 * table: on a large one it would block for too long. */
const char *leftover_by_index(const struct work *work, const struct relation *relation,
                              const char *index, const char *make, const char *add);

/* The statement, where the index was made again. */
const char *leftover_if_index(const struct work *work, const struct relation *relation,
                              const char *index, const char *statement);

#endif
