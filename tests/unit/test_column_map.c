/* Expressions with their columns exchanged: what is a column of the table, and what only looks so.
 */
#include "controller/work/column_map.h"

#include "agents/base/mem.h"
#include "tests/unit/check.h"

static void mapped(void **state)
{
    static const char *const cases[][2] = {
        { "USING btree (email)", "USING btree (\"new\")" },
        { "USING btree (lower(email) text_pattern_ops)",
          "USING btree (lower(\"new\") text_pattern_ops)" },
        { "CHECK ((email ~~ '%email%'::text))", "CHECK ((\"new\" ~~ '%email%'::text))" },
        { "email(email)", "email(\"new\")" },
        { "(x)::email", "(x)::email" },
        { "other.email", "other.email" },
        { "WHEN ((old.email IS DISTINCT FROM new.email))",
          "WHEN ((old.\"new\" IS DISTINCT FROM new.\"new\"))" },
        { "x AS email", "x AS email" },
        { "\"email\" || E'\\'email' || $q$email$q$ -- email",
          "\"new\" || E'\\'email' || $q$email$q$ -- email" },
        { "EMAIL = \"EMAIL\"", "\"new\" = \"EMAIL\"" },
        { "a /* email */ + email", "a /* email */ + \"new\"" },
        { "'unterminated email", "'unterminated email" },
        { "(email AT TIME ZONE 'UTC')::timestamp(3) with time zone",
          "(\"new\" AT TIME ZONE 'UTC')::timestamp(3) with time zone" },
        { "(((zeta IS NULL)), \"null\")", "(((zeta IS NULL)), \"null_new\")" },
    };
    struct column_map map[] = { { "email", "\"new\"" },
                                { "time", "x" },
                                { "zone", "x" },
                                { "at", "x" },
                                { "null", "\"null_new\"" } };
    const struct column_maps maps = { map, 5 };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SCOPE(tmp);
        assert_string_equal(columns_mapped(tmp, cases[i][0], &maps), cases[i][1]);
    }
}

static void mentioned(void **state)
{
    (void)state;
    assert_true(column_mentioned("SELECT u.email FROM users u", "email"));
    assert_true(
        column_mentioned("CREATE TRIGGER t BEFORE UPDATE OF email ON public.users", "email"));
    assert_false(column_mentioned("SELECT 'email', email(1)", "email"));
    assert_false(column_mentioned(NULL, "email"));
    assert_false(column_mentioned("a IS NULL", "null"));
    assert_true(column_mentioned("\"null\" IS NULL", "null"));
}

static void keyword(void **state)
{
    (void)state;
    assert_string_equal(
        text_from_keyword("CREATE INDEX \"USING x\" ON public.t USING btree (a)", "USING"),
        "USING btree (a)");
    assert_null(text_from_keyword("nothing of that kind", "USING"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapped),
        cmocka_unit_test(mentioned),
        cmocka_unit_test(keyword),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
