/* The linter's labelled corpus (tests/golden/lint): unsafe, safe and near misses, each with exactly
 * the rules that it must raise; every rule's own example; that rewrites parse and are clean. */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "agents/base/file.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"

static const struct catalog nothing = { .server_version = 150000, .time_zone = "UTC" };

static void run(const void *ctx, struct judge *judge, const char *sql)
{
    struct error err;
    struct script *script;
    struct verdict *v;
    assert_ok(sql_parse(ctx, sql, strlen(sql), &script, &err), err);
    for (size_t i = 0; i < script->count; i++)
        assert_ok(statement_judge(ctx, judge, &script->statements[i], &v, &err), err);
}

/* s or c, then t, a, b, a version. */
static struct lint_result *linted(const void *ctx, const char *mode, const char *world,
                                  const char *sql)
{
    struct error err;
    struct lint_result *result = NULL;
    bool catalog = mode[0] == 'c';
    const char *digits = mode + strcspn(mode, "0123456789");
    int version = *digits ? (int)strtol(digits, NULL, 10) : 15;
    struct judge *judge = judge_new(ctx, catalog ? &nothing : NULL, version);
    if (catalog) {
        run(ctx, judge, world);
        judge_settle(judge);
        judge_assume_rows(judge, "*", 1000000);
        judge_assume_rows(judge, "small", 10);
        judge_assume_rows(judge, "post_empty", 0);
    }
    judge_assume_transaction(judge, strchr(mode, 't') != NULL);
    const struct lint_options options = { .all = strchr(mode, 'a') != NULL };
    const char *text =
        strchr(mode, 'b') ? sql : mem_printf(ctx, "SET lock_timeout = '2s';\n%s", sql);
    assert_ok(lint_with(ctx, judge, text, strlen(text), &options, &result, &err), err);
    return result;
}

static struct sql_texts raised(const void *ctx, const struct lint_result *r)
{
    struct sql_texts out = { NULL, 0 };
    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < r->statements[i].count; k++)
            if (!sql_texts_have(&out, r->statements[i].findings[k].rule->id))
                sql_texts_add(ctx, &out, r->statements[i].findings[k].rule->id);
    return out;
}

static struct sql_texts words(const void *ctx, const char *s)
{
    struct sql_texts out = { NULL, 0 };
    while (*s != '\0') {
        size_t n = strcspn(s, " ");
        if (n > 0 && *s != '-')
            sql_texts_add(ctx, &out, mem_textn(ctx, s, n));
        s += n + (s[n] == ' ');
    }
    return out;
}

static const char *joined(const void *ctx, const struct sql_texts *list)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < list->count; i++)
        text_addf(&t, "%s%s", i > 0 ? " " : "", list->items[i]);
    return t.data;
}

static bool all_in(const struct sql_texts *a, const struct sql_texts *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!sql_texts_have(b, a->items[i]))
            return false;
    return true;
}

/* \\n and \\\\ of a line become what they stand for. */
static void unescape(char *s)
{
    char *to = s;
    for (; *s != '\0'; s++) {
        bool pair = s[0] == '\\' && (s[1] == 'n' || s[1] == '\\');
        *to++ = !pair ? *s : s[1] == 'n' ? '\n' : '\\';
        s += pair;
    }
    *to = '\0';
}

static bool case_met(const char *world, const char *line, size_t n)
{
    SCOPE(tmp);
    const char *mode = mem_textn(tmp, line, n);
    char *expected = strchr(mode, '\t'), *sql = expected ? strchr(expected + 1, '\t') : NULL;
    if (!sql)
        fail_msg("not three fields: %s", mode);
    *expected++ = *sql++ = '\0';
    unescape(sql);
    struct sql_texts want = words(tmp, expected);
    struct sql_texts got = raised(tmp, linted(tmp, mode, world, sql));
    bool some = strchr(mode, 'a') != NULL;
    if (all_in(&want, &got) && (some || all_in(&got, &want)))
        return true;
    print_error("%s | %s\n    wanted: %s\n    raised: %s\n", mode, sql, joined(tmp, &want),
                joined(tmp, &got));
    return false;
}

#define WORLD "tests/golden/lint/world.sql"

static void labels_met(const void *ctx, const char *path, const char *database, size_t least)
{
    struct error err;
    const char *cases, *world;
    size_t len, count = 0, wrong = 0;
    assert_ok(file_read(ctx, database, TEXT_SQL, &world, &len, &err), err);
    assert_ok(file_read(ctx, path, TEXT_SQL, &cases, &len, &err), err);
    for (const char *line = cases; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        if (*line != '#' && n > 0) {
            wrong += !case_met(world, line, n);
            count++;
        }
        line += n + (line[n] == '\n');
    }
    assert_true(count >= least);
    if (wrong > 0)
        fail_msg("%s: %zu of %zu labels are not met", path, wrong, count);
}

