/*
 * Where a command stands: the fleet, the environment, the state and a rollout in it, opened the
 * same way by every command that works on rollouts.
 */
#ifndef CONTROLLER_DESK_PLACE_H
#define CONTROLLER_DESK_PLACE_H

#include "controller/manifest/fleet.h"
#include "controller/rollout/state.h"
#include "controller/store/store.h"
#include "controller/terminal/command.h"

struct printer;

/* What a command that takes [ROLLOUT] is told, as the first member of its own options. */
struct rollout_options {
    struct flags flags;
    const char *rollout;
};
extern const struct argument rollout_argument[];

struct place {
    const struct flags *flags;
    struct fleet *fleet;
    const char *environment;
    struct store *store;
    struct store_rollout *row; /* place_rollout() */
    struct plan *plan;
    struct rollout *rollout;
    struct printer *printer; /* of events, while a rollout is driven or followed */
};

/* Loads the manifest; every problem is printed with its place. Picks the environment: --env, or
 * `wanted` (a plan's) when it is given, or the only one. */
bool place_fleet(const void *ctx, const struct flags *flags, const char *wanted,
                 struct place *place, struct error *err) MUSTCHECK;

/* The state's folder: --state, or .flotilla beside the manifest. */
const char *place_state(const void *ctx, const struct flags *flags);

/* Opens the state, creating it when absent: --state, or .flotilla beside the manifest (which need
 * not load). */
bool place_store(const void *ctx, const struct flags *flags, struct place *place,
                 struct error *err) MUSTCHECK;

/* Finds a rollout by its id or its plan's; null id: the only one that has not ended, else the
 * newest; with --env of that environment. Reads its plan and state. */
bool place_rollout(const void *ctx, struct place *place, const char *id,
                   struct error *err) MUSTCHECK;

/* Those that have not ended, newest first; with --env of that environment. */
bool place_active(const void *ctx, struct place *place, struct store_rollout **out, size_t *count,
                  struct error *err) MUSTCHECK;

/* place_store() of a state that is there: nothing is created. */
bool place_look(const void *ctx, const struct flags *flags, struct place *place,
                struct error *err) MUSTCHECK;
/* Then place_rollout() in it. */
bool place_open(const void *ctx, const struct flags *flags, const char *id, struct place *place,
                struct error *err) MUSTCHECK;

/* Reads a plan file and prints all its problems. */
bool place_plan(const void *ctx, const char *path, struct plan **out, struct error *err) MUSTCHECK;
/* The plan before the judge and the rules, whoever wrote it (plan_recheck.h): prints what it does
 * not say of itself. */
bool place_plan_recheck(const void *ctx, const char *path, const struct plan *plan,
                        struct error *err) MUSTCHECK;
/* Both. */
bool place_plan_checked(const void *ctx, const char *path, struct plan **out,
                        struct error *err) MUSTCHECK;

#endif
