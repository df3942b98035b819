#include "agents/wire/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"

struct descriptors {
    int in, out;
};

/* 1 ready, 0 out of time, -1 error; a signal does not lengthen the wait. */
static int wait_for(int fd, short events, int64_t deadline, short *seen)
{
    for (;;) {
        int64_t left = deadline < 0 ? -1 : deadline - clock_mono_ms();
        if (deadline >= 0 && left < 0)
            left = 0;
        struct pollfd p = { .fd = fd, .events = events };
        int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0) {
            *seen = p.revents;
            return 1;
        }
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0 && deadline >= 0 && clock_mono_ms() >= deadline)
            return 0;
    }
}

static int64_t deadline_of(int64_t timeout_ms)
{
    return timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
}

static bool fd_read(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                    struct error *err)
{
    const struct descriptors *d = self;
    int64_t deadline = deadline_of(timeout_ms);
    for (;;) {
        ssize_t r = read(d->in, data, n);
        if (r >= 0) {
            *got = (size_t)r;
            return true;
        }
        if (errno == ECONNRESET || errno == EIO) {
            *got = 0;
            return true;
        }
        if (errno != EAGAIN && errno != EINTR)
            return fail_errno(err, "reading from the other side");
        short seen = 0;
        int ready = wait_for(d->in, POLLIN, deadline, &seen);
        if (ready < 0)
            return fail_errno(err, "waiting for the other side");
        if (ready == 0)
            return fail(err, ERROR_TIMEOUT, "no answer within %lld ms", (long long)timeout_ms);
    }
}

/* A closed pipe must be an error here, whatever the program wants SIGPIPE to mean elsewhere (a
 * command ends quietly on it). */
static ssize_t write_quietly(int fd, const void *data, size_t n)
{
    sigset_t pipe_only, before, waiting;
    struct timespec now = { 0 };
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t written = write(fd, data, n);
    int number = errno;
    if (written < 0 && number == EPIPE && !sigismember(&waiting, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return written;
}

static bool fd_write(void *self, const void *data, size_t n, int64_t timeout_ms, struct error *err)
{
    const struct descriptors *d = self;
    int64_t deadline = deadline_of(timeout_ms);
    const char *p = data;
    while (n > 0) {
        ssize_t w = write_quietly(d->out, p, n);
        if (w > 0) {
            p += w;
            n -= (size_t)w;
            continue;
        }
        if (w < 0 && errno == EPIPE)
            return fail(err, ERROR_CONNECT, "the other side has closed the connection");
        if (w < 0 && errno != EAGAIN && errno != EINTR)
            return fail_errno(err, "writing to the other side");
        short seen = 0;
        int ready = wait_for(d->out, POLLOUT, deadline, &seen);
        if (ready < 0)
            return fail_errno(err, "waiting for the other side");
        if (ready == 0)
            return fail(err, ERROR_TIMEOUT, "the other side takes no data for %lld ms",
                        (long long)timeout_ms);
    }
    return true;
}

/* POLLIN is not asked for: a request that waits its turn must not make this spin. */
static bool fd_gone(void *self, int64_t wait_ms)
{
    const struct descriptors *d = self;
    short seen = 0;
    if (wait_for(d->in, POLLRDHUP, deadline_of(wait_ms), &seen) != 1)
        return false;
    return seen & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL);
}

static void make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

struct stream *stream_from_fds(const void *ctx, int in_fd, int out_fd)
{
    struct stream *stream = mem_new(ctx, struct stream);
    struct descriptors *d = mem_new(stream, struct descriptors);
    d->in = in_fd;
    d->out = out_fd;
    make_nonblocking(in_fd);
    make_nonblocking(out_fd);
    *stream = (struct stream){ .self = d, .read = fd_read, .write = fd_write, .gone = fd_gone };
    return stream;
}
