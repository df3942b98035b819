/* The state machine: every cell is decided, ends are ends, and the picture shows all of it. */
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rollout/transitions.h"

/* cmocka wants these before it, and our headers too: it defines a macro `fail`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A cell that nobody wrote would be all zero: "go to running, do nothing, refuse nothing". Only
 * running itself may say that. */
static void every_cell_is_decided(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATUS_COUNT; s++)
        for (int e = 0; e < ROLLOUT_EVENT_COUNT; e++) {
            struct transition t = rollout_next((enum rollout_status)s, (enum rollout_event)e);
            if (t.refusal)
                assert_true(strlen(t.refusal) > 8);
            else if (t.next == ROLLOUT_RUNNING && t.effects == 0 && s != ROLLOUT_RUNNING)
                assert_true(s == ROLLOUT_GATE && e == ON_RESUME);
        }
}

/* From wherever work may be half done a person has a way back and, once it rests, a way on. */
static void no_state_is_a_trap(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATUS_COUNT; s++) {
        bool back = !rollout_next((enum rollout_status)s, ON_ROLLBACK).refusal;
        assert_true(back);
        bool on = !rollout_next((enum rollout_status)s, ON_RESUME).refusal ||
                  !rollout_next((enum rollout_status)s, ON_RETRY).refusal ||
                  !rollout_next((enum rollout_status)s, ON_QUIET).refusal;
        assert_true(on);
    }
}

static void stopping_ends_in_rest(void **state)
{
    (void)state;
    assert_int_equal(rollout_next(ROLLOUT_ABORTING, ON_QUIET).next, ROLLOUT_ABORTED);
    struct transition turned = rollout_next(ROLLOUT_TURNING, ON_QUIET);
    assert_int_equal(turned.next, ROLLOUT_RUNNING);
    assert_true(turned.effects & EFFECT_TURN_BACK);
}

static void only_ends_let_go(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLOUT_STATUS_COUNT; s++)
        assert_int_equal(rollout_holds((enum rollout_status)s),
                         s != ROLLOUT_DONE && s != ROLLOUT_ROLLED_BACK && s != ROLLOUT_GIVEN_UP);
}

/* A host may have lost what the way back needs: whatever stands still, holding its tables, can be
 * let go of. */
static void whatever_rests_can_be_given_up(void **state)
{
    (void)state;
    const enum rollout_status rests[] = { ROLLOUT_GATE, ROLLOUT_ABORTED, ROLLOUT_FAILED };
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        struct transition t = rollout_next(rests[i], ON_GIVE_UP);
        assert_true(!t.refusal && t.next == ROLLOUT_GIVEN_UP && t.effects == 0);
    }
    assert_non_null(rollout_next(ROLLOUT_RUNNING, ON_GIVE_UP).refusal);
    assert_non_null(rollout_next(ROLLOUT_PAUSED, ON_GIVE_UP).refusal);
}

static void picture_has_every_status(void **state)
{
    (void)state;
    SCOPE(tmp);
    const char *picture = rollout_diagram(tmp);
    for (int s = 0; s < ROLLOUT_STATUS_COUNT; s++)
        assert_non_null(strstr(picture, rollout_status_name((enum rollout_status)s)));
}

static void the_page_shows_the_table(void **state)
{
    (void)state;
    SCOPE(tmp);
    struct error err;
    const char *page = NULL;
    size_t len = 0;
    if (!file_read(tmp, "docs/ARCHITECTURE.md", TEXT_FILE, &page, &len, &err))
        fail_msg("%s", err.message);
    if (!strstr(page, rollout_diagram(tmp)))
        fail_msg("docs/ARCHITECTURE.md does not hold this:\n%s", rollout_diagram(tmp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_decided),
        cmocka_unit_test(no_state_is_a_trap),
        cmocka_unit_test(stopping_ends_in_rest),
        cmocka_unit_test(only_ends_let_go),
        cmocka_unit_test(picture_has_every_status),
        cmocka_unit_test(the_page_shows_the_table),
        cmocka_unit_test(whatever_rests_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
