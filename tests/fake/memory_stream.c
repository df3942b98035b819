#include "tests/fake/memory_stream.h"

#include <string.h>

#include "agents/base/mem.h"

enum { OUT_MOST = 256 * 1024 * 1024 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool memory_read(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                        struct error *err)
{
    struct memory_stream *m = self;
    if (m->at == m->stall_at) {
        m->stall_at = SIZE_MAX;
        return fail(err, ERROR_TIMEOUT, "no answer within %lld ms", (long long)timeout_ms);
    }
    size_t give = least(n, m->len - m->at);
    if (m->step)
        give = least(give, m->step);
    if (m->stall_at > m->at)
        give = least(give, m->stall_at - m->at);
    memcpy(data, m->in + m->at, give);
    m->at += give;
    *got = give;
    return true;
}

static bool memory_write(void *self, const void *data, size_t n, int64_t timeout_ms,
                         struct error *err)
{
    (void)timeout_ms;
    (void)err;
    struct memory_stream *m = self;
    text_addn(&m->out, data, n);
    return true;
}

struct memory_stream *memory_stream_new(const void *ctx)
{
    struct memory_stream *m = mem_new(ctx, struct memory_stream);
    m->stream = (struct stream){ .self = m, .read = memory_read, .write = memory_write };
    m->in = "";
    m->stall_at = SIZE_MAX;
    m->out = text_init(m, OUT_MOST);
    return m;
}

void memory_stream_feed(struct memory_stream *m, const struct text *bytes)
{
    m->in = bytes->data;
    m->len = bytes->len;
    m->at = 0;
}

void memory_stream_frame(struct text *to, uint32_t word, const char *data, size_t len)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        text_addc(to, (char)(word >> shift));
    text_addn(to, data, len);
}
