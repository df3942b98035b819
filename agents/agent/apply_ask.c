#include "agents/agent/apply.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { TICK_MS = 100 };

static json_t *took(const void *ctx, int64_t began_ms)
{
    json_t *o = json_own(ctx, json_object());
    int64_t ms = clock_mono_ms() - began_ms;
    json_set_int(o, "ms", ms);
    json_set_int(o, "seconds", (ms + 500) / 1000);
    return o;
}

static bool keep_on(void *data, int64_t elapsed_ms)
{
    const struct work *work = data;
    (void)elapsed_ms;
    return spool_order(work->spool) != ORDER_CANCEL;
}

/* True, in a read-only transaction; anything but true is a failure of the step. */
static bool check_holds(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    struct connection_watch watch = { .every_ms = TICK_MS, .tick = keep_on, .data = work };
    if (!connection_exec(work->db, "BEGIN READ ONLY", err))
        return false;
    bool asked = connection_query_watched(tmp, work->db, work->step->check, &watch, &rows, err);
    work_rollback(work);
    if (!asked)
        return false;
    if (rows_count(rows) == 1 && rows_bool(rows, 0, 0))
        return true;
    fail(err, ERROR_VERIFY, "the check does not hold: %s",
         work->step->what ? work->step->what : work->step->id);
    return fail_hint(err, "run the step's check by hand (`flotilla show` prints it), repair the "
                          "rows, then `flotilla retry`");
}

/* The way back has nothing to verify. */
bool apply_verify(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    int64_t began = clock_mono_ms();
    if (!work->back && !check_holds(work, err))
        return false;
    *measured = took(ctx, began);
    return journal_step_mark(work, work->step, apply_finished(work), *measured, err);
}

/* Counted from the row of intent: a runner that died and came back does not soak anew. */
bool apply_wait(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    struct journal_step row;
    int64_t began = clock_mono_ms();
    if (!journal_step_read(ctx, work, work->step->id, &row, err))
        return false;
    if (!work->back && row.state != JOURNAL_STARTED &&
        !journal_step_mark(work, work->step, JOURNAL_STARTED, NULL, err))
        return false;
    int64_t since = row.state == JOURNAL_STARTED ? row.started_ms : clock_wall_ms();
    while (!work->back && clock_wall_ms() < since + work->step->wait_ms) {
        struct work_progress p = { .done = clock_wall_ms() - since,
                                   .total = work->step->wait_ms,
                                   .began_ms = clock_mono_ms() - (clock_wall_ms() - since),
                                   .share = -1 };
        if (!work_orders(work, err) || !work_progress(work, &p, err))
            return false;
        work_sleep(work, since + work->step->wait_ms - clock_wall_ms() < 1000
                             ? since + work->step->wait_ms - clock_wall_ms()
                             : 1000);
    }
    *measured = took(ctx, began);
    return journal_step_mark(work, work->step, apply_finished(work), *measured, err);
}

static const struct work_ack *ack_of(const struct work *work)
{
    for (size_t i = 0; i < work->ack_count; i++)
        if (text_eq(work->acks[i].service, work->step->from))
            return &work->acks[i];
    return NULL;
}

/* The controller keeps the gate; here the word is written down beside what it allowed. */
bool apply_acknowledge(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    const struct work_ack *ack = ack_of(work);
    int64_t began = clock_mono_ms();
    if (!work->back && !ack) {
        fail(err, ERROR_REFUSED, "service %s has not acknowledged", work->step->from);
        return fail_hint(err,
                         "when its deployed versions live with the new shape: "
                         "`flotilla ack %s --plan PLAN`",
                         work->step->from);
    }
    *measured = took(ctx, began);
    if (ack) {
        json_set_text(*measured, "from", ack->service);
        json_set_text(*measured, "note", ack->note);
    }
    return journal_step_mark(work, work->step, apply_finished(work), *measured, err);
}
