#include "agents/base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { OUTPUT_LIMIT = 1024 * 1024 };

/* Only async-signal-safe calls between fork and exec: other threads may hold any lock. */
static void become(const char *const *argv, int in, int out, int err_fd, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        (err_fd < 0 || dup2(err_fd, STDERR_FILENO) >= 0))
        execvp(argv[0], (char *const *)(uintptr_t)argv);
    int number = errno;
    if (write(report, &number, sizeof(number)) < 0)
        _exit(126);
    _exit(127);
}

struct pipes {
    int in[2], out[2], err[2], report[2];
};

static void pipes_close(struct pipes *p)
{
    int *all[] = { p->in, p->out, p->err, p->report };
    for (int i = 0; i < 8; i++)
        if (all[i / 2][i % 2] >= 0)
            close(all[i / 2][i % 2]);
}

static int take(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

bool process_spawn(const char *const *argv, int *in_fd, int *out_fd, int *err_fd, pid_t *pid,
                   struct error *err)
{
    __attribute__((
        cleanup(pipes_close))) struct pipes p = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    if (pipe2(p.in, O_CLOEXEC) || pipe2(p.out, O_CLOEXEC) || pipe2(p.report, O_CLOEXEC) ||
        (err_fd && pipe2(p.err, O_CLOEXEC)))
        return fail_errno(err, "%s: pipe", argv[0]);
    pid_t child = fork();
    if (child < 0)
        return fail_errno(err, "%s: fork", argv[0]);
    if (child == 0)
        become(argv, p.in[0], p.out[1], p.err[1], p.report[1]);
    close(take(&p.report[1]));
    int number = 0;
    if (read(p.report[0], &number, sizeof(number)) == sizeof(number)) {
        waitpid(child, NULL, 0);
        errno = number;
        return fail_errno(err, "cannot run %s", argv[0]);
    }
    *in_fd = take(&p.in[1]);
    *out_fd = take(&p.out[0]);
    if (err_fd)
        *err_fd = take(&p.err[0]);
    *pid = child;
    return true;
}

struct run {
    struct pollfd fds[4]; /* input, output, error output, the end of the program */
    const char *input;
    size_t left;
    struct text out[2];
};

/* write() that reports EPIPE instead of raising SIGPIPE, whatever the program does with that
 * signal: it is held back for this thread and taken out again. */
static ssize_t write_quietly(int fd, const void *data, size_t len)
{
    sigset_t pipe_only;
    sigset_t before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t n = write(fd, data, len);
    int number = errno;
    if (n < 0 && number == EPIPE && !sigismember(&before, SIGPIPE))
        sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0 });
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = number;
    return n;
}

static void feed(struct run *r)
{
    ssize_t n = r->left ? write_quietly(r->fds[0].fd, r->input, r->left) : 0;
    if (n > 0) {
        r->input += n;
        r->left -= (size_t)n;
    }
    if (r->left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(r->fds[0].fd);
        r->fds[0].fd = -1;
    }
}

/* Reads what is there; false when there is nothing more for now. */
static bool drain(struct run *r, int i)
{
    char buffer[16 * 1024];
    ssize_t n = read(r->fds[i].fd, buffer, sizeof(buffer));
    if (n > 0)
        text_addn(&r->out[i - 1], buffer, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(r->fds[i].fd);
        r->fds[i].fd = -1;
    }
    return n > 0;
}

/* True when the program ended before the deadline. Its end counts, not that of its pipes: it may
 * close them early, and a daemon that it left behind may hold them open. */
static bool converse(struct run *r, int64_t deadline)
{
    while (!r->fds[3].revents) {
        int64_t left = deadline - clock_mono_ms();
        if (left <= 0)
            return false;
        if (poll(r->fds, 4, (int)(left > 1000 ? 1000 : left)) <= 0)
            continue;
        if (r->fds[0].fd >= 0 && r->fds[0].revents)
            feed(r);
        for (int i = 1; i < 3; i++)
            if (r->fds[i].fd >= 0 && r->fds[i].revents)
                drain(r, i);
    }
    for (int i = 1; i < 3; i++)
        while (r->fds[i].fd >= 0 && !r->out[i - 1].full && drain(r, i))
            ;
    return true;
}

static bool run_start(struct run *r, const void *ctx, const char *const *argv, pid_t *pid,
                      struct error *err)
{
    if (!process_spawn(argv, &r->fds[0].fd, &r->fds[1].fd, &r->fds[2].fd, pid, err))
        return false;
    r->fds[3].fd = pidfd_open(*pid, 0);
    if (r->fds[3].fd < 0)
        return fail_errno(err, "%s: cannot be watched", argv[0]);
    for (int i = 0; i < 3; i++)
        fcntl(r->fds[i].fd, F_SETFL, O_NONBLOCK);
    r->fds[0].events = POLLOUT;
    r->fds[1].events = r->fds[2].events = r->fds[3].events = POLLIN;
    r->out[0] = text_init(ctx, OUTPUT_LIMIT);
    r->out[1] = text_init(ctx, OUTPUT_LIMIT);
    return true;
}

bool process_run(const void *ctx, const char *const *argv, const char *input, int64_t timeout_ms,
                 struct process_result *out, struct error *err)
{
    struct run r = { .input = input ? input : "", .left = input ? strlen(input) : 0 };
    for (int i = 0; i < 4; i++)
        r.fds[i].fd = -1;
    pid_t pid = 0;
    bool started = run_start(&r, ctx, argv, &pid, err);
    bool ended = started && converse(&r, clock_mono_ms() + timeout_ms);
    if (pid > 0 && !ended)
        kill(-pid, SIGKILL);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    for (int i = 0; i < 4; i++)
        file_close(&r.fds[i].fd);
    if (!started)
        return false;
    if (!ended)
        return fail(err, ERROR_TIMEOUT, "%s did not end within %lld ms", argv[0],
                    (long long)timeout_ms);
    out->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    out->out = r.out[0].data;
    out->err = r.out[1].data;
    return true;
}
