#include "controller/session/child.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    GRACE_MS = 2000, /* for a child whose input was closed to end by itself */
    STEP_MS = 5,
};

struct child {
    struct stream *pipes;
    int in, out, err;
    pid_t pid; /* 0 once it was waited for */
    int status;
    struct text said; /* its standard error, the first bytes */
};

/* The error output is emptied along the way, so that a child that prints much does not stall. */
static void child_listen(struct child *c)
{
    char buffer[1024];
    ssize_t n = 0;
    while (c->err >= 0 && (n = read(c->err, buffer, sizeof(buffer))) > 0)
        text_addn(&c->said, buffer, (size_t)n);
}

static bool child_read(void *self, void *data, size_t n, int64_t timeout_ms, size_t *got,
                       struct error *err)
{
    struct child *c = self;
    child_listen(c);
    return c->pipes->read(c->pipes->self, data, n, timeout_ms, got, err);
}

static bool child_write(void *self, const void *data, size_t n, int64_t timeout_ms,
                        struct error *err)
{
    struct child *c = self;
    return c->pipes->write(c->pipes->self, data, n, timeout_ms, err);
}

static void child_wait(struct child *c, int64_t ms)
{
    int64_t deadline = clock_mono_ms() + ms;
    while (c->pid > 0) {
        int status = 0;
        if (waitpid(c->pid, &status, WNOHANG) != 0) {
            c->pid = 0;
            c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        } else if (clock_mono_ms() >= deadline) {
            return;
        } else {
            clock_sleep_ms(STEP_MS);
        }
    }
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int child_end(struct child *c)
{
    close_one(&c->in);
    close_one(&c->out);
    close_one(&c->err);
    child_wait(c, GRACE_MS);
    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        child_wait(c, GRACE_MS);
    }
    return 0;
}

static void child_ending(void *self, struct ending *out)
{
    struct child *c = self;
    close_one(&c->in);
    child_wait(c, 1000);
    child_listen(c);
    out->status = c->pid > 0 ? -1 : c->status;
    size_t from = c->said.len >= sizeof(out->text) ? c->said.len - sizeof(out->text) + 1 : 0;
    memcpy(out->text, c->said.data + from, c->said.len - from + 1);
}

bool child_start(const void *ctx, const char *const *argv, struct carrier **out, struct error *err)
{
    SCOPE(tmp);
    struct carrier *carrier = mem_new(tmp, struct carrier);
    struct child *c = mem_new(carrier, struct child);
    c->in = c->out = c->err = -1;
    c->said = text_init(c, TEXT_LINE);
    if (!process_spawn(argv, &c->in, &c->out, &c->err, &c->pid, err))
        return false;
    talloc_set_destructor(c, child_end);
    fcntl(c->err, F_SETFL, O_NONBLOCK);
    c->pipes = stream_from_fds(c, c->out, c->in);
    carrier->stream = mem_new(carrier, struct stream);
    *carrier->stream = (struct stream){ .self = c, .read = child_read, .write = child_write };
    carrier->self = c;
    carrier->ending = child_ending;
    carrier->timing = (struct session_timing){ -1, -1, -1, -1, -1, 0 };
    *out = mem_give(ctx, carrier);
    return true;
}
