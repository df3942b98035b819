/* The controller's state: what was saved is there after a reopen, a fenced driver cannot save, a
 * changed event breaks the chain, and a full disk keeps the old state whole. */
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"
#include "controller/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct error err;

static const char *fresh_folder(void *ctx)
{
    char *path = talloc_strdup(ctx, "/tmp/flotilla-store-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static json_t *event(const char *what)
{
    json_t *o = json_object();
    json_set_text(o, "event", what);
    json_set_int(o, "time_ms", 1000);
    return o;
}

static struct store_rollout sample(json_t *doc)
{
    return (struct store_rollout){ .id = "r-1",
                                   .plan = "p-1",
                                   .plan_digest = "d",
                                   .fleet = "shop",
                                   .environment = "test",
                                   .title = "T",
                                   .status = "running",
                                   .active = true,
                                   .created_ms = 5,
                                   .plan_text = "text",
                                   .plan_path = "plan.yaml",
                                   .doc = doc };
}

static void saved_state_survives(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *folder = fresh_folder(tmp);
    struct store *store = NULL;
    assert_true(store_open(tmp, folder, &store, &err));
    json_auto_t *doc = json_pack("{s:i}", "a", 1);
    json_auto_t *first = event("rollout_started");
    json_auto_t *second = event("phase_started");
    struct store_rollout r = sample(doc);
    json_t *events[] = { first, second };
    assert_true(store_add(store, &r, events, 1, &err));
    r.status = "done";
    r.active = false;
    assert_true(store_save(store, &r, 0, events + 1, 1, &err));
    talloc_free(store);

    assert_true(store_open(tmp, folder, &store, &err));
    struct store_rollout *back = NULL;
    assert_true(store_find(tmp, store, "p-1", &back, &err));
    assert_string_equal(back->id, "r-1");
    assert_string_equal(back->status, "done");
    assert_int_equal(json_int_of(back->doc, "a"), 1);
    json_t *list = NULL;
    assert_true(store_events(tmp, store, "r-1", 1, 100, &list, &err));
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_text_of(json_array_get(list, 0), "event"), "phase_started");
    assert_int_equal(json_int_of(json_array_get(list, 0), "seq"), 2);
    size_t count = 9;
    assert_true(store_list(tmp, store, true, &back, &count, &err));
    assert_int_equal(count, 0);
}

static void only_one_holder(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct store *store = NULL;
    assert_true(store_open(tmp, fresh_folder(tmp), &store, &err));
    struct store_lease a = { .rollout = "r-1", .holder = "a" };
    struct store_lease b = { .rollout = "r-1", .holder = "b" };
    assert_true(store_lease_take(tmp, store, &a, 1000, 50, &err));
    assert_int_equal(a.token, 1000);
    assert_true(store_lease_take(tmp, store, &b, 1010, 50, &err));
    assert_int_equal(b.token, 0);
    assert_string_equal(b.other, "a");
    /* a slept past its time: b takes over with a larger token, a's saves are refused */
    assert_true(store_lease_take(tmp, store, &b, 1060, 50, &err));
    assert_true(b.token > a.token);
    json_auto_t *doc = json_object();
    struct store_rollout r = sample(doc);
    assert_true(store_add(store, &r, NULL, 0, &err));
    assert_false(store_save(store, &r, a.token, NULL, 0, &err));
    assert_int_equal(err.code, ERROR_FENCED);
    assert_true(store_save(store, &r, b.token, NULL, 0, &err));
    int64_t stale = a.token;
    assert_true(store_lease_take(tmp, store, &a, 1070, 50, &err));
    assert_int_equal(a.token, 0);
    a.token = stale;
    assert_true(store_lease_take(tmp, store, &a, 1200, 50, &err));
    assert_true(a.token > b.token);
}

static void changed_event_is_found(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *folder = fresh_folder(tmp);
    struct store *store = NULL;
    assert_true(store_open(tmp, folder, &store, &err));
    json_auto_t *doc = json_object();
    struct store_rollout r = sample(doc);
    json_t *events[3];
    for (int i = 0; i < 3; i++)
        events[i] = json_own(tmp, event("progress"));
    assert_true(store_add(store, &r, events, 3, &err));
    int64_t count = 0;
    assert_true(store_verify(store, &count, &err));
    assert_int_equal(count, 3);
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(mem_printf(tmp, "%s/state.db", folder), &raw), SQLITE_OK);
    const char *sql = "UPDATE event SET body = replace(body, 'progress', 'progresz') WHERE seq = 2";
    assert_int_equal(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    assert_false(store_verify(store, &count, &err));
    assert_int_equal(err.code, ERROR_TAMPERED);
    assert_non_null(strstr(err.message, "event 2"));
}

static void words_and_controls(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct store *store = NULL;
    assert_true(store_open(tmp, fresh_folder(tmp), &store, &err));
    struct store_word word = { .plan = "p",
                               .phase = "expand",
                               .service = "users",
                               .digest = "d",
                               .who = "ana",
                               .signed_at = "now",
                               .text = "sig",
                               .time_ms = 7 };
    assert_true(store_approval_add(store, &word, &err));
    assert_true(store_approval_add(store, &word, &err));
    assert_true(store_ack_add(store, &word, &err));
    assert_true(store_rejection_add(store, &word, &err));
    struct store_word *list = NULL;
    size_t count = 0;
    assert_true(store_words(tmp, store, STORE_APPROVALS, "p", &list, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(list[0].text, "sig");
    bool was = false;
    word.time_ms = 6; /* an older word takes nothing back */
    assert_true(store_rejection_withdraw(store, &word, &was, &err));
    assert_false(was);
    word.time_ms = 7;
    assert_true(store_rejection_withdraw(store, &word, &was, &err));
    assert_true(was);
    assert_true(store_words(tmp, store, STORE_REJECTIONS, "p", &list, &count, &err));
    assert_int_equal(count, 0);
    assert_true(store_words(tmp, store, STORE_ACKS, "p", &list, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(list[0].service, "users");

    struct store_control ask = { .verb = "pause", .who = "kim" };
    int64_t id = 0;
    struct store_control *open = NULL;
    assert_true(store_control_add(store, "r", &ask, 1, &id, &err));
    assert_true(store_controls(tmp, store, "r", &open, &count, &err));
    assert_int_equal(count, 1);
    assert_true(store_control_answer(store, id, "", &err));
    assert_true(store_controls(tmp, store, "r", &open, &count, &err));
    assert_int_equal(count, 0);
}

static void garbage_is_no_state(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *folder = fresh_folder(tmp);
    FILE *f = fopen(mem_printf(tmp, "%s/state.db", folder), "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", f);
    fclose(f);
    struct store *store = NULL;
    assert_false(store_open(tmp, folder, &store, &err));
    assert_non_null(strstr(err.hint, "flotilla recover"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_state_survives),   cmocka_unit_test(only_one_holder),
        cmocka_unit_test(changed_event_is_found), cmocka_unit_test(words_and_controls),
        cmocka_unit_test(garbage_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
