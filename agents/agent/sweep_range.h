/*
 * How a sweep cuts its table: ranges of blocks of each leaf, or ranges of a key. Only sweep*.c
 * include this.
 */
#ifndef AGENTS_AGENT_SWEEP_RANGE_H
#define AGENTS_AGENT_SWEEP_RANGE_H

#include "agents/agent/sweep.h"

/* A table that holds rows itself: the relation, a partition, an inheritance child. */
struct sweep_leaf {
    const char *schema, *name;
    const char *sql; /* quoted */
    int64_t blocks;
    int64_t rows;  /* estimate; -1 unknown */
    int64_t dense; /* rows that a full block can hold, by the statistics of their width */
};

/* Where a sweep is: what the cursor in the journal holds. */
struct sweep_place {
    int pass;        /* from 1 */
    size_t leaf;     /* index; stored by name */
    int64_t block;   /* by ctid: the next one */
    json_t *key;     /* by key: the last key done, texts; null: none yet. Owned by sweep_state */
    int64_t changed; /* rows, in this pass */
    int64_t skipped; /* ranges where rows were locked, in this pass */
    bool pass_over;
};

struct sweep_state {
    const struct sweep *sweep;
    struct sweep_leaf *leaves;
    size_t leaf_count;
    bool many; /* more than one leaf below the relation */
    int64_t blocks;
    int64_t rows;
    struct sweep_place at;
    int64_t size;       /* blocks or rows of the next range */
    double pace;        /* rows changed a millisecond, as seen so far */
    bool proved;        /* the condition was seen to become false */
    int64_t unvacuumed; /* rows changed since the last VACUUM */
    int place;          /* descriptor of our place among the host's backfills; -1: none */
    struct sweep_result sum;
};

/* The range that comes next. */
struct sweep_range {
    const char *condition; /* true for the rows of the range */
    const char *locked;    /* the same, without rows that others have locked */
    struct sweep_place then;
};

/* Reads again where the tables end, for a pass that begins. */
bool sweep_ends(struct sweep_state *state, struct error *err) MUSTCHECK;

bool sweep_leaves(struct sweep_state *state, struct error *err) MUSTCHECK;
bool sweep_next(const void *ctx, struct sweep_state *state, struct sweep_range *out,
                struct error *err) MUSTCHECK;

/* The cursor's JSON and back; an unknown leaf starts the pass anew. */
const char *sweep_place_text(const void *ctx, const struct sweep_state *state,
                             const struct sweep_place *place);
bool sweep_place_read(struct sweep_state *state, const char *text, struct error *err) MUSTCHECK;

/* Share of the first pass that is done, 0 to 1; later passes: 1. */
double sweep_share(const struct sweep_state *state);

#endif
