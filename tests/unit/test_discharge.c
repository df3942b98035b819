/* What discharges a rule in a plan, and near misses that must not: tests/golden/discharge. */
#include "tests/unit/check.h"

#include <ctype.h>

#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/check/plan_check.h"

#define HERE "tests/golden/discharge/"

struct expected {
    size_t step; /* from 1 */
    bool back, open, seen;
    const char *rule, *by;
};

struct casus {
    const char *name;
    struct step *steps;
    size_t count;
    struct expected *expected;
    size_t expected_count;
};

struct sheet {
    struct casus *items;
    size_t count;
};

/* The text up to a separator, trimmed; *s moves behind it. Null at the end. */
static char *piece(const void *ctx, const char **s, const char *separator)
{
    if (!*s)
        return NULL;
    const char *end = strstr(*s, separator);
    size_t n = end ? (size_t)(end - *s) : strlen(*s);
    const char *from = *s;
    *s = end ? end + strlen(separator) : NULL;
    while (n && isspace((unsigned char)*from))
        from++, n--;
    while (n && isspace((unsigned char)from[n - 1]))
        n--;
    return talloc_strndup(ctx, from, n);
}

static void statements(const void *ctx, struct step_texts *list, const char *s)
{
    for (const char *one = piece(ctx, &s, ";;"); one; one = piece(ctx, &s, ";;"))
        if (*one)
            step_texts_add(ctx, list, one);
}

/* "public.t(a, b)" */
static void snapshot(const void *ctx, struct step_snapshot *out, const char *s)
{
    out->of = piece(ctx, &s, "(");
    const char *list = s ? piece(ctx, &s, ")") : NULL;
    for (const char *one = piece(ctx, &list, ","); one; one = piece(ctx, &list, ","))
        step_texts_add(ctx, &out->columns, one);
}

/* PHASE KIND: UP ;; UP << DOWN ;; DOWN */
static void step_add(const void *ctx, struct casus *c, const char *line)
{
    const char *phase = piece(ctx, &line, " "), *kind = piece(ctx, &line, ":");
    const char *up = piece(ctx, &line, "<<"), *down = line;
    c->steps = mem_room(ctx, c->steps, struct step, c->count + 1);
    struct step *s = &c->steps[c->count++];
    *s = (struct step){ .id = mem_printf(ctx, "%s/s/%zu", phase, c->count) };
    bool alone = text_eq(kind, "alone");
    if (text_eq(kind, "verify")) {
        s->kind = STEP_VERIFY;
        s->check = up;
    } else if (text_eq(kind, "word")) {
        s->kind = STEP_ACKNOWLEDGE;
        s->from = up;
    } else if (text_eq(kind, "snapshot")) {
        s->kind = STEP_SNAPSHOT;
        snapshot(ctx, &s->snapshot, up);
    } else {
        s->transaction = text_eq(kind, "do");
        s->kind = text_eq(kind, "concurrently") ? STEP_CONCURRENTLY : STEP_STATEMENT;
        if (text_starts(kind, "backfill ")) {
            s->kind = STEP_BACKFILL;
            s->batch.relation = mem_text(ctx, kind + strlen("backfill "));
        } else if (!s->transaction && !alone && s->kind == STEP_STATEMENT) {
            fail_msg("%s: there is no kind \"%s\"", c->name, kind);
        }
        statements(ctx, &s->up, up);
        statements(ctx, &s->down, down);
    }
}

/* "= 3b rule evidence" or "! 3b rule" */
static void expected_add(const void *ctx, struct casus *c, const char *line)
{
    bool open = *line == '!';
    line += 2;
    const char *step = piece(ctx, &line, " ");
    c->expected = mem_room(ctx, c->expected, struct expected, c->expected_count + 1);
    c->expected[c->expected_count++] = (struct expected){
        .step = (size_t)strtol(step, NULL, 10),
        .back = text_ends(step, "b"),
        .open = open,
        .rule = piece(ctx, &line, " "),
        .by = line ? piece(ctx, &line, " ") : NULL,
    };
}

