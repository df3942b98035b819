/*
 * Driving a rollout from a command: the verb is persisted first, then this process drives, or, when
 * another one does, follows it. Prints what happens; the result is the command's exit code.
 */
#ifndef CONTROLLER_DESK_DRIVING_H
#define CONTROLLER_DESK_DRIVING_H

#include "controller/desk/place.h"

struct driving {
    const char *name;     /* argv[0], for messages */
    const char *verb;     /* null: just go on */
    const char *argument; /* of the verb; may be null */
    bool leave;           /* do not stay: pause, abort of what another process drives */
};

/* Asks and drives, or follows who drives, until it rests; what it reads anew hangs on ctx. Returns
 * the exit code. */
int driving_run(const void *ctx, struct place *place, const struct driving *driving);

/* The exit code that a rollout's status means for who waited for it. */
int driving_code(const struct place *place);
/* The same, after printing where it stands and what to do next. */
int driving_end(const struct place *place);

#endif
