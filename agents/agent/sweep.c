#include "agents/agent/sweep.h"

#include "agents/agent/sweep_range.h"
#include "agents/agent/throttle.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    FIRST_BLOCKS = 4,
    FIRST_ROWS = 1000,
    SIZE_MOST = 1 << 20,
    FIRST_PACE = 10,    /* rows a millisecond: a tenth of what was measured on two cores */
    PACE_ROWS = 100,    /* fewer tell nothing about it */
    LATER_PASSES = 16,  /* how much larger ranges may be when most rows are done */
    LONGEST = 3,        /* times what a batch aims at: then it is taken back and cut smaller */
    REST_PART = 4,      /* of a batch's time, left to the applications after it */
    LOCK_WAIT_MS = 200, /* below deadlock_timeout: in a deadlock we give way, not the application */
    IDLE_MS = 1000,     /* between two statements of a batch: rows are locked meanwhile */
    PROOF_ROWS = 100,   /* of the first batch, tried a second time */
    PASSES_MOST = 100,
    PASS_PAUSE_MS = 300,   /* before looking again at rows that were locked */
    VACUUM_LEAST = 100000, /* rows changed, below which bloat does not matter */
    VACUUM_PART = 4,       /* and a quarter of the table */
};

/* One UPDATE of a range. The first that changes rows is asked whether it would change the same rows
 * again: then the statement cannot be cut, and nothing has been committed yet. */
static bool update_range(struct sweep_state *state, const char *condition, int64_t *changed,
                         struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    struct connection *db = state->sweep->work->db;
    const char *sql = mem_printf(tmp, "%s AND %s%s", state->sweep->statement, condition,
                                 state->proved ? "" : " RETURNING tableoid::text, ctid::text");
    if (!connection_query(tmp, db, sql, NULL, 0, &rows, err))
        return false;
    *changed = rows_affected(rows);
    if (state->proved || *changed == 0)
        return true;
    /* by address first, which finds them without looking at the rest of the table */
    struct text places = text_init(tmp, TEXT_FILE);
    struct text pairs = text_init(tmp, TEXT_FILE);
    for (size_t i = 0; i < rows_count(rows) && i < PROOF_ROWS; i++) {
        text_addf(&places, "%s'%s'", i ? ", " : "", rows_text(rows, i, 1));
        text_addf(&pairs, "%s('%s', '%s')", i ? ", " : "", rows_text(rows, i, 0),
                  rows_text(rows, i, 1));
    }
    const char *again = mem_printf(
        tmp, "%s AND ctid = ANY (ARRAY[%s]::tid[]) AND (tableoid::text, ctid::text) IN (%s)",
        state->sweep->statement, places.data, pairs.data);
    if (!connection_query(tmp, db, again, NULL, 0, &rows, err))
        return false;
    if (rows_affected(rows) > 0) {
        fail(err, ERROR_REFUSED, "the backfill would change the same rows again and again");
        return fail_hint(err, "its WHERE condition must become false for a row that is done");
    }
    state->proved = true;
    return true;
}

static bool write_place(struct sweep_state *state, const struct sweep_place *then, int64_t changed,
                        struct error *err)
{
    SCOPE(tmp);
    struct journal_cursor cursor = { .position = sweep_place_text(tmp, state, then),
                                     .done = state->sum.rows + changed,
                                     .batches = state->sum.batches + 1 };
    return journal_cursor_write(state->sweep->work, state->sweep->target, &cursor, err);
}

/* Rows and cursor commit together. Asynchronously: a crash of the server may take back both, never
 * one; the step's own row is written with a synchronous commit at the end. */
