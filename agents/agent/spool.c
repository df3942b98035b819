#include "agents/agent/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    REQUEST_LIMIT = 64 * 1024 * 1024,
    LINE_LIMIT = 1024 * 1024,
    ID_SHOWN = 150, /* of a run's name; the digest keeps longer ones apart */
    RUN_BYTES = 200,
};

struct told;

struct spool {
    int fd;
    int64_t seq;
    int64_t size;
    const char *orders;
    struct told *told;
    size_t told_count;
};

struct told {
    const char *step, *event;
};

struct spool_reader {
    int fd;
    int64_t after;
    struct text line; /* what came of a line that is not complete yet */
    char buffer[16 * 1024];
    size_t at, have;
};

const char *spool_run_id(const void *ctx, const char *const *pieces, size_t count)
{
    SCOPE(tmp);
    struct text raw = text_init(tmp, TEXT_LINE);
    struct text shown = text_init(tmp, ID_SHOWN);
    for (size_t i = 0; i < count; i++) {
        text_addf(&raw, "%s\n", pieces[i]);
        if (i)
            text_addc(&shown, '.');
        for (const char *p = pieces[i]; *p; p++)
            text_addc(&shown, strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_",
                                     *p)
                                  ? *p
                                  : '_');
    }
    const char *digest = digest_bytes(tmp, raw.data, raw.len);
    return mem_printf(ctx, "%s.%.8s", shown.data, digest + strlen("sha256:"));
}

const char *spool_run_path(const void *ctx, const char *folder, const char *run)
{
    return mem_printf(ctx, "%s/runs/%s", folder, run);
}

static const char *file_of(const void *ctx, const char *folder, const char *run, const char *name)
{
    return mem_printf(ctx, "%s/runs/%s/%s", folder, run, name);
}

bool spool_make(const char *folder, const char *run, struct error *err)
{
    SCOPE(tmp);
    if (!file_make_own_dir(mem_printf(tmp, "%s/runs", folder), err) ||
        !file_make_own_dir(spool_run_path(tmp, folder, run), err))
        return fail_in(err, "spool");
    return true;
}

bool spool_lock(const char *folder, const char *run, int *fd, struct error *err)
{
    SCOPE(tmp);
    const char *path = file_of(tmp, folder, run, "lock");
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0)
        return fail_errno(err, "spool: %s", path);
    if (flock(opened, LOCK_EX | LOCK_NB) != 0) {
        int number = errno;
        close(opened);
        errno = number;
        if (number != EWOULDBLOCK)
            return fail_errno(err, "spool: lock %s", path);
        opened = -1;
    }
    *fd = opened;
    return true;
}

