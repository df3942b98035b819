/* What a stranger may ask to count by, and which statements leave their place. */
#include "agents/agent/inside.h"
#include "agents/agent/predicate.h"
#include "tests/unit/check.h"

static void expressions_are_let_through(void **state)
{
    static const char *const good[] = {
        "true",
        "email IS NULL",
        "id > 100 AND (note IS NOT NULL OR length(email) < 3)",
        "\"Odd \"\"name\" IN (1, 2, 3) AND a.b = 'it''s'",
        "at < timestamp with time zone '2024-01-01' AND n::numeric(10,2) = round(n)",
        "tags @> ARRAY['x'] AND doc ->> 'k' = 'v' AND list[1] = 2",
        "a IS DISTINCT FROM b AND flags&4 = 0 AND extract(year from at) = 2024",
        "CASE WHEN (a = 1) THEN (b) ELSE (c) END",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct error err = { 0 };
        if (!predicate_check(good[i], &err))
            fail_msg("%s: %s", good[i], err.message);
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "true) UNION SELECT 1 WHERE (true",
        "id = (SELECT 1)",
        "id = (TABLE t)",
        "id IN (VALUES (1))",
        "(WITH x AS (DELETE FROM t RETURNING 1) TABLE x) = 1",
        "pg_sleep(9) IS NULL",
        "pg_sleep /**/ (9) IS NULL",
        "\"pg_sleep\"(9) IS NULL",
        "pg_catalog.pg_terminate_backend(1)",
        "lower (dblink('x', 'y')) = 'z'",
        "true; DROP TABLE t",
        "true -- ",
        "true /* ",
        "E'\\' OR pg_sleep(1)' = ''",
        "'\\' = ''",
        "$$x$$ = ''",
        "U&'\\0061' = ''",
        "id = $1",
        "'open",
        "((true)",
        "(true]",
        "a)(b",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = { 0 };
        if (predicate_check(bad[i], &err))
            fail_msg("let through: %s", bad[i]);
    }
}

static void transactions_are_the_agents(void **state)
{
    (void)state;
    assert_true(statement_ends_transaction("COMMIT"));
    assert_true(statement_ends_transaction(" ;\n-- x\n/* /* a */ b */ RollBack to x"));
    assert_true(statement_ends_transaction("end"));
    assert_true(statement_ends_transaction("PREPARE TRANSACTION 'x'"));
    assert_false(statement_ends_transaction("PREPARE x AS SELECT 1"));
    assert_false(statement_ends_transaction("COMMENT ON TABLE a IS 'COMMIT'"));
    assert_false(statement_ends_transaction("SAVEPOINT a"));
    assert_false(statement_ends_transaction("/* COMMIT"));
    assert_false(statement_ends_transaction(""));
}

static void the_server_is_not_rehearsed(void **state)
{
    (void)state;
    assert_true(statement_is_for_server("DROP DATABASE users WITH (FORCE)"));
    assert_true(statement_is_for_server("/**/create--\n role x"));
    assert_true(statement_is_for_server("ALTER SYSTEM SET x = 1"));
    assert_true(statement_is_for_server("ALTER USER x PASSWORD 'y'"));
    assert_false(statement_is_for_server("ALTER USER MAPPING FOR x SERVER y OPTIONS (a 'b')"));
    assert_false(statement_is_for_server("CREATE TABLE database (id int)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_let_through),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(transactions_are_the_agents),
        cmocka_unit_test(the_server_is_not_rehearsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
