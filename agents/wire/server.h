/*
 * The answering half: says hello, then carries out one request after the other until the other side
 * says bye or closes. The agent's main loop; who handles what is the caller's (agents/agent).
 */
#ifndef AGENTS_WIRE_SERVER_H
#define AGENTS_WIRE_SERVER_H

#include "agents/wire/hello.h"

/* The way back of the request that is being handled. */
struct reply {
    struct stream *stream;
    int64_t id;
    bool gone; /* the other side does not take anything any more */
};

/* Sends an event and takes over its reference. False when the other side is gone: what must go on
 * goes on, what is only for the asker should end. */
bool reply_event(struct reply *reply, json_t *event);

/* Sleeps up to ms. False as soon as the other side is gone. */
bool reply_wait(struct reply *reply, int64_t ms);

struct server {
    const struct hello *hello;
    void *self;
    /* Carries out one request. On success *result is a new reference (null: an empty object). */
    bool (*handle)(void *self, enum operation op, const json_t *args, struct reply *reply,
                   json_t **result, struct error *err);
};

/* True when the conversation ended as it should (bye, or the end of the stream between requests).
 * What breaks the protocol is answered with an error message as far as possible, then ends it. */
bool server_run(struct stream *stream, const struct server *server, struct error *err) MUSTCHECK;

#endif
