/* The deep stack: only pages that are touched cost memory. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "controller/sql/script.h"

enum { DEEP_STACK = 256 * 1024 * 1024 };

static _Thread_local bool deep;

struct call {
    void (*fn)(void *arg);
    void *arg;
};

static void *run(void *arg)
{
    const struct call *call = arg;
    deep = true;
    call->fn(call->arg);
    return NULL;
}

bool sql_deep(void (*fn)(void *arg), void *arg, struct error *err)
{
    if (deep) {
        fn(arg);
        return true;
    }
    /* libpg_query makes a thread-specific key in every thread that parses and never gives one back;
     * a process has 1,024, and libraries that come after (OpenSSL) crash without. The key that is
     * free now is the one that it is going to take. */
    pthread_key_t key;
    bool spare = pthread_key_create(&key, NULL) == 0 && pthread_key_delete(key) == 0;
    struct call call = { fn, arg };
    pthread_attr_t attr;
    pthread_t thread;
    int failed = pthread_attr_init(&attr);
    if (!failed) {
        failed = pthread_attr_setstacksize(&attr, DEEP_STACK);
        failed = failed ? failed : pthread_create(&thread, &attr, run, &call);
        pthread_attr_destroy(&attr);
    }
    if (failed) {
        errno = failed;
        fail_errno(err, "starting a thread for the SQL parser");
        return fail_hint(err, "it needs 256 MB of address space: look at `ulimit -v`");
    }
    pthread_join(thread, NULL);
    if (spare) {
        (void)pthread_key_delete(key);
    }
    return true;
}
