/* Frames, messages and both halves of the protocol, with what a hostile other side would send. */
#include "tests/unit/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/wire/client.h"
#include "agents/wire/server.h"
#include "tests/fake/memory_stream.h"

static void frames_round_trip(void **state)
{
    (void)state;
    const size_t sizes[] = { 1, 2, 8188, 8189, 100000, FRAME_LIMIT, FRAME_LIMIT + 1, 10000000 };
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        SCOPE(tmp);
        struct error err;
        struct memory_stream *m = memory_stream_new(tmp);
        char *sent = talloc_array(tmp, char, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            sent[k] = (char)('a' + k % 26);
        assert_true(frame_write(&m->stream, sent, sizes[i], -1, &err));
        memory_stream_feed(m, &m->out);
        m->step = sizes[i] < 10 ? 1 : 65536;
        const char *data = NULL;
        size_t len = 0;
        struct frame_reader *r = frame_reader_new(tmp, &m->stream);
        assert_true(frame_read(r, tmp, -1, &data, &len, &err));
        assert_int_equal(len, sizes[i]);
        assert_memory_equal(data, sent, len);
        assert_true(frame_read(r, tmp, -1, &data, &len, &err));
        assert_null(data);
    }
}

static void frame_fails(const struct text *bytes, const char *why)
{
    SCOPE(tmp);
    struct error err;
    struct memory_stream *m = memory_stream_new(tmp);
    memory_stream_feed(m, bytes);
    const char *data = NULL;
    size_t len = 0;
    assert_false(frame_read(frame_reader_new(tmp, &m->stream), tmp, -1, &data, &len, &err));
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_non_null(strstr(err.message, why));
}

static void one_frame_fails(uint32_t word, const char *data, const char *why)
{
    SCOPE(tmp);
    struct text t = text_init(tmp, 1000);
    memory_stream_frame(&t, word, data, strlen(data));
    frame_fails(&t, why);
}

static void hostile_frames(void **state)
{
    (void)state;
    SCOPE(tmp);
    one_frame_fails(0x7fffffff, "x", "a frame of 2147483647 bytes");
    one_frame_fails(FRAME_LIMIT + 1, "x", "a frame of 4194305 bytes");
    one_frame_fails(0, "", "a frame of 0 bytes");
    one_frame_fails(0x80000000, "", "a frame of 0 bytes");
    one_frame_fails(10, "short", "in the middle");
    one_frame_fails(0x80000002, "{}", "in the middle");
    struct text t = text_init(tmp, 1000);
    text_addn(&t, "\0\0", 2);
    frame_fails(&t, "in the middle");
    t = text_init(tmp, 1000);
    text_add(&t, "Welcome to db1!\n");
    frame_fails(&t, "printed text (\"Welc");
}

static void endless_message(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct text t = text_init(tmp, 200 * 1024 * 1024);
    char *block = talloc_zero_size(tmp, FRAME_LIMIT);
    for (int i = 0; i < 17; i++)
        memory_stream_frame(&t, 0x80000000u | FRAME_LIMIT, block, FRAME_LIMIT);
    frame_fails(&t, "a message of over");
}

/* Whatever came before a timeout is still there for the next call. */
static void timeout_keeps_what_came(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    const char *text = "{\"id\":1,\"event\":{}}";
    struct text t = text_init(tmp, 1000);
    memory_stream_frame(&t, (uint32_t)strlen(text), text, strlen(text));
    for (size_t cut = 0; cut < t.len; cut++) {
        struct memory_stream *m = memory_stream_new(tmp);
        memory_stream_feed(m, &t);
        m->stall_at = cut;
        struct frame_reader *r = frame_reader_new(tmp, &m->stream);
        const char *data = NULL;
        size_t len = 0;
        assert_false(frame_read(r, tmp, 10, &data, &len, &err));
        assert_int_equal(err.code, ERROR_TIMEOUT);
        assert_true(frame_read(r, tmp, 10, &data, &len, &err));
        assert_string_equal(data, text);
    }
}

