/* Plans: built in order, written in one spelling, read back the same, and no bit of them flips
 * unseen. */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/plan/plan.h"

static const char users_digest[] =
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct part *part_new(void *ctx, enum phase phase, const char *service, const char *after)
{
    struct part *part = mem_new(ctx, struct part);
    part->phase = phase;
    part->service = service;
    step_texts_add(part, &part->instances, mem_printf(part, "%s-1", service));
    step_texts_add(part, &part->approvals_from, "team");
    part->approvals_need = 1;
    part->objects = mem_array(part, struct part_object, 2);
    part->objects[0] = (struct part_object){ "public.users", users_digest };
    part->objects[1] = (struct part_object){ "public.\"Odd: name\"", "absent" };
    part->object_count = 2;
    if (after) {
        part->after = mem_array(part, struct part_after, 1);
        part->after[0] = (struct part_after){ after, "foreign table remote_users" };
        part->after_count = 1;
    }
    part->steps = mem_array(part, struct step, 3);
    part->step_count = 3;
    struct step *s = part->steps;
    s[0] = (struct step){ .what = "Keep user_id and user_id_new equal: both ways",
                          .why = "yes",
                          .intent = 1,
                          .transaction = true,
                          .probe = "select exists (select from pg_proc where proname = 'x')",
                          .tags = TAG_ADDITIVE,
                          .estimate = { 5, 41, "guessed" } };
    step_texts_add(part, &s[0].up,
                   "CREATE FUNCTION flotilla.x() RETURNS trigger\n"
                   "LANGUAGE plpgsql AS $$\nBEGIN\n\tNEW.a := NEW.b;\n\n"
                   "    RETURN NEW; -- : # 'x'\nEND $$");
    step_texts_add(part, &s[0].up, "SELECT 1");
    step_texts_add(part, &s[0].down, "DROP FUNCTION flotilla.x()");
    s[0].locks = mem_array(part, struct step_lock, 1);
    s[0].locks[0] = (struct step_lock){ "public.users", "SHARE ROW EXCLUSIVE" };
    s[0].lock_count = 1;
    s[1] = (struct step){ .what = "true", .kind = STEP_BACKFILL, .tags = TAG_BACKFILL };
    s[1].irreversible = "12:30";
    s[1].batch = (struct step_batch){ "public.users", "ctid", { NULL, 0 } };
    step_texts_add(part, &s[1].up, "  UPDATE \"users\" SET a = E'\\n' \n");
    step_texts_add(part, &s[1].risks, "a");
    s[2] = (struct step){ .what = "\xE2\x80\xAEright to left", .kind = STEP_SNAPSHOT };
    s[2].snapshot.of = "public.users";
    step_texts_add(part, &s[2].snapshot.key, "id");
    step_texts_add(part, &s[2].snapshot.columns, "email");
    step_texts_add(part, &s[2].snapshot.current, "");
    step_texts_add(part, &s[2].snapshot.inverse, "lower(email)");
    return part;
}

static const char change[] = "{\"intents\":[{\"change_type\":{\"service\":\"users\",\"table\":"
                             "\"users\",\"column\":\"id\",\"to\":\"bigint\"}},{\"set\":{\"x\":1.5,"
                             "\"note\":\"no\",\"deep\":[[1,[]],{}]}}]}";

static struct plan *built(void *ctx, struct part **parts, size_t count)
{
    struct plan_finding finding = { "lock-level",     "warning",      "users",
                                    "expand/users/1", "takes a lock", NULL };
    struct plan_draft draft = { .id = "7f3c",
                                .title = "Widen user ids",
                                .author = "ana@example.org",
                                .change = change,
                                .fleet = "shop",
                                .environment = "production",
                                .parts = parts,
                                .part_count = count,
                                .findings = &finding,
                                .finding_count = 1 };
    struct plan *plan = NULL;
    struct error err;
    assert_ok(plan_build(ctx, &draft, &plan, &err), err);
    return plan;
}

