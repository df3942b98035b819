#include "agents/base/clock.h"

#include "tests/unit/check.h"

static int64_t parsed(const char *s)
{
    struct error err;
    int64_t ms = -1;
    assert_ok(clock_parse_rfc3339(s, &ms, &err), err);
    return ms;
}

static void times_go_there_and_back(void **state)
{
    assert_int_equal(0, parsed("1970-01-01T00:00:00Z"));
    assert_int_equal(1772366400000, parsed("2026-03-01T12:00:00Z"));
    assert_int_equal(1772366400000, parsed("2026-03-01T14:00:00+02:00"));
    assert_int_equal(1772366400123, parsed("2026-03-01t12:00:00.123456z"));
    assert_int_equal(951782400000, parsed("2000-02-29T00:00:00Z"));
    assert_string_equal("2026-03-01T12:00:00Z", clock_rfc3339(*state, 1772366400000));
    assert_string_equal("2026-03-01T12:00:00.007Z", clock_rfc3339(*state, 1772366400007));
}

static void bad_times_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "yesterday",
        "2026-03-01",
        "2026-03-01T12:00:00",
        "2026-13-01T12:00:00Z",
        "2026-02-30T12:00:00Z",
        "2025-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:00.Z",
        "2026-03-01T12:00:00Zx",
        "2026-03-01T12:00:00+2",
        "2026-3-1T12:00:00Z",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct error err;
        int64_t ms = 42;
        if (clock_parse_rfc3339(bad[i], &ms, &err))
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(42, ms);
    }
}

static void durations(void **state)
{
    (void)state;
    struct error err;
    int64_t ms = 0;
    assert_ok(clock_parse_duration("200ms", &ms, &err), err);
    assert_int_equal(200, ms);
    assert_ok(clock_parse_duration("14d", &ms, &err), err);
    assert_int_equal(14LL * 86400000, ms);
    assert_ok(clock_parse_duration("0s", &ms, &err), err);
    assert_int_equal(0, ms);
    static const char *const bad[] = { "",     "5",   "ms", "-1s",
                                       "1.5s", "5 s", "5w", "99999999999999999999d",
                                       "3651d" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_fails(clock_parse_duration(bad[i], &ms, &err), err, ERROR_INVALID, "write 200ms");
}

static void monotonic_time_does_not_go_back(void **state)
{
    (void)state;
    int64_t before = clock_mono_ms();
    clock_sleep_ms(2);
    assert_true(clock_mono_ms() >= before + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(times_go_there_and_back),
        test_with_ctx(bad_times_are_refused),
        test_with_ctx(durations),
        test_with_ctx(monotonic_time_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
