#include "controller/desk/driving.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/status_text.h"
#include "controller/rollout/engine.h"
#include "controller/rollout/workers.h"
#include "controller/terminal/printer.h"

enum {
    ANSWER_MS = 5000, /* a living driver takes an ask within a tick */
    FOLLOW_MS = 250,  /* how often another driver's events are looked for */
    FOLLOW_BATCH = 500,
    PATIENCE_MS = 120 * 1000, /* with a host that does not answer; --timeout */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_interrupts(void)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* --- printing ------------------------------------------------------------------------------ */

static void print_event(void *self, const json_t *event)
{
    const struct place *place = self;
    printer_event(place->printer, event);
}

int driving_code(const struct place *place)
{
    switch (place->rollout->status) {
    case ROLLOUT_DONE:
    case ROLLOUT_ROLLED_BACK: return EXIT_DONE;
    case ROLLOUT_GIVEN_UP: return EXIT_FAILED;
    case ROLLOUT_GATE:
    case ROLLOUT_PAUSED: return EXIT_GATE;
    default: return EXIT_FAILED;
    }
}

int driving_end(const struct place *place)
{
    if (place->flags->format == FORMAT_TEXT)
        status_print(stdout, place);
    return driving_code(place);
}

/* --- asking -------------------------------------------------------------------------------- */

static const char *who_asks(void)
{
    const char *name = getenv("FLOTILLA_USER");
    if (!text_empty(name))
        return name;
    struct passwd *pw = getpwuid(getuid());
    return pw ? pw->pw_name : "unknown";
}

static bool ask(struct place *place, const struct driving *driving, int64_t *id, struct error *err)
{
    if (!driving->verb)
        return true;
    struct store_control control = {
        .verb = driving->verb,
        .argument = driving->argument,
        .who = who_asks(),
    };
    return store_control_add(place->store, place->rollout->id, &control, clock_wall_ms(), id, err);
}

/* Whether nobody drives: who did has ended, perhaps before it saw our ask. */
static bool is_left(struct place *place, bool *left, struct error *err)
{
    SCOPE(tmp);
    const char *holder = NULL;
    if (!store_lease_holder(tmp, place->store, place->rollout->id, clock_wall_ms(), &holder, err))
        return false;
    *left = !holder || lease_holder_is_dead(holder);
    return true;
}

/* *answer is null while nobody took the ask; *left: then nobody will but we. */
static bool wait_answer(const void *ctx, struct place *place, int64_t id, const char **answer,
                        bool *left, struct error *err)
{
    int64_t until = clock_mono_ms() + ANSWER_MS;
    *answer = NULL;
    *left = false;
    while (!*left && clock_mono_ms() < until && !interrupted) {
        if (!is_left(place, left, err) ||
            !store_control_answered(ctx, place->store, id, answer, err))
            return false;
        if (*answer)
            return true;
        clock_sleep_ms(50);
    }
    return true;
}

static bool judge_answer(const struct place *place, const struct driving *driving,
                         const char *answer, struct error *err)
{
    if (!*answer)
        return true;
    fail(err, ERROR_REFUSED, "cannot %s rollout %s: %s", driving->verb, place->rollout->id, answer);
    return fail_hint(err, "`flotilla status %s` says where it stands and what comes next",
                     place->rollout->id);
}

/* What was not taken is taken back: it is reported as failed, and must not happen later. */
static bool last_answer(struct place *place, const struct driving *driving, int64_t id,
                        struct error *err)
{
    SCOPE(tmp);
    const char *answer = NULL;
    bool withdrawn = false;
    if (!driving->verb)
        return true;
    if (!store_control_withdraw(place->store, id, &withdrawn, err) ||
        !store_control_answered(tmp, place->store, id, &answer, err))
        return false;
    if (!answer)
        return fail(err, ERROR_TIMEOUT, "rollout %s: nobody took the %s within %d s",
                    place->rollout->id, driving->verb, ANSWER_MS / 1000);
    return judge_answer(place, driving, answer, err);
}

static bool check_answer(struct place *place, const struct driving *driving, int64_t id, bool *left,
                         struct error *err)
{
    SCOPE(tmp);
    const char *answer = NULL;
    *left = false;
    if (!driving->verb)
        return true;
    if (!wait_answer(tmp, place, id, &answer, left, err))
        return false;
    if (answer)
        return judge_answer(place, driving, answer, err);
    return *left || last_answer(place, driving, id, err);
}

/* --- another process drives ---------------------------------------------------------------- */

/* What was read before is freed, except what the caller brought: a rollout may be followed for
 * days. `owner` is the caller's context, for the place outlives this file's functions. */
struct reading {
    const void *owner;
    void *last;
};

static bool reload(struct reading *reading, struct place *place, struct error *err)
{
    void *fresh = mem_array(reading->owner, char, 1);
    const char *id = mem_text(fresh, place->rollout->id);
    if (!place_rollout(fresh, place, id, err))
        return false;
    talloc_free(reading->last);
    reading->last = fresh;
    return true;
}

static bool print_new_events(struct place *place, int64_t *seen, struct error *err)
{
    SCOPE(tmp);
    json_t *events = NULL;
    if (!store_events(tmp, place->store, place->rollout->id, *seen, FOLLOW_BATCH, &events, err))
        return false;
    for (size_t i = 0; i < json_array_size(events); i++) {
        *seen = json_int_of(json_array_get(events, i), "seq");
        print_event(place, json_array_get(events, i));
    }
    return true;
}

static bool last_seen(struct place *place, int64_t *seen, struct error *err)
{
    for (size_t n = FOLLOW_BATCH; n == FOLLOW_BATCH;) {
        SCOPE(tmp);
        json_t *events = NULL;
        if (!store_events(tmp, place->store, place->rollout->id, *seen, FOLLOW_BATCH, &events, err))
            return false;
        n = json_array_size(events);
        if (n)
            *seen = json_int_of(json_array_get(events, n - 1), "seq");
    }
    return true;
}

/* True with *orphaned when the driver went away before the rollout came to rest. */
static bool follow_other(struct reading *reading, struct place *place, int64_t *seen,
                         bool *orphaned, struct error *err)
{
    *orphaned = false;
    for (;;) {
        SCOPE(tmp);
        const char *holder = NULL;
        if (!print_new_events(place, seen, err) || !reload(reading, place, err) ||
            !store_lease_holder(tmp, place->store, place->rollout->id, clock_wall_ms(), &holder,
                                err))
            return false;
        if (rollout_rests(place->rollout->status))
            return print_new_events(place, seen, err);
        if (interrupted)
            return fail(err, ERROR_CANCELLED, "interrupted; the rollout goes on");
        *orphaned = !holder || lease_holder_is_dead(holder);
        if (*orphaned)
            return true;
        clock_sleep_ms(FOLLOW_MS);
    }
}

/* --- this process drives ------------------------------------------------------------------- */

static bool drive_here(const void *ctx, struct place *place, bool leave, struct error *err)
{
    int64_t patience = place->flags->timeout ? place->flags->timeout : PATIENCE_MS;
    struct workers *workers = workers_new(ctx, place->fleet, place->environment, patience);
    struct engine engine = {
        .world = workers_world(workers),
        .store = place->store,
        .fleet = place->fleet,
        .plan_path = place->row->plan_path,
        .holder = lease_holder(ctx),
        .rollout = place->rollout,
        .on_event = print_event,
        .self = place,
        .leave_when_quiet = leave,
        .patience_ms = patience,
        .interrupted = &interrupted,
    };
    bool ok = engine_run(&engine, err);
    workers_end(workers, 3000);
    return ok;
}

static bool run(const void *ctx, struct place *place, const struct driving *driving,
                struct error *err)
{
    struct reading reading = { .owner = ctx };
    int64_t id = 0;
    int64_t seen = 0;
    int64_t events = 0;
    if (!store_verify(place->store, &events, err) || !last_seen(place, &seen, err) ||
        !ask(place, driving, &id, err))
        return false;
    for (;;) {
        bool left = false;
        if (drive_here(ctx, place, driving->leave, err))
            return last_answer(place, driving, id, err);
        if (err->code != ERROR_BUSY && err->code != ERROR_FENCED)
            return false;
        if (err->code == ERROR_FENCED)
            fprintf(stderr, "%s: %s; this process follows it now\n", driving->name, err->message);
        if (!check_answer(place, driving, id, &left, err))
            return false;
        if (left)
            continue;
        if (driving->leave)
            return reload(&reading, place, err);
        bool orphaned = false;
        if (printer_seen(place->printer) > seen)
            seen = printer_seen(place->printer);
        if (!follow_other(&reading, place, &seen, &orphaned, err))
            return false;
        if (!orphaned)
            return true;
    }
}

int driving_run(const void *ctx, struct place *place, const struct driving *driving)
{
    struct error err;
    catch_interrupts();
    place->printer = printer_new(ctx, place->flags);
    if (!run(ctx, place, driving, &err)) {
        if (err.code == ERROR_CANCELLED &&
            !fail_hint(&err, "`flotilla resume %s` drives it on", place->rollout->id))
            return command_failed(driving->name, &err);
        return command_failed(driving->name, &err);
    }
    return driving_end(place);
}
