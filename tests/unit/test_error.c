#include "tests/unit/check.h"

static void codes_and_names_agree(void **state)
{
    (void)state;
    for (int code = ERROR_NONE; code <= ERROR_INTERNAL; code++)
        assert_int_equal(code, error_code_from_name(error_code_name((enum error_code)code)));
    assert_int_equal(ERROR_INTERNAL, error_code_from_name("no such code"));
}

static void context_goes_in_front(void **state)
{
    (void)state;
    struct error err;
    assert_false(fail(&err, ERROR_CONNECT, "refused by %d", 7));
    assert_false(fail_in(&err, "host %s", "db1"));
    assert_string_equal("host db1: refused by 7", err.message);
    assert_non_null(strstr(err.hint, "doctor"));
    assert_false(fail_hint(&err, "call %s", "ana"));
    assert_string_equal("call ana", err.hint);
    assert_int_equal(ERROR_CONNECT, err.code);
}

static void an_error_may_quote_itself(void **state)
{
    (void)state;
    struct error err;
    assert_false(fail(&err, ERROR_IO, "first"));
    assert_false(fail(&err, ERROR_REFUSED, "second after %s", err.message));
    assert_string_equal("second after first", err.message);
}

static void long_messages_end_at_a_character(void **state)
{
    (void)state;
    char text[2048];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        text[sizeof(text) - 1] = '\0';
        struct error err;
        assert_false(fail(&err, ERROR_IO, "%s", text));
        size_t n = strlen(err.message);
        assert_in_range(n, sizeof(err.message) - 4, sizeof(err.message) - 1);
        assert_int_equal(0, (n - shift) % 3);
        assert_memory_equal("\xe2\x82\xac", err.message + n - 3, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_and_names_agree),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(an_error_may_quote_itself),
        cmocka_unit_test(long_messages_end_at_a_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