static bool batch_try(struct sweep_state *state, const struct sweep_range *range, bool skip,
                      struct error *err)
{
    SCOPE(tmp);
    struct work *work = state->sweep->work;
    struct sweep_place then = range->then;
    int64_t changed = 0;
    if (!work_begin(work, err))
        return false;
    /* Rows stay locked until the batch ends: a machine that is suddenly busy must not make that
     * long. A single block is as small as it gets. */
    int64_t limit = state->size > 1 ? work->limits.batch_ms * LONGEST : 0;
    const char *set = mem_printf(tmp,
                                 "SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = %d;"
                                 "SET LOCAL enable_seqscan = off; SET LOCAL jit = off;"
                                 "SET LOCAL idle_in_transaction_session_timeout = %d;"
                                 "SET LOCAL statement_timeout = %lld",
                                 LOCK_WAIT_MS, IDLE_MS, (long long)limit);
    bool done = connection_script(work->db, set, err) &&
                update_range(state, skip ? range->locked : range->condition, &changed, err);
    then.changed += changed;
    then.skipped += skip && state->at.pass > 1 ? 1 : 0;
    if (!done || !write_place(state, &then, changed, err)) {
        work_rollback(work);
        return false;
    }
    if (!work_commit(work, err))
        return false;
    state->at = then;
    state->sum.rows += changed;
    state->sum.batches++;
    state->unvacuumed += changed;
    return true;
}

/* The largest range whose rows could be changed in time if all of them needed it: ranges without
 * work are quick, and must not let the first one with work become a long one. Later passes find
 * little to do anywhere. */
static int64_t size_most(const struct sweep_state *state)
{
    const struct sweep_leaf *leaf =
        &state->leaves[state->at.leaf < state->leaf_count ? state->at.leaf : 0];
    double rows = state->pace * (double)state->sweep->work->limits.batch_ms;
    int64_t most = (int64_t)(state->sweep->key ? rows : rows / (double)leaf->dense);
    most *= state->at.pass > 1 ? LATER_PASSES : 1;
    return most < 1 ? 1 : most > SIZE_MOST ? SIZE_MOST : most;
}

static void adapt(struct sweep_state *state, int64_t changed, int64_t ms)
{
    int64_t aim = state->sweep->work->limits.batch_ms;
    int64_t most = state->size + state->size / 2 + 1;
    int64_t size = ms > 0 ? state->size * aim / ms : most;
    if (changed >= PACE_ROWS)
        state->pace = (state->pace + (double)changed / (double)(ms > 0 ? ms : 1)) / 2;
    if (size > most)
        size = most;
    if (size < state->size / 2)
        size = state->size / 2;
    if (size > size_most(state))
        size = size_most(state);
    state->size = size < 1 ? 1 : size;
}

static bool gave_way(const struct error *err)
{
    return text_eq(err->sqlstate, "55P03") || text_eq(err->sqlstate, "40P01") ||
           text_eq(err->sqlstate, "57014");
}

/* The first pass never waits for a row; later ones wait a little, and leave a single block whose
 * rows stay locked for the pass after. */
static bool batch_run(struct sweep_state *state, struct error *err)
{
    SCOPE(tmp);
    struct sweep_range range = { 0 };
    int64_t began = clock_mono_ms();
    bool skip = state->at.pass == 1;
    int64_t before = state->sum.rows;
    if (!sweep_next(tmp, state, &range, err))
        return false;
    while (!batch_try(state, &range, skip, err)) {
        if (!gave_way(err))
            return false;
        if (state->size == 1 && !text_eq(err->sqlstate, "57014"))
            skip = true;
        state->size = state->size / 4 > 1 ? state->size / 4 : 1;
        began = clock_mono_ms();
        if (!work_orders(state->sweep->work, err) || !sweep_next(tmp, state, &range, err))
            return false;
    }
    int64_t ms = clock_mono_ms() - began;
    if (ms > state->sum.longest_ms)
        state->sum.longest_ms = ms;
    adapt(state, state->sum.rows - before, ms);
    if (!state->sweep->work->rehearsal)
        clock_sleep_ms(ms / REST_PART);
    return true;
}

