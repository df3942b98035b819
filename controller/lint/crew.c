#include "controller/lint/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/script.h"

enum {
    WORKERS_MAX = 64,
    LOOK_MS = 200,
    READ_BYTES = 256 * 1024,
    /* A worker gathers results before it wakes the parent, but not for long. */
    GATHER_BYTES = 48 * 1024,
    GATHER_MS = 50,
};

/* What parent and children both see. */
struct board {
    atomic_size_t next;
    struct {
        atomic_size_t item; /* number of the one at work, from 1; 0: none */
        atomic_llong since;
    } slots[WORKERS_MAX];
    unsigned char taken[]; /* by item: the slot of the worker that took it, from 1 */
};

struct head {
    size_t item, length;
};

struct worker {
    pid_t pid; /* 0: none */
    int fd;
    char *bytes; /* read, and not yet a whole result */
    size_t have;
    bool late; /* ended by us */
};

struct result {
    const char *bytes;
    size_t length;
    const char *problem;
    bool here;
};

struct crew {
    const struct crew_task *task;
    struct board *board;
    struct worker workers[WORKERS_MAX];
    size_t worker_count, shown;
    struct result *results;
    void *ctx;
};

struct child {
    struct crew *crew;
    size_t slot;
    int fd;
    struct text gathered;
    int64_t sent_ms;
    bool lost; /* nobody reads any more */
};

static void gathered_send(struct child *c)
{
    struct error ignored;
    c->lost = !file_write_fd(c->fd, c->gathered.data, c->gathered.len, &ignored);
    c->gathered.len = 0;
    c->sent_ms = clock_mono_ms();
}

static void item_work(struct child *c, size_t i)
{
    SCOPE(tmp);
    const struct crew_task *task = c->crew->task;
    struct board *board = c->crew->board;
    struct error ignored;
    int64_t now = clock_mono_ms();
    atomic_store(&board->slots[c->slot].since, now);
    atomic_store(&board->slots[c->slot].item, i + 1);
    struct head head = { i, 0 };
    const void *bytes = task->work(tmp, task->data, i, &head.length);
    if (sizeof head + head.length > GATHER_BYTES) { /* as it is, behind what came before */
        gathered_send(c);
        c->lost = c->lost || !file_write_fd(c->fd, &head, sizeof head, &ignored) ||
                  !file_write_fd(c->fd, bytes, head.length, &ignored);
    } else {
        text_addn(&c->gathered, (const char *)&head, sizeof head);
        text_addn(&c->gathered, bytes, head.length);
    }
    if (c->gathered.len > GATHER_BYTES || now - c->sent_ms > GATHER_MS) {
        gathered_send(c);
    }
    atomic_store(&board->slots[c->slot].item, 0);
}

/* What a worker before had in its hands when it died, all but the item that killed it, is worked
 * again; the parent's list of results came along with the fork. */
static void left_work(struct child *c)
{
    const struct crew *p = c->crew;
    for (size_t i = 0; i < p->task->count && !c->lost; i++) {
        if (p->board->taken[i] == c->slot + 1 && !p->results[i].here) {
            item_work(c, i);
        }
    }
}

static void child_work(void *arg)
{
    struct child *c = arg;
    struct crew *p = c->crew;
    c->gathered = text_init(NULL, (size_t)4 * GATHER_BYTES);
    c->sent_ms = clock_mono_ms();
    left_work(c);
    while (!c->lost) {
        size_t i = atomic_fetch_add(&p->board->next, 1);
        if (i >= p->task->count) {
            break;
        }
        p->board->taken[i] = (unsigned char)(c->slot + 1);
        item_work(c, i);
    }
    gathered_send(c);
}

static void child_run(struct child *c)
{
    struct error err;
    const struct rlimit none = { 0, 0 };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    _exit(sql_deep(child_work, c, &err) ? 0 : 1);
}

static bool worker_start(struct crew *p, size_t slot, struct error *err)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        return fail_errno(err, "a pipe to a worker");
    }
    pid_t pid = fork();
    if (pid < 0) {
        close(pipes[0]);
        close(pipes[1]);
        return fail_errno(err, "starting a worker");
    }
    if (pid == 0) {
        close(pipes[0]);
        struct child c = { .crew = p, .slot = slot, .fd = pipes[1] };
        child_run(&c);
    }
    close(pipes[1]);
    p->workers[slot] = (struct worker){ .pid = pid, .fd = pipes[0] };
    return true;
}

static void result_set(struct crew *p, size_t item, struct result r)
{
    if (item >= p->task->count || p->results[item].here) {
        return;
    }
    r.here = true;
    p->results[item] = r;
    while (p->shown < p->task->count && p->results[p->shown].here) {
        const struct result *next = &p->results[p->shown];
        p->task->done(p->task->data, p->shown, next->bytes, next->length, next->problem);
        talloc_free((void *)(uintptr_t)next->bytes);
        p->shown++;
    }
}

