#include <string.h>
#include <strings.h>

#include "agents/agent/apply.h"
#include "agents/agent/locks.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    TICK_MS = 50,
    LOOK_EVERY_MS = 100, /* at progress */
    SAY_EVERY_MS = 1000,
    DEADLOCK_TRIES = 5,
    OVERRUNS_MOST = 8,
    PAUSE_MS = 500,
    PAUSES = 4, /* of them at most between two tries */
};

struct alone {
    struct work *work;
    int64_t began_ms;
    int64_t said_ms;
    int64_t wait_ms; /* spent in phases that wait for others */
    int64_t ticked_ms;
    int64_t looked_ms;
    int tries, overruns; /* of one statement */
    bool cannot_tell;    /* an event could not be written */
    struct budget budget;
};

/* --- watching ------------------------------------------------------------------------------ */

/* Shares of the work by phase, measured: building (scan, sort, load) about 0.8, validation the
 * rest. The counters of one phase linger in the next, so each phase reads its own. */
static double index_share(const char *phase, const struct rows *rows)
{
    double blocks =
        rows_int(rows, 0, 2) ? (double)rows_int(rows, 0, 1) / (double)rows_int(rows, 0, 2) : 0;
    double tuples =
        rows_int(rows, 0, 4) ? (double)rows_int(rows, 0, 3) / (double)rows_int(rows, 0, 4) : 0;
    if (text_starts(phase, "building index: scanning"))
        return 0.45 * blocks;
    if (text_starts(phase, "building index: sorting"))
        return 0.50;
    if (text_starts(phase, "building index: loading"))
        return 0.55 + 0.25 * tuples;
    if (text_starts(phase, "index validation: scanning index"))
        return 0.80 + 0.05 * blocks;
    if (text_starts(phase, "index validation: sorting"))
        return 0.86;
    if (text_starts(phase, "index validation: scanning table"))
        return 0.88 + 0.12 * blocks;
    return -1;
}

static void tell_waiting(struct alone *a)
{
    struct error ignored;
    int64_t now = clock_mono_ms();
    a->wait_ms += now - a->ticked_ms;
    if (now - a->said_ms < SAY_EVERY_MS)
        return;
    json_t *blockers = locks_blockers(a->work->watch, connection_facts(a->work->db)->backend_pid);
    if (json_array_size(blockers) == 0) {
        json_decref(blockers);
        return;
    }
    a->said_ms = now;
    json_t *o = json_object();
    json_object_set_new(o, "blockers", blockers);
    json_set_int(o, "waited_ms", a->wait_ms);
    if (!work_event(a->work, "lock_waiting", o, &ignored))
        a->cannot_tell = true;
}

static bool look(void *data, int64_t elapsed_ms)
{
    SCOPE(tmp);
    struct alone *a = data;
    struct error ignored;
    struct rows *rows = NULL;
    const char *params[] = { mem_printf(tmp, "%d", connection_facts(a->work->db)->backend_pid) };
    (void)elapsed_ms;
    if (spool_order(a->work->spool) == ORDER_CANCEL || a->cannot_tell || !budget_look(&a->budget))
        return false;
    if (clock_mono_ms() - a->looked_ms < LOOK_EVERY_MS)
        return true;
    a->looked_ms = clock_mono_ms();
    if (!connection_query(tmp, a->work->watch,
                          "SELECT phase, blocks_done, blocks_total, tuples_done, tuples_total"
                          " FROM pg_catalog.pg_stat_progress_create_index"
                          " WHERE pid = $1::integer",
                          params, 1, &rows, &ignored))
        return true;
    const char *phase = rows_count(rows) ? rows_text(rows, 0, 0) : "waiting";
    double share = rows_count(rows) ? index_share(phase, rows) : -1;
    if (share < 0) {
        tell_waiting(a);
    } else {
        struct work_progress p = { .done = (int64_t)(share * 1000),
                                   .total = 1000,
                                   .began_ms = a->began_ms + a->wait_ms,
                                   .share = share };
        a->cannot_tell = !work_progress(a->work, &p, &ignored);
    }
    a->ticked_ms = clock_mono_ms();
    return true;
}

/* --- leftovers ------------------------------------------------------------------------------ */

static bool drops_index(const char *sql)
{
    while (*sql == ' ' || *sql == '\n' || *sql == '\t')
        sql++;
    return strncasecmp(sql, "DROP INDEX", strlen("DROP INDEX")) == 0;
}

/* Invalid indexes whose name stands in the statement: one that failed before its end. */
static bool invalid_named(struct work *work, const char *sql, bool *out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { sql };
    if (!connection_query(tmp, work->db,
                          "SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c"
                          " ON c.oid = i.indexrelid WHERE NOT i.indisvalid AND"
                          " (pg_catalog.strpos($1, '\"' || pg_catalog.replace(c.relname, '\"',"
                          " '\"\"') || '\"') > 0 OR (c.relname ~ '^[a-z_][a-z0-9_]*$' AND"
                          " $1 ~ ('(^|[^a-zA-Z0-9_$\"])' || c.relname ||"
                          " '($|[^a-zA-Z0-9_$\"])'))) LIMIT 1",
                          params, 1, &rows, err))
        return false;
    *out = rows_count(rows) > 0;
    return true;
}

/* --- running -------------------------------------------------------------------------------- */

/* DETACH PARTITION CONCURRENTLY stays half done when it is cut, and another try of it is refused.
 */
static bool must_be_patient(const char *sql)
{
    return strcasestr(sql, "DETACH PARTITION") != NULL;
}

/* Waits for old snapshots of the whole database are part of these statements: a short lock_timeout
 * would only leave an invalid index behind. What is asked for and held is looked at instead. */