bool spool_exists(const char *folder, const char *run)
{
    SCOPE(tmp);
    size_t n = strlen(run);
    return n > 0 && n <= RUN_BYTES && run[0] != '.' &&
           strspn(run, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n &&
           file_exists(spool_run_path(tmp, folder, run));
}

/* Runs are named by whoever asks: nothing but a name that spool_run_id() makes gets further. */
static bool must_exist(const char *folder, const char *run, struct error *err)
{
    SCOPE(tmp);
    if (spool_exists(folder, run))
        return true;
    fail(err, ERROR_NOT_FOUND, "there is no run %.*s on this host", RUN_BYTES,
         text_printable(tmp, run));
    return fail_hint(err, "`flotilla agent logs` lists the runs of a host");
}

bool spool_fence(const char *folder, const char *run, int64_t fence, struct error *err)
{
    SCOPE(tmp);
    const char *path = file_of(tmp, folder, run, "fence");
    const char *text = "0";
    size_t len = 0;
    if (!must_exist(folder, run, err))
        return false;
    if (file_exists(path) && !file_read_plain(tmp, path, TEXT_LINE, &text, &len, err))
        return fail_in(err, "spool");
    int64_t seen = strtoll(text, NULL, 10);
    if (fence < seen)
        return fail(err, ERROR_FENCED, "a newer controller commands run %s", run);
    text = mem_printf(tmp, "%lld", (long long)fence);
    return fence == seen || file_write(path, text, strlen(text), 0600, err) ||
           fail_in(err, "spool");
}

bool spool_write_request(const char *folder, const char *run, const json_t *request,
                         struct error *err)
{
    SCOPE(tmp);
    const char *text = json_compact(tmp, request);
    return file_write(file_of(tmp, folder, run, "request"), text, strlen(text), 0600, err) ||
           fail_in(err, "spool");
}

bool spool_read_request(const void *ctx, const char *folder, const char *run, json_t **out,
                        struct error *err)
{
    SCOPE(tmp);
    const char *text = NULL;
    size_t len = 0;
    if (!file_read_plain(tmp, file_of(tmp, folder, run, "request"), REQUEST_LIMIT, &text, &len,
                         err) ||
        !json_parse(ctx, text, len, out, err))
        return fail_in(err, "spool: run %s", run);
    return true;
}

/* --- appending ----------------------------------------------------------------------------- */

static int spool_close(struct spool *spool)
{
    close(spool->fd);
    return 0;
}

static void remember(struct spool *spool, const json_t *event)
{
    const char *name = json_text_of(event, "event");
    const char *step = json_text_of(event, "step");
    if (!step || (!text_eq(name, "step_done") && !text_eq(name, "step_undone")))
        return;
    spool->told = mem_room(spool, spool->told, struct told, spool->told_count + 1);
    spool->told[spool->told_count++] =
        (struct told){ mem_text(spool, step), mem_text(spool, name) };
}

bool spool_told(const struct spool *spool, const char *step, const char *event)
{
    for (size_t i = 0; i < spool->told_count; i++)
        if (text_eq(spool->told[i].step, step) && text_eq(spool->told[i].event, event))
            return true;
    return false;
}

/* Cuts the file at the end of its last whole event, and learns what was told. */
static bool find_end(struct spool *spool, const char *path, struct error *err)
{
    SCOPE(tmp);
    const char *data = NULL;
    size_t len = 0;
    size_t at = 0;
    if (!file_read_plain(tmp, path, SPOOL_LIMIT * 2, &data, &len, err))
        return false;
    for (const char *end; (end = memchr(data + at, '\n', len - at));
         at = (size_t)(end - data) + 1) {
        SCOPE(line);
        json_t *event = NULL;
        if (!json_parse(line, data + at, (size_t)(end - data) - at, &event, err))
            return fail_in(err, "%s", path);
        spool->seq = json_int_of(event, "seq");
        remember(spool, event);
    }
    if (ftruncate(spool->fd, (off_t)at) != 0)
        return fail_errno(err, "%s", path);
    spool->size = (int64_t)at;
    return true;
}

bool spool_open(const void *ctx, const char *folder, const char *run, struct spool **out,
                struct error *err)
{
    SCOPE(tmp);
    const char *path = file_of(tmp, folder, run, "events");
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_errno(err, "spool: %s", path);
    struct spool *spool = mem_new(ctx, struct spool);
    spool->fd = fd;
    talloc_set_destructor(spool, spool_close);
    spool->orders = file_of(spool, folder, run, "orders");
    if (!find_end(spool, path, err)) {
        talloc_free(spool);
        return fail_in(err, "spool");
    }
    *out = spool;
    return true;
}

bool spool_append(struct spool *spool, json_t *event, bool durable, struct error *err)
{
    SCOPE(tmp);
    json_own(tmp, event);
    if (spool->size > SPOOL_LIMIT && text_eq(json_text_of(event, "event"), "progress"))
        return true;
    json_auto_t *line = json_object();
    json_set_int(line, "seq", spool->seq + 1);
    json_set_text(line, "time", clock_rfc3339(tmp, clock_wall_ms()));
    json_object_update(line, event);
    const char *text = mem_printf(tmp, "%s\n", json_compact(tmp, line));
    if (!file_write_fd(spool->fd, text, strlen(text), err))
        return fail_in(err, "spool");
    spool->seq++;
    remember(spool, event);
    spool->size += (int64_t)strlen(text);
    if (durable && fdatasync(spool->fd) != 0)
        return fail_errno(err, "spool");
    return true;
}

/* --- orders -------------------------------------------------------------------------------- */

enum spool_order spool_order(const struct spool *spool)
{
    char word[8] = { 0 };
    AUTO_FD fd = open(spool->orders, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || read(fd, word, sizeof(word) - 1) < 0)
        return ORDER_RUN;
    if (text_starts(word, "pause"))
        return ORDER_PAUSE;
    return text_starts(word, "cancel") ? ORDER_CANCEL : ORDER_RUN;
}

bool spool_write_order(const char *folder, const char *run, const char *action, struct error *err)
{
    SCOPE(tmp);
    if (!text_eq(action, "pause") && !text_eq(action, "resume") && !text_eq(action, "cancel"))
        return fail(err, ERROR_INVALID, "there is no order \"%.40s\": use pause, resume or cancel",
                    text_printable(tmp, action));
    return must_exist(folder, run, err) &&
           file_write(file_of(tmp, folder, run, "orders"), action, strlen(action), 0600, err);
}

/* --- reading ------------------------------------------------------------------------------- */

static int reader_close(struct spool_reader *reader)
{
    close(reader->fd);
    return 0;
}

bool spool_reader_open(const void *ctx, const char *folder, const char *run, int64_t after,
                       struct spool_reader **out, struct error *err)
{
    SCOPE(tmp);
    if (!must_exist(folder, run, err))
        return false;
    const char *path = file_of(tmp, folder, run, "events");
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail_errno(err, "spool: %s", path);
    struct spool_reader *reader = mem_new(ctx, struct spool_reader);
    reader->fd = fd;
    talloc_set_destructor(reader, reader_close);
    reader->after = after;
    reader->line = text_init(reader, LINE_LIMIT);
    *out = reader;
    return true;
}

/* True when a whole line is in reader->line. The file may be cut at its torn end and go on: what
 * was read of the torn line is then wrong, so a line counts only with its newline and is read
 * again from its start otherwise. */
static bool read_line(struct spool_reader *reader, struct error *err, bool *whole)
{
    *whole = false;
    for (;;) {
        if (reader->at == reader->have) {
            ssize_t n = read(reader->fd, reader->buffer, sizeof(reader->buffer));
            if (n < 0 && errno != EINTR)
                return fail_errno(err, "spool");
            if (n <= 0) {
                if (lseek(reader->fd, -(off_t)reader->line.len, SEEK_CUR) < 0)
                    return fail_errno(err, "spool");
                reader->line.len = 0;
                return true;
            }
            reader->at = 0;
            reader->have = (size_t)n;
        }
        const char *from = reader->buffer + reader->at;
        const char *end = memchr(from, '\n', reader->have - reader->at);
        size_t n = end ? (size_t)(end - from) : reader->have - reader->at;
        text_addn(&reader->line, from, n);
        reader->at += n + (end ? 1 : 0);
        if (reader->line.full)
            return fail(err, ERROR_INVALID, "spool: a line is over %d bytes", LINE_LIMIT);
        if (end) {
            *whole = true;
            return true;
        }
    }
}

bool spool_next(struct spool_reader *reader, const void *ctx, json_t **out, struct error *err)
{
    for (;;) {
        bool whole = false;
        json_t *event = NULL;
        if (!read_line(reader, err, &whole))
            return false;
        if (!whole) {
            *out = NULL;
            return true;
        }
        bool parsed = json_parse(ctx, reader->line.data, reader->line.len, &event, err);
        reader->line.len = 0;
        if (!parsed)
            return fail_in(err, "spool");
        if (json_int_of(event, "seq") <= reader->after)
            continue;
        reader->after = json_int_of(event, "seq");
        *out = event;
        return true;
    }
}

bool spool_end(const void *ctx, const char *folder, const char *run, json_t **out,
               struct error *err)
{
    SCOPE(tmp);
    struct spool_reader *reader = NULL;
    json_t *end = NULL;
    if (!spool_reader_open(tmp, folder, run, 0, &reader, err))
        return false;
    for (;;) {
        json_t *event = NULL;
        if (!spool_next(reader, tmp, &event, err))
            return false;
        if (!event)
            break;
        end = text_eq(json_text_of(event, "event"), "run_ended") ? event : NULL;
    }
    *out = end ? json_own(ctx, json_incref(end)) : NULL;
    return true;
}
