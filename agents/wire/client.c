#include "agents/wire/client.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* No operation has so many; a side that floods us is cut off. */
enum {
    EVENT_LIMIT = 10 * 1000 * 1000,
    EVENT_LIMIT_UNHEARD = 1000, /* where nobody asked for events */
};

struct client {
    struct stream *stream;
    struct frame_reader *reader;
    struct hello *peer;
    int64_t last_id;
    bool broken;
};

bool client_open(const void *ctx, struct stream *stream, const struct hello *own,
                 struct client **out, struct error *err)
{
    SCOPE(tmp);
    struct client *client = mem_new(tmp, struct client);
    client->stream = stream;
    client->reader = frame_reader_new(client, stream);
    if (!hello_exchange(client, stream, client->reader, own, &client->peer, err))
        return false;
    *out = mem_give(ctx, client);
    return true;
}

const struct hello *client_peer(const struct client *client)
{
    return client->peer;
}

bool client_usable(const struct client *client)
{
    return !client->broken;
}

/* One message of the answer; *done when it was the last. */
static bool take(struct client *client, const void *ctx, const struct call *call, json_t **result,
                 bool *done, struct error *err)
{
    SCOPE(tmp);
    struct message *m = NULL;
    if (!message_read(client->reader, tmp, call->timeout_ms ? call->timeout_ms : CALL_SILENCE_MS,
                      &m, err))
        return false;
    if (!m)
        return fail(err, ERROR_CONNECT, "the agent ended in the middle of %s",
                    operation_name(call->op));
    if (m->kind == MESSAGE_FAILURE && (m->id == client->last_id || m->id == 0)) {
        client->broken = m->id == 0;
        *done = true;
        *err = m->failure;
        return false;
    }
    if (m->id != client->last_id || (m->kind != MESSAGE_EVENT && m->kind != MESSAGE_RESULT))
        return fail(err, ERROR_PROTOCOL, "an answer to something that was not asked");
    if (m->kind == MESSAGE_EVENT) {
        if (call->on_event && !call->on_event(call->self, m->body))
            return fail(err, ERROR_CANCELLED, "%s was given up", operation_name(call->op));
        return true;
    }
    *done = true;
    *result = json_own(ctx, json_incref(m->body));
    return true;
}

bool client_call(struct client *client, const void *ctx, const struct call *call, json_t **result,
                 struct error *err)
{
    if (client->broken)
        return fail(err, ERROR_CONNECT, "the connection to the agent was lost before");
    bool done = false;
    if (!message_write_request(client->stream, ++client->last_id, operation_name(call->op),
                               call->args, err)) {
        client->broken = true;
        return false;
    }
    int most = call->on_event ? EVENT_LIMIT : EVENT_LIMIT_UNHEARD;
    for (int events = 0; !done; events++) {
        bool taken = events <= most && take(client, ctx, call, result, &done, err);
        if (events > most)
            fail(err, ERROR_PROTOCOL, "over %d events to one request", most);
        client->broken = client->broken || (!taken && !done);
        if (!taken)
            return false;
    }
    return true;
}