static struct plan *sample(void *ctx)
{
    struct part *parts[] = {
        part_new(ctx, PHASE_CONTRACT, "users", NULL),
        part_new(ctx, PHASE_EXPAND, "users", NULL),
        part_new(ctx, PHASE_EXPAND, "orders", "users"),
        part_new(ctx, PHASE_EXPAND, "billing", "orders"),
    };
    return built(ctx, parts, 4);
}

static void orders_parts(void **state)
{
    struct plan *plan = sample(*state);
    const struct plan_phase *expand = &plan->phases[PHASE_EXPAND];
    assert_int_equal(expand->count, 3);
    assert_string_equal(expand->parts[0]->service, "users");
    assert_string_equal(expand->parts[1]->service, "orders");
    assert_string_equal(expand->parts[2]->service, "billing");
    assert_string_equal(expand->parts[1]->steps[2].id, "expand/orders/3");
    assert_string_equal(expand->parts[1]->plan, "7f3c");
    assert_true(digest_is_valid(expand->parts[1]->digest));
    assert_true(digest_is_valid(plan->digest));
    assert_ptr_equal(plan_part(plan, PHASE_EXPAND, "orders"), expand->parts[1]);
    assert_null(plan_part(plan, PHASE_MIGRATE, "orders"));
    assert_false(plan_is_empty(plan));
}

static void refuses_what_cannot_run(void **state)
{
    struct error err;
    struct plan *plan = NULL;
    struct part *parts[3];
    struct plan_draft draft = { .id = "x", .parts = parts, .part_count = 2 };
    parts[0] = part_new(*state, PHASE_EXPAND, "a", "nobody");
    parts[1] = part_new(*state, PHASE_MIGRATE, "nobody", NULL);
    assert_fails(plan_build(*state, &draft, &plan, &err), err, ERROR_INVALID,
                 "expand of a comes after nobody, which has no part in that phase");
    parts[0] = part_new(*state, PHASE_EXPAND, "a", NULL);
    parts[1] = part_new(*state, PHASE_EXPAND, "a", NULL);
    assert_fails(plan_build(*state, &draft, &plan, &err), err, ERROR_INVALID, "two parts");
    parts[0] = part_new(*state, PHASE_EXPAND, "a", "b");
    parts[1] = part_new(*state, PHASE_EXPAND, "b", "c");
    parts[2] = part_new(*state, PHASE_EXPAND, "c", "b");
    draft.part_count = 3;
    assert_fails(plan_build(*state, &draft, &plan, &err), err, ERROR_INVALID,
                 "wait for each other in a circle: ");
    parts[0] = part_new(*state, PHASE_EXPAND, "a", NULL);
    parts[0]->steps[1].batch.by = "wish";
    draft.part_count = 1;
    assert_fails(plan_build(*state, &draft, &plan, &err), err, ERROR_INVALID,
                 "step expand/a/2: batch");
    parts[0]->step_count = 0;
    assert_fails(plan_build(*state, &draft, &plan, &err), err, ERROR_INTERNAL, "has no steps");
    assert_null(plan);
}

static struct plan *read_back(void *ctx, const char *text)
{
    struct plan *plan = NULL;
    const char *problems = "";
    struct error err;
    if (!plan_parse(ctx, "p.yaml", text, strlen(text), &plan, &problems, &err))
        fail_msg("%s\n%s", problems, text);
    return plan;
}

