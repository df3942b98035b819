/* The thread of the deep stack: one a process, whoever calls and whatever forks. */
#include "agents/base/mem.h"
#include "controller/sql/script.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 8, CALLS = 150, KEYS_MOST = 1024, FORKS = 40, PATIENCE_S = 60 };

static atomic_bool enough;

static bool parses(int number)
{
    SCOPE(tmp);
    struct error err;
    struct statement *s = NULL;
    const char *sql = mem_printf(tmp, "SELECT %d", number);
    return sql_parse_one(tmp, sql, &s, &err) && s->kind == SQL_STMT_SELECT &&
           strcmp(s->sql, sql) == 0;
}

static void *parse_many(void *unused)
{
    (void)unused;
    intptr_t good = 0;
    for (int i = 0; i < CALLS; i++) {
        good += parses(i);
    }
    return (void *)good;
}

static void *parse_on(void *unused)
{
    (void)unused;
    for (int i = 0; !atomic_load(&enough); i++) {
        if (!parses(i)) {
            abort();
        }
    }
    return NULL;
}

static int keys_free(void)
{
    pthread_key_t keys[KEYS_MOST];
    int count = 0;
    while (count < KEYS_MOST && pthread_key_create(&keys[count], NULL) == 0) {
        count++;
    }
    for (int i = 0; i < count; i++) {
        pthread_key_delete(keys[i]);
    }
    return count;
}

/* In a process of its own, so that what ends badly ends that one: how it ended. */
static int ended(void (*fn)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(PATIENCE_S);
        fn();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void parse_here(void)
{
    _exit(parses(1) && parses(2) && parse_many(NULL) == (void *)CALLS ? 0 : 1);
}

/* ThreadSanitizer ends a process that makes a thread after a fork of one that had several. */
static bool under_tsan(void)
{
#ifdef __SANITIZE_THREAD__
    return true;
#else
    return false;
#endif
}

/* AddressSanitizer does not hold its allocator's locks over a fork: a child may find them taken. */
static bool under_asan(void)
{
#ifdef __SANITIZE_ADDRESS__
    return true;
#else
    return false;
#endif
}

static void calls_cost_no_keys(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    assert_true(parses(0));
    int before = keys_free();
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, parse_many, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *good = NULL;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_int_equal((intptr_t)good, CALLS);
    }
    assert_int_equal(keys_free(), before);
}

static void forks_parse_too(void **state)
{
    (void)state;
    if (under_tsan()) {
        return;
    }
    assert_true(parses(0));
    assert_int_equal(ended(parse_here), 0);
    assert_true(parses(0));
}

static void a_thread_that_was_ended_is_made_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(parses(i));
        sql_deep_end();
        sql_deep_end();
        assert_int_equal(ended(parse_here), 0);
    }
}

static void forks_amid_calls_parse_too(void **state)
{
    (void)state;
    if (under_tsan() || under_asan()) {
        return;
    }
    pthread_t threads[THREADS];
    atomic_store(&enough, false);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, parse_on, NULL), 0);
    }
    for (int i = 0; i < FORKS; i++) {
        assert_int_equal(ended(parse_here), 0);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void parse_within(void *arg)
{
    *(bool *)arg = parses(7);
}

static void calls_within_calls_are_plain(void **state)
{
    (void)state;
    struct error err;
    bool good = false;
    assert_true(sql_deep(parse_within, &good, &err));
    assert_true(good);
}

static void fork_within(void *arg)
{
    *(int *)arg = ended(parse_here);
}

static void forks_within_calls_parse_too(void **state)
{
    (void)state;
    if (under_tsan()) {
        return;
    }
    struct error err;
    int status = -1;
    assert_true(sql_deep(fork_within, &status, &err));
    assert_int_equal(status, 0);
}

static void leave(void *arg)
{
    exit(*(int *)arg);
}

static void leave_within(void)
{
    struct error err;
    int code = 7;
    _exit(sql_deep(leave, &code, &err) ? 1 : 2);
}

static void leave_idle(void)
{
    exit(parses(1) ? 8 : 1);
}

static atomic_bool hanging;

static void hang(void *unused)
{
    (void)unused;
    atomic_store(&hanging, true);
    for (;;) {
        pause();
    }
}

static void *call_hang(void *unused)
{
    struct error err;
    return sql_deep(hang, unused, &err) ? unused : NULL;
}

static void leave_busy(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_hang, NULL) != 0) {
        _exit(1);
    }
    pthread_detach(thread);
    while (!atomic_load(&hanging)) {
        usleep(1000);
    }
    exit(9);
}

static void programs_end(void **state)
{
    (void)state;
    const struct {
        void (*fn)(void);
        int code;
    } ways[] = { { leave_within, 7 }, { leave_idle, 8 }, { leave_busy, 9 } };
    sql_deep_end();
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        int status = ended(ways[i].fn);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), ways[i].code);
    }
}

static void look_at_mask(void *arg)
{
    pthread_sigmask(SIG_BLOCK, NULL, arg);
}

/* Or a handler would run there, and the thread that waits to be interrupted would wait on. */
static void signals_go_elsewhere(void **state)
{
    (void)state;
    struct error err;
    sigset_t mask;
    sigemptyset(&mask);
    assert_true(sql_deep(look_at_mask, &mask, &err));
    assert_true(sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM));
    assert_false(sigismember(&mask, SIGSEGV) || sigismember(&mask, SIGABRT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_cost_no_keys),
        cmocka_unit_test(forks_parse_too),
        cmocka_unit_test(a_thread_that_was_ended_is_made_again),
        cmocka_unit_test(forks_amid_calls_parse_too),
        cmocka_unit_test(calls_within_calls_are_plain),
        cmocka_unit_test(forks_within_calls_parse_too),
        cmocka_unit_test(programs_end),
        cmocka_unit_test(signals_go_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
