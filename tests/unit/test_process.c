#include "agents/base/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/text.h"
#include "tests/unit/check.h"

/* Only a hang reaches it. */
enum { PATIENCE_MS = 30000 };

static void output_status_and_input(void **state)
{
    struct error err;
    struct process_result r;
    const char *const argv[] = { "sh", "-c", "cat; echo oops >&2; exit 3", NULL };
    assert_ok(process_run(*state, argv, "hello", PATIENCE_MS, &r, &err), err);
    assert_int_equal(3, r.status);
    assert_string_equal("hello", r.out);
    assert_string_equal("oops\n", r.err);
}

static void arguments_are_never_a_shells(void **state)
{
    struct error err;
    struct process_result r;
    const char *const argv[] = { "printf", "%s|", "$(id)", "a b", "; rm", NULL };
    assert_ok(process_run(*state, argv, NULL, PATIENCE_MS, &r, &err), err);
    assert_string_equal("$(id)|a b|; rm|", r.out);
}

static void a_program_that_is_not_there(void **state)
{
    struct error err;
    struct process_result r;
    const char *const argv[] = { "/no/such/program", NULL };
    assert_fails(process_run(*state, argv, NULL, PATIENCE_MS, &r, &err), err, ERROR_NOT_FOUND,
                 "/no/such/program");
}

/* More than a pipe holds goes to a program that does not read: it must neither block nor raise
 * SIGPIPE here. */
static void a_program_that_does_not_read(void **state)
{
    struct error err;
    struct process_result r;
    char *much = mem_array(*state, char, 1 << 20);
    memset(much, 'x', (1 << 20) - 1);
    const char *const argv[] = { "true", NULL };
    assert_ok(process_run(*state, argv, much, PATIENCE_MS, &r, &err), err);
    assert_int_equal(0, r.status);
}

static void much_output_is_cut(void **state)
{
    struct error err;
    struct process_result r;
    const char *const argv[] = { "head", "-c", "3000000", "/dev/zero", NULL };
    assert_ok(process_run(*state, argv, NULL, PATIENCE_MS, &r, &err), err);
    assert_int_equal(0, r.status);
}

static void the_limit_ends_it(void **state)
{
    struct error err;
    struct process_result r;
    int64_t began = clock_mono_ms();
    const char *const open_pipes[] = { "sleep", "60", NULL };
    assert_fails(process_run(*state, open_pipes, NULL, 50, &r, &err), err, ERROR_TIMEOUT, "sleep");
    const char *const closed_pipes[] = { "sh", "-c", "exec >&- 2>&-; sleep 60", NULL };
    assert_fails(process_run(*state, closed_pipes, NULL, 50, &r, &err), err, ERROR_TIMEOUT, "sh");
    assert_true(clock_mono_ms() - began < PATIENCE_MS);
}

/* A daemon that the program leaves behind holds its pipes; the program itself has ended. */
static void a_daemon_left_behind_is_not_waited_for(void **state)
{
    struct error err;
    struct process_result r;
    int64_t began = clock_mono_ms();
    const char *const argv[] = { "sh", "-c", "sleep 60 & echo started", NULL };
    assert_ok(process_run(*state, argv, NULL, 45000, &r, &err), err);
    assert_string_equal("started\n", r.out);
    assert_true(clock_mono_ms() - began < PATIENCE_MS);
}

static void a_conversation(void **state)
{
    (void)state;
    struct error err;
    int in = -1;
    int out = -1;
    pid_t pid = 0;
    const char *const argv[] = { "cat", NULL };
    assert_ok(process_spawn(argv, &in, &out, NULL, &pid, &err), err);
    assert_ok(file_write_fd(in, "ping", 4, &err), err);
    char got[8] = "";
    assert_int_equal(4, read(out, got, sizeof(got)));
    assert_string_equal("ping", got);
    close(in);
    close(out);
    int status = -1;
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_int_equal(0, status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(output_status_and_input),
        test_with_ctx(arguments_are_never_a_shells),
        test_with_ctx(a_program_that_is_not_there),
        test_with_ctx(a_program_that_does_not_read),
        test_with_ctx(much_output_is_cut),
        test_with_ctx(the_limit_ends_it),
        test_with_ctx(a_daemon_left_behind_is_not_waited_for),
        test_with_ctx(a_conversation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
