#include "agents/wire/server.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

bool reply_event(struct reply *reply, json_t *event)
{
    SCOPE(tmp);
    struct error ignored;
    json_own(tmp, event);
    if (!reply->gone && !message_write_event(reply->stream, reply->id, event, &ignored))
        reply->gone = true;
    return !reply->gone;
}

bool reply_wait(struct reply *reply, int64_t ms)
{
    if (!reply->gone && reply->stream->gone && reply->stream->gone(reply->stream->self, ms))
        reply->gone = true;
    return !reply->gone;
}

/* Sends what went wrong; ends the conversation when that is impossible. */
static bool answer(struct stream *stream, int64_t id, const json_t *result,
                   const struct error *failure, struct error *err)
{
    if (failure)
        return message_write_failure(stream, id, failure, err);
    if (message_write_result(stream, id, result, err))
        return true;
    if (err->code != ERROR_PROTOCOL) /* anything else: the stream is broken */
        return false;
    struct error too_long;
    fail(&too_long, ERROR_INVALID, "the result is too long to be sent: %s", err->message);
    return message_write_failure(stream, id, &too_long, err);
}

static bool serve_one(struct stream *stream, const struct server *server, const struct message *m,
                      bool *bye, struct error *err)
{
    SCOPE(tmp);
    struct error failure = { 0 };
    enum operation op = OP_BYE;
    struct reply reply = { .stream = stream, .id = m->id };
    json_t *result = NULL;
    if (!operation_from_name(m->op, &op)) {
        fail(&failure, ERROR_UNSUPPORTED, "%s %s knows no operation \"%s\"", server->hello->program,
             server->hello->version, text_printable(tmp, m->op));
        fail_hint(&failure, "install the same version on both sides: `flotilla agent push`");
        return answer(stream, m->id, NULL, &failure, err);
    }
    if (op == OP_BYE) {
        *bye = true;
        return answer(stream, m->id, NULL, NULL, err);
    }
    bool done = server->handle(server->self, op, m->body, &reply, &result, &failure);
    if (done && result)
        json_own(tmp, result);
    if (reply.gone)
        return fail(err, ERROR_CONNECT, "the other side went away");
    return answer(stream, m->id, result, done ? NULL : &failure, err);
}

static bool broken(struct stream *stream, const struct error *why)
{
    struct error ignored;
    (void)!message_write_failure(stream, 0, why, &ignored);
    return false;
}

bool server_run(struct stream *stream, const struct server *server, struct error *err)
{
    SCOPE(tmp);
    struct frame_reader *reader = frame_reader_new(tmp, stream);
    struct hello *theirs = NULL;
    int64_t last_id = 0;
    bool bye = false;
    if (!hello_exchange(tmp, stream, reader, server->hello, &theirs, err))
        return broken(stream, err);
    while (!bye) {
        SCOPE(round);
        struct message *m = NULL;
        if (!message_read(reader, round, -1, &m, err))
            return broken(stream, err);
        if (!m)
            return true;
        if (m->kind != MESSAGE_REQUEST || m->id <= last_id) {
            fail(err, ERROR_PROTOCOL, "expected a request with an id above %lld",
                 (long long)last_id);
            return broken(stream, err);
        }
        last_id = m->id;
        if (!serve_one(stream, server, m, &bye, err))
            return false;
    }
    return true;
}