static const char HELLO[] =
    "{\"hello\":{\"protocol_min\":1,\"protocol_max\":1,\"version\":\"0.1.0\","
    "\"program\":\"flotilla-agent\",\"capabilities\":[\"bye\"],\"host\":{}}}";

/* A client that talks to a recorded other side: `lines` end with null. The error is the result. */
static struct error call_against(const char *const *lines)
{
    SCOPE(tmp);
    struct error err = { 0 };
    const bool can[OP_COUNT_OF] = { 0 };
    struct text t = text_init(tmp, TEXT_SQL);
    for (; *lines; lines++)
        memory_stream_frame(&t, (uint32_t)strlen(*lines), *lines, strlen(*lines));
    struct memory_stream *m = memory_stream_new(tmp);
    memory_stream_feed(m, &t);
    struct client *client = NULL;
    json_t *result = NULL;
    if (!client_open(tmp, &m->stream, hello_own(tmp, "flotilla", can), &client, &err))
        return err;
    struct call call = { .op = OP_STATE };
    if (client_call(client, tmp, &call, &result, &err)) {
        assert_true(client_usable(client));
        err.code = ERROR_NONE;
    } else if (err.code == ERROR_PROTOCOL) {
        assert_false(client_usable(client));
    }
    return err;
}

#define AGAINST(...) call_against((const char *const[]){ __VA_ARGS__, NULL })