static void reads_what_it_writes(void **state)
{
    struct plan *plan = sample(*state);
    const char *yaml = plan_to_yaml(*state, plan);
    struct plan *again = read_back(*state, yaml);
    assert_string_equal(plan_to_yaml(*state, again), yaml);
    assert_string_equal(again->digest, plan->digest);
    assert_string_equal(again->change, change);
    assert_string_equal(json_compact(*state, plan_to_json(*state, again)),
                        json_compact(*state, plan_to_json(*state, plan)));
    /* JSON is YAML: the same reader takes it. */
    again = read_back(*state, json_pretty(*state, plan_to_json(*state, plan)));
    assert_string_equal(plan_to_yaml(*state, again), yaml);
    /* What would be read as something else, or does not show, is quoted. */
    assert_non_null(strstr(yaml, "why: \"yes\"\n"));
    assert_non_null(strstr(yaml, "what: \"true\"\n"));
    assert_non_null(strstr(yaml, "irreversible: \"12:30\"\n"));
    assert_non_null(strstr(yaml, "what: \"\\u202Eright to left\"\n"));
    assert_non_null(strstr(yaml, "what: \"Keep user_id and user_id_new equal: both ways\"\n"));
    assert_non_null(strstr(yaml, "              - |-\n                CREATE FUNCTION"));
    assert_non_null(strstr(yaml, "locks:\n              - { relation: public.users, mode: SHARE "
                                 "ROW EXCLUSIVE }\n"));
}

/* The samples are files of the tree: other tests show, compare, sign and judge them. */
static void golden(void *ctx, const char *path, const char *text)
{
    struct error err;
    const char *data = NULL;
    size_t len = 0;
    if (getenv("UPDATE"))
        assert_ok(file_write(path, text, strlen(text), 0644, &err), err);
    assert_ok(file_read(ctx, path, PLAN_FILE_BYTES, &data, &len, &err), err);
    assert_string_equal(data, text);
}

static void is_written_as_ever(void **state)
{
    golden(*state, "tests/golden/plan/widen.yaml", plan_to_yaml(*state, sample(*state)));
    struct part *parts[] = { part_new(*state, PHASE_EXPAND, "users", NULL),
                             part_new(*state, PHASE_EXPAND, "orders", "users"),
                             part_new(*state, PHASE_CONTRACT, "users", NULL) };
    parts[1]->steps[0].up.items[1] = "SELECT 2";
    parts[2]->steps[0].why = "another reason";
    golden(*state, "tests/golden/plan/widen2.yaml", plan_to_yaml(*state, built(*state, parts, 3)));
    golden(*state, "tests/golden/plan/empty.yaml", plan_to_yaml(*state, built(*state, NULL, 0)));
}

static void is_empty_when_nothing_is_to_do(void **state)
{
    struct plan *plan = built(*state, NULL, 0);
    assert_true(plan_is_empty(plan));
    const char *yaml = plan_to_yaml(*state, plan);
    assert_non_null(strstr(yaml, "\nphases: []\n"));
    assert_true(plan_is_empty(read_back(*state, yaml)));
}

static void keeps_ids_of_the_same_change(void **state)
{
    struct plan *plan = sample(*state);
    struct plan_draft draft = {
        .title = "Widen user ids", .change = "{}", .fleet = "shop", .environment = "production"
    };
    assert_string_equal(plan_same_id(plan, &draft), "7f3c");
    draft.title = "Other";
    assert_null(plan_same_id(plan, &draft));
    draft.change = change;
    assert_string_equal(plan_same_id(plan, &draft), "7f3c");
    draft.environment = "staging";
    assert_null(plan_same_id(plan, &draft));
    assert_null(plan_same_id(NULL, &draft));
}