static bool run_one(struct alone *a, const char *sql, int64_t *count, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    struct connection_watch watch = { .every_ms = TICK_MS, .tick = look, .data = a };
    a->ticked_ms = clock_mono_ms();
    budget_begin(&a->budget, a->work);
    a->budget.patient = must_be_patient(sql);
    if (!connection_script(a->work->db, "SET lock_timeout = 0; SET statement_timeout = 0", err))
        return false;
    if (!connection_query_watched(tmp, a->work->db, sql, &watch, &rows, err)) {
        if (err->code == ERROR_CANCELLED && a->budget.end != BUDGET_KEPT)
            err->code = a->budget.end == BUDGET_HELD ? ERROR_LOCK_BUDGET : ERROR_LOCK_TIMEOUT;
        return false;
    }
    *count += rows_affected(rows) > 0 ? rows_affected(rows) : 0;
    return true;
}

/* A failed CREATE INDEX CONCURRENTLY leaves an invalid index that slows writes down and holds the
 * name. The step's other direction is what drops it; that runs only when an index of that very
 * name is invalid. */
static bool leftover_remove(struct alone *a, struct error *err)
{
    struct work *work = a->work;
    const struct step_texts *other = work->back ? &work->step->up : &work->step->down;
    if (work->step->kind != STEP_CONCURRENTLY)
        return true;
    for (size_t i = 0; i < other->count; i++) {
        bool invalid = false;
        int64_t none = 0;
        if (!drops_index(other->items[i]))
            continue;
        if (!invalid_named(work, other->items[i], &invalid, err))
            return false;
        if (invalid && !run_one(a, other->items[i], &none, err))
            return fail_in(err, "removing what a failed try left");
    }
    return true;
}

/* Whether the error is one that another try may get past; it fails with a name when it is not. */
static bool may_try_again(struct alone *a, struct error *err)
{
    int64_t deadline = a->began_ms + a->work->limits.step_deadline_ms;
    a->tries++;
    if (text_eq(err->sqlstate, "40P01"))
        return a->tries < DEADLOCK_TRIES;
    if (err->code == ERROR_LOCK_TIMEOUT)
        return clock_mono_ms() < deadline;
    if (err->code != ERROR_LOCK_BUDGET)
        return false;
    if (++a->overruns == OVERRUNS_MOST)
        return budget_fail(a->work, a->overruns, err);
    return budget_tell(a->work, err);
}

/* Rows that were written since may be more than a unique index allows. The way back ends all the
 * same, without it, and says so: nobody should have to choose between duplicates while an
 * application waits. */
static bool is_left_out(const struct alone *a, const char *sql, const struct error *err)
{
    return a->work->back && a->work->step->kind == STEP_CONCURRENTLY && !drops_index(sql) &&
           text_eq(err->sqlstate, "23505");
}

static bool run_with_tries(struct alone *a, const char *sql, int64_t *count, struct error *err)
{
    a->tries = a->overruns = 0;
    while (!leftover_remove(a, err) || !run_one(a, sql, count, err)) {
        struct error ignored;
        if (connection_lost(err->code) || !leftover_remove(a, &ignored) || !may_try_again(a, err))
            return false;
        work_sleep(a->work, PAUSE_MS * (a->tries < PAUSES ? a->tries : PAUSES));
        if (!work_orders(a->work, err))
            return false;
    }
    return true;
}

static bool run_all(struct alone *a, json_t *into, struct error *err)
{
    SCOPE(tmp);
    const struct step_texts *list = apply_statements(a->work);
    const char *before = NULL;
    const char *after = NULL;
    int64_t bytes = 0;
    int64_t rows = 0;
    bool invalid = false;
    if (!apply_wal(a->work->db, NULL, tmp, &before, &bytes, err))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        if (!run_with_tries(a, list->items[i], &rows, err)) {
            if (!is_left_out(a, list->items[i], err))
                return false;
            apply_left_one(into, mem_printf(tmp,
                                            "not made again, because of duplicates: %s; remove "
                                            "them, then make it by hand",
                                            list->items[i]));
        }
        if (!invalid_named(a->work, list->items[i], &invalid, err))
            return false;
        if (invalid && a->work->step->kind == STEP_CONCURRENTLY && !drops_index(list->items[i]))
            return fail(err, ERROR_VERIFY, "step %s: the index that was built is not valid",
                        a->work->step->id);
    }
    if (!apply_wal(a->work->db, before, tmp, &after, &bytes, err))
        return false;
    int64_t ms = clock_mono_ms() - a->began_ms;
    apply_left(a->work, into);
    json_set_int(into, "ms", ms);
    json_set_int(into, "seconds", (ms + 500) / 1000);
    json_set_int(into, "wait_ms", a->wait_ms);
    json_set_int(into, "hold_ms", 0);
    json_set_int(into, "wal_bytes", bytes);
    json_set_int(into, "rows", rows);
    return true;
}

bool apply_alone(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    struct alone a = { .work = work, .began_ms = clock_mono_ms() };
    bool known = false;
    bool done = false;
    struct journal_step before;
    json_t *into = json_own(ctx, json_object());
    if (!journal_step_read(ctx, work, work->step->id, &before, err) ||
        !journal_step_mark(work, work->step, apply_underway(work), NULL, err))
        return false;
    /* A half-built index can satisfy a probe that only looks for its name: it goes first. */
    if (!leftover_remove(&a, err) || !apply_probe(work, &known, &done, err))
        return false;
    bool through = known && done != work->back;
    if (!through && !run_all(&a, into, err))
        return false;
    if (through)
        json_set_bool(into, "already", true);
    enum journal_state state = through && !work->back && before.state == JOURNAL_NONE
                                   ? JOURNAL_ALREADY
                                   : apply_finished(work);
    *measured = into;
    return journal_step_mark(work, work->step, state, into, err);
}
