/* The deep stack: only pages that are touched cost memory. The thread is made once and kept:
 * libpg_query makes a thread-specific key in every thread that parses and never gives one back; a
 * process has 1,024, and libraries that come later (OpenSSL) crash without. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "controller/sql/script.h"

enum { DEEP_STACK = 256 * 1024 * 1024 };

struct call {
    void (*fn)(void *arg);
    void *arg;
    bool done;
    pthread_cond_t answered;
    struct call *next;
};

/* Under `lock`, which nobody holds while a call runs. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static struct call *first, **last = &first;
static pthread_t thread;
static bool here, busy, ending;

static _Thread_local bool deep;

static void *run(void *unused)
{
    (void)unused;
    deep = true;
    pthread_mutex_lock(&lock);
    while (first || !ending) {
        struct call *call = first;
        if (!call) {
            pthread_cond_wait(&asked, &lock);
            continue;
        }
        first = call->next;
        last = first ? last : &first;
        busy = true;
        pthread_mutex_unlock(&lock);
        call->fn(call->arg);
        pthread_mutex_lock(&lock);
        busy = false;
        call->done = true;
        pthread_cond_signal(&call->answered);
    }
    here = ending = false;
    pthread_mutex_unlock(&lock);
    return NULL;
}

/* --- a process that forks, or ends ----------------------------------------------------------- */

static void fork_before(void)
{
    pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
    pthread_mutex_unlock(&lock);
}

/* Neither the thread nor those who wait for it came along: the next call makes another. */
static void fork_child(void)
{
    first = NULL;
    last = &first;
    here = busy = ending = false;
    asked = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    pthread_mutex_unlock(&lock);
}

/* A thread at work is left alone: its call may take for ever, or be what ends the program. */
void sql_deep_end(void)
{
    pthread_mutex_lock(&lock);
    bool idle = here && !busy && !first && !ending;
    pthread_t ended = thread;
    if (idle) {
        ending = true;
        pthread_cond_signal(&asked);
    }
    pthread_mutex_unlock(&lock);
    if (idle) {
        pthread_join(ended, NULL);
    }
}

static void prepare(void)
{
    pthread_atfork(fork_before, fork_parent, fork_child);
    (void)atexit(sql_deep_end);
}

/* --- calls ------------------------------------------------------------------------------------ */

/* Signals are for threads that were made to be interrupted; what a fault of its own raises stays,
 * or no handler of a sanitizer or debugger would hear of it. */
static sigset_t signals_blocked(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS };
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        sigdelset(&set, faults[i]);
    }
    return set;
}

static int thread_start(void)
{
    pthread_attr_t attr;
    sigset_t blocked = signals_blocked();
    int failed = pthread_attr_init(&attr);
    if (failed) {
        return failed;
    }
    failed = pthread_attr_setstacksize(&attr, DEEP_STACK);
    failed = failed ? failed : pthread_attr_setsigmask_np(&attr, &blocked);
    failed = failed ? failed : pthread_create(&thread, &attr, run, NULL);
    pthread_attr_destroy(&attr);
    here = !failed;
    return failed;
}

static int call_give(struct call *call)
{
    pthread_mutex_lock(&lock);
    int failed = here ? 0 : thread_start();
    if (!failed) {
        *last = call;
        last = &call->next;
        pthread_cond_signal(&asked);
        while (!call->done) {
            pthread_cond_wait(&call->answered, &lock);
        }
    }
    pthread_mutex_unlock(&lock);
    return failed;
}

bool sql_deep(void (*fn)(void *arg), void *arg, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (deep) {
        fn(arg);
        return true;
    }
    pthread_once(&once, prepare);
    struct call call = { .fn = fn, .arg = arg, .answered = PTHREAD_COND_INITIALIZER };
    int failed = call_give(&call);
    pthread_cond_destroy(&call.answered);
    if (failed) {
        errno = failed;
        fail_errno(err, "starting a thread for the SQL parser");
        return fail_hint(err, "it needs 256 MB of address space: look at `ulimit -v`");
    }
    return true;
}
