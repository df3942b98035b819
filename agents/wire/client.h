/*
 * The asking half: says hello, then calls operations, one at a time. After an error of the
 * conversation itself (not of an operation) the client is of no more use and says so.
 */
#ifndef AGENTS_WIRE_CLIENT_H
#define AGENTS_WIRE_CLIENT_H

#include "agents/wire/hello.h"

struct client;

/* Says hello over the stream, which must outlive the client. Owned by ctx. */
bool client_open(const void *ctx, struct stream *stream, const struct hello *own,
                 struct client **out, struct error *err) MUSTCHECK;

/* What the other side said about itself. */
const struct hello *client_peer(const struct client *client);

/* False after the conversation broke: open another one. */
bool client_usable(const struct client *client);

struct call {
    enum operation op;
    const json_t *args; /* null: none */
    /* Called for each event, which is lent. False ends the call with ERROR_CANCELLED and with it
     * the conversation. Null: events are dropped. */
    bool (*on_event)(void *self, const json_t *event);
    void *self;
    /* The longest silence of the other side, from one message to the next; 0: CALL_SILENCE_MS,
     * negative: as long as the connection lives. */
    int64_t timeout_ms;
};

enum { CALL_SILENCE_MS = 120 * 1000 };

/* Carries out one operation. *result is owned by ctx. An error that the other side reports comes
 * back as it was there, code and SQLSTATE included. */
bool client_call(struct client *client, const void *ctx, const struct call *call, json_t **result,
                 struct error *err) MUSTCHECK;

#endif
