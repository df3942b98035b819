/*
 * One SSH connection through libssh2: socket, handshake, host key, login. Channels (exec, sftp) are
 * made by who needs them. The library is used without blocking: every call that answers EAGAIN is
 * repeated after ssh_wait(), which keeps the deadline and sends keepalives. Private to
 * controller/session.
 */
#ifndef CONTROLLER_SESSION_SSH_H
#define CONTROLLER_SESSION_SSH_H

#include "controller/session/carrier.h"
#include "controller/session/ssh_library.h"

enum {
    KEEPALIVE_S = 15,
    DEAD_MS = 3 * KEEPALIVE_S * 1000, /* three keepalives without a byte from the other side */
};

struct ssh {
    int fd;
    LIBSSH2_SESSION *session;
    const struct instance *target;
    int64_t deadline; /* monotonic; of the operation that runs; -1 none */
    int64_t waiting_since;
    struct session_timing timing;
};

/* Connected, host key checked, logged in with `identity` (null: the target's). Closed with ctx. */
bool ssh_connect(const void *ctx, const struct instance *target, const char *identity,
                 const struct session_options *options, struct ssh **out,
                 struct error *err) MUSTCHECK;

/* Waits until libssh2 can go on; ERROR_TIMEOUT at the deadline, ERROR_CONNECT when the other side
 * has been silent for DEAD_MS although it was asked. */
bool ssh_wait(struct ssh *ssh, struct error *err) MUSTCHECK;

/* Sets the deadline of what follows; negative: none. */
void ssh_deadline(struct ssh *ssh, int64_t timeout_ms);

/* Starts a command, which the host's shell reads: plain words only. The channel ends with ssh. */
bool ssh_exec(struct ssh *ssh, const char *command, LIBSSH2_CHANNEL **out,
              struct error *err) MUSTCHECK;

/* The library's last error: "WHAT: text (-5)". Returns false. */
bool fail_ssh(struct ssh *ssh, enum error_code code, const char *what, struct error *err);

/* --- steps of ssh_connect, one file each --- */

/* A connected, non-blocking socket to the host. */
bool socket_connect(const struct instance *target, int64_t deadline, struct session_timing *timing,
                    int *out, struct error *err) MUSTCHECK;

struct known_hosts;

/* The lines of the target's known_hosts file that are about this host. */
bool known_hosts_read(const void *ctx, const struct instance *target, struct known_hosts **out,
                      struct error *err) MUSTCHECK;
/* The host key algorithms to ask for ("ssh-ed25519,ecdsa-..."); null: any, nothing is known. */
const char *known_hosts_methods(const struct known_hosts *known);
/* ERROR_HOST_KEY, telling apart unknown, changed, other type and revoked. */
bool known_hosts_check(const struct known_hosts *known, struct ssh *ssh,
                       struct error *err) MUSTCHECK;

bool login(struct ssh *ssh, const char *identity, struct error *err) MUSTCHECK;

#endif
