/* The lock table against the measurements: every statement kind of tests/golden/locks/truth.tsv, on
 * every version that it was measured on, gives exactly the measured locks, rewrite, scan and
 * transaction, from the fixtures and set-up statements alone. */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "agents/base/file.h"
#include "agents/base/text.h"
#include "controller/judge/judge.h"
#include "controller/judge/locks.h"

enum { FIELDS = 9, ROWS = 2000, WRONG_SHOWN = 60 };
enum { VERSIONS, ID, SETUP, STATEMENT, RELATION, MODE, REWRITE, SCAN, TRANSACTION };

struct row {
    const char *field[FIELDS];
    int from, to;
};

struct truth {
    struct row rows[ROWS];
    size_t count;
    const char *fixtures;
    int wrong;
};

static void rows_read(const void *ctx, struct truth *truth)
{
    struct error err;
    const char *data;
    size_t len;
    assert_ok(
        file_read(ctx, "tests/golden/locks/fixtures.sql", TEXT_SQL, &truth->fixtures, &len, &err),
        err);
    assert_ok(file_read(ctx, "tests/golden/locks/truth.tsv", TEXT_FILE, &data, &len, &err), err);
    for (const char *line = data; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        if (*line != '#' && n > 0) {
            assert_true(truth->count < ROWS);
            struct row *r = &truth->rows[truth->count++];
            const char *p = line;
            for (int f = 0; f < FIELDS; f++) {
                size_t k = strcspn(p, "\t\n");
                r->field[f] = mem_textn(ctx, p, k);
                p += k + (p[k] == '\t');
            }
            char *end;
            r->from = r->to = (int)strtol(r->field[VERSIONS], &end, 10);
            if (*end == '-')
                r->to = (int)strtol(end + 1, NULL, 10);
        }
        line += n + (line[n] == '\n');
    }
}

static void run(const void *ctx, struct judge *judge, const char *sql, struct verdict **last)
{
    struct error err;
    struct script *script;
    struct verdict *v = NULL;
    assert_ok(sql_parse(ctx, sql, strlen(sql), &script, &err), err);
    for (size_t i = 0; i < script->count; i++) {
        if (script->statements[i].problem)
            fail_msg("%s: %s", script->statements[i].sql, script->statements[i].problem->message);
        assert_ok(statement_judge(ctx, judge, &script->statements[i], &v, &err), err);
    }
    if (last)
        *last = v;
}

/* The fixture of that name: the text between its mark and the next. */
static void fixture(const void *ctx, const struct truth *truth, struct judge *judge,
                    const char *name)
{
    const char *mark = mem_printf(ctx, "-- fx:%s\n", name);
    const char *at = strstr(truth->fixtures, mark);
    if (!at)
        fail_msg("no fixture %s", name);
    const char *end = strstr(at + 1, "-- fx:");
    run(ctx, judge, end ? mem_textn(ctx, at, (size_t)(end - at)) : at, NULL);
}

static void prepare(const void *ctx, const struct truth *truth, struct judge *judge,
                    const char *setup)
{
    run(ctx, judge, "SET TimeZone = 'UTC'", NULL);
    const char *p = setup + strlen("fx:");
    size_t n = strcspn(p, " ");
    for (size_t i = 0; i < n;) {
        size_t k = strcspn(p + i, ", ");
        if (k > 0)
            fixture(ctx, truth, judge, mem_textn(ctx, p + i, k));
        i += k + 1;
    }
    const char *more = strstr(setup, " | ");
    if (more) {
        struct text sql = text_init(ctx, TEXT_SQL);
        for (const char *s = more + 3; *s != '\0'; s++) {
            if (strncmp(s, "{N}", 3) == 0) {
                text_add(&sql, "5000");
                s += 2;
            } else {
                text_addc(&sql, *s);
            }
        }
        run(ctx, judge, sql.data, NULL);
    }
    judge_settle(judge);
}

