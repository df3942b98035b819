/* The plan file: what was built is written in one spelling and reads back to the same; changed
 * bytes are found or harmless; orders that cannot be are named. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/plan.h"

#include <string.h>

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct error err;

static struct part *make_part(void *ctx, enum phase phase, const char *service)
{
    struct part *part = mem_new(ctx, struct part);
    part->phase = phase;
    part->service = mem_text(part, service);
    part->approvals_need = 1;
    step_texts_add(part, &part->instances, "one");
    part->steps = mem_array(part, struct step, 2);
    part->steps[0] = (struct step){ .what = "Add: a \"column\"",
                                    .why = "because\nof two lines",
                                    .transaction = true,
                                    .tags = TAG_ADDITIVE };
    step_texts_add(part, &part->steps[0].up,
                   "CREATE FUNCTION flotilla.f() RETURNS trigger LANGUAGE plpgsql AS $$\n"
                   "BEGIN\n    -- it's: here\n\n    RETURN NEW;\nEND $$");
    step_texts_add(part, &part->steps[0].down, "DROP FUNCTION flotilla.f()");
    part->steps[1] = (struct step){ .kind = STEP_SNAPSHOT, .what = "yes", .tags = TAG_NEUTRAL };
    part->steps[1].snapshot.of = "public.users";
    step_texts_add(part, &part->steps[1].snapshot.key, "id");
    step_texts_add(part, &part->steps[1].snapshot.columns, "on");
    part->step_count = 2;
    return part;
}

static void come_after(struct part *part, const char *service)
{
    part->after = mem_room(part, part->after, struct part_after, part->after_count + 1);
    part->after[part->after_count++] = (struct part_after){ service, "why" };
}

static struct plan_draft make_draft(struct part **parts, size_t count)
{
    return (struct plan_draft){ .id = "7f3c",
                                .title = "Widen: ids",
                                .author = "ana@example.org",
                                .change = "{\"intents\":[]}",
                                .fleet = "shop",
                                .environment = "test",
                                .parts = parts,
                                .part_count = count };
}

static struct plan *make_plan(void *ctx)
{
    struct part *parts[] = { make_part(ctx, PHASE_CONTRACT, "users"),
                             make_part(ctx, PHASE_EXPAND, "users"),
                             make_part(ctx, PHASE_EXPAND, "orders") };
    struct plan *plan = NULL;
    come_after(parts[2], "users");
    struct plan_draft draft = make_draft(parts, 3);
    assert_true(plan_build(ctx, &draft, &plan, &err));
    return plan;
}

static void written_and_read_back(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct plan *plan = make_plan(tmp);
    struct plan *back = NULL;
    const char *problems = "";
    const char *yaml = plan_to_yaml(tmp, plan);
    if (!plan_parse(tmp, "p.yaml", yaml, strlen(yaml), &back, &problems, &err))
        fail_msg("%s\n%s\n%s", err.message, problems, yaml);
    assert_string_equal(plan_to_yaml(tmp, back), yaml);
    assert_string_equal(back->phases[PHASE_EXPAND].parts[0]->service, "users");
    assert_string_equal(back->phases[PHASE_EXPAND].parts[1]->steps[0].id, "expand/orders/1");
    assert_string_equal(back->phases[PHASE_EXPAND].parts[1]->steps[0].up.items[0],
                        plan->phases[PHASE_EXPAND].parts[1]->steps[0].up.items[0]);
    const char *json = json_compact(tmp, plan_to_json(tmp, plan));
    assert_true(plan_parse(tmp, "p.json", json, strlen(json), &back, &problems, &err));
    assert_string_equal(back->digest, plan->digest);
}

/* Each bit of the file in turn: refused, or the plan acts as before (what is signed is equal). */
static void flipped_bits(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct plan *plan = make_plan(tmp);
    const char *yaml = plan_to_yaml(tmp, plan);
    size_t n = strlen(yaml);
    for (size_t i = 0; i < n * 8; i += 3) {
        SCOPE(one);
        char *bent = talloc_strdup(one, yaml);
        struct plan *back = NULL;
        bent[i / 8] ^= (char)(1 << i % 8);
        if (bent[i / 8] && plan_parse(one, "p", bent, n, &back, NULL, &err))
            assert_string_equal(back->digest, plan->digest);
    }
}

static void changed_sql_is_named(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct plan *back = NULL;
    char *yaml = talloc_strdup(tmp, plan_to_yaml(tmp, make_plan(tmp)));
    char *at = strstr(yaml, "RETURN NEW");
    assert_non_null(at);
    at[7] = 'O';
    assert_false(plan_parse(tmp, "p.yaml", yaml, strlen(yaml), &back, NULL, &err));
    assert_int_equal(err.code, ERROR_TAMPERED);
    assert_non_null(strstr(err.message, "expand of users"));
}

static void orders_that_cannot_be(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct plan *plan = NULL;
    struct part *parts[] = { make_part(tmp, PHASE_EXPAND, "a"), make_part(tmp, PHASE_EXPAND, "b") };
    come_after(parts[0], "b");
    come_after(parts[1], "a");
    struct plan_draft draft = make_draft(parts, 2);
    assert_false(plan_build(tmp, &draft, &plan, &err));
    assert_non_null(strstr(err.message, "a -> b -> a"));
    struct part *alone[] = { make_part(tmp, PHASE_EXPAND, "a") };
    come_after(alone[0], "nobody");
    draft = make_draft(alone, 1);
    assert_false(plan_build(tmp, &draft, &plan, &err));
    assert_non_null(strstr(err.message, "nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read_back),
        cmocka_unit_test(flipped_bits),
        cmocka_unit_test(changed_sql_is_named),
        cmocka_unit_test(orders_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