static void re_draft_keeps_untouched_parts(void **state)
{
    struct plan *a = sample(*state);
    struct part *parts[] = {
        part_new(*state, PHASE_EXPAND, "users", NULL),
        part_new(*state, PHASE_EXPAND, "orders", "users"),
        part_new(*state, PHASE_EXPAND, "new", NULL),
    };
    parts[1]->steps[0].up.items[1] = "SELECT 2";
    parts[0]->steps[0].why = "another sentence";
    struct plan *b = built(*state, parts, 3);
    assert_string_equal(plan_part(b, PHASE_EXPAND, "users")->digest,
                        plan_part(a, PHASE_EXPAND, "users")->digest);
    assert_string_not_equal(plan_part(b, PHASE_EXPAND, "orders")->digest,
                            plan_part(a, PHASE_EXPAND, "orders")->digest);
    struct plan_diff diff;
    plan_diff(*state, a, a, &diff);
    assert_int_equal(diff.count, 0);
    plan_diff(*state, a, b, &diff);
    assert_int_equal(diff.count, 5);
    assert_string_equal(diff.items[0].service, "billing");
    assert_int_equal(diff.items[0].kind, PLAN_REMOVED);
    assert_string_equal(diff.items[1].service, "new");
    assert_int_equal(diff.items[1].kind, PLAN_ADDED);
    assert_string_equal(diff.items[2].step, "expand/orders/1");
    assert_string_equal(diff.items[2].field, "up");
    assert_non_null(strstr(diff.items[2].before, "SELECT 1"));
    assert_non_null(strstr(diff.items[2].after, "SELECT 2"));
    assert_true(diff.items[2].drops_approvals);
    assert_string_equal(diff.items[3].field, "why");
    assert_false(diff.items[3].drops_approvals);
    assert_int_equal(diff.items[4].phase, PHASE_CONTRACT);
}

static void finds_inserted_steps(void **state)
{
    struct part *one[] = { part_new(*state, PHASE_EXPAND, "users", NULL) };
    struct part *two[] = { part_new(*state, PHASE_EXPAND, "users", NULL) };
    struct plan *a = built(*state, one, 1);
    two[0]->steps[0] = (struct step){ .what = "Wait", .kind = STEP_WAIT, .wait_ms = 5 };
    struct step first = one[0]->steps[0];
    struct step *steps = mem_array(two[0], struct step, 4);
    memcpy(steps + 1, one[0]->steps, 3 * sizeof(*steps));
    steps[0] = two[0]->steps[0];
    two[0]->steps = steps;
    two[0]->step_count = 4;
    struct plan *b = built(*state, two, 1);
    assert_string_equal(first.id, "expand/users/1");
    struct plan_diff diff;
    plan_diff(*state, a, b, &diff);
    assert_int_equal(diff.count, 1);
    assert_int_equal(diff.items[0].kind, PLAN_ADDED);
    assert_string_equal(diff.items[0].step, "expand/users/1");
}

static void names_what_was_tampered_with(void **state)
{
    struct plan *plan = sample(*state);
    const char *good = plan_to_yaml(*state, plan);
    char *bad = talloc_strdup(*state, good);
    memcpy(strstr(strstr(bad, "service: orders"), "SELECT 1"), "SELECT 2", 8);
    struct error err;
    struct plan *out = NULL;
    const char *problems = NULL;
    assert_fails(plan_parse(*state, "p.yaml", bad, strlen(bad), &out, &problems, &err), err,
                 ERROR_TAMPERED, "expand of orders is not what its digest says");
    assert_non_null(strstr(problems, "p.yaml:"));
    assert_null(strstr(problems, "billing"));
    bad = talloc_strdup(*state, good);
    memcpy(strstr(bad, "need: 1"), "need: 0", 7);
    assert_fails(plan_parse(*state, "p.yaml", bad, strlen(bad), &out, &problems, &err), err,
                 ERROR_TAMPERED, "the plan is not what its digest says");
    assert_null(out);
}

/* What may change without anybody noticing: what only people read. */
static const char *without_prose(void *ctx, const struct plan *plan)
{
    json_t *json = json_own(ctx, json_deep_copy(plan_to_json(ctx, plan)));
    json_object_del(json, "title");
    size_t p, s, i;
    json_t *phase, *service, *step;
    json_array_foreach(json_object_get(json, "phases"), p, phase)
        json_array_foreach(json_object_get(phase, "services"), s, service)
            json_array_foreach(json_object_get(service, "steps"), i, step) {
                json_object_del(step, "what");
                json_object_del(step, "why");
            }
    return json_compact(ctx, json);
}

