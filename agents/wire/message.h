/*
 * Messages: what the frames hold. Five forms, each one JSON object:
 *
 *     {"hello": {...}}                          the first frame, both ways
 *     {"id": 1, "op": "inspect", "args": {...}} a request; ids count up from 1
 *     {"id": 1, "event": {...}}                 any number of them while it is carried out
 *     {"id": 1, "ok": true, "result": {...}}    its end
 *     {"id": 1, "ok": false, "error": {...}}    its end; id 0: of the connection as a whole
 *
 * Everything that comes from the other side is checked here and texts of errors are made safe to
 * print. Unknown fields are ignored, so that both sides can add some.
 */
#ifndef AGENTS_WIRE_MESSAGE_H
#define AGENTS_WIRE_MESSAGE_H

#include "agents/base/json.h"
#include "agents/wire/frame.h"

/* No event is longer; results may be (a catalog). */
enum { EVENT_BYTES_MOST = 2 * 1024 * 1024 };

enum message_kind {
    MESSAGE_HELLO,
    MESSAGE_REQUEST,
    MESSAGE_EVENT,
    MESSAGE_RESULT,
    MESSAGE_FAILURE,
};

struct message {
    enum message_kind kind;
    int64_t id;
    const char *op;       /* requests; any text, not only names of operations */
    json_t *body;         /* hello, args, event or result; null for failures */
    struct error failure; /* failures */
};

/* The next message, owned by ctx; *out is null at the end of the stream. ERROR_PROTOCOL for what is
 * not a message; ERROR_TIMEOUT as in frame_read. */
bool message_read(struct frame_reader *reader, const void *ctx, int64_t timeout_ms,
                  struct message **out, struct error *err) MUSTCHECK;

/* Writers; they do not keep or release `body`, which may be null for "{}". */
bool message_write_hello(struct stream *stream, const json_t *body, struct error *err) MUSTCHECK;
bool message_write_request(struct stream *stream, int64_t id, const char *op, const json_t *body,
                           struct error *err) MUSTCHECK;
bool message_write_event(struct stream *stream, int64_t id, const json_t *body,
                         struct error *err) MUSTCHECK;
bool message_write_result(struct stream *stream, int64_t id, const json_t *body,
                          struct error *err) MUSTCHECK;
bool message_write_failure(struct stream *stream, int64_t id, const struct error *failure,
                           struct error *err) MUSTCHECK;

/* {code, sqlstate, message, detail, hint}, empty fields left out; a new reference. */
json_t *error_to_json(const struct error *error);
/* The reverse, for what others wrote: unknown codes become ERROR_INTERNAL, control characters are
 * made visible, missing fields are empty. */
void error_from_json(const json_t *json, struct error *out);

#endif
