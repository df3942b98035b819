/*
 * What every cmocka program here includes: cmocka with the headers it needs before it, and checks
 * that show the error of a fallible function. `ctx_setup` and `ctx_teardown` give a test a talloc
 * context in *state that is freed after it, so that a leak is the code's own.
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
/* It is a macro of cmocka's and a function of ours. */
#undef fail
#undef fail_msg
#define fail_msg(...) \
    (print_error("ERROR: " __VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "agents/base/error.h"
#include "agents/base/mem.h"

/* The call succeeds; otherwise its message is the failure. */
#define assert_ok(call, err)                          \
    do {                                              \
        if (!(call))                                  \
            fail_msg("%s: %s", #call, (err).message); \
    } while (0)

/* The call fails with this code and a message that holds this text. */
#define assert_fails(call, err, expected, text)                                      \
    do {                                                                             \
        memset(&(err), 0, sizeof(err));                                              \
        if (call)                                                                    \
            fail_msg("%s: succeeded", #call);                                        \
        if (!strstr((err).message, (text)))                                          \
            fail_msg("%s: \"%s\" has no \"%s\"", #call, (err).message, (text));      \
        assert_string_equal(error_code_name((err).code), error_code_name(expected)); \
    } while (0)

static inline int ctx_setup(void **state)
{
    *state = mem_scope();
    return 0;
}

static inline int ctx_teardown(void **state)
{
    scope_end(state);
    return 0;
}

#define test_with_ctx(f) cmocka_unit_test_setup_teardown(f, ctx_setup, ctx_teardown)

#endif