static void every_label_is_met(void **state)
{
    labels_met(*state, "tests/golden/lint/cases.tsv", WORLD, 250);
}

static void every_label_of_the_corpus_is_met(void **state)
{
    labels_met(*state, "tests/golden/lint/corpus.tsv", WORLD, 500);
}

static void every_label_of_the_teams_is_met(void **state)
{
    labels_met(*state, "tests/golden/lint/teams.tsv", "tests/golden/lint/teams.sql", 500);
}

static void every_rule_raises_its_example(void **state)
{
    /* Rules that need a catalog, the fleet, rows, or the order of files, to say anything: their
     * cases are in tests/scenario/test_lint_catalog.py. */
    static const char *const apart[] = { "invalid-index-leftover",
                                         "column-type-recheck",
                                         "type-narrowing",
                                         "pk-index-nullable-scan",
                                         "history-nonlinear",
                                         "extension-unavailable",
                                         "dependents-elsewhere",
                                         "published-table-change",
                                         "privileges-lost",
                                         "rows-violate",
                                         "not-analysed" };
    const struct sql_texts skip = { (const char **)(uintptr_t)apart, sizeof apart / sizeof *apart };
    size_t count;
    const struct rule *const *rules = rules_all(&count);
    assert_true(count >= 103);
    for (size_t i = 0; i < count; i++) {
        assert_false(text_empty(rules[i]->why) || text_empty(rules[i]->instead));
        struct sql_texts got = raised(*state, linted(*state, "sab", "", rules[i]->example));
        if (!sql_texts_have(&skip, rules[i]->id) && !sql_texts_have(&got, rules[i]->id))
            fail_msg("%s does not raise itself: %s", rules[i]->id, rules[i]->example);
    }
}

/* What a rewrite says is itself clean of the rule that asked for it, and parses. */
static void rewrites_are_clean(void **state)
{
    size_t count, seen = 0;
    const struct rule *const *rules = rules_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct lint_result *r = linted(*state, "sab", "", rules[i]->example);
        for (size_t s = 0; s < r->count; s++) {
            for (size_t k = 0; k < r->statements[s].count; k++) {
                const struct finding *f = &r->statements[s].findings[k];
                if (!f->rewrite_sql)
                    continue;
                seen++;
                struct sql_texts again = raised(*state, linted(*state, "sab", "", f->rewrite_sql));
                if (sql_texts_have(&again, f->rule->id) || sql_texts_have(&again, "syntax-error"))
                    fail_msg("%s: the rewrite raises %s:\n%s", f->rule->id, joined(*state, &again),
                             f->rewrite_sql);
            }
        }
    }
    assert_true(seen >= 15);
}

static void size_lowers_severity(void **state)
{
    struct lint_result *big =
        linted(*state, "c", "CREATE TABLE t (id bigint, a int);", "CREATE INDEX i ON t (a)");
    struct lint_result *small = linted(*state, "c", "CREATE TABLE small (id bigint, a int);",
                                       "CREATE INDEX i ON small (a)");
    assert_int_equal(big->statements[1].findings[0].severity, SEVERITY_ERROR);
    assert_int_equal(small->statements[1].count, 0); /* somebody said so */
    struct lint_result *every = linted(*state, "ca", "CREATE TABLE small (id bigint, a int);",
                                       "CREATE INDEX i ON small (a)");
    assert_int_equal(every->statements[1].findings[0].severity, SEVERITY_INFO);
    assert_int_equal(big->statements[1].verdict->rows, 1000000);
    assert_true(big->statements[1].verdict->ms > 100);
}

static void steps_are_judged(void **state)
{
    struct error err;
    const char *drop[] = { "ALTER TABLE public.t DROP COLUMN a" };
    struct step step = { .id = "contract/s/1", .up = { drop, 1 }, .transaction = true };
    struct judge *judge = judge_new(*state, NULL, 15);
    assert_ok(step_judge(*state, judge, &step, &err), err);
    assert_int_equal(step.lock_count, 1);
    assert_string_equal(step.locks[0].relation, "public.t");
    assert_string_equal(step.locks[0].mode, "ACCESS EXCLUSIVE");
    assert_int_equal(step.tags, TAG_DESTRUCTIVE | TAG_CONTRACT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_label_is_met, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(every_label_of_the_corpus_is_met, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(every_label_of_the_teams_is_met, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(every_rule_raises_its_example, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(rewrites_are_clean, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(size_lowers_severity, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(steps_are_judged, ctx_setup, ctx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