/* Takes the whole results out of what was read. */
static void results_take(struct crew *p, struct worker *w)
{
    size_t at = 0;
    struct head head;
    while (w->have - at >= sizeof head) {
        memcpy(&head, w->bytes + at, sizeof head);
        if (w->have - at - sizeof head < head.length) {
            break;
        }
        char *bytes = talloc_array(p->ctx, char, head.length + 1);
        memcpy(bytes, w->bytes + at + sizeof head, head.length);
        bytes[head.length] = '\0';
        result_set(p, head.item, (struct result){ .bytes = bytes, .length = head.length });
        at += sizeof head + head.length;
    }
    memmove(w->bytes, w->bytes + at, w->have - at);
    w->have -= at;
}

/* Nothing is left for a worker in that slot: neither of its own nor in the heap of all. */
static bool all_here(const struct crew *p, size_t slot)
{
    for (size_t i = 0; i < p->task->count; i++) {
        if (p->board->taken[i] == slot + 1 && !p->results[i].here) {
            return false;
        }
    }
    return atomic_load(&p->board->next) >= p->task->count;
}

/* It ended: on its own, or the item that it had is what ended it. */
static bool worker_end(struct crew *p, size_t slot, struct error *err)
{
    struct worker *w = &p->workers[slot];
    int status = 0;
    size_t item = atomic_load(&p->board->slots[slot].item);
    close(w->fd);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR) {
    }
    talloc_free(w->bytes);
    bool late = w->late;
    *w = (struct worker){ .fd = -1 };
    if (item > 0) {
        const char *why =
            late ? mem_printf(p->ctx, "given up after %s",
                              text_duration(p->ctx, p->task->timeout_ms))
            : WIFSIGNALED(status)
                ? mem_printf(p->ctx, "its analysis died (signal %d)", WTERMSIG(status))
                : "its analysis ended early";
        result_set(p, item - 1, (struct result){ .problem = why });
        atomic_store(&p->board->slots[slot].item, 0);
    }
    if (all_here(p, slot) || (item == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        return true;
    }
    if (item == 0) {
        fail(err, ERROR_IO, "a worker ended without work");
        return fail_hint(err, "it needs 256 MB of address space: look at `ulimit -v`");
    }
    return worker_start(p, slot, err);
}

static bool worker_read(struct crew *p, size_t slot, struct error *err)
{
    struct worker *w = &p->workers[slot];
    w->bytes = mem_room(p->ctx, w->bytes, char, w->have + READ_BYTES);
    ssize_t n = read(w->fd, w->bytes + w->have, READ_BYTES - 1);
    if (n < 0 && errno == EINTR) {
        return true;
    }
    if (n <= 0) {
        return worker_end(p, slot, err);
    }
    w->have += (size_t)n;
    results_take(p, w);
    return true;
}

static void late_end(struct crew *p)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < p->worker_count; i++) {
        struct worker *w = &p->workers[i];
        if (w->pid && atomic_load(&p->board->slots[i].item) > 0 &&
            now - atomic_load(&p->board->slots[i].since) > p->task->timeout_ms) {
            w->late = true;
            kill(w->pid, SIGKILL);
        }
    }
}

static bool crew_watch(struct crew *p, struct error *err)
{
    for (;;) {
        struct pollfd fds[WORKERS_MAX];
        size_t slots[WORKERS_MAX], n = 0;
        for (size_t i = 0; i < p->worker_count; i++) {
            if (p->workers[i].pid) {
                slots[n] = i;
                fds[n++] = (struct pollfd){ .fd = p->workers[i].fd, .events = POLLIN };
            }
        }
        if (n == 0) {
            return true;
        }
        int ready = poll(fds, n, LOOK_MS);
        if (ready < 0 && errno != EINTR) {
            return fail_errno(err, "waiting for the workers");
        }
        for (size_t i = 0; ready > 0 && i < n; i++) {
            if (fds[i].revents && !worker_read(p, slots[i], err)) {
                return false;
            }
        }
        late_end(p);
    }
}

static size_t workers_wanted(const struct crew_task *task)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (size_t)cpus;
    n = n < task->workers ? n : task->workers;
    return n < task->count ? n : task->count;
}

static void workers_kill(struct crew *p)
{
    for (size_t i = 0; i < p->worker_count; i++) {
        if (p->workers[i].pid) {
            kill(p->workers[i].pid, SIGKILL);
            waitpid(p->workers[i].pid, NULL, 0);
            close(p->workers[i].fd);
        }
    }
}

bool crew_run(const struct crew_task *task, struct error *err)
{
    SCOPE(tmp);
    struct crew p = { .task = task, .ctx = tmp, .worker_count = workers_wanted(task) };
    size_t bytes = sizeof(struct board) + task->count;
    void *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return fail_errno(err, "memory to share with the workers");
    }
    p.board = shared;
    p.results = mem_array(tmp, struct result, task->count);
    sql_deep_end();
    fflush(NULL); /* or each child would have what was printed and not yet written */
    bool good = true;
    for (size_t i = 0; good && i < p.worker_count; i++) {
        good = worker_start(&p, i, err);
    }
    good = good && crew_watch(&p, err);
    for (size_t i = p.shown; good && i < task->count; i++) {
        result_set(&p, i, (struct result){ .problem = "its analysis was lost" });
    }
    workers_kill(&p);
    munmap(shared, bytes);
    return good;
}
