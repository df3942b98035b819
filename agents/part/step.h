/*
 * A step: one thing that is done to one database, with its way back. Steps are data, made by the
 * compiler, carried in the plan file, signed as part of a `struct part`, and run by the agent.
 *
 * `up` and `down` are lists of single statements; the agent has no parser. A step with
 * transaction = true runs all of `up` in one transaction, otherwise `up` has one statement that
 * runs outside of any. `down` likewise (transaction = false may have several; each runs alone).
 * A step that has no `down` and no kind of its own that goes back says why in `irreversible`.
 */
#ifndef AGENTS_PART_STEP_H
#define AGENTS_PART_STEP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

/* The one UPDATE of a BACKFILL names a single relation (no FROM, no alias) and ends in its WHERE
 * clause, to which the agent appends " AND ...": a condition with OR at its top is therefore in
 * parentheses. The condition is true for exactly the rows that still need work and becomes false
 * when a row is done; SET reads the row itself and constant tables, never a copy of the row. The
 * agent refuses a statement that would change the same rows again, before it commits anything. */

/* STATEMENT     up / down as they stand
 * CONCURRENTLY  one CREATE/DROP/REINDEX INDEX CONCURRENTLY; an invalid leftover is removed first
 * BACKFILL      `up` is one UPDATE over the whole table; the agent cuts it into batches by `batch`
 * VERIFY        `check` is a query with one boolean; true = pass
 * SNAPSHOT      copies key + columns of a relation aside; going back restores and merges them
 * WAIT          `wait_ms` of soak time
 * ACKNOWLEDGE   a dependent's word; the controller keeps the gate, the agent writes it down */
#define STEP_KINDS(X)               \
    X(STATEMENT, "statement")       \
    X(CONCURRENTLY, "concurrently") \
    X(BACKFILL, "backfill")         \
    X(VERIFY, "verify")             \
    X(SNAPSHOT, "snapshot")         \
    X(WAIT, "wait")                 \
    X(ACKNOWLEDGE, "acknowledge")

enum step_kind {
#define X(id, name) STEP_##id,
    STEP_KINDS(X)
#undef X
};

#define STEP_TAGS(X)                 \
    X(ADDITIVE, "additive", 1)       \
    X(BACKFILL, "backfill", 2)       \
    X(CONTRACT, "contract", 4)       \
    X(DESTRUCTIVE, "destructive", 8) \
    X(NEUTRAL, "neutral", 16)        \
    X(UNKNOWN, "unknown", 32)

enum step_tag {
#define X(id, name, bit) TAG_##id = bit,
    STEP_TAGS(X)
#undef X
};

struct step_texts {
    const char **items;
    size_t count;
};

struct step_lock {
    const char *relation; /* "schema.name" */
    const char *mode;     /* PostgreSQL's words: "SHARE ROW EXCLUSIVE" */
};

/* How a backfill is cut. by "ctid": ranges of blocks; by "key": ranges of `columns`. */
struct step_batch {
    const char *relation; /* "schema.name" */
    const char *by;       /* "ctid" or "key" */
    struct step_texts columns;
};

/* What a snapshot keeps: the key columns and `columns` of relation `of`. On the way back, in
 * batches: where a row's `current` expressions still equal what they were at snapshot time, the
 * old values are put back, otherwise (changed or new rows) `inverse` is applied. Parallel lists. */
struct step_snapshot {
    const char *of; /* "schema.name"; with no columns the whole table is kept */
    struct step_texts key;
    struct step_texts columns;
    struct step_texts
        current; /* SQL expression over the row that tells whether it changed; without an inverse:
                    what the column becomes; or "": the old value comes back */
    struct step_texts inverse; /* SQL expression over the row that makes the old value; or "" */
};

struct step_estimate {
    int64_t rows;
    int64_t ms;
    const char *confidence; /* guessed, rehearsed, measured */
};

struct step {
    const char *id; /* PHASE/SERVICE/N, N from 1 */
    const char *what;
    const char *why;
    int intent; /* from 1; 0: of the plan itself */
    enum step_kind kind;
    struct step_texts up;
    struct step_texts down;
    const char *irreversible; /* null, or the reason */
    bool transaction;
    const char *probe; /* one boolean: is it already done; null: the journal alone tells */
    unsigned tags;     /* of enum step_tag */
    struct step_lock *locks;
    size_t lock_count;
    bool rewrite;
    bool full_scan;
    struct step_estimate estimate;
    struct step_texts risks;
    struct step_batch batch;
    const char *check;
    struct step_snapshot snapshot;
    int64_t wait_ms;
    const char *from; /* ACKNOWLEDGE: the service */
};

const char *step_kind_name(enum step_kind kind);
/* "additive, backfill" of a set of tags. */
const char *step_tags_text(const void *ctx, unsigned tags);

/* Adds to a list whose items are owned by ctx; the text is copied. */
void step_texts_add(const void *ctx, struct step_texts *list, const char *s);

/* The whole step as JSON (as in the plan file), and back with every field checked. */
json_t *step_to_json(const struct step *step);
bool step_from_json(const void *ctx, const json_t *json, struct step *out,
                    struct error *err) MUSTCHECK;

/* Only what agent and engine act on: what the part's digest is over. Without what, why, rewrite,
 * full_scan, estimate, risks, intent. The locks are among it: the agent takes them, and takes
 * their word for how long the step may last. */
json_t *step_signed_json(const struct step *step);

#endif