static void hostile_agents(void **state)
{
    (void)state;
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"ok\":true,\"result\":{}}").code, ERROR_NONE);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"event\":{}}",
                             "{\"id\":1,\"ok\":true,\"result\":{},\"new_field\":1}")
                         .code,
                     ERROR_NONE);
    assert_int_equal(AGAINST(HELLO, "{\"id\":2,\"ok\":true,\"result\":{}}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"ok\":true,\"result\":[]}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"ok\":true}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1.5,\"ok\":true,\"result\":{}}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"op\":\"run\",\"args\":{}}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, HELLO).code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "not json").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "{\"id\":1,\"id\":1,\"event\":{}}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "[]").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO, "\xff\xfe").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST(HELLO).code, ERROR_CONNECT);
    assert_int_equal(AGAINST("{\"hello\":{}}").code, ERROR_PROTOCOL);
    assert_int_equal(AGAINST("{\"id\":1,\"event\":{}}").code, ERROR_PROTOCOL);
}

static void deep_json_is_refused(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_SQL);
    text_add(&t, "{\"id\":1,\"ok\":true,\"result\":{\"a\":");
    for (int i = 0; i < 20000; i++)
        text_addc(&t, '[');
    struct error err = AGAINST(HELLO, t.data);
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_non_null(strstr(err.message, "deeper"));
}

static void errors_keep_their_identity(void **state)
{
    (void)state;
    struct error err = AGAINST(HELLO, "{\"id\":1,\"ok\":false,\"error\":{\"code\":\"lock_timeout\","
                                      "\"sqlstate\":\"55P03\",\"message\":\"it \\u001b[2J waits\","
                                      "\"hint\":\"look\"}}");
    assert_int_equal(err.code, ERROR_LOCK_TIMEOUT);
    assert_string_equal(err.sqlstate, "55P03");
    assert_string_equal(err.hint, "look");
    assert_null(strchr(err.message, 27));
    err = AGAINST(HELLO, "{\"id\":1,\"ok\":false,\"error\":{\"code\":\"brand_new\"}}");
    assert_int_equal(err.code, ERROR_INTERNAL);
    err = AGAINST(HELLO, "{\"id\":1,\"ok\":false,\"error\":{\"code\":\"none\",\"message\":\"x\"}}");
    assert_int_equal(err.code, ERROR_INTERNAL);
}

static void versions_must_overlap(void **state)
{
    (void)state;
    struct error err =
        AGAINST("{\"hello\":{\"protocol_min\":7,\"protocol_max\":9,\"version\":\"3.0\","
                "\"program\":\"flotilla-agent\",\"capabilities\":[],\"host\":{}}}");
    assert_int_equal(err.code, ERROR_VERSION);
    assert_non_null(strstr(err.message, "flotilla-agent 3.0 talks protocol 7 to 9"));
    struct hello a = { .protocol_min = 1, .protocol_max = 3 };
    struct hello b = { .protocol_min = 2, .protocol_max = 5 };
    assert_int_equal(hello_protocol(&a, &b), 3);
    b.protocol_min = 4;
    assert_int_equal(hello_protocol(&a, &b), 0);
}

/* --- both halves over a socket pair --- */

static bool handle(void *self, enum operation op, const json_t *args, struct reply *reply,
                   json_t **result, struct error *err)
{
    (void)self;
    if (op == OP_COUNT)
        return fail(err, ERROR_DRIFT, "it moved");
    int64_t events = json_int_of(args, "events");
    for (int64_t i = 0; i < events; i++)
        if (!reply_event(reply, json_pack("{s:I}", "seq", (json_int_t)(i + 1))))
            return fail(err, ERROR_CANCELLED, "nobody listens");
    int64_t bytes = json_int_of(args, "bytes");
    SCOPE(tmp);
    char *filler = talloc_zero_size(tmp, (size_t)bytes + 1);
    memset(filler, 'x', (size_t)bytes);
    *result = json_pack("{s:s}", "filler", filler);
    return true;
}

struct served {
    int fd;
    bool ok;
    struct error err;
};

static void *serve(void *data)
{
    SCOPE(tmp);
    struct served *s = data;
    const bool can[OP_COUNT_OF] = { [OP_INSPECT] = true };
    struct server server = { .hello = hello_own(tmp, "flotilla-agent", can), .handle = handle };
    s->ok = server_run(stream_from_fds(tmp, s->fd, s->fd), &server, &s->err);
    close(s->fd);
    return NULL;
}

static bool count_event(void *self, const json_t *event)
{
    int64_t *last = self;
    assert_int_equal(json_int_of(event, "seq"), *last + 1);
    return ++*last != 12345;
}

struct both {
    pthread_t thread;
    struct served served;
    int fd;
    struct client *client;
};

static struct both *both_open(void *ctx)
{
    struct both *b = mem_new(ctx, struct both);
    struct error err;
    int fds[2];
    const bool can[OP_COUNT_OF] = { 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    b->served.fd = fds[1];
    b->fd = fds[0];
    pthread_create(&b->thread, NULL, serve, &b->served);
    assert_true(client_open(b, stream_from_fds(b, b->fd, b->fd), hello_own(b, "flotilla", can),
                            &b->client, &err));
    return b;
}

static void both_close(struct both *b)
{
    close(b->fd);
    pthread_join(b->thread, NULL);
}

static void conversation(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    json_t *result = NULL;
    int64_t seen = 0;
    struct both *b = both_open(tmp);
    json_t *args = json_own(tmp, json_pack("{s:i, s:i}", "events", 5000, "bytes", 9000000));
    struct call call = { .op = OP_INSPECT, .args = args, .on_event = count_event, .self = &seen };
    assert_true(client_call(b->client, tmp, &call, &result, &err));
    assert_int_equal(seen, 5000);
    assert_int_equal(strlen(json_text_of(result, "filler")), 9000000);
    call = (struct call){ .op = OP_COUNT };
    assert_false(client_call(b->client, tmp, &call, &result, &err));
    assert_int_equal(err.code, ERROR_DRIFT);
    assert_true(client_usable(b->client));
    call = (struct call){ .op = OP_BYE };
    assert_true(client_call(b->client, tmp, &call, &result, &err));
    both_close(b);
    assert_true(b->served.ok);
}

static void a_client_that_leaves_ends_the_server(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    json_t *result = NULL;
    int64_t seen = 0;
    struct both *b = both_open(tmp);
    json_t *args = json_own(tmp, json_pack("{s:i}", "events", 5000000));
    struct call call = { .op = OP_INSPECT, .args = args, .on_event = count_event, .self = &seen };
    assert_false(client_call(b->client, tmp, &call, &result, &err));
    assert_int_equal(err.code, ERROR_CANCELLED);
    assert_false(client_usable(b->client));
    both_close(b);
    assert_false(b->served.ok);
}

static void a_flood_of_events_is_cut_off(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    json_t *result = NULL;
    struct both *b = both_open(tmp);
    json_t *args = json_own(tmp, json_pack("{s:i}", "events", 5000000));
    struct call call = { .op = OP_INSPECT, .args = args };
    assert_fails(client_call(b->client, tmp, &call, &result, &err), err, ERROR_PROTOCOL,
                 "over 1000 events");
    assert_false(client_usable(b->client));
    both_close(b);
}

/* The server must answer garbage with an error message and end. */
static void hostile_controllers(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "nonsense",
        "{\"id\":0,\"op\":\"inspect\",\"args\":{}}",
        "{\"id\":-1,\"op\":\"inspect\",\"args\":{}}",
        "{\"id\":1,\"op\":7,\"args\":{}}",
        "{\"id\":1,\"op\":\"inspect\"}",
        "{\"id\":1,\"op\":\"inspect\",\"args\":[]}",
        "{\"id\":1,\"ok\":true,\"result\":{}}",
        "{\"hello\":{}}",
    };
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        SCOPE(tmp);
        struct error err;
        struct text t = text_init(tmp, TEXT_LINE);
        memory_stream_frame(&t, (uint32_t)strlen(HELLO), HELLO, strlen(HELLO));
        memory_stream_frame(&t, (uint32_t)strlen(requests[i]), requests[i], strlen(requests[i]));
        struct memory_stream *m = memory_stream_new(tmp);
        memory_stream_feed(m, &t);
        const bool can[OP_COUNT_OF] = { 0 };
        struct server server = { .hello = hello_own(tmp, "a", can), .handle = handle };
        assert_false(server_run(&m->stream, &server, &err));
        assert_int_equal(err.code, ERROR_PROTOCOL);
        assert_non_null(memmem(m->out.data, m->out.len, "{\"id\":0,\"ok\":false", 17));
    }
}

