/*
 * Rebuilding a rollout whose state was lost, from the journals in the databases: they know which
 * parts were carried out, under which rollout, and hold the signatures. The result waits as
 * `aborted`: a person decides between `retry` and `rollback`.
 */
#ifndef CONTROLLER_ROLLOUT_RECOVERY_H
#define CONTROLLER_ROLLOUT_RECOVERY_H

#include "controller/rollout/state.h"
#include "controller/store/store.h"

/* What one agent's operation `state` answered; result is null when it could not be asked. */
struct recovery_answer {
    const char *service, *instance;
    const json_t *result;
};

/* The newest rollout of the plan that any journal knows; *out is null when none does. Fails when
 * two journals hold the plan under the same rollout in different forms (ERROR_TAMPERED). */
bool recovery_rebuild(const void *ctx, const struct plan *plan,
                      const struct recovery_answer *answers, size_t count, struct rollout **out,
                      struct error *err) MUSTCHECK;

/* The signatures that the journals hold for the plan's parts, put into the store. */
bool recovery_approvals(struct store *store, const struct plan *plan,
                        const struct recovery_answer *answers, size_t count,
                        struct error *err) MUSTCHECK;

#endif
