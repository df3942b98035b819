/*
 * The engine: drives one rollout until it ends, fails, or waits at a gate. It owns the rollout and
 * its store handle and runs in one thread; hosts are reached through a struct world. Every
 * transition is saved before its effect is dispatched, so it can be killed anywhere and started
 * again.
 */
#ifndef CONTROLLER_ROLLOUT_ENGINE_H
#define CONTROLLER_ROLLOUT_ENGINE_H

#include <signal.h>

#include "controller/manifest/fleet.h"
#include "controller/rollout/state.h"
#include "controller/rollout/transitions.h"
#include "controller/rollout/world.h"
#include "controller/store/store.h"

struct engine {
    struct world *world;
    struct store *store;
    const struct fleet *fleet;
    const char *plan_path;
    const char *holder;      /* who takes the lease: see lease_holder() */
    struct rollout *rollout; /* loaded or new */
    /* Called after each saved event; may be null. */
    void (*on_event)(void *self, const json_t *event);
    void *self;
    /* Leave when nothing runs and nobody asked for anything, also while PAUSED: for verbs that are
     * carried out without staying. */
    bool leave_when_quiet;
    int64_t patience_ms; /* for runners that were asked to stop; 0: without end */
    /* Set by a signal handler: the drive ends soon, what runs on hosts goes on. May be null. */
    const volatile sig_atomic_t *interrupted;
};

/* Creates and saves a rollout of the plan. Refused when a running one touches the same objects,
 * or when one of the same plan exists that has not ended (*existing is then its id). */
bool engine_create(const void *ctx, struct store *store, const struct plan *plan,
                   const struct store_rollout *row, struct rollout **out, const char **existing,
                   struct error *err) MUSTCHECK;

/* Refused when another rollout that has not ended touches an object of the plan; `id` is left out.
 */
bool engine_apart(struct store *store, const struct plan *plan, const char *id,
                  struct error *err) MUSTCHECK;

/* Drives until there is nothing to do without a person; the rollout's status tells why. Asks of
 * other processes (store_control_add) are taken while it runs. ERROR_FENCED when another process
 * took over, ERROR_BUSY when another drives it already. */
bool engine_run(struct engine *engine, struct error *err) MUSTCHECK;

/* "host:pid:start" of this process; and whether such a holder is a dead process of this host. */
const char *lease_holder(const void *ctx);
bool lease_holder_is_dead(const char *holder);

#endif
