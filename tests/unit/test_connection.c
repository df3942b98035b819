/* The face of libpq, against a real server: FLOTILLA_TEST_CONNINFO names it, and
 * tests/scenario/test_inspect.py gives it one. Without it only what needs no server is tested. */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "agents/base/text.h"
#include "agents/pg/connection.h"

static struct error err;

static struct connection *connected(const void *ctx)
{
    struct connection_options options = { .conninfo = getenv("FLOTILLA_TEST_CONNINFO"),
                                          .tag = "test" };
    struct connection *connection = NULL;

    assert_ok(connection_open(ctx, &options, &connection, &err), err);
    return connection;
}

static const char *value(const void *ctx, struct connection *connection, const char *sql)
{
    struct rows *rows = NULL;

    assert_ok(connection_query(ctx, connection, sql, NULL, 0, &rows, &err), err);
    return rows_text(rows, 0, 0);
}

static void session_is_set_up(void **state)
{
    struct connection *c = connected(*state);

    assert_string_equal(value(*state, c, "SELECT current_setting('application_name')"),
                        "flotilla test");
    assert_string_equal(value(*state, c, "SELECT current_setting('search_path')"), "pg_catalog");
    assert_string_equal(value(*state, c,
                              "SELECT current_setting("
                              "'client_connection_check_interval')"),
                        "500ms");
    assert_string_equal(value(*state, c,
                              "SELECT current_setting("
                              "'idle_in_transaction_session_timeout')"),
                        "10s");
    assert_false(connection_facts(c)->pooled);
}

static void rows_keep_their_types(void **state)
{
    struct connection *c = connected(*state);
    const char *params[] = { "it's", NULL };
    struct rows *rows = NULL;
    const char *const *texts = NULL;

    assert_ok(connection_query(*state, c,
                               "SELECT $1::text AS a, $2::text, 9007199254740993, true,"
                               " ARRAY['x', 'b c', NULL, 'q\"\\', '']::text[]",
                               params, 2, &rows, &err),
              err);
    assert_string_equal(rows_text(rows, 0, 0), "it's");
    assert_true(rows_null(rows, 0, 1));
    assert_null(rows_text(rows, 0, 1));
    assert_true(rows_int(rows, 0, 2) == 9007199254740993);
    assert_true(rows_bool(rows, 0, 3));
    assert_int_equal(rows_texts(*state, rows, 0, 4, &texts), 5);
    assert_string_equal(texts[1], "b c");
    assert_string_equal(texts[2], "");
    assert_string_equal(texts[3], "q\"\\");
}

static void one_statement_is_one(void **state)
{
    struct connection *c = connected(*state);

    assert_fails(connection_exec(c, "SELECT 1; SELECT 2", &err), err, ERROR_DATABASE,
                 "multiple commands");
    assert_fails(connection_exec(c, " ", &err), err, ERROR_INVALID, "empty");
    assert_ok(connection_script(c, "SELECT 1; SELECT 2", &err), err);
}