static void unknown_operations_are_survived(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    const char *lines[] = { HELLO, "{\"id\":1,\"op\":\"dance\\u001b\",\"args\":{}}",
                            "{\"id\":2,\"op\":\"count\",\"args\":{}}" };
    struct text t = text_init(tmp, TEXT_LINE);
    for (int i = 0; i < 3; i++)
        memory_stream_frame(&t, (uint32_t)strlen(lines[i]), lines[i], strlen(lines[i]));
    struct memory_stream *m = memory_stream_new(tmp);
    memory_stream_feed(m, &t);
    const bool can[OP_COUNT_OF] = { 0 };
    struct server server = { .hello = hello_own(tmp, "a", can), .handle = handle };
    assert_true(server_run(&m->stream, &server, &err));
    assert_non_null(memmem(m->out.data, m->out.len, "unsupported", 11));
    assert_non_null(memmem(m->out.data, m->out.len, "it moved", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_round_trip),
        cmocka_unit_test(hostile_frames),
        cmocka_unit_test(endless_message),
        cmocka_unit_test(timeout_keeps_what_came),
        cmocka_unit_test(hostile_agents),
        cmocka_unit_test(deep_json_is_refused),
        cmocka_unit_test(errors_keep_their_identity),
        cmocka_unit_test(versions_must_overlap),
        cmocka_unit_test(conversation),
        cmocka_unit_test(a_client_that_leaves_ends_the_server),
        cmocka_unit_test(a_flood_of_events_is_cut_off),
        cmocka_unit_test(hostile_controllers),
        cmocka_unit_test(unknown_operations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
