#include "agents/wire/message.h"

#include <stdio.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { WRITE_TIMEOUT_MS = 60 * 1000 }; /* a reader that takes nothing for a minute is gone */

json_t *error_to_json(const struct error *error)
{
    json_t *json = json_object();
    json_set_text(json, "code", error_code_name(error->code));
    if (error->sqlstate[0])
        json_set_text(json, "sqlstate", error->sqlstate);
    json_set_text(json, "message", error->message);
    if (error->detail[0])
        json_set_text(json, "detail", error->detail);
    if (error->hint[0])
        json_set_text(json, "hint", error->hint);
    return json;
}

static void take_text(const json_t *json, const char *key, char *into, size_t size)
{
    SCOPE(tmp);
    const char *s = json_string_value(json_object_get(json, key));
    snprintf(into, size, "%s", s ? text_printable(tmp, s) : "");
}

void error_from_json(const json_t *json, struct error *out)
{
    const char *code = json_string_value(json_object_get(json, "code"));
    struct error error = { .code = code ? error_code_from_name(code) : ERROR_INTERNAL };
    if (error.code == ERROR_NONE)
        error.code = ERROR_INTERNAL;
    take_text(json, "sqlstate", error.sqlstate, sizeof(error.sqlstate));
    take_text(json, "message", error.message, sizeof(error.message));
    take_text(json, "detail", error.detail, sizeof(error.detail));
    take_text(json, "hint", error.hint, sizeof(error.hint));
    if (!error.message[0])
        snprintf(error.message, sizeof(error.message), "it failed without a reason");
    *out = error;
}

static bool message_end(const json_t *json, struct message *m, struct error *err)
{
    if (json_is_true(json_object_get(json, "ok"))) {
        m->kind = MESSAGE_RESULT;
        return json_need_object(json, "result", &m->body, err);
    }
    json_t *failure = NULL;
    m->kind = MESSAGE_FAILURE;
    if (!json_need_object(json, "error", &failure, err))
        return false;
    error_from_json(failure, &m->failure);
    return true;
}

static bool message_take(const json_t *json, struct message *m, struct error *err)
{
    if (json_object_get(json, "hello")) {
        m->kind = MESSAGE_HELLO;
        return json_need_object(json, "hello", &m->body, err);
    }
    if (!json_need_int(json, "id", &m->id, err))
        return false;
    if (m->id < 0 || m->id > JSON_SAFE_INTEGER)
        return fail(err, ERROR_INVALID, "field \"id\" is out of range");
    if (json_object_get(json, "op")) {
        m->kind = MESSAGE_REQUEST;
        return json_need_text(json, "op", &m->op, err) &&
               json_need_object(json, "args", &m->body, err);
    }
    if (json_object_get(json, "event")) {
        m->kind = MESSAGE_EVENT;
        return json_need_object(json, "event", &m->body, err);
    }
    if (json_is_boolean(json_object_get(json, "ok")))
        return message_end(json, m, err);
    return fail(err, ERROR_INVALID, "neither hello, request, event nor result");
}

bool message_read(struct frame_reader *reader, const void *ctx, int64_t timeout_ms,
                  struct message **out, struct error *err)
{
    SCOPE(tmp);
    const char *data = NULL;
    size_t len = 0;
    json_t *json = NULL;
    if (!frame_read(reader, tmp, timeout_ms, &data, &len, err))
        return false;
    if (!data) {
        *out = NULL;
        return true;
    }
    struct message *m = mem_new(tmp, struct message);
    if (!json_parse(m, data, len, &json, err) || !message_take(json, m, err)) {
        err->code = ERROR_PROTOCOL;
        return fail_in(err, "not a message of the protocol");
    }
    if (m->kind == MESSAGE_EVENT && len > EVENT_BYTES_MOST)
        return fail(err, ERROR_PROTOCOL, "an event of %zu bytes; %d are allowed", len,
                    EVENT_BYTES_MOST);
    *out = mem_give(ctx, m);
    return true;
}

/* Takes the reference of `json`. */
static bool message_write(struct stream *stream, json_t *json, struct error *err)
{
    SCOPE(tmp);
    json_own(tmp, json);
    const char *text = json_compact(tmp, json);
    return frame_write(stream, text, strlen(text), WRITE_TIMEOUT_MS, err);
}

static void set_body(json_t *json, const char *key, const json_t *body)
{
    if (body)
        json_object_set(json, key, (json_t *)(uintptr_t)body);
    else
        json_object_set_new(json, key, json_object());
}

bool message_write_hello(struct stream *stream, const json_t *body, struct error *err)
{
    json_t *json = json_object();
    set_body(json, "hello", body);
    return message_write(stream, json, err);
}

bool message_write_request(struct stream *stream, int64_t id, const char *op, const json_t *body,
                           struct error *err)
{
    json_t *json = json_object();
    json_set_int(json, "id", id);
    json_set_text(json, "op", op);
    set_body(json, "args", body);
    return message_write(stream, json, err);
}

bool message_write_event(struct stream *stream, int64_t id, const json_t *body, struct error *err)
{
    json_t *json = json_object();
    json_set_int(json, "id", id);
    set_body(json, "event", body);
    return message_write(stream, json, err);
}

bool message_write_result(struct stream *stream, int64_t id, const json_t *body, struct error *err)
{
    json_t *json = json_object();
    json_set_int(json, "id", id);
    json_set_bool(json, "ok", true);
    set_body(json, "result", body);
    return message_write(stream, json, err);
}

bool message_write_failure(struct stream *stream, int64_t id, const struct error *failure,
                           struct error *err)
{
    json_t *json = json_object();
    json_set_int(json, "id", id);
    json_set_bool(json, "ok", false);
    json_object_set_new(json, "error", error_to_json(failure));
    return message_write(stream, json, err);
}
