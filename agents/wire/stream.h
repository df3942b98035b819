/*
 * A stream of bytes in both directions: pipes, an SSH channel, a fake in a test. What speaks the
 * protocol sees only this. A stream is used by one thread at a time.
 */
#ifndef AGENTS_WIRE_STREAM_H
#define AGENTS_WIRE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

struct stream {
    void *self;
    /* Up to n bytes; *got = 0 is the end of the stream. Waits up to timeout_ms for the first byte
     * (negative: without limit), then fails with ERROR_TIMEOUT and nothing is lost. */
    bool (*read)(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                 struct error *err);
    /* All n bytes, or it fails and the stream is of no more use. */
    bool (*write)(void *self, const void *data, size_t n, int64_t timeout_ms, struct error *err);
    /* Waits up to wait_ms; true as soon as the other side is known to be gone. May be null. */
    bool (*gone)(void *self, int64_t wait_ms);
};

/* A stream over two descriptors, which may be one and the same and are made non-blocking. They stay
 * the caller's. Owned by ctx. */
struct stream *stream_from_fds(const void *ctx, int in_fd, int out_fd);

#endif
