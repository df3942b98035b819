#include "agents/agent/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"

enum { LEVEL = 1 }; /* measured: higher levels are slower and hardly smaller on COPY text */

struct snapshot_writer {
    int fd;
    const char *path, *draft;
    ZSTD_CCtx *zstd;
    char *buffer;
    size_t size;
    int64_t bytes;
};

struct snapshot_reader {
    int fd;
    const char *path;
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer in;
    char *raw, *plain;
    size_t raw_size, plain_size;
    bool at_end; /* of a frame */
};

static int writer_close(struct snapshot_writer *w)
{
    ZSTD_freeCCtx(w->zstd);
    if (w->fd >= 0) {
        close(w->fd);
        unlink(w->draft);
    }
    return 0;
}

bool snapshot_writer_open(const void *ctx, const char *path, struct snapshot_writer **out,
                          struct error *err)
{
    struct snapshot_writer *w = mem_new(ctx, struct snapshot_writer);
    w->path = mem_text(w, path);
    w->draft = mem_printf(w, "%s.part", path);
    w->fd = open(w->draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    w->zstd = ZSTD_createCCtx();
    w->size = ZSTD_CStreamOutSize();
    w->buffer = mem_array(w, char, w->size);
    talloc_set_destructor(w, writer_close);
    if (w->fd < 0) {
        fail_errno(err, "snapshot: %s", w->draft);
        talloc_free(w);
        return false;
    }
    /* The checksum of each frame finds a flipped bit before the server sees it. */
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL);
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
    *out = w;
    return true;
}

static bool compress_some(struct snapshot_writer *w, ZSTD_inBuffer *in, ZSTD_EndDirective how,
                          struct error *err)
{
    for (;;) {
        ZSTD_outBuffer out = { w->buffer, w->size, 0 };
        size_t left = ZSTD_compressStream2(w->zstd, &out, in, how);
        if (ZSTD_isError(left))
            return fail(err, ERROR_INTERNAL, "snapshot: %s", ZSTD_getErrorName(left));
        if (!file_write_fd(w->fd, w->buffer, out.pos, err))
            return fail_in(err, "snapshot: %s", w->draft);
        w->bytes += (int64_t)out.pos;
        if (how == ZSTD_e_end ? left == 0 : in->pos == in->size)
            return true;
    }
}

bool snapshot_writer_take(void *writer, const char *chunk, size_t len, struct error *err)
{
    ZSTD_inBuffer in = { chunk, len, 0 };
    return compress_some(writer, &in, ZSTD_e_continue, err);
}

bool snapshot_writer_end(struct snapshot_writer *w, int64_t *bytes, struct error *err)
{
    ZSTD_inBuffer none = { NULL, 0, 0 };
    SCOPE(tmp);
    if (!compress_some(w, &none, ZSTD_e_end, err))
        return false;
    AUTO_FD folder = open(file_folder(tmp, w->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fsync(w->fd) != 0 || rename(w->draft, w->path) != 0 || folder < 0 || fsync(folder) != 0)
        return fail_errno(err, "snapshot: %s", w->path);
    close(w->fd);
    w->fd = -1;
    *bytes = w->bytes;
    return true;
}

static int reader_close(struct snapshot_reader *r)
{
    ZSTD_freeDCtx(r->zstd);
    if (r->fd >= 0)
        close(r->fd);
    return 0;
}

bool snapshot_reader_open(const void *ctx, const char *path, struct snapshot_reader **out,
                          struct error *err)
{
    struct snapshot_reader *r = mem_new(ctx, struct snapshot_reader);
    r->path = mem_text(r, path);
    r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    r->zstd = ZSTD_createDCtx();
    r->raw_size = ZSTD_DStreamInSize();
    r->plain_size = ZSTD_DStreamOutSize();
    r->raw = mem_array(r, char, r->raw_size);
    r->plain = mem_array(r, char, r->plain_size);
    talloc_set_destructor(r, reader_close);
    if (r->fd < 0) {
        fail_errno(err, "snapshot: %s", path);
        talloc_free(r);
        return false;
    }
    *out = r;
    return true;
}

static bool refill(struct snapshot_reader *r, struct error *err)
{
    ssize_t n;
    do
        n = read(r->fd, r->raw, r->raw_size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail_errno(err, "snapshot: %s", r->path);
    r->in = (ZSTD_inBuffer){ r->raw, (size_t)n, 0 };
    return true;
}

bool snapshot_reader_give(void *reader, const char **chunk, size_t *len, struct error *err)
{
    struct snapshot_reader *r = reader;
    for (;;) {
        if (r->in.pos == r->in.size && !refill(r, err))
            return false;
        if (r->in.size == 0) {
            *len = 0;
            return r->at_end || fail(err, ERROR_VERIFY, "snapshot: %s is cut off", r->path);
        }
        ZSTD_outBuffer out = { r->plain, r->plain_size, 0 };
        size_t left = ZSTD_decompressStream(r->zstd, &out, &r->in);
        if (ZSTD_isError(left))
            return fail(err, ERROR_VERIFY, "snapshot: %s: %s", r->path, ZSTD_getErrorName(left));
        r->at_end = left == 0;
        if (out.pos > 0) {
            *chunk = r->plain;
            *len = out.pos;
            return true;
        }
    }
}
