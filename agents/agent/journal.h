/*
 * The journal: what was done to a database, kept in that database, in the schema `flotilla`.
 *
 * It is the truth after a crash: rows are written in the same transaction as the work they tell
 * about; for work that cannot be in a transaction a row of intent is written first, and the step's
 * probe tells afterwards what came of it. schemas/agent-journal.sql has the tables as text.
 *
 * Writers run inside the transaction that work_begin() opened; readers need none.
 */
#ifndef AGENTS_AGENT_JOURNAL_H
#define AGENTS_AGENT_JOURNAL_H

#include "agents/agent/work.h"

/* First key of our advisory locks: "flot". The second is 0 for installing, 1 for the runner. */
enum { JOURNAL_LOCK = 0x666c6f74 };

/* The tables as one script. */
extern const char *const journal_tables;

/* Makes the tables where they are missing. Short locks on our own schema only. */
bool journal_install(struct connection *db, struct error *err) MUSTCHECK;
/* True when the tables are there, all of them. */
bool journal_present(struct connection *db, bool *out, struct error *err) MUSTCHECK;

/* States of a step: a step without a row has not been touched. */
enum journal_state {
    JOURNAL_NONE,
    JOURNAL_STARTED, /* intent; what came of it is for the probe to tell */
    JOURNAL_DONE,
    JOURNAL_ALREADY, /* was done before we came */
    JOURNAL_UNDOING,
    JOURNAL_UNDONE,
};

struct journal_step {
    enum journal_state state;
    const char *digest; /* of the step as it was carried out */
    int64_t started_ms; /* wall time; 0: not */
    int attempts;
};
bool journal_step_read(const void *ctx, struct work *work, const char *step,
                       struct journal_step *out, struct error *err) MUSTCHECK;
/* Writes the step's state; measured may be null. In the transaction that is open. */
bool journal_step_write(struct work *work, const struct step *step, enum journal_state state,
                        const json_t *measured, struct error *err) MUSTCHECK;
/* The same in a transaction of its own. */
bool journal_step_mark(struct work *work, const struct step *step, enum journal_state state,
                       const json_t *measured, struct error *err) MUSTCHECK;

/* The part: recorded whole with its signatures before its first step. */
struct journal_part {
    bool found;
    const char *digest;
    const char *state; /* running, done, undone, stopped, failed */
};
bool journal_part_read(const void *ctx, struct connection *db, const char *rollout,
                       const char *phase, struct journal_part *out, struct error *err) MUSTCHECK;
/* How many steps of the phase this rollout wrote down in any state; 0 without its part. */
bool journal_steps(struct connection *db, const char *rollout, const char *phase, int64_t *out,
                   struct error *err) MUSTCHECK;
bool journal_part_start(struct work *work, const json_t *approvals, struct error *err) MUSTCHECK;
bool journal_part_end(struct work *work, const char *state, const struct error *why,
                      struct error *err) MUSTCHECK;

/* Where a backfill (or a restore) is. `target` tells several under one step apart. */
struct journal_cursor {
    bool found;
    const char *position; /* JSON; its meaning is the backfill's */
    int64_t done;
    int64_t batches;
};
bool journal_cursor_read(const void *ctx, struct work *work, const char *target,
                         struct journal_cursor *out, struct error *err) MUSTCHECK;
bool journal_cursor_write(struct work *work, const char *target,
                          const struct journal_cursor *cursor, struct error *err) MUSTCHECK;
/* Forgets the step's cursors: all of them once it is undone, those of the way back once it is done,
 * so that it can be gone through anew. journal_step_write() calls it. */
bool journal_cursor_clear(struct work *work, const struct step *step, bool all,
                          struct error *err) MUSTCHECK;

/* The fingerprint that an object had when we last left it; null: never recorded by this rollout. */
struct journal_object {
    const char *fingerprint;
    const char *after; /* the step that was last recorded then */
};
bool journal_object_read(const void *ctx, struct work *work, const char *object,
                         struct journal_object *out, struct error *err) MUSTCHECK;
bool journal_object_write(struct work *work, const char *object, const char *fingerprint,
                          struct error *err) MUSTCHECK;
/* The last step of this rollout that was recorded in any state; "" when there is none. */
bool journal_last_step(const void *ctx, struct work *work, const char **out,
                       struct error *err) MUSTCHECK;

/* Everything, for status and recovery: {fence, rollouts: [{rollout, phase, … steps: [..]}]}. Only
 * one rollout when it is given. */
bool journal_state_json(struct connection *db, const char *rollout, json_t **out,
                        struct error *err) MUSTCHECK;

#endif
