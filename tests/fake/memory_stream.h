/*
 * A stream over memory for tests: reads give what was fed, writes are kept in `out`.
 */
#ifndef TESTS_FAKE_MEMORY_STREAM_H
#define TESTS_FAKE_MEMORY_STREAM_H

#include "agents/base/text.h"
#include "agents/wire/stream.h"

struct memory_stream {
    struct stream stream;
    const char *in;
    size_t len, at;
    size_t step;     /* most bytes a read gives; 0: as many as asked for */
    size_t stall_at; /* the read at this offset times out once; SIZE_MAX: none does */
    struct text out;
};

struct memory_stream *memory_stream_new(const void *ctx);

/* What reads give from now on; it is lent. */
void memory_stream_feed(struct memory_stream *m, const struct text *bytes);

/* Appends a frame with the given header word, which need not fit the data. */
void memory_stream_frame(struct text *to, uint32_t word, const char *data, size_t len);

#endif