static void errors_keep_their_state_and_tell_no_values(void **state)
{
    struct connection *c = connected(*state);

    assert_ok(
        connection_script(c,
                          "CREATE TEMP TABLE t (a int PRIMARY KEY, b text CHECK (b <> 's3cret'));"
                          "INSERT INTO pg_temp.t VALUES (4711, 'x')",
                          &err),
        err);
    static const struct {
        const char *sql, *sqlstate;
    } cases[] = {
        { "INSERT INTO pg_temp.t VALUES (4711, 'y')", "23505" },
        { "INSERT INTO pg_temp.t VALUES (5, 's3cret')", "23514" },
        { "SELECT 's3cret'::int", "22P02" },
        { "SELECT 's3cret'::date", "22007" },
        { "SELECT '{s3cret'::json", "22P02" },
        { "DO $$ BEGIN RAISE 'row \"s3cret\"' USING DETAIL = 's3cret', HINT = 's3cret'; END $$",
          "P0001" },
        { "SELECT 'a\"s3cret\"b'::int", "22P02" },
        { "SELECT encode('a'::bytea, 's3cret')", "22023" },
        { "DO $$ BEGIN RAISE 'row of %', 's3cret' USING ERRCODE = '42501', DETAIL = 's3cret',"
          " HINT = 's3cret'; END $$",
          "42501" },
        { "DO $$ BEGIN RAISE 'it''s ''s3cret'' of a@s3cret'; END $$", "P0001" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(connection_exec(c, cases[i].sql, &err), err,
                     strcmp(cases[i].sqlstate, "42501") == 0 ? ERROR_RIGHTS : ERROR_DATABASE,
                     "SQLSTATE");
        assert_string_equal(err.sqlstate, cases[i].sqlstate);
        assert_null(strstr(err.message, "s3cret"));
        assert_null(strstr(err.detail, "s3cret"));
        assert_null(strstr(err.hint, "s3cret"));
        assert_null(strstr(err.detail, "4711"));
    }
    assert_ok(connection_script(c, "CREATE TEMP VIEW v AS SELECT a FROM pg_temp.t", &err), err);
    assert_fails(connection_exec(c, "ALTER TABLE pg_temp.t DROP COLUMN a", &err), err,
                 ERROR_DATABASE, "cannot drop column a");
    assert_non_null(strstr(err.detail, "view v depends on column a"));
}

static void codes_come_from_sqlstates(void **state)
{
    struct connection *c = connected(*state), *other = connected(*state);

    assert_ok(connection_exec(c, "SET statement_timeout = 50", &err), err);
    assert_fails(connection_exec(c, "SELECT pg_sleep(5)", &err), err, ERROR_TIMEOUT, "57014");
    assert_ok(connection_script(c,
                                "SET statement_timeout = 0; SET lock_timeout = 50;"
                                "SELECT pg_advisory_lock(1)",
                                &err),
              err);
    assert_ok(connection_exec(other, "SET lock_timeout = 50", &err), err);
    assert_fails(connection_exec(other, "SELECT pg_advisory_lock(1)", &err), err,
                 ERROR_LOCK_TIMEOUT, "55P03");
    assert_fails(connection_exec(c, "SELECT pg_terminate_backend(pg_backend_pid())", &err), err,
                 ERROR_CONNECT, "57P01");
    assert_true(connection_lost(err.code));
    assert_int_equal(connection_state(c), CONNECTION_BROKEN);
    assert_fails(connection_exec(c, "SELECT 1", &err), err, ERROR_CONNECT, "");
}

static bool stop_at_three(void *data, int64_t elapsed_ms)
{
    int *ticks = data;

    (void)elapsed_ms;
    return ++*ticks < 3;
}

static void a_watch_ticks_and_cancels(void **state)
{
    struct connection *c = connected(*state);
    int ticks = 0;
    struct connection_watch watch = { .every_ms = 20, .tick = stop_at_three, .data = &ticks };

    assert_fails(connection_query_watched(*state, c, "SELECT pg_sleep(60)", &watch, NULL, &err),
                 err, ERROR_CANCELLED, "cancelled after");
    assert_int_equal(ticks, 3);
    watch = (struct connection_watch){ .timeout_ms = 50 };
    assert_fails(connection_query_watched(*state, c, "SELECT pg_sleep(60)", &watch, NULL, &err),
                 err, ERROR_TIMEOUT, "no end within");
    assert_string_equal(value(*state, c, "SELECT 'goes on'"), "goes on");
}

struct copied {
    struct text text;
    size_t chunks, stop_at;
};

static bool take(void *data, const char *chunk, size_t len, struct error *e)
{
    struct copied *copied = data;

    text_addn(&copied->text, chunk, len);
    if (++copied->chunks == copied->stop_at)
        return fail(e, ERROR_NO_SPACE, "full");
    return true;
}

static bool give(void *data, const char **chunk, size_t *len, struct error *e)
{
    struct copied *copied = data;

    if (++copied->chunks == copied->stop_at)
        return fail(e, ERROR_IO, "cannot read on");
    *chunk = "1\ta\n2\tb\n";
    *len = copied->chunks > 3 ? 0 : strlen(*chunk);
    return true;
}

static void copies_stream_both_ways(void **state)
{
    struct connection *c = connected(*state);
    struct copied copied = { .text = text_init(*state, TEXT_FILE) };
    int64_t count = 0;

    assert_ok(connection_exec(c, "CREATE TEMP TABLE t (a int, b text)", &err), err);
    assert_ok(connection_copy_in(c, "COPY pg_temp.t FROM STDIN", give, &copied, &count, &err), err);
    assert_int_equal(count, 6);
    copied.chunks = 0;
    assert_ok(connection_copy_out(c, "COPY pg_temp.t TO STDOUT", take, &copied, &count, &err), err);
    assert_int_equal(count, 6);
    assert_int_equal(copied.chunks, 6);
    assert_true(text_starts(copied.text.data, "1\ta\n2\tb\n"));
}

static void a_copy_given_up_leaves_the_connection_usable(void **state)
{
    struct connection *c = connected(*state);
    struct copied copied = { .text = text_init(*state, TEXT_FILE), .stop_at = 2 };

    assert_ok(connection_exec(c, "CREATE TEMP TABLE t (a int, b text)", &err), err);
    assert_fails(connection_copy_in(c, "COPY pg_temp.t FROM STDIN", give, &copied, NULL, &err), err,
                 ERROR_IO, "cannot read on");
    assert_string_equal(value(*state, c, "SELECT count(*) FROM pg_temp.t"), "0");
    copied.chunks = 0;
    assert_fails(connection_copy_out(c, "COPY (SELECT generate_series(1, 1000000)) TO STDOUT", take,
                                     &copied, NULL, &err),
                 err, ERROR_NO_SPACE, "full");
    assert_fails(connection_copy_out(c, "SELECT 1", take, &copied, NULL, &err), err, ERROR_INVALID,
                 "not a COPY");
    assert_fails(connection_exec(c, "COPY pg_temp.t FROM STDIN", &err), err, ERROR_INVALID,
                 "cannot be run like this");
    assert_fails(connection_exec(c, "COPY pg_temp.t TO STDOUT", &err), err, ERROR_INVALID,
                 "cannot be run like this");
    assert_string_equal(value(*state, c, "SELECT 'goes on'"), "goes on");
}

static void a_bad_connection_string_is_not_repeated(void **state)
{
    struct connection *c = NULL;
    struct connection_options options = { .conninfo = "password=s3cret host" };

    assert_fails(connection_open(*state, &options, &c, &err), err, ERROR_INVALID,
                 "cannot be parsed");
    assert_null(strstr(err.message, "s3cret"));
    options.conninfo = "host=127.0.0.1 port=1 dbname=x";
    assert_fails(connection_open(*state, &options, &c, &err), err, ERROR_CONNECT, "port 1");
    assert_non_null(strstr(err.hint, "pg_isready"));
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(session_is_set_up),
        test_with_ctx(rows_keep_their_types),
        test_with_ctx(one_statement_is_one),
        test_with_ctx(errors_keep_their_state_and_tell_no_values),
        test_with_ctx(codes_come_from_sqlstates),
        test_with_ctx(a_watch_ticks_and_cancels),
        test_with_ctx(copies_stream_both_ways),
        test_with_ctx(a_copy_given_up_leaves_the_connection_usable),
        test_with_ctx(a_bad_connection_string_is_not_repeated),
    };
    const struct CMUnitTest without_server[] = {
        test_with_ctx(a_bad_connection_string_is_not_repeated),
    };
    if (!getenv("FLOTILLA_TEST_CONNINFO"))
        return cmocka_run_group_tests(without_server, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
