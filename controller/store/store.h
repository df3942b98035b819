/*
 * The controller's state: rollouts, append-only events, approvals, acknowledgements, what people
 * asked for, and the lease that keeps one driver per rollout. SQLite in `.flotilla/state.db`;
 * several processes may open it at once.
 *
 * One handle belongs to one thread. Every function that writes is one transaction, durable when it
 * returns true. ERROR_NO_SPACE when the disk is full: nothing of that transaction is kept.
 */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

struct store;

/* Opens the state in `folder`, creating both when absent; checks its integrity and version. */
bool store_open(const void *ctx, const char *folder, struct store **out,
                struct error *err) MUSTCHECK;

/* --- rollouts and their events ------------------------------------------------------------- */

struct store_rollout {
    const char *id;
    const char *plan, *plan_digest;
    const char *fleet, *environment, *title;
    const char *status;
    bool active;
    int64_t created_ms;
    const char *plan_text, *plan_path;
    json_t *doc; /* owned by the context it was read into */
};

/* Adds a rollout with its first events. */
bool store_add(struct store *store, const struct store_rollout *rollout, json_t *const *events,
               size_t count, struct error *err) MUSTCHECK;

/* Replaces status, active and doc, and appends the events: one transaction. Refused with
 * ERROR_FENCED when the rollout's lease has a newer token than `token`. */
bool store_save(struct store *store, const struct store_rollout *rollout, int64_t token,
                json_t *const *events, size_t count, struct error *err) MUSTCHECK;

/* By id, or by a plan's id (the newest rollout of it). *out is null when there is none. */
bool store_find(const void *ctx, struct store *store, const char *id, struct store_rollout **out,
                struct error *err) MUSTCHECK;

/* All, newest first; with active_only those that still hold their objects. */
bool store_list(const void *ctx, struct store *store, bool active_only, struct store_rollout **out,
                size_t *count, struct error *err) MUSTCHECK;

/* The events with seq > after, in order, each with its `seq`; at most `most`. */
bool store_events(const void *ctx, struct store *store, const char *rollout, int64_t after,
                  size_t most, json_t **out_array, struct error *err) MUSTCHECK;

/* Recomputes the chain; on failure the error names the first broken event. *count = events. */
bool store_verify(struct store *store, int64_t *count, struct error *err) MUSTCHECK;

/* --- the lease ----------------------------------------------------------------------------- */

/* Takes or renews the lease for ttl_ms. A live lease of another holder: token = 0 and `other` names
 * it (true is returned: it is an answer, not a failure). A new holder gets a new, larger token,
 * never smaller than now_ms (wall time), so that tokens survive the loss of the state. */
struct store_lease {
    const char *rollout, *holder;
    int64_t token; /* in: 0 or the one held; out: the one held, 0 when another holds it */
    const char *other;
};
bool store_lease_take(const void *ctx, struct store *store, struct store_lease *lease,
                      int64_t now_ms, int64_t ttl_ms, struct error *err) MUSTCHECK;
bool store_lease_release(struct store *store, const char *rollout, int64_t token,
                         struct error *err) MUSTCHECK;
/* The live holder of a rollout's lease, or null. */
bool store_lease_holder(const void *ctx, struct store *store, const char *rollout, int64_t now_ms,
                        const char **out, struct error *err) MUSTCHECK;
/* Ends the lease of a holder that is known to be dead. */
bool store_lease_break(struct store *store, const char *rollout, const char *holder,
                       struct error *err) MUSTCHECK;

/* --- what people ask of a rollout ---------------------------------------------------------- */

struct store_control {
    int64_t id;
    const char *verb, *argument, *who;
    const char *answer; /* null: not taken yet */
};
bool store_control_add(struct store *store, const char *rollout,
                       const struct store_control *control, int64_t now_ms, int64_t *id,
                       struct error *err) MUSTCHECK;
bool store_controls(const void *ctx, struct store *store, const char *rollout,
                    struct store_control **out, size_t *count, struct error *err) MUSTCHECK;
bool store_control_answer(struct store *store, int64_t id, const char *answer,
                          struct error *err) MUSTCHECK;
/* Takes back an ask that nobody has answered. */
bool store_control_withdraw(struct store *store, int64_t id, bool *withdrawn,
                            struct error *err) MUSTCHECK;
/* The answer to an ask: null while it was not taken, "" when it was carried out. */
bool store_control_answered(const void *ctx, struct store *store, int64_t id, const char **out,
                            struct error *err) MUSTCHECK;

/* --- words of people: approvals, rejections, acknowledgements ------------------------------- */

struct store_word {
    const char *plan, *phase, *service, *digest;
    const char *who;       /* signer, or who acknowledged */
    const char *signed_at; /* approvals: RFC 3339 */
    const char *text;      /* signature, reason, note */
    int64_t time_ms;
};
bool store_approval_add(struct store *store, const struct store_word *word,
                        struct error *err) MUSTCHECK;
bool store_rejection_add(struct store *store, const struct store_word *word,
                         struct error *err) MUSTCHECK;
/* Takes back what the same person said up to word->time_ms; *was tells whether there was any. */
bool store_rejection_withdraw(struct store *store, const struct store_word *word, bool *was,
                              struct error *err) MUSTCHECK;
bool store_ack_add(struct store *store, const struct store_word *word, struct error *err) MUSTCHECK;

enum store_words { STORE_APPROVALS, STORE_REJECTIONS, STORE_ACKS };
/* All words of a kind about a plan, ordered. */
bool store_words(const void *ctx, struct store *store, enum store_words kind, const char *plan,
                 struct store_word **out, size_t *count, struct error *err) MUSTCHECK;

#endif
