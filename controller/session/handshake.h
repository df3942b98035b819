/*
 * sshd drops connections at random when too many are unauthenticated at once (MaxStartups
 * 10:30:100): so at most HANDSHAKES_PER_HOST sessions are being opened to one host at any time, and
 * a connection that was dropped is tried again after a random pause. Private to controller/session.
 */
#ifndef CONTROLLER_SESSION_HANDSHAKE_H
#define CONTROLLER_SESSION_HANDSHAKE_H

#include "controller/manifest/fleet.h"

enum { HANDSHAKES_PER_HOST = 4, HANDSHAKE_ATTEMPTS = 4 };

struct handshake_host;

/* Waits for its turn; the turn ends with the block. */
#define HANDSHAKE_TURN(name, target)                                              \
    __attribute__((cleanup(handshake_end), unused)) struct handshake_host *name = \
        handshake_begin(target)

struct handshake_host *handshake_begin(const struct instance *target);
void handshake_end(struct handshake_host **turn);

/* The error is one that goes away by itself and there are attempts left. */
bool handshake_worth_retry(const struct instance *target, const struct error *err, int attempt);

/* Sleeps a random time that grows with the attempts: 50 to 150 ms, 100 to 300 ms, ... */
void handshake_pause(int attempt);

#endif
