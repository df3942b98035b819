#include "agents/base/text.h"

#include <stdbool.h>

#include "tests/unit/check.h"

static void builder_holds_its_cap(void **state)
{
    struct text t = text_init(*state, 10);
    text_add(&t, "0123456");
    assert_false(t.full);
    text_addf(&t, "%s", "789abc");
    assert_true(t.full);
    assert_string_equal("0123456789", t.data);
    text_addc(&t, 'x');
    assert_int_equal(10, t.len);
}

static void builder_grows(void **state)
{
    struct text t = text_init(*state, TEXT_FILE);
    for (int i = 0; i < 100000; i++)
        text_add(&t, "0123456789");
    assert_int_equal(1000000, t.len);
    assert_int_equal(1000000, strlen(t.data));
    assert_false(t.full);
}

static void utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } cases[] = {
        { "plain", true },
        { "W\xc3\xa4hrungen", true },
        { "\xe2\x82\xac", true },
        { "\xf0\x9f\x90\x98", true },
        { "\xf4\x8f\xbf\xbf", true },
        { "\xc0\x80", false },         /* overlong NUL */
        { "\xe0\x80\x80", false },     /* overlong */
        { "\xed\xa0\x80", false },     /* surrogate */
        { "\xf4\x90\x80\x80", false }, /* beyond U+10FFFF */
        { "\xf8\x88\x80\x80\x80", false },
        { "\xe2\x82", false }, /* cut */
        { "\x80", false },
        { "a\xff", false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (text_is_utf8(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].valid)
            fail_msg("case %zu", i);
    assert_false(text_is_utf8("a\0b", 3));
    assert_true(text_is_utf8("", 0));
}

static void printable_disarms(void **state)
{
    void *ctx = *state;
    assert_string_equal("a\\nb\\tc", text_printable(ctx, "a\nb\tc"));
    assert_string_equal("\\x1b[31m", text_printable(ctx, "\x1b[31m"));
    assert_string_equal("\\xff", text_printable(ctx, "\xff"));
    assert_string_equal("W\xc3\xa4h", text_printable(ctx, "W\xc3\xa4h"));
    /* CSI as a C1 control, and a right-to-left override */
    assert_null(strstr(text_printable(ctx, "\xc2\x9b"), "\xc2\x9b"));
    assert_null(strstr(text_printable(ctx, "\xe2\x80\xae"), "\xe2\x80\xae"));
    assert_string_equal("", text_printable(ctx, NULL));
}

static void nearest_names(void **state)
{
    (void)state;
    static const char *const keys[] = { "services", "owners", "environments", "defaults" };
    assert_string_equal("services", text_nearest("servcies", keys, 4));
    assert_string_equal("owners", text_nearest("owner", keys, 4));
    assert_null(text_nearest("zebra", keys, 4));
    static const char *const teams[] = { "team-21", "team-12", "team-11", "" };
    assert_string_equal("team-12", text_nearest("team-12", teams, 4));
    assert_string_equal("team-21", text_nearest("team-2", teams, 4));
    assert_string_equal("team-12", text_nearest("taem-12", teams, 4));
    assert_string_equal("", text_nearest("", teams, 4));
    assert_int_equal(1, text_distance("ab", "ba", 3));
    assert_int_equal(0, text_distance("same", "same", 3));
    assert_int_equal(3, text_distance("kitten", "sitting", 5));
    assert_int_equal(3, text_distance("abcdef", "uvwxyz", 2));
}

static void sql_quotes(void **state)
{
    void *ctx = *state;
    assert_string_equal("\"order\"", text_quote_ident(ctx, "order"));
    assert_string_equal("\"a\"\"b\"", text_quote_ident(ctx, "a\"b"));
    assert_string_equal("'it''s'", text_quote_literal(ctx, "it's"));
    assert_string_equal("E'a\\\\b''c'", text_quote_literal(ctx, "a\\b'c"));
}

static void numbers_for_people(void **state)
{
    void *ctx = *state;
    assert_string_equal("0", text_count(ctx, 0));
    assert_string_equal("999", text_count(ctx, 999));
    assert_string_equal("1,000", text_count(ctx, 1000));
    assert_string_equal("-1,234,567", text_count(ctx, -1234567));
    assert_string_equal("-123", text_count(ctx, -123));
    assert_string_equal("41 ms", text_duration(ctx, 41));
    assert_string_equal("3.2 s", text_duration(ctx, 3200));
    assert_string_equal("12 min", text_duration(ctx, 12 * 60000));
    assert_string_equal("12 MB", text_bytes(ctx, 12LL << 20));
    assert_string_equal("512 bytes", text_bytes(ctx, 512));
}

static void questions(void **state)
{
    (void)state;
    assert_true(text_eq(NULL, NULL));
    assert_false(text_eq("", NULL));
    assert_true(text_starts("expand/orders", "expand/"));
    assert_false(text_starts("ex", "expand"));
    assert_true(text_ends("plan.yaml", ".yaml"));
    assert_false(text_ends("yaml", ".yaml"));
    assert_true(text_cmp(NULL, "a") < 0 && text_cmp("a", NULL) > 0 && text_cmp(NULL, NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(builder_holds_its_cap),
        test_with_ctx(builder_grows),
        test_with_ctx(utf8),
        test_with_ctx(printable_disarms),
        test_with_ctx(nearest_names),
        test_with_ctx(sql_quotes),
        test_with_ctx(numbers_for_people),
        test_with_ctx(questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
