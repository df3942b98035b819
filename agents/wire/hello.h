/*
 * Hello: the first message of either side, sent at once without waiting for the other's. It says
 * which versions of the protocol a side talks, what it is, and what it can do.
 */
#ifndef AGENTS_WIRE_HELLO_H
#define AGENTS_WIRE_HELLO_H

#include "agents/wire/message.h"
#include "agents/wire/ops.h"

struct hello {
    int64_t protocol_min, protocol_max;
    const char *program;  /* "flotilla", "flotilla-agent" */
    const char *version;  /* of the program */
    json_t *capabilities; /* names of operations; unknown ones are of no concern */
    json_t *host;         /* facts: name, system, time (RFC 3339); may be empty */
    int64_t patience_ms;  /* our own: how long the other's is waited for */
};

/* This program's own, with every operation of `ops.h` marked in `can` as capability. */
struct hello *hello_own(const void *ctx, const char *program, const bool can[OP_COUNT_OF]);

/* Sends ours and reads theirs. Fails with ERROR_VERSION when no protocol version is common,
 * ERROR_PROTOCOL when the other side speaks something else, ERROR_CONNECT when it ends before it
 * said anything. */
bool hello_exchange(const void *ctx, struct stream *stream, struct frame_reader *reader,
                    const struct hello *own, struct hello **theirs, struct error *err) MUSTCHECK;

/* The highest version both talk, 0 when there is none. */
int64_t hello_protocol(const struct hello *a, const struct hello *b);

#endif
