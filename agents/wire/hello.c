#include "agents/wire/hello.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"

enum {
    HELLO_TIMEOUT_MS = 30 * 1000, /* a login shell with slow start-up files takes seconds */
    WORD_LIMIT = 64,
    VERSION_LIMIT = 1000,
};

static json_t *host_facts(void)
{
    SCOPE(tmp);
    json_t *facts = json_object();
    struct utsname names;
    char name[256] = "";
    if (gethostname(name, sizeof(name) - 1) == 0 && text_is_utf8(name, strlen(name)))
        json_set_text(facts, "name", name);
    if (uname(&names) == 0) {
        json_set_text(facts, "system", names.sysname);
        json_set_text(facts, "release", names.release);
        json_set_text(facts, "machine", names.machine);
    }
    json_set_int(facts, "pid", getpid());
    json_set_int(facts, "time_ms", clock_wall_ms());
    return facts;
}

struct hello *hello_own(const void *ctx, const char *program, const bool can[OP_COUNT_OF])
{
    struct hello *h = mem_new(ctx, struct hello);
    h->protocol_min = WIRE_PROTOCOL_MIN;
    h->protocol_max = WIRE_PROTOCOL_MAX;
    h->program = mem_text(h, program);
    h->version = FLOTILLA_VERSION;
    h->patience_ms = HELLO_TIMEOUT_MS;
    h->capabilities = json_own(h, json_array());
    for (unsigned op = 0; op < OP_COUNT_OF; op++)
        if (can[op])
            json_array_append_new(h->capabilities, json_string(operation_name(op)));
    h->host = json_own(h, host_facts());
    return h;
}

static json_t *hello_to_json(const struct hello *h)
{
    json_t *json = json_object();
    json_set_int(json, "protocol_min", h->protocol_min);
    json_set_int(json, "protocol_max", h->protocol_max);
    json_set_text(json, "program", h->program);
    json_set_text(json, "version", h->version);
    json_object_set(json, "capabilities", h->capabilities);
    json_object_set(json, "host", h->host);
    return json;
}

static bool word(const json_t *json, const char *key, const char **out, struct error *err)
{
    if (!json_need_text(json, key, out, err))
        return false;
    if (strlen(*out) > WORD_LIMIT)
        return fail(err, ERROR_PROTOCOL, "hello: field \"%s\" is longer than %d bytes", key,
                    WORD_LIMIT);
    return true;
}

static bool hello_from_json(const void *ctx, json_t *json, struct hello **out, struct error *err)
{
    struct hello h = { 0 };
    if (!json_need_int(json, "protocol_min", &h.protocol_min, err) ||
        !json_need_int(json, "protocol_max", &h.protocol_max, err) ||
        !word(json, "program", &h.program, err) || !word(json, "version", &h.version, err) ||
        !json_need_array(json, "capabilities", &h.capabilities, err) ||
        !json_need_object(json, "host", &h.host, err)) {
        err->code = ERROR_PROTOCOL;
        return fail_in(err, "hello");
    }
    if (h.protocol_min < 1 || h.protocol_max < h.protocol_min || h.protocol_max > VERSION_LIMIT)
        return fail(err, ERROR_PROTOCOL, "hello: no such range of protocol versions");
    *out = mem_new(ctx, struct hello);
    **out = h;
    (*out)->program = text_printable(*out, h.program);
    (*out)->version = text_printable(*out, h.version);
    json_own(*out, json_incref(h.capabilities));
    json_own(*out, json_incref(h.host));
    return true;
}

int64_t hello_protocol(const struct hello *a, const struct hello *b)
{
    int64_t high = a->protocol_max < b->protocol_max ? a->protocol_max : b->protocol_max;
    int64_t low = a->protocol_min > b->protocol_min ? a->protocol_min : b->protocol_min;
    return high >= low ? high : 0;
}

bool hello_exchange(const void *ctx, struct stream *stream, struct frame_reader *reader,
                    const struct hello *own, struct hello **theirs, struct error *err)
{
    SCOPE(tmp);
    struct error closed;
    struct message *m = NULL;
    struct hello *h = NULL;
    /* A side that is not there closes early: what it said before counts more than a failed write.
     */
    bool sent = message_write_hello(stream, json_own(tmp, hello_to_json(own)), &closed);
    if (!message_read(reader, tmp, own->patience_ms, &m, err))
        return false;
    if (!m)
        return fail(err, ERROR_CONNECT, "the other side ended before it said hello");
    if (m->kind == MESSAGE_FAILURE) {
        *err = m->failure;
        return false;
    }
    if (m->kind != MESSAGE_HELLO)
        return fail(err, ERROR_PROTOCOL, "the other side's first message is no hello");
    if (!hello_from_json(tmp, m->body, &h, err))
        return false;
    if (!hello_protocol(own, h))
        return fail(
            err, ERROR_VERSION, "%s %s talks protocol %lld to %lld, %s %s talks %lld to %lld",
            h->program, h->version, (long long)h->protocol_min, (long long)h->protocol_max,
            own->program, own->version, (long long)own->protocol_min, (long long)own->protocol_max);
    if (!sent) {
        *err = closed;
        return false;
    }
    *theirs = mem_give(ctx, h);
    return true;
}
