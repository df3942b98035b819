/*
 * Apply: carries out one step, in either direction, and writes down that it did.
 *
 * Each function takes the step that work->step names from whatever state the journal and the
 * database are in to done (or undone): called again after a crash it goes on, and what is done is
 * not done twice. *measured receives what it took, owned by ctx.
 */
#ifndef AGENTS_AGENT_APPLY_H
#define AGENTS_AGENT_APPLY_H

#include "agents/agent/journal.h"

/* Statements in one transaction, under the lock budget, together with the journal's row. */
bool apply_transaction(const void *ctx, struct work *work, json_t **measured,
                       struct error *err) MUSTCHECK;

/* Statements that cannot be in a transaction, each alone: a row of intent, the probe, leftovers of
 * a failed try removed, progress shown, and the result looked at. */
bool apply_alone(const void *ctx, struct work *work, json_t **measured,
                 struct error *err) MUSTCHECK;

/* A whole UPDATE (and, on the way back, nothing) cut into batches. */
bool apply_backfill(const void *ctx, struct work *work, json_t **measured,
                    struct error *err) MUSTCHECK;

/* Copies rows aside, proves the copy, and on the way back merges it into the table. */
bool apply_snapshot(const void *ctx, struct work *work, json_t **measured,
                    struct error *err) MUSTCHECK;

/* Questions and waits. */
bool apply_verify(const void *ctx, struct work *work, json_t **measured,
                  struct error *err) MUSTCHECK;
bool apply_wait(const void *ctx, struct work *work, json_t **measured, struct error *err) MUSTCHECK;
bool apply_acknowledge(const void *ctx, struct work *work, json_t **measured,
                       struct error *err) MUSTCHECK;

/* The statements of the step for the work's direction. */
const struct step_texts *apply_statements(const struct work *work);

/* The state in the journal that says the step is through in the work's direction, and the one that
 * says it is under way. */
enum journal_state apply_finished(const struct work *work);
enum journal_state apply_underway(const struct work *work);

/* What the way back could not make as it was ("measured": {"left": [texts]}): the words of the
 * step's own statements since it began, or one text. The step is done; people read what is left. */
void apply_left(struct work *work, json_t *measured);
void apply_left_one(json_t *measured, const char *text);

/* Asks the step's probe on `db`; *known is false when there is none or its answer is null. */
bool apply_probe(struct work *work, bool *known, bool *done, struct error *err) MUSTCHECK;

/* Position of the server's log, and how much was written since: an upper bound for the step, since
 * other sessions write too. */
bool apply_wal(struct connection *db, const char *since, const void *ctx, const char **position,
               int64_t *bytes, struct error *err) MUSTCHECK;

#endif
