/*
 * Two columns kept equal: the trigger, its function, the backfill and the proof. What is in here is
 * the knowledge of the design's "two columns for one value":
 *
 * - the trigger is BEFORE ROW INSERT OR UPDATE and its name sorts after every other trigger of the
 *   table, so that it sees what they changed; ENABLE ALWAYS where a subscription writes rows;
 * - images are compared (record_image_ne), values are not; what already is right is left alone,
 *   a changed new value is written back, everything else fills the new from the old;
 * - settings are pinned on the function, every name in it is qualified.
 *
 * Expressions are templates over the row: they name columns quoted, without a qualifier.
 */
#ifndef CONTROLLER_WORK_SYNC_H
#define CONTROLLER_WORK_SYNC_H

#include "controller/work/work.h"

struct pair {
    struct state *state;
    struct relation *relation;
    const char *source;   /* the column that has the truth */
    const char *copy;     /* the one that follows */
    const char *forward;  /* the copy's value, over the row */
    const char *backward; /* the source's value out of the copy; null: the copy is never written */
    const char
        *guarded;      /* one-way pairs: forward, with null for what does not fit; null: forward */
    bool guard_errors; /* forward itself may raise: then null */
    bool kept; /* one-way pairs: forward need not give back what the copy was ('007' as a number is
                * 7): the copy is made anew only when what it is made of changes */
    const char *function; /* its name in the schema flotilla */
    const char *trigger;
};

/* Fills in function and trigger: names for this table and column. */
void pair_name(struct work *work, struct pair *pair);

/* The statements that make function and trigger (to up or down of a step), and that remove them. */
void pair_create(const struct work *work, const struct pair *pair, struct step_texts *out);
void pair_remove(const struct work *work, const struct pair *pair, struct step_texts *out);
/* The trigger alone, for an exchange of names: drop it, make it. */
const char *pair_drop_trigger(const struct work *work, const struct pair *pair);
const char *pair_create_function(const struct work *work, const struct pair *pair, bool replace);

/* "CREATE SCHEMA IF NOT EXISTS flotilla". */
extern const char pair_schema[];

/* The whole backfill as one UPDATE of a leaf, in that phase; one step a leaf. */
void pair_backfill(struct work *work, const struct pair *pair, enum phase phase);
/* A verify step: every row equal, the trigger on. */
void pair_verify(struct work *work, const struct pair *pair, enum phase phase);
/* What makes the way back of a dropped copy right, before the step that drops it: a snapshot (where
 * the table has a key for it), and a sweep that fills whatever still differs. */
void copy_way_back(struct work *work, const struct pair *pair);
/* ANALYZE of the columns. */
void pair_analyze(struct work *work, const struct pair *pair, enum phase phase);

/* GRANT and COMMENT that give `column` what `like` has; revocation is the drop of the column. */
void column_dress(const struct work *work, const struct relation *relation,
                  const struct column *like, const char *column, struct step_texts *out);
/* How the values are stored: COMPRESSION and STORAGE, which a change of type resets. */
void column_stored(const struct work *work, const struct relation *relation,
                   const struct column *like, const char *column, struct step_texts *out);
/* What a part's definition does not say ("trigger x", "rule " for all rules): struct extra. */
void extras_made(const struct work *work, const struct relation *relation, const char *part,
                 struct step_texts *out);
/* "GRANT … ON … TO …" of aclitems. what: "ON TABLE x"; column: quoted, or null. */
void grants_sql(const struct work *work, const struct catalog_texts *acl, const char *what,
                const char *column, struct step_texts *out);

#endif
