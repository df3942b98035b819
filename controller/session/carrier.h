/*
 * How a session reaches its agent: three ways behind one face. A carrier hangs on the session's
 * context; freeing it ends the connection or the child process. Private to controller/session.
 */
#ifndef CONTROLLER_SESSION_CARRIER_H
#define CONTROLLER_SESSION_CARRIER_H

#include "agents/base/process.h"
#include "agents/wire/stream.h"
#include "controller/session/session.h"

enum { ENDING_TEXT = 2048 };

struct ending {
    int status;             /* exit code; 128 + signal; -1 unknown */
    char text[ENDING_TEXT]; /* the last lines of its standard error */
};

struct carrier {
    struct stream *stream;
    void *self;
    /* Called when the agent ended without a word: fills in how it ended and what it printed on
     * its standard error. Waits a second at most. */
    void (*ending)(void *self, struct ending *out);
    /* Milliseconds, -1 where a way has no such part. */
    struct session_timing timing;
};

/* Letters, digits and / . _ - + only, and no leading dash: neither an option nor more than one word
 * to a shell. */
bool plain_path(const char *s);

/* The command that a manifest gives for an agent is one plain word: a remote shell reads it. */
bool carrier_command(const void *ctx, const struct instance *target, const char **out,
                     struct error *err) MUSTCHECK;

bool carrier_local(const void *ctx, const struct instance *target, struct carrier **out,
                   struct error *err) MUSTCHECK;
bool carrier_openssh(const void *ctx, const struct instance *target,
                     const struct session_options *options, struct carrier **out,
                     struct error *err) MUSTCHECK;
bool carrier_ssh(const void *ctx, const struct instance *target,
                 const struct session_options *options, struct carrier **out,
                 struct error *err) MUSTCHECK;

/* Turns what an agent's ending tells into an error that says what to do: agent missing, login
 * refused, host key wrong. `err` holds the error so far and keeps it when there is nothing to add.
 */
void ending_explain(const struct instance *target, const struct ending *ending, struct error *err);

#endif