static void wrong(struct truth *truth, const struct row *r, int version, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void wrong(struct truth *truth, const struct row *r, int version, const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (truth->wrong++ < WRONG_SHOWN)
        print_error("%s (PostgreSQL %d): %s\n    %s | %s\n", r->field[ID], version, what,
                    r->field[SETUP], r->field[STATEMENT]);
}

static const char *relation_key(const void *ctx, const struct row *r)
{
    const char *s = r->field[RELATION];
    if (strcmp(r->field[ID], "set_schema") == 0)
        s = "t"; /* measured after the statement: s2.t */
    size_t n = strcspn(s, "(");
    return memchr(s, '.', n) ? mem_textn(ctx, s, n) : mem_printf(ctx, "public.%.*s", (int)n, s);
}

static void check_lock(const void *ctx, struct truth *truth, const struct row *r, int version,
                       const struct verdict *v)
{
    const char *key = relation_key(ctx, r);
    for (size_t i = 0; i < v->lock_count; i++) {
        const struct verdict_lock *l = &v->locks[i];
        if (strcmp(l->relation, key) != 0)
            continue;
        if (strcmp(lock_mode_name(l->mode), r->field[MODE]) != 0)
            wrong(truth, r, version, "%s: %s, measured %s", key, lock_mode_name(l->mode),
                  r->field[MODE]);
        bool sequence = strstr(r->field[RELATION], "(seq)");
        if (*r->field[REWRITE] != '-' && !sequence && l->rewrite != (*r->field[REWRITE] == 'y'))
            wrong(truth, r, version, "%s: rewrite %d", key, l->rewrite);
        bool inserted = strcmp(r->field[ID], "insert_select") == 0; /* its own new rows count */
        if (*r->field[SCAN] != '-' && !inserted && l->scan != (*r->field[SCAN] == 'y'))
            wrong(truth, r, version, "%s: scan %d", key, l->scan);
        return;
    }
    wrong(truth, r, version, "%s is not locked, measured %s", key, r->field[MODE]);
}

static bool measured(const void *ctx, const struct truth *truth, const struct row *of, int version,
                     const char *relation)
{
    for (size_t i = 0; i < truth->count; i++) {
        const struct row *r = &truth->rows[i];
        if (strcmp(r->field[ID], of->field[ID]) == 0 && version >= r->from && version <= r->to &&
            strcmp(relation_key(ctx, r), relation) == 0)
            return true;
    }
    return false;
}

static void check_locks(const void *ctx, struct truth *truth, const struct row *r, int version,
                        const struct verdict *v)
{
    for (size_t i = 0; i < truth->count; i++) {
        const struct row *each = &truth->rows[i];
        if (strcmp(each->field[ID], r->field[ID]) == 0 && version >= each->from &&
            version <= each->to && *each->field[RELATION] != '-')
            check_lock(ctx, truth, each, version, v);
    }
    for (size_t i = 0; i < v->lock_count; i++)
        if (!measured(ctx, truth, r, version, v->locks[i].relation) && !v->fails)
            wrong(truth, r, version, "%s: %s, measured none", v->locks[i].relation,
                  lock_mode_name(v->locks[i].mode));
}

static void check_statement(struct truth *truth, size_t first, int version)
{
    SCOPE(tmp);
    const struct row *r = &truth->rows[first];
    /* An empty catalog: nothing exists but what the fixtures make. */
    struct catalog nothing = { .server_version = version * 10000, .time_zone = "UTC" };
    struct judge *judge = judge_new(tmp, &nothing, 0);
    struct verdict *v = NULL;
    judge_assume_rows(judge, "*", 5000);
    prepare(tmp, truth, judge, r->field[SETUP]);
    if (strcmp(r->field[ID], "add_col_notnull_no_default_empty") == 0)
        judge_assume_rows(judge, "*", 0);
    judge_assume_transaction(judge, true);
    run(tmp, judge, r->field[STATEMENT], &v);
    const char *can = r->field[TRANSACTION];
    if (strcmp(can, "error") == 0) {
        if (!v->fails)
            wrong(truth, r, version, "does not say that it fails");
        return;
    }
    if (!v->version_ok)
        wrong(truth, r, version, "said not to know it");
    if (v->transaction != (strcmp(can, "yes") == 0))
        wrong(truth, r, version, "transaction %d", v->transaction);
    if (v->fails && strcmp(can, "yes") == 0)
        wrong(truth, r, version, "said to fail: %s", v->fails);
    check_locks(tmp, truth, r, version, v);
}

static void every_measured_statement_is_judged_right(void **state)
{
    struct truth *truth = mem_new(*state, struct truth);
    rows_read(*state, truth);
    int checked = 0;
    for (size_t i = 0; i < truth->count; i++) {
        const struct row *r = &truth->rows[i];
        for (int version = r->from; version <= r->to; version++) {
            bool seen = false;
            for (size_t j = 0; j < i && !seen; j++)
                seen = strcmp(truth->rows[j].field[ID], r->field[ID]) == 0 &&
                       version >= truth->rows[j].from && version <= truth->rows[j].to;
            if (!seen) {
                check_statement(truth, i, version);
                checked++;
            }
        }
    }
    if (truth->wrong > 0)
        fail_msg("%d of the answers about %d statements are wrong", truth->wrong, checked);
    assert_true(checked > 1300);
}

/* Every row of the table names a measurement that was made on the versions it claims. */
static void every_row_has_its_source(void **state)
{
    struct truth *truth = mem_new(*state, struct truth);
    rows_read(*state, truth);
    for (int e = 0; e < EFFECT_COUNT; e++) {
        const struct lock_row *row = lock_row((enum effect)e);
        int from = 99, to = 0;
        for (size_t i = 0; i < truth->count; i++) {
            const struct row *r = &truth->rows[i];
            if (strcmp(r->field[ID], row->source) == 0) {
                from = r->from < from ? r->from : from;
                to = r->to > to ? r->to : to;
            }
        }
        bool cases = strstr(row->source, ".cases") != NULL; /* measured anew whenever they run */
        if (!cases && (from > row->first || to < row->last))
            fail_msg("%s is not measured on %d to %d", row->source, row->first, row->last);
        assert_int_equal(judge_facts(row->first), FACTS_MEASURED);
    }
    assert_int_equal(judge_facts(14), FACTS_DOCUMENTED);
    assert_int_equal(judge_facts(13), FACTS_UNPROVEN);
    assert_int_equal(judge_facts(19), FACTS_UNPROVEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_measured_statement_is_judged_right, ctx_setup,
                                        ctx_teardown),
        cmocka_unit_test_setup_teardown(every_row_has_its_source, ctx_setup, ctx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
