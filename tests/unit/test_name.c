/* Names of objects: every form reads and writes back; what is no name is refused with a reason. */
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct object_name parsed(const void *ctx, const char *s)
{
    struct object_name name = { 0 };
    struct error err = { 0 };
    if (!object_name_parse(ctx, s, &name, &err))
        fail_msg("%s: %s", s, err.message);
    return name;
}

static void reads_all_forms(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct object_name name = parsed(tmp, "users");
    assert_null(name.service);
    assert_null(name.schema);
    assert_string_equal(name.name, "users");
    assert_int_equal(name.column_count, 0);

    name = parsed(tmp, "shop:public.orders(user_id, \"odd,col\")");
    assert_string_equal(name.service, "shop");
    assert_string_equal(name.schema, "public");
    assert_string_equal(name.name, "orders");
    assert_int_equal(name.column_count, 2);
    assert_string_equal(name.columns[0], "user_id");
    assert_string_equal(name.columns[1], "odd,col");

    name = parsed(tmp, "\"odd.schema\".t");
    assert_string_equal(name.schema, "odd.schema");
    assert_string_equal(name.name, "t");
    name = parsed(tmp, "  a : b . c ( d ) ");
    assert_string_equal(name.service, "a");
    assert_string_equal(name.schema, "b");
    assert_string_equal(name.name, "c");
    assert_string_equal(name.columns[0], "d");
    name = parsed(tmp, "LoginHistory");
    assert_string_equal(name.name, "LoginHistory");
    name = parsed(tmp, "Login History");
    assert_string_equal(name.name, "Login History");
    name = parsed(tmp, "\"a\"\"b\"");
    assert_string_equal(name.name, "a\"b");
}

static void writes_one_spelling(void **state)
{
    (void)state;
    static const char *const same[] = {
        "users",
        "users:users(id)",
        "shop:public.orders(user_id, \"odd,col\")",
        "\"odd.schema\".t",
        "\"a:b\":\"c.d\".\"e(f)\"(\"g\"\"h\")",
        "W\303\244hrungen",
        "\" spaced \"",
        "order",
    };
    SCOPE(tmp);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        struct object_name name = parsed(tmp, same[i]);
        assert_string_equal(object_name_text(tmp, &name), same[i]);
    }
    struct object_name name = parsed(tmp, "\"plain\"(\"x\",y)");
    assert_string_equal(object_name_text(tmp, &name), "plain(x, y)");
}

static void refuses_what_is_no_name(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",    " ",   ".",      "a.",      ".a",     "a:",         ":a",     "a.b.c", "a:b:c",
        "a(",  "a()", "a(b",    "a(b,)",   "a(b)c",  "\"a",        "\"\"",   "a\"b",  "a,b",
        "(a)", "a)",  "a(b.c)", "a(b)(c)", "\"a\"b", "a:b.c(d):e", "a.\"\"",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SCOPE(tmp);
        struct object_name name = { .name = "untouched" };
        struct error err = { 0 };
        if (object_name_parse(tmp, wrong[i], &name, &err))
            fail_msg("\"%s\" was taken for a name", wrong[i]);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(name.name, "untouched");
        assert_non_null(strstr(err.message, "is no name of an object"));
    }
}

static void bounds_columns(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct text t = text_init(tmp, TEXT_FILE);
    text_add(&t, "t(c");
    for (int i = 0; i < 100000; i++)
        text_add(&t, ",c");
    text_add(&t, ")");
    struct object_name name;
    struct error err;
    assert_false(object_name_parse(tmp, t.data, &name, &err));
}

static void quotes_for_sql(void **state)
{
    (void)state;
    SCOPE(tmp);
    assert_string_equal(object_name_sql(tmp, "public", "order"), "\"public\".\"order\"");
    assert_string_equal(object_name_sql(tmp, NULL, "a\"b"), "\"a\"\"b\"");
    assert_string_equal(object_name_join(tmp, "public", "a.b"), "public.\"a.b\"");
    assert_string_equal(object_name_join(tmp, NULL, "t"), "t");
}

static void fits_names(void **state)
{
    (void)state;
    SCOPE(tmp);
    char name[80];
    memset(name, 'x', sizeof(name));
    name[63] = '\0';
    assert_string_equal(object_name_fit(tmp, name), name);
    name[63] = 'x';
    name[64] = '\0';
    const char *fit = object_name_fit(tmp, name);
    assert_int_equal(strlen(fit), 63);
    name[63] = 'y';
    assert_string_not_equal(object_name_fit(tmp, name), fit);

    /* 53 bytes, then two-byte characters: the cut at 54 would split one. */
    char wide[80] = "";
    memset(wide, 'x', 53);
    for (int i = 0; i < 10; i++)
        memcpy(wide + 53 + 2 * i, "\303\244", 2);
    fit = object_name_fit(tmp, wide);
    assert_true(strlen(fit) <= 63);
    assert_true(text_is_utf8(fit, strlen(fit)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_forms),         cmocka_unit_test(writes_one_spelling),
        cmocka_unit_test(refuses_what_is_no_name), cmocka_unit_test(bounds_columns),
        cmocka_unit_test(quotes_for_sql),          cmocka_unit_test(fits_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
