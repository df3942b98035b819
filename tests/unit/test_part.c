/* The digest of a part covers what agent and engine act on, and nothing that only people read. */
#include "agents/part/part.h"

#include <stdlib.h>

#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "tests/unit/check.h"

/* One step of each kind that has arguments of its own. */
static const char sample[] =
    "{\"fleet\":\"shop\",\"environment\":\"production\",\"plan\":\"7f3c\",\"author\":\"ana\","
    "\"phase\":\"expand\",\"service\":\"users\",\"instances\":[\"users-1\",\"users-2\"],"
    "\"after\":[{\"service\":\"orders\",\"reason\":\"foreign table\"}],"
    "\"approvals\":{\"need\":1,\"from\":[\"identity-team\"]},"
    "\"catalog\":{\"public.users\":\"absent\"},\"health\":{\"sql\":\"select true\"},\"steps\":["
    "{\"id\":\"expand/users/1\",\"what\":\"w\",\"why\":\"y\",\"intent\":1,\"kind\":\"statement\","
    "\"up\":[\"ALTER TABLE a\",\"ALTER TABLE b\"],\"down\":[\"undo\"],\"transaction\":true,"
    "\"probe\":\"select true\",\"tags\":[\"additive\"],\"risks\":[\"r\"],\"rewrite\":false,"
    "\"full_scan\":false,\"locks\":[{\"relation\":\"public.users\",\"mode\":\"SHARE\"}],"
    "\"estimate\":{\"rows\":5,\"ms\":1,\"confidence\":\"guessed\"}},"
    "{\"id\":\"expand/users/2\",\"kind\":\"backfill\",\"up\":[\"UPDATE users SET a = b\"],"
    "\"irreversible\":\"because\",\"batch\":{\"relation\":\"public.users\",\"by\":\"key\","
    "\"columns\":[\"id\"]},\"tags\":[\"backfill\"]},"
    "{\"id\":\"expand/users/3\",\"kind\":\"verify\",\"check\":\"select true\",\"tags\":[\"neutral\"]},"
    "{\"id\":\"expand/users/4\",\"kind\":\"snapshot\",\"of\":\"public.users\","
    "\"key\":[\"id\"],\"columns\":[\"email\"],\"current\":[\"e\"],\"inverse\":[\"i\"],"
    "\"tags\":[\"neutral\"]},"
    "{\"id\":\"expand/users/5\",\"kind\":\"wait\",\"for\":\"5ms\",\"tags\":[\"neutral\"]},"
    "{\"id\":\"expand/users/6\",\"kind\":\"acknowledge\",\"from\":\"orders\","
    "\"tags\":[\"neutral\"]}]}";

static json_t *sample_json(void *ctx)
{
    struct error err;
    json_t *json = NULL;
    assert_ok(json_parse(ctx, sample, strlen(sample), &json, &err), err);
    return json;
}

static const char *digest_of(void *ctx, const json_t *json)
{
    struct error err;
    struct part *part = NULL;
    const char *digest = NULL;
    assert_ok(part_from_json(ctx, json, &part, &err), err);
    assert_ok(part_digest(ctx, part, &digest, &err), err);
    return digest;
}

/* The container of the last word of "steps/0/up/1", which goes to *last. */
static json_t *parent_of(json_t *at, const char *path, const char **last)
{
    SCOPE(tmp);
    const char *slash;
    for (; (slash = strchr(path, '/')); path = slash + 1) {
        const char *word = mem_textn(tmp, path, (size_t)(slash - path));
        at = json_is_array(at) ? json_array_get(at, strtoul(word, NULL, 10))
                               : json_object_get(at, word);
        if (!at)
            fail_msg("no %s in the sample", word);
    }
    *last = path;
    return at;
}

static void set_at(void *ctx, json_t *json, const char *path, const char *value)
{
    struct error err;
    json_t *fresh = NULL;
    const char *last = NULL;
    assert_ok(json_parse(ctx, value, strlen(value), &fresh, &err), err);
    json_t *parent = parent_of(json, path, &last);
    if (json_is_array(parent))
        json_array_set(parent, strtoul(last, NULL, 10), fresh);
    else
        json_object_set(parent, last, fresh);
}

