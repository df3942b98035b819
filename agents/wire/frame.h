/*
 * Frames: how one JSON text after the other goes over a stream of bytes.
 *
 * A frame is four bytes, big-endian, and that many bytes of text. The lower 31 bits are the length,
 * 1 to FRAME_LIMIT; the highest bit says that the text goes on in the next frame. A text is at most
 * MESSAGE_LIMIT bytes in all. Anything else is ERROR_PROTOCOL: after it the stream has no meaning
 * any more and is closed.
 */
#ifndef AGENTS_WIRE_FRAME_H
#define AGENTS_WIRE_FRAME_H

#include "agents/wire/stream.h"

enum {
    FRAME_LIMIT = 4 * 1024 * 1024,    /* what one side must be ready to take at once */
    MESSAGE_LIMIT = 64 * 1024 * 1024, /* a catalog of 20,000 relations is about 40 MB */
};

struct frame_reader;

/* Reads frames from a stream; owned by ctx. */
struct frame_reader *frame_reader_new(const void *ctx, struct stream *stream);

/* The next text, owned by ctx, NUL-terminated behind its last byte. *data is null when the stream
 * ended where a text may end. On ERROR_TIMEOUT what has come so far is kept, and the next call goes
 * on from there. timeout_ms counts for the whole text; negative: without limit. */
bool frame_read(struct frame_reader *reader, const void *ctx, int64_t timeout_ms, const char **data,
                size_t *len, struct error *err) MUSTCHECK;

/* Writes one text, in several frames when it is long. */
bool frame_write(struct stream *stream, const char *data, size_t len, int64_t timeout_ms,
                 struct error *err) MUSTCHECK;

#endif