/* Old row versions are given back while the sweep goes on, or the table would double. */
static bool vacuum_when_due(struct sweep_state *state, struct error *err)
{
    SCOPE(tmp);
    struct error ignored;
    if (state->unvacuumed < VACUUM_LEAST || state->unvacuumed < state->rows / VACUUM_PART)
        return true;
    state->unvacuumed = 0;
    for (size_t i = 0; i < state->leaf_count; i++) {
        const char *sql =
            mem_printf(tmp, "VACUUM (SKIP_LOCKED, TRUNCATE false) %s", state->leaves[i].sql);
        /* Helpful, not needed: the right may be missing. */
        if (!connection_exec(state->sweep->work->db, sql, &ignored) &&
            connection_lost(ignored.code)) {
            *err = ignored;
            return false;
        }
    }
    return true;
}

static bool tell(struct sweep_state *state, int64_t began_ms, bool last, struct error *err)
{
    double share = last ? 1 : sweep_share(state);
    int64_t total = state->sweep->rows > 0 ? state->sweep->rows : state->rows;
    /* Statistics that are missing or old: what was gone through tells more. */
    if (total < state->sum.rows)
        total = share > 0 ? (int64_t)((double)state->sum.rows / share) : state->sum.rows;
    struct work_progress p = { .done = state->sum.rows,
                               .total = last ? state->sum.rows : total,
                               .began_ms = began_ms,
                               .share = share,
                               .last = last };
    return work_progress(state->sweep->work, &p, err);
}

static bool pass_run(struct sweep_state *state, int64_t began_ms, struct error *err)
{
    struct throttle throttle = { 0 };
    struct work *work = state->sweep->work;
    while (!state->at.pass_over) {
        if (!work_orders(work, err) || !throttle_wait(&throttle, work, err) ||
            !batch_run(state, err) || !tell(state, began_ms, false, err) ||
            !vacuum_when_due(state, err))
            return false;
    }
    return true;
}

static bool load(struct sweep_state *state, struct error *err)
{
    struct journal_cursor cursor;
    state->size = state->sweep->key ? FIRST_ROWS : FIRST_BLOCKS;
    state->pace = FIRST_PACE;
    state->at.pass = 1;
    state->proved = state->sweep->settles;
    if (!sweep_leaves(state, err) ||
        !journal_cursor_read(state, state->sweep->work, state->sweep->target, &cursor, err))
        return false;
    if (!cursor.found)
        return true;
    state->sum.rows = cursor.done;
    state->sum.batches = cursor.batches;
    return sweep_place_read(state, cursor.position, err);
}

static int state_end(struct sweep_state *state)
{
    file_close(&state->place);
    return 0;
}

bool sweep_run(const struct sweep *sweep, struct sweep_result *out, struct error *err)
{
    SCOPE(tmp);
    struct sweep_state *state = mem_new(tmp, struct sweep_state);
    int64_t began = clock_mono_ms();
    int64_t before = -1;
    state->sweep = sweep;
    state->place = -1;
    talloc_set_destructor(state, state_end);
    if (!load(state, err))
        return false;
    if (!throttle_place(sweep->work, &state->place, err))
        return false;
    for (;;) {
        if (!pass_run(state, began, err))
            return false;
        state->sum.passes = state->at.pass;
        if (state->at.pass > 1 && state->at.changed == 0 && state->at.skipped == 0)
            break;
        if (sweep->settles && state->at.changed == before && state->at.skipped == 0)
            break;
        before = state->at.changed;
        if (state->at.pass == PASSES_MOST)
            return fail(err, ERROR_TIMEOUT, "%d passes over the table still found rows to do",
                        PASSES_MOST);
        if (state->at.skipped > 0)
            work_sleep(sweep->work, PASS_PAUSE_MS);
        state->at = (struct sweep_place){ .pass = state->at.pass + 1 };
        if (sweep->settles && !sweep_ends(state, err))
            return false;
    }
    *out = state->sum;
    return tell(state, began, true, err);
}