static void flipped_bits(void **state)
{
    struct part *parts[] = { part_new(*state, PHASE_EXPAND, "users", NULL) };
    struct plan *plan = built(*state, parts, 1);
    const char *good = plan_to_yaml(*state, plan);
    const char *meaning = without_prose(*state, plan);
    size_t len = strlen(good);
    int refused = 0;
    for (size_t bit = 0; bit < len * 8; bit++) {
        SCOPE(tmp);
        char *bad = talloc_strdup(tmp, good);
        bad[bit / 8] = (char)(bad[bit / 8] ^ 1 << bit % 8);
        struct plan *out = NULL;
        struct error err;
        if (!plan_parse(tmp, "p", bad, len, &out, NULL, &err))
            refused++;
        else if (strcmp(without_prose(tmp, out), meaning) != 0)
            fail_msg("bit %zu of byte %zu flipped unseen: %.40s", bit % 8, bit / 8, good + bit / 8);
    }
    assert_true(refused > (int)len);
}

static void lists_every_error(void **state)
{
    static const char text[] = "flotilla_plan: 1\nid: a b\ntitle: t\nauthor: a\nchange: {}\n"
                               "fleet: f\nenvironment: e\ncolour: blue\nphases:\n"
                               "  - phase: expnad\n    services: []\n"
                               "  - phase: expand\n    services:\n      - service: s\n"
                               "        instances: [1]\n        approvals: { need: x, from: [] }\n"
                               "        catalog: { a: b }\n        digest: d\n        steps:\n"
                               "          - { id: expand/s/2, kind: verify, tags: [shiny] }\n"
                               "digest: sha256:x\n";
    struct error err;
    struct plan *out = NULL;
    const char *problems = NULL;
    assert_false(plan_parse(*state, "p", text, strlen(text), &out, &problems, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    assert_string_equal(
        problems,
        "p:2:5: id: is up to 64 letters, digits, _ and -\n"
        "p:8:1: unknown key \"colour\", known here: flotilla_plan, id, title, author, change, "
        "fleet, environment, phases, digest, findings, discharged\n"
        "p:10:12: phase: expected expand, migrate or contract, not the text \"expnad\"\n"
        "p:15:21: item 1: expected text in quotes, not the number 1\n"
        "p:16:28: need: expected a whole number from 0 to 1000, not the text \"x\"\n"
        "p:17:23: a fingerprint is \"sha256:\" and 64 hex digits, or \"absent\"\n"
        "p:18:17: a digest is \"sha256:\" and 64 hex digits in lower case\n"
        "p:20:19: the id of this step is \"expand/s/1\" by its place, not \"expand/s/2\"\n"
        "p:20:52: item 1: expected additive, backfill, contract, destructive, neutral or unknown, "
        "not the text \"shiny\"\n");
}

static void refuses_keys_without_a_use(void **state)
{
    struct part *parts[] = { part_new(*state, PHASE_EXPAND, "users", NULL) };
    const char *yaml = plan_to_yaml(*state, built(*state, parts, 1));
    static const char kind[] = "kind: statement\n";
    const char *at = strstr(yaml, kind);
    const char *bad = mem_printf(*state, "%.*s%s            of: public.users\n%s", (int)(at - yaml),
                                 yaml, kind, at + strlen(kind));
    struct error err;
    struct plan *out = NULL;
    assert_fails(plan_parse(*state, "p", bad, strlen(bad), &out, NULL, &err), err, ERROR_INVALID,
                 "a statement step has no \"of\", remove it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(orders_parts),
        test_with_ctx(refuses_what_cannot_run),
        test_with_ctx(reads_what_it_writes),
        test_with_ctx(is_written_as_ever),
        test_with_ctx(is_empty_when_nothing_is_to_do),
        test_with_ctx(keeps_ids_of_the_same_change),
        test_with_ctx(re_draft_keeps_untouched_parts),
        test_with_ctx(finds_inserted_steps),
        test_with_ctx(names_what_was_tampered_with),
        test_with_ctx(flipped_bits),
        test_with_ctx(lists_every_error),
        test_with_ctx(refuses_keys_without_a_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
