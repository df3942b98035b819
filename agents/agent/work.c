#include "agents/agent/work.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    PROGRESS_EVERY_MS = 250, /* at most four a second */
    ORDER_POLL_MS = 100,
    OWN_WAIT_MS = 5000, /* for the rows of the journal that only runners lock */
    IDLE_MS = 5000,     /* in a transaction: then we are stopped, or gone */
};

bool work_event(struct work *work, const char *event, json_t *fields, struct error *err)
{
    json_t *o = json_object();
    json_set_text(o, "rollout", work->rollout);
    json_set_text(o, "phase", phase_name(work->part->phase));
    json_set_text(o, "service", work->part->service);
    json_set_text(o, "instance", work->instance);
    json_set_text(o, "database", work->database);
    if (work->back)
        json_set_text(o, "direction", "back");
    if (work->step)
        json_set_text(o, "step", work->step->id);
    json_set_text(o, "event", event);
    if (fields) {
        json_object_update(o, fields);
        json_decref(fields);
    }
    bool durable = !text_eq(event, "progress") && !text_eq(event, "lock_waiting");
    return spool_append(work->spool, o, durable, err);
}

static double share_of(const struct work_progress *p)
{
    double share = p->share >= 0 ? p->share : p->total > 0 ? (double)p->done / (double)p->total : 0;
    return share > 1 ? 1 : share;
}

bool work_progress(struct work *work, const struct work_progress *p, struct error *err)
{
    int64_t now = clock_mono_ms();
    if (!p->last && now - work->last_progress_ms < PROGRESS_EVERY_MS)
        return true;
    work->last_progress_ms = now;
    int64_t elapsed = now - p->began_ms;
    double share = share_of(p);
    json_t *o = json_object();
    json_set_int(o, "done", p->done);
    json_set_int(o, "total", p->total > p->done ? p->total : p->done);
    json_set_int(o, "percent", (int64_t)(share * 100));
    json_set_int(o, "rate", elapsed > 0 ? p->done * 1000 / elapsed : 0);
    if (share > 0)
        json_set_int(o, "eta_seconds",
                     (int64_t)((double)elapsed * (1 - share) / share / 1000 + 0.5));
    return work_event(work, "progress", o, err);
}

static bool work_interrupted(struct work *work)
{
    return spool_order(work->spool) != ORDER_RUN;
}

bool work_orders(struct work *work, struct error *err)
{
    bool waited = false;
    for (;;) {
        enum spool_order order = spool_order(work->spool);
        if (order == ORDER_CANCEL) {
            fail(err, ERROR_CANCELLED, "stopped on request");
            return fail_hint(err, "continue with `flotilla retry`, or go back with "
                                  "`flotilla rollback`");
        }
        if (order == ORDER_RUN)
            return !waited || work_event(work, "resumed", NULL, err);
        if (!waited && !work_event(work, "paused", NULL, err))
            return false;
        waited = true;
        clock_sleep_ms(ORDER_POLL_MS);
    }
}

void work_sleep(struct work *work, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    for (int64_t left = ms; left > 0 && !work_interrupted(work); left = until - clock_mono_ms())
        clock_sleep_ms(left < ORDER_POLL_MS ? left : ORDER_POLL_MS);
}

static bool fence_hold(struct work *work, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { mem_printf(tmp, "%lld", (long long)work->fence) };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "SELECT 1 FROM flotilla.fence WHERE token = $1::bigint FOR SHARE", params,
                          1, &rows, err))
        return fail_in(err, "fence");
    if (rows_count(rows) == 1)
        return true;
    return fail(err, ERROR_FENCED, "database %s: a newer command took over from this run",
                work->database);
}

bool work_begin(struct work *work, struct error *err)
{
    SCOPE(tmp);
    const char *sql = mem_printf(tmp,
                                 "BEGIN; SET LOCAL lock_timeout = %d;"
                                 "SET LOCAL idle_in_transaction_session_timeout = %d",
                                 OWN_WAIT_MS, IDLE_MS);
    if (!connection_script(work->db, sql, err))
        return false;
    if (fence_hold(work, err))
        return true;
    work_rollback(work);
    return false;
}

bool work_commit(struct work *work, struct error *err)
{
    if (connection_exec(work->db, "COMMIT", err))
        return true;
    work_rollback(work);
    return false;
}

void work_rollback(struct work *work)
{
    struct error ignored;
    enum connection_state state = connection_state(work->db);
    if (state == CONNECTION_IN_TRANSACTION || state == CONNECTION_FAILED_TRANSACTION)
        if (!connection_exec(work->db, "ROLLBACK", &ignored))
            return;
}
