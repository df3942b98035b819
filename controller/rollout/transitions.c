#include "controller/rollout/transitions.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const event_names[] = {
#define X(id, name) name,
    ROLLOUT_EVENTS(X)
#undef X
};

#define TO(status, effects)               \
    {                                     \
        ROLLOUT_##status, (effects), NULL \
    }
#define NO(why)   \
    {             \
        0, 0, why \
    }

static const char not_now[] = "it is not running";
static const char ended[] = "it has ended";
static const char at_work[] = "something of it is at work; `flotilla abort` first";
static const char given_up[] = "it was given up; draft its change again";
static const char stopping[] = "it is stopping; wait for `flotilla status` to say it has";

/* Rows: status. Columns in the order of ROLLOUT_EVENTS:
 * gate_closed, task_failed, quiet, all_done, all_undone, part_way_back,
 * resume, promote, pause, retry, abort, rollback, give_up */
static const struct transition table[ROLLOUT_STATUS_COUNT][ROLLOUT_EVENT_COUNT] = {
    [ROLLOUT_RUNNING] = { TO(GATE, 0), TO(FAILED, 0), TO(RUNNING, 0), TO(DONE, 0),
                          TO(ROLLED_BACK, 0), TO(GATE, EFFECT_FORWARD), TO(RUNNING, 0),
                          TO(RUNNING, EFFECT_PROMOTE), TO(PAUSED, EFFECT_PAUSE),
                          NO("no step of it has failed"), TO(ABORTING, EFFECT_STOP),
                          TO(TURNING, EFFECT_STOP), NO(at_work) },
    [ROLLOUT_GATE] = { TO(GATE, 0), NO(not_now), TO(GATE, 0), NO(not_now), NO(not_now), NO(not_now),
                       TO(RUNNING, 0), TO(RUNNING, EFFECT_PROMOTE),
                       NO("it waits at a gate, nothing runs"), NO("no step of it has failed"),
                       TO(ABORTED, 0), TO(RUNNING, EFFECT_TURN_BACK), TO(GIVEN_UP, 0) },
    [ROLLOUT_PAUSED] = { TO(PAUSED, 0), TO(FAILED, EFFECT_STOP), TO(PAUSED, 0), TO(DONE, 0),
                         TO(ROLLED_BACK, 0), TO(GATE, EFFECT_FORWARD), TO(RUNNING, EFFECT_CONTINUE),
                         NO("it is paused; `flotilla resume` first"), TO(PAUSED, EFFECT_PAUSE),
                         NO("no step of it has failed"), TO(ABORTING, EFFECT_STOP),
                         TO(TURNING, EFFECT_STOP), NO(at_work) },
    [ROLLOUT_ABORTING] = { TO(ABORTING, 0), TO(ABORTING, 0), TO(ABORTED, 0), TO(ABORTED, 0),
                           TO(ROLLED_BACK, 0), TO(ABORTED, EFFECT_FORWARD), NO(stopping),
                           NO(stopping), NO(stopping), NO(stopping), TO(ABORTING, EFFECT_STOP),
                           TO(TURNING, EFFECT_STOP), NO(stopping) },
    [ROLLOUT_ABORTED] = { NO(not_now), NO(not_now), TO(ABORTED, 0), NO(not_now), NO(not_now),
                          NO(not_now),
                          NO("it was aborted; `flotilla retry` goes on, `flotilla rollback` undoes"),
                          NO("it was aborted; `flotilla retry` first"), NO(not_now),
                          TO(RUNNING, EFFECT_AGAIN), TO(ABORTED, 0), TO(RUNNING, EFFECT_TURN_BACK),
                          TO(GIVEN_UP, 0) },
    [ROLLOUT_TURNING] = { TO(TURNING, 0), TO(TURNING, 0), TO(RUNNING, EFFECT_TURN_BACK),
                          TO(RUNNING, EFFECT_TURN_BACK), TO(ROLLED_BACK, 0),
                          TO(RUNNING, EFFECT_TURN_BACK), NO(stopping), NO(stopping), NO(stopping),
                          NO(stopping), TO(ABORTING, EFFECT_STOP), TO(TURNING, EFFECT_STOP),
                          NO(stopping) },
    [ROLLOUT_FAILED] = { NO(not_now), TO(FAILED, 0), TO(FAILED, 0), NO(not_now), NO(not_now),
                         NO(not_now), TO(RUNNING, EFFECT_AGAIN),
                         NO("a step failed; `flotilla retry` first"), NO(not_now),
                         TO(RUNNING, EFFECT_AGAIN), TO(ABORTED, 0), TO(RUNNING, EFFECT_TURN_BACK),
                         TO(GIVEN_UP, 0) },
    [ROLLOUT_DONE] = { NO(ended), NO(ended), TO(DONE, 0), TO(DONE, 0), NO(ended), NO(ended),
                       TO(DONE, 0), TO(DONE, 0), NO(ended), NO(ended), NO(ended),
                       TO(RUNNING, EFFECT_TURN_BACK), NO(ended) },
    [ROLLOUT_ROLLED_BACK] = { NO(ended), NO(ended), TO(ROLLED_BACK, 0), NO(ended),
                              TO(ROLLED_BACK, 0), NO(ended),
                              NO("it was rolled back; `flotilla start` the plan again"),
                              NO("it was rolled back; `flotilla start` the plan again"), NO(ended),
                              NO(ended), NO(ended), TO(ROLLED_BACK, 0), NO(ended) },
    [ROLLOUT_GIVEN_UP] = { NO(ended), NO(ended), TO(GIVEN_UP, 0), NO(ended), NO(ended), NO(ended),
                           NO(given_up), NO(given_up), NO(ended), NO(given_up), NO(ended),
                           TO(RUNNING, EFFECT_TURN_BACK), TO(GIVEN_UP, 0) },
};

const char *rollout_event_name(enum rollout_event event)
{
    return (unsigned)event < ROLLOUT_EVENT_COUNT ? event_names[event] : "unknown";
}

struct transition rollout_next(enum rollout_status status, enum rollout_event event)
{
    return table[status][event];
}

const char *rollout_diagram(const void *ctx)
{
    struct text t = text_init(ctx, TEXT_FILE);
    text_add(&t, "stateDiagram-v2\n    [*] --> running: start\n");
    for (int s = 0; s < ROLLOUT_STATUS_COUNT; s++)
        for (int e = 0; e < ROLLOUT_EVENT_COUNT; e++) {
            struct transition cell = table[s][e];
            if (!cell.refusal && ((int)cell.next != s || cell.effects))
                text_addf(&t, "    %s --> %s: %s\n", rollout_status_name((enum rollout_status)s),
                          rollout_status_name(cell.next), event_names[e]);
        }
    return t.data;
}
