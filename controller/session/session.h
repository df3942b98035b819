/*
 * A session: one conversation with the agent on one host, over ssh (libssh2), openssh (the user's
 * own ssh program) or local (a child process). One host, one session for all of its services:
 * messages carry the database's name.
 *
 *     struct session *session;
 *     session_open(ctx, instance, NULL, &session, &err)
 *     session_call(session, ctx, &(struct call){ .op = OP_STATE, .args = args }, &result, &err)
 *     session_close(session)                                      or free its owner
 *
 * A session belongs to the thread that opened it until it is closed (a local agent ends with that
 * thread). Errors name the host. After a lost connection session_usable() is false: open another.
 */
#ifndef CONTROLLER_SESSION_SESSION_H
#define CONTROLLER_SESSION_SESSION_H

#include "agents/wire/client.h"
#include "controller/manifest/fleet.h"

struct session_options {
    int64_t connect_timeout_ms; /* to reach the host and log in; 0: 15 s */
    int64_t hello_timeout_ms;   /* then, until the agent says hello; 0: 30 s */
};

/* How long each part of the way took, in milliseconds; -1: the transport has no such part. */
struct session_timing {
    int64_t resolve, connect, handshake, login;
    int64_t agent; /* from the start of the agent (login shell included) to its hello */
    int64_t skew;  /* the host's clock minus ours, as of the hello; not exact to the second */
};

struct session;

/* Connects, checks the host's key, logs in, starts the agent and says hello. options may be null.
 * ERROR_CONNECT  no name, no port, no answer, no agent     ERROR_HOST_KEY  unknown or changed
 * ERROR_AUTH     the login was refused                     ERROR_VERSION   no common protocol
 * ERROR_PROTOCOL something else than an agent answers      ERROR_TIMEOUT */
bool session_open(const void *ctx, const struct instance *target,
                  const struct session_options *options, struct session **out,
                  struct error *err) MUSTCHECK;

/* One operation; *result is owned by ctx. See struct call. */
bool session_call(struct session *session, const void *ctx, const struct call *call,
                  json_t **result, struct error *err) MUSTCHECK;

/* What the agent said about itself and its host. */
const struct hello *session_peer(const struct session *session);

struct session_timing session_timing(const struct session *session);

/* False once the connection is lost. */
bool session_usable(const struct session *session);

/* Says bye if it still can, and frees. Null is fine. */
void session_close(struct session *session);

/* What tells one host's session from another's ("ssh flotilla@db1:22", "local /etc/..."). */
const char *session_key(const void *ctx, const struct instance *target);

#endif