struct edit {
    const char *path, *value;
};

static void each_edit(void *ctx, const struct edit *edits, size_t count, bool changes)
{
    const char *before = digest_of(ctx, sample_json(ctx));
    for (size_t i = 0; i < count; i++) {
        json_t *json = sample_json(ctx);
        set_at(ctx, json, edits[i].path, edits[i].value);
        if (json_equal(json, sample_json(ctx)))
            fail_msg("%s: the edit edits nothing", edits[i].path);
        if (text_eq(before, digest_of(ctx, json)) == changes)
            fail_msg("%s: the digest %s", edits[i].path, changes ? "stays" : "changes");
    }
}

static const struct edit signed_edits[] = {
    { "fleet", "\"shap\"" },
    { "environment", "\"staging\"" },
    { "plan", "\"7f3d\"" },
    { "author", "\"raj\"" },
    { "phase", "\"contract\"" },
    { "service", "\"orders\"" },
    { "instances", "[\"users-1\"]" },
    { "catalog/public.users",
      "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"" },
    { "health/sql", "\"select false\"" },
    { "steps/4/kind", "\"statement\"" },
    { "steps/0/id", "\"expand/users/9\"" },
    { "steps/0/up/1", "\"ALTER TABLE c\"" },
    { "steps/0/up", "[\"ALTER TABLE b\",\"ALTER TABLE a\"]" },
    { "steps/0/down", "[]" },
    { "steps/1/transaction", "true" },
    { "steps/0/probe", "\"select false\"" },
    { "steps/0/tags", "[\"additive\",\"destructive\"]" },
    { "steps/0/locks", "[]" },
    { "steps/0/locks/0/relation", "\"public.orders\"" },
    { "steps/0/locks/0/mode", "\"ACCESS SHARE\"" },
    { "steps/1/locks", "[{\"relation\":\"public.a\",\"mode\":\"SHARE\"}]" },
    { "steps/1/irreversible", "\"otherwise\"" },
    { "steps/1/batch/relation", "\"public.orders\"" },
    { "steps/1/batch/by", "\"ctid\"" },
    { "steps/1/batch/columns", "[\"a\"]" },
    { "steps/2/check", "\"select 1 = 1\"" },
    { "steps/3/of", "\"public.orders\"" },
    { "steps/3/key", "[\"a\"]" },
    { "steps/3/columns", "[\"a\"]" },
    { "steps/3/current", "[\"a\"]" },
    { "steps/3/inverse", "[\"a\"]" },
    { "steps/4/for", "\"6ms\"" },
    { "steps/5/from", "\"billing\"" },
};

enum { SIGNED_EDITS = sizeof(signed_edits) / sizeof(signed_edits[0]) };

static void what_is_acted_on_is_signed(void **state)
{
    each_edit(*state, signed_edits, SIGNED_EDITS, true);
}

static const struct edit unsigned_edits[] = {
    { "after", "[]" },
    { "approvals/need", "2" },
    { "approvals/from", "[]" },
    { "digest", "\"sha256:x\"" },
    { "steps/0/what", "\"other words\"" },
    { "steps/0/why", "\"other words\"" },
    { "steps/0/intent", "2" },
    { "steps/0/risks", "[]" },
    { "steps/0/rewrite", "true" },
    { "steps/0/full_scan", "true" },
    { "steps/0/estimate", "{\"rows\":6}" },
};

enum { UNSIGNED_EDITS = sizeof(unsigned_edits) / sizeof(unsigned_edits[0]) };

static void what_people_read_is_not_signed(void **state)
{
    each_edit(*state, unsigned_edits, UNSIGNED_EDITS, false);
}

static bool is_listed(const struct edit *edits, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(edits[i].path);
        if (strncmp(edits[i].path, path, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return true;
    }
    return false;
}

/* What is said of a key in one step is said of it in all. */
static const char *as_listed(void *ctx, const char *path)
{
    for (int i = 0; text_starts(path, "steps/") && i < 6; i++) {
        const char *rest = strchr(path + strlen("steps/"), '/');
        const char *same = mem_printf(ctx, "steps/%d%s", i, rest ? rest : "");
        if (is_listed(signed_edits, SIGNED_EDITS, same) ||
            is_listed(unsigned_edits, UNSIGNED_EDITS, same))
            return same;
    }
    return path;
}

static void each_leaf(void *ctx, const json_t *at, const char *path)
{
    const char *key;
    size_t i;
    json_t *item;
    json_object_foreach((json_t *)(uintptr_t)at, key, item) {
        each_leaf(ctx, item, mem_printf(ctx, "%s%s%s", path, *path ? "/" : "", key));
    }
    json_array_foreach(at, i, item) {
        each_leaf(ctx, item, mem_printf(ctx, "%s/%zu", path, i));
    }
    if (json_is_object(at) || json_is_array(at))
        return;
    path = as_listed(ctx, path);
    if (!is_listed(signed_edits, SIGNED_EDITS, path) &&
        !is_listed(unsigned_edits, UNSIGNED_EDITS, path))
        fail_msg("%s: nobody has decided whether it is signed", path);
}

/* A field that is new has to be put into one of the two lists. */
static void every_field_is_decided(void **state)
{
    void *ctx = *state;
    struct error err;
    struct part *part = NULL;
    assert_ok(part_from_json(ctx, sample_json(ctx), &part, &err), err);
    part->digest = "sha256:x";
    each_leaf(ctx, json_own(ctx, part_to_json(part, true)), "");
}

static void writing_and_reading_keep_everything(void **state)
{
    void *ctx = *state;
    struct error err;
    struct part *part = NULL;
    assert_ok(part_from_json(ctx, sample_json(ctx), &part, &err), err);
    json_t *once = json_own(ctx, part_to_json(part, true));
    struct part *again = NULL;
    assert_ok(part_from_json(ctx, once, &again, &err), err);
    assert_true(json_equal(once, json_own(ctx, part_to_json(again, true))));
    assert_string_equal(digest_of(ctx, sample_json(ctx)), digest_of(ctx, once));
    /* The step without a way back counts as destructive, whatever it says. */
    assert_int_equal(TAG_ADDITIVE | TAG_BACKFILL | TAG_NEUTRAL | TAG_DESTRUCTIVE, part_tags(part));
    assert_int_equal(6, part->step_count);
}

/* An agent that met a step it has to guess at could do harm: such steps are refused. */
static void steps_that_miss_something_are_refused(void **state)
{
    static const struct edit edits[] = {
        { "phase", "\"later\"" },
        { "steps/0/kind", "\"shell\"" },
        { "steps/0/up/0", "5" },
        { "steps/0/tags", "[\"harmless\"]" },
        { "steps/1/batch", "{\"relation\":\"public.users\",\"by\":\"magic\"}" },
        { "steps/1/batch", "{\"relation\":\"public.users\",\"by\":\"key\",\"columns\":[]}" },
        { "steps/1/up", "[\"one\",\"two\"]" },
        { "steps/2/check", "null" },
        { "steps/3/of", "null" },
        { "steps/3/inverse", "[\"a\",\"b\"]" },
        { "steps/4/for", "\"-1ms\"" },
        { "steps/5/from", "null" },
        { "catalog/public.users", "\"sha256:abc\"" },
        { "instances", "\"users-1\"" },
        { "approvals/need", "-1" },
    };
    void *ctx = *state;
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        struct error err;
        struct part *part = NULL;
        json_t *json = sample_json(ctx);
        set_at(ctx, json, edits[i].path, edits[i].value);
        if (part_from_json(ctx, json, &part, &err))
            fail_msg("accepted %s = %s", edits[i].path, edits[i].value);
        assert_non_null(strstr("invalid tampered", error_code_name(err.code)));
        assert_null(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(what_is_acted_on_is_signed),
        test_with_ctx(what_people_read_is_not_signed),
        test_with_ctx(every_field_is_decided),
        test_with_ctx(writing_and_reading_keep_everything),
        test_with_ctx(steps_that_miss_something_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
