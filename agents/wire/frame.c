#include "agents/wire/frame.h"

#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { HEADER = 4, FIRST_ROOM = 4096 };

static const uint32_t MORE = 0x80000000u;

struct frame_reader {
    struct stream *stream;
    unsigned char header[HEADER];
    size_t header_have;
    size_t frame_left; /* bytes of this frame still to come, once its header is whole */
    bool more;
    bool began;
    char *data; /* the text so far */
    size_t have, room;
};

struct frame_reader *frame_reader_new(const void *ctx, struct stream *stream)
{
    struct frame_reader *reader = mem_new(ctx, struct frame_reader);
    reader->stream = stream;
    return reader;
}

static bool not_a_frame(const struct frame_reader *r, uint32_t length, struct error *err)
{
    bool text = true;
    for (int i = 0; i < HEADER; i++)
        text = text && ((r->header[i] >= ' ' && r->header[i] < 127) || r->header[i] == '\n' ||
                        r->header[i] == '\r' || r->header[i] == '\t' || r->header[i] == 27);
    if (!text)
        return fail(err, ERROR_PROTOCOL, "a frame of %u bytes; 1 to %d are allowed", length,
                    FRAME_LIMIT);
    SCOPE(tmp);
    char head[HEADER + 1] = { 0 };
    memcpy(head, r->header, HEADER);
    fail(err, ERROR_PROTOCOL, "the other side printed text (\"%s...\") instead of a frame",
         text_printable(tmp, head));
    return fail_hint(err, "the login shell or its start-up files print something before the agent "
                          "starts: give the account a plain shell and a forced command");
}

static bool header_take(struct frame_reader *r, struct error *err)
{
    uint32_t word = (uint32_t)r->header[0] << 24 | (uint32_t)r->header[1] << 16 |
                    (uint32_t)r->header[2] << 8 | r->header[3];
    uint32_t length = word & ~MORE;
    if (length == 0 || length > FRAME_LIMIT)
        return not_a_frame(r, length, err);
    if (r->have + length > MESSAGE_LIMIT)
        return fail(err, ERROR_PROTOCOL, "a message of over %d bytes", MESSAGE_LIMIT);
    r->more = word & MORE;
    r->frame_left = length;
    return true;
}

/* Room follows what has come, not what a header promises. */
static void make_room(struct frame_reader *r)
{
    if (r->have < r->room)
        return;
    r->room = r->room ? r->room * 2 : FIRST_ROOM;
    r->data = mem_room(r, r->data, char, r->room + 1);
}

static bool read_some(struct frame_reader *r, int64_t timeout_ms, bool *ended, struct error *err)
{
    size_t got = 0;
    bool in_header = r->header_have < HEADER;
    if (!in_header)
        make_room(r);
    size_t room = r->room - r->have;
    void *into = in_header ? (void *)(r->header + r->header_have) : (void *)(r->data + r->have);
    size_t want = in_header ? HEADER - r->header_have : r->frame_left < room ? r->frame_left : room;
    if (!r->stream->read(r->stream->self, into, want, timeout_ms, &got, err))
        return false;
    if (got == 0) {
        *ended = true;
        return true;
    }
    r->began = true;
    if (!in_header) {
        r->have += got;
        r->frame_left -= got;
        return true;
    }
    r->header_have += got;
    return r->header_have < HEADER || header_take(r, err);
}

static void give(struct frame_reader *r, const void *ctx, const char **data, size_t *len)
{
    make_room(r);
    r->data[r->have] = '\0';
    *data = mem_give(ctx, r->data);
    *len = r->have;
    *r = (struct frame_reader){ .stream = r->stream };
}

bool frame_read(struct frame_reader *r, const void *ctx, int64_t timeout_ms, const char **data,
                size_t *len, struct error *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    for (;;) {
        int64_t left = timeout_ms < 0 ? -1 : deadline - clock_mono_ms();
        bool ended = false;
        if (!read_some(r, timeout_ms >= 0 && left < 0 ? 0 : left, &ended, err))
            return false;
        if (ended && r->began)
            return fail(err, ERROR_PROTOCOL, "the connection ended in the middle of a message");
        if (ended) {
            *data = NULL;
            *len = 0;
            return true;
        }
        if (r->header_have < HEADER || r->frame_left > 0)
            continue;
        if (!r->more) {
            give(r, ctx, data, len);
            return true;
        }
        r->header_have = 0;
    }
}

static bool write_one(struct stream *stream, const char *data, size_t len, bool more,
                      int64_t timeout_ms, struct error *err)
{
    uint32_t word = (uint32_t)len | (more ? MORE : 0);
    unsigned char header[HEADER] = { (unsigned char)(word >> 24), (unsigned char)(word >> 16),
                                     (unsigned char)(word >> 8), (unsigned char)word };
    /* One write for what fits: a request is one packet, not two. */
    char small[8 * 1024];
    if (len + HEADER <= sizeof(small)) {
        memcpy(small, header, HEADER);
        memcpy(small + HEADER, data, len);
        return stream->write(stream->self, small, len + HEADER, timeout_ms, err);
    }
    return stream->write(stream->self, header, HEADER, timeout_ms, err) &&
           stream->write(stream->self, data, len, timeout_ms, err);
}

bool frame_write(struct stream *stream, const char *data, size_t len, int64_t timeout_ms,
                 struct error *err)
{
    if (len == 0 || len > MESSAGE_LIMIT)
        return fail(err, ERROR_PROTOCOL, "a message of %zu bytes; 1 to %d are allowed", len,
                    MESSAGE_LIMIT);
    while (len > FRAME_LIMIT) {
        if (!write_one(stream, data, FRAME_LIMIT, true, timeout_ms, err))
            return false;
        data += FRAME_LIMIT;
        len -= FRAME_LIMIT;
    }
    return write_one(stream, data, len, false, timeout_ms, err);
}