static void sheet_read(const void *ctx, const char *text, struct sheet *out)
{
    *out = (struct sheet){ NULL, 0 };
    for (const char *line = piece(ctx, &text, "\n"); line; line = piece(ctx, &text, "\n")) {
        if (*line == '#' || *line == '\0')
            continue;
        if (text_starts(line, "case ")) {
            out->items = mem_room(ctx, out->items, struct casus, out->count + 1);
            out->items[out->count++] = (struct casus){ .name = line + strlen("case ") };
            continue;
        }
        struct casus *c = &out->items[out->count - 1];
        if (*line == '=' || *line == '!')
            expected_add(ctx, c, line);
        else
            step_add(ctx, c, line);
    }
}

static bool is_expected(struct casus *c, const struct step_met *met)
{
    bool any = false;
    for (size_t i = 0; i < c->expected_count; i++) {
        struct expected *e = &c->expected[i];
        bool same = e->step == met->step + 1 && e->back == met->back &&
                    text_eq(e->rule, met->rule->id) && e->open == !met->by &&
                    (e->open || text_eq(e->by, evidence_name(met->by->by)));
        e->seen = e->seen || same;
        any = any || same;
    }
    return any;
}

static size_t case_run(const void *ctx, struct casus *c, const struct catalog *catalog)
{
    struct error err;
    struct steps_met *met;
    const struct steps_options options = { .catalog = catalog, .lock_budget_ms = 200 };
    size_t wrong = 0;
    assert_ok(steps_check(ctx, c->steps, c->count, &options, &met, &err), err);
    for (size_t i = 0; i < met->count; i++) {
        const struct step_met *m = &met->items[i];
        if (!is_expected(c, m) && !m->by) {
            wrong++;
            print_message("%s\n    %s%s: %s: not discharged: %s\n", c->name, c->steps[m->step].id,
                          m->back ? " back" : "", m->rule->id, m->message);
        }
    }
    for (size_t i = 0; i < c->expected_count; i++) {
        const struct expected *e = &c->expected[i];
        if (!e->seen) {
            wrong++;
            print_message("%s\n    step %zu%s: expected %s %s\n", c->name, e->step,
                          e->back ? " back" : "", e->rule, e->open ? "undischarged" : e->by);
        }
    }
    return wrong;
}

static void cases_read(const void *ctx, struct sheet *sheet, struct catalog **catalog)
{
    struct error err;
    const char *text;
    size_t n;
    json_t *json;
    assert_ok(file_read(ctx, HERE "world.json", 1 << 20, &text, &n, &err), err);
    assert_ok(json_parse(ctx, text, n, &json, &err), err);
    assert_ok(catalog_from_json(ctx, json, catalog, &err), err);
    assert_ok(file_read(ctx, HERE "cases.txt", 1 << 20, &text, &n, &err), err);
    sheet_read(ctx, text, sheet);
}

static void every_case_is_met(void **state)
{
    struct sheet sheet;
    struct catalog *catalog;
    size_t wrong = 0;
    cases_read(*state, &sheet, &catalog);
    for (size_t i = 0; i < sheet.count; i++)
        wrong += case_run(*state, &sheet.items[i], catalog);
    if (wrong)
        fail_msg("%zu of %zu cases' expectations are not met", wrong, sheet.count);
}

/* No row of the table without a case that needs it and a near miss of its rule. */
static void every_discharge_has_its_case(void **state)
{
    struct sheet sheet;
    struct catalog *catalog;
    size_t count, missing = 0;
    const struct discharge *rows = discharges_all(&count);
    cases_read(*state, &sheet, &catalog);
    for (size_t r = 0; r < count; r++) {
        bool met = false, missed = false;
        for (size_t i = 0; i < sheet.count; i++)
            for (size_t k = 0; k < sheet.items[i].expected_count; k++) {
                const struct expected *e = &sheet.items[i].expected[k];
                bool same = text_eq(e->rule, rows[r].rule);
                met = met || (same && !e->open && text_eq(e->by, evidence_name(rows[r].by)));
                missed = missed || (same && e->open);
            }
        if (!met || !missed) {
            missing++;
            print_message("%s by %s: no %s\n", rows[r].rule, evidence_name(rows[r].by),
                          met ? "near miss" : "case");
        }
        assert_non_null(rule_find(rows[r].rule));
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_case_is_met, ctx_setup, ctx_teardown),
        cmocka_unit_test_setup_teardown(every_discharge_has_its_case, ctx_setup, ctx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
