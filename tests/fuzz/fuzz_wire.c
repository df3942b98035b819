/* What an agent or a controller may be sent: frames and messages over a stream that gives the bytes
 * in small pieces. Reading ends, with an error or at the end of the stream, and error texts of the
 * other side are safe to print. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/wire/message.h"
#include "agents/wire/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t left;
};

static bool bytes_read(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                       struct error *err)
{
    (void)timeout_ms;
    (void)err;
    struct bytes *bytes = self;
    size_t piece = n < 7 ? n : 7;
    *got = piece < bytes->left ? piece : bytes->left;
    memcpy(data, bytes->data, *got);
    bytes->data += *got;
    bytes->left -= *got;
    return true;
}

static bool bytes_write(void *self, const void *data, size_t n, int64_t timeout_ms,
                        struct error *err)
{
    (void)self;
    (void)data;
    (void)n;
    (void)timeout_ms;
    (void)err;
    return true;
}

static bool answer(void *self, enum operation op, const json_t *args, struct reply *reply,
                   json_t **result, struct error *err)
{
    (void)self;
    (void)args;
    if (op == OP_STATE)
        return fail(err, ERROR_REFUSED, "no");
    reply_event(reply, json_object());
    *result = json_object();
    return true;
}

static void read_messages(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    struct bytes bytes = { data, size };
    struct stream stream = { &bytes, bytes_read, bytes_write, NULL };
    struct frame_reader *reader = frame_reader_new(tmp, &stream);
    struct message *message = NULL;
    while (message_read(reader, tmp, -1, &message, &err) && message)
        if (message->kind == MESSAGE_FAILURE &&
            !text_eq(text_printable(tmp, message->failure.message), message->failure.message))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_messages(data, size);
    SCOPE(tmp);
    struct error err;
    static const bool can[OP_COUNT_OF] = { [OP_STATE] = true, [OP_INSPECT] = true };
    struct bytes bytes = { data, size };
    struct stream stream = { &bytes, bytes_read, bytes_write, NULL };
    struct server server = { .hello = hello_own(tmp, "flotilla-agent", can), .handle = answer };
    return server_run(&stream, &server, &err) ? 0 : 0;
}
