/*
 * Installs an agent on a host over SFTP, with the target's push_identity (a key without a forced
 * command). The file is uploaded under a name with its version and digest; then the agent that is
 * already there (on a first installation: the new one) checks the digest, the signature when the
 * host asks for one, runs it once for its version, and renames it into place: there is an agent at
 * every moment, the old or the new one.
 */
#ifndef CONTROLLER_SESSION_PUSH_H
#define CONTROLLER_SESSION_PUSH_H

#include "agents/base/json.h"
#include "controller/session/session.h"

struct push {
    const char *data; /* the program */
    size_t len;
    const char *digest;    /* "sha256:..." of it */
    const char *signature; /* armoured; null: none */
    const char *to; /* a path on the host; relative: to the login's home; null: agent_command when
                     * that is absolute, else bin/flotilla-agent */
    const char *agent_config; /* of the host; null: where agents look by themselves */
};

/* *out says what the host says: {installed, version, digest}; owned by ctx. Transport ssh only. */
bool push_agent(const void *ctx, const struct instance *target, const struct push *push,
                json_t **out, struct error *err) MUSTCHECK;

#endif
