/* Scalar expressions and the names of types. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/expression.h"

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expressions_are_one_and_known(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct sql_expression *e = NULL;
    struct error err = { 0 };
    assert_true(sql_expression_check(tmp, "coalesce(t.a, app.f(b))::text", &e, &err));
    assert_int_equal(e->volatility, SQL_UNKNOWN);
    assert_string_equal(e->unknown.items[0], "app.f");
    assert_int_equal(e->columns.count, 2);
    assert_string_equal(e->qualified.items[0], "t.a");
    assert_true(sql_expression_check(tmp, "(SELECT max(x) FROM t)", &e, &err));
    assert_true(e->subselect && e->aggregate);
    assert_true(sql_expression_check(tmp, "gen_random_uuid()", &e, &err));
    assert_int_equal(e->volatility, SQL_VOLATILE);
    assert_true(sql_expression_check(tmp, "'{}'::jsonb", &e, &err));
    assert_true(e->constant);
    static const char *const bad[] = {
        "",  "a, b",       "a; DROP TABLE t", "a FROM t",     "a AS b", "a -- x",
        "*", "DISTINCT a", "a) , (b",         "1 WHERE true", "'open"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (sql_expression_check(tmp, bad[i], &e, &err))
            fail_msg("accepted: %s", bad[i]);
    assert_false(text_empty(err.hint));
}

static void types_are_spelled_as_the_server_does(void **state)
{
    (void)state;
    SCOPE(tmp);
    static const struct {
        const char *written, *shown;
    } types[] = {
        { "int8", "bigint" },
        { "INT", "integer" },
        { "varchar(50)", "character varying(50)" },
        { "decimal(10, 2)", "numeric(10,2)" },
        { "numeric(5)", "numeric(5,0)" },
        { "timestamptz", "timestamp with time zone" },
        { "timestamp(3)[]", "timestamp(3) without time zone[]" },
        { "char", "character(1)" },
        { "double precision", "double precision" },
        { "interval day to second(3)", "interval day to second(3)" },
        { "app.\"Mood\"", "app.\"Mood\"" },
        { "text[][]", "text[]" },
        { "bit varying(8)", "bit varying(8)" },
        { "uuid", "uuid" },
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const char *shown = NULL;
        struct error err = { 0 };
        if (!sql_type_normalise(tmp, types[i].written, &shown, &err))
            fail_msg("%s: %s", types[i].written, err.message);
        assert_string_equal(shown, types[i].shown);
    }
    const char *none;
    struct error err = { 0 };
    assert_false(sql_type_normalise(tmp, "int, text", &none, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_one_and_known),
        cmocka_unit_test(types_are_spelled_as_the_server_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
