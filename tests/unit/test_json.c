#include "agents/base/json.h"

#include <stdio.h>

#include "agents/base/digest.h"
#include "agents/base/text.h"
#include "tests/unit/check.h"

static json_t *parsed(void *ctx, const char *text)
{
    struct error err;
    json_t *value = NULL;
    assert_ok(json_parse(ctx, text, strlen(text), &value, &err), err);
    return value;
}

static const char *canonical(void *ctx, const char *text)
{
    struct error err;
    const char *out = NULL;
    assert_ok(json_canonical(ctx, parsed(ctx, text), &out, &err), err);
    return out;
}

/* The examples of RFC 8785 (3.2.2 without its floating-point numbers, and 3.2.3). */
static void rfc_8785_vectors(void **state)
{
    void *ctx = *state;
    assert_string_equal(
        "{\"literals\":[null,true,false],\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}",
        canonical(ctx, "{\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
                       "\"literals\": [null, true, false]}"));
    assert_string_equal(
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
        "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
        "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
        "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}",
        canonical(ctx, "{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\","
                       "\"\\ufb33\": \"Hebrew Letter Dalet With Dagesh\", \"1\": \"One\","
                       "\"\\ud83d\\ude00\": \"Emoji: Grinning Face\", \"\\u0080\": \"Control\","
                       "\"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}"));
}

static void canonical_ignores_order_and_space(void **state)
{
    void *ctx = *state;
    const char *one = canonical(ctx, "{\"b\":[1, 2],\"a\":{\"y\":-0,\"x\":9007199254740991}}");
    assert_string_equal("{\"a\":{\"x\":9007199254740991,\"y\":0},\"b\":[1,2]}", one);
    assert_string_equal(
        one, canonical(ctx, " {\"a\" : {\"x\":9007199254740991, \"y\":0}, \"b\":[1,2]}\n"));
    assert_string_equal("{\"a\":1,\"aa\":2,\"b\":3}", canonical(ctx, "{\"b\":3,\"aa\":2,\"a\":1}"));
}

static void canonical_refuses_what_has_no_form(void **state)
{
    void *ctx = *state;
    struct error err;
    const char *out = "untouched";
    assert_fails(json_canonical(ctx, parsed(ctx, "{\"a\":[1.5]}"), &out, &err), err, ERROR_INVALID,
                 "a: [0]");
    assert_fails(json_canonical(ctx, parsed(ctx, "9007199254740992"), &out, &err), err,
                 ERROR_INVALID, "9007199254740992");
    assert_string_equal("untouched", out);
}

static void strangers_json_is_refused(void **state)
{
    void *ctx = *state;
    static const char *const bad[] = {
        "",
        "{",
        "{} {}",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\"",
        "[1,]",
        "nul",
        "\"\xff\"",
        "\"\\ud800\"",
        "{\"a\":1}x",
        "1e999",
        "99999999999999999999",
    };
    struct error err;
    json_t *value = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (json_parse(ctx, bad[i], strlen(bad[i]), &value, &err))
            fail_msg("accepted: %s", bad[i]);
    assert_fails(json_parse(ctx, "1\0", 2, &value, &err), err, ERROR_INVALID, "");
    assert_null(value);
}

static void deep_nesting_is_refused_before_it_is_parsed(void **state)
{
    void *ctx = *state;
    struct error err;
    json_t *value = NULL;
    struct text t = text_init(ctx, TEXT_FILE);
    for (int i = 0; i < 200000; i++)
        text_addc(&t, i % 2 ? '[' : '[');
    assert_fails(json_parse(ctx, t.data, t.len, &value, &err), err, ERROR_INVALID, "deeper");
    /* Brackets in strings do not count, behind an escaped quote neither. */
    struct text s = text_init(ctx, TEXT_FILE);
    text_add(&s, "\"\\\"");
    for (int i = 0; i < 1000; i++)
        text_addc(&s, '[');
    text_addc(&s, '"');
    assert_ok(json_parse(ctx, s.data, s.len, &value, &err), err);
}

static void fields(void **state)
{
    void *ctx = *state;
    struct error err;
    json_t *object = parsed(
        ctx, "{\"name\":\"users\",\"port\":5432,\"on\":true,\"none\":null,\"list\":[\"a\",\"b\"]}");
    const char *text = "kept";
    int64_t n = 7;
    bool on = false;
    assert_fails(json_need_text(object, "nam", &text, &err), err, ERROR_INVALID,
                 "\"nam\" is missing");
    assert_fails(json_need_text(object, "port", &text, &err), err, ERROR_INVALID,
                 "expected a string");
    assert_fails(json_need_text(object, "none", &text, &err), err, ERROR_INVALID, "missing");
    assert_ok(json_may_text(object, "none", &text, &err), err);
    assert_string_equal("kept", text);
    assert_ok(json_need_text(object, "name", &text, &err), err);
    assert_string_equal("users", text);
    assert_fails(json_need_int(object, "name", &n, &err), err, ERROR_INVALID, "an integer");
    assert_ok(json_need_int(object, "port", &n, &err), err);
    assert_int_equal(5432, n);
    assert_ok(json_may_bool(object, "on", &on, &err), err);
    assert_true(on);
    const char *const *texts = NULL;
    size_t count = 0;
    assert_ok(json_to_texts(ctx, json_object_get(object, "list"), &texts, &count, &err), err);
    assert_int_equal(2, count);
    assert_string_equal("b", texts[1]);
    assert_fails(json_to_texts(ctx, parsed(ctx, "[\"a\",1]"), &texts, &count, &err), err,
                 ERROR_INVALID, "element 2");
}

static void digests(void **state)
{
    void *ctx = *state;
    struct error err;
    const char *out = NULL;
    /* FIPS 180-2, appendix B.1, and the empty message */
    assert_string_equal("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                        digest_text(ctx, "abc"));
    assert_string_equal("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                        digest_bytes(ctx, "", 0));
    assert_ok(digest_json(ctx, parsed(ctx, "{\"b\":1,\"a\":2}"), &out, &err), err);
    assert_string_equal(digest_text(ctx, "{\"a\":2,\"b\":1}"), out);
    assert_true(digest_is_valid(out));
    assert_false(
        digest_is_valid("sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"));
    assert_false(digest_is_valid("sha256:abc"));
    assert_int_equal(32, strlen(digest_random_id(ctx, 16)));
    assert_string_not_equal(digest_random_id(ctx, 16), digest_random_id(ctx, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(rfc_8785_vectors),
        test_with_ctx(canonical_ignores_order_and_space),
        test_with_ctx(canonical_refuses_what_has_no_form),
        test_with_ctx(strangers_json_is_refused),
        test_with_ctx(deep_nesting_is_refused_before_it_is_parsed),
        test_with_ctx(fields),
        test_with_ctx(digests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
