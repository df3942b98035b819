#include "agents/agent/locks.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

enum {
    HOLD_SHARE_MS = 50, /* of the budget, kept for the hold after the wait */
    WAIT_LEAST_MS = 20,
    WEAK_WAIT_MS = 10000, /* nobody queues behind a weak lock */
    PAUSE_FIRST_MS = 100,
    PAUSE_MOST_MS = 2000,
    LOOK_AFTER_MS = 60, /* into a try: shorter waits need no name */
    LOOK_EVERY_MS = 250,
    SAY_EVERY_MS = 1000,
    TICK_MS = 30,
    OVERRUNS_MOST = 8, /* a machine that is slow for a moment is given some seconds */
    BLAME_PART = 4,    /* of the budget spent waiting: then the wait was too long, not the hold */
};

/* Modes in which ordinary reads and writes of an application do not queue behind us. */
static bool is_weak(const char *mode)
{
    return text_eq(mode, "ACCESS SHARE") || text_eq(mode, "ROW SHARE") ||
           text_eq(mode, "ROW EXCLUSIVE") || text_eq(mode, "SHARE UPDATE EXCLUSIVE");
}

static const char *const modes[] = { "ACCESS SHARE",  "ROW SHARE",
                                     "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
                                     "SHARE",         "SHARE ROW EXCLUSIVE",
                                     "EXCLUSIVE",     "ACCESS EXCLUSIVE" };

static bool is_mode(const char *mode)
{
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (text_eq(mode, modes[i]))
            return true;
    return false;
}

static int by_relation(const void *a, const void *b)
{
    const struct step_lock *x = a;
    const struct step_lock *y = b;
    return text_cmp(x->relation, y->relation);
}

/* LOCK takes tables only: views would lock what is below them, others are refused. */
static bool is_table(struct connection *db, const char *quoted, bool *there, bool *table,
                     struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { quoted };
    struct rows *rows = NULL;
    if (!connection_query(tmp, db,
                          "SELECT relkind IN ('r', 'p') FROM pg_catalog.pg_class"
                          " WHERE oid = pg_catalog.to_regclass($1)",
                          params, 1, &rows, err))
        return fail_in(err, "locks");
    *there = rows_count(rows) == 1;
    *table = *there && rows_bool(rows, 0, 0);
    return true;
}

static bool add_lock(struct locks *locks, const struct step_lock *lock, struct text *sql,
                     struct error *err)
{
    SCOPE(tmp);
    struct object_name name = { 0 };
    bool there = false;
    bool table = false;
    if (!is_mode(lock->mode) || !object_name_parse(tmp, lock->relation, &name, err))
        return fail(err, ERROR_INVALID, "step %s: cannot lock %s in mode %s", locks->work->step->id,
                    lock->relation, lock->mode);
    const char *quoted = name.schema ? object_name_sql(tmp, name.schema, name.name)
                                     : text_quote_ident(tmp, name.name);
    if (!is_table(locks->work->db, quoted, &there, &table, err))
        return false;
    locks->bounded |= there && !is_weak(lock->mode) && !locks->work->rehearsal;
    if (table && !is_weak(lock->mode))
        text_addf(sql, "LOCK TABLE %s IN %s MODE;", quoted, lock->mode);
    return true;
}

bool locks_new(const void *ctx, struct work *work, struct locks **out, struct error *err)
{
    const struct step *step = work->step;
    struct locks *locks = mem_new(ctx, struct locks);
    struct text sql = text_init(locks, TEXT_SQL);
    struct step_lock *sorted = mem_array(locks, struct step_lock, step->lock_count);
    locks->work = work;
    locks->strong = step->lock_count == 0;
    for (size_t i = 0; i < step->lock_count; i++) {
        sorted[i] = step->locks[i];
        locks->strong |= !is_weak(sorted[i].mode);
    }
    qsort(sorted, step->lock_count, sizeof(*sorted), by_relation);
    for (size_t i = 0; i < step->lock_count; i++)
        if (!add_lock(locks, &sorted[i], &sql, err))
            return false;
    /* One DO is one statement: statement_timeout then bounds the wait for all of them. */
    if (sql.len)
        locks->sql = mem_printf(locks, "DO $flotilla$ BEGIN %s END $flotilla$", sql.data);
    int64_t wait = work->limits.lock_budget_ms - HOLD_SHARE_MS;
    locks->wait_ms = !locks->strong ? WEAK_WAIT_MS : wait > WAIT_LEAST_MS ? wait : WAIT_LEAST_MS;
    locks->deadline_ms = clock_mono_ms() + work->limits.step_deadline_ms;
    *out = locks;
    return true;
}

json_t *locks_blockers(struct connection *watch, int backend_pid)
{
    SCOPE(tmp);
    struct error ignored;
    struct rows *rows = NULL;
    json_t *list = NULL;
    const char *params[] = { mem_printf(tmp, "%d", backend_pid) };
    /* A blocker without a process is a prepared transaction. No statement text: it may hold values
     * of rows. */
    if (!connection_query(
            tmp, watch,
            "SELECT coalesce(json_agg(b), '[]')::text FROM ("
            "SELECT a.pid, a.application_name AS application, a.usename AS \"user\", a.state,"
            " extract(epoch FROM now() - a.xact_start)::bigint AS seconds,"
            " a.backend_type AS what FROM pg_catalog.pg_stat_activity a"
            " WHERE a.pid = ANY (pg_catalog.pg_blocking_pids($1::integer))"
            " UNION ALL SELECT 0, 'prepared transaction ' || p.gid, p.owner, 'prepared',"
            " extract(epoch FROM now() - p.prepared)::bigint, 'prepared transaction'"
            " FROM pg_catalog.pg_prepared_xacts p WHERE p.database ="
            " pg_catalog.current_database() AND 0 = ANY"
            " (pg_catalog.pg_blocking_pids($1::integer))) b",
            params, 1, &rows, &ignored))
        return json_array();
    const char *text = rows_text(rows, 0, 0);
    return json_parse(tmp, text, strlen(text), &list, &ignored) ? json_incref(list) : json_array();
}

static bool look(void *data, int64_t elapsed_ms)
{
    struct locks *locks = data;
    int64_t now = clock_mono_ms();
    if (elapsed_ms >= LOOK_AFTER_MS && now - locks->looked_ms >= LOOK_EVERY_MS) {
        json_t *found =
            locks_blockers(locks->work->watch, connection_facts(locks->work->db)->backend_pid);
        locks->looked_ms = now;
        if (json_array_size(found) > 0)
            locks->blockers = json_own(locks, found);
        else
            json_decref(found);
    }
    return spool_order(locks->work->spool) != ORDER_CANCEL && budget_look(&locks->budget);
}

static bool watched(struct locks *locks, const char *sql, int64_t *count, struct error *err)
{
    SCOPE(tmp);
    struct connection_watch watch = { .every_ms = TICK_MS, .tick = look, .data = locks };
    struct rows *rows = NULL;
    if (!connection_query_watched(tmp, locks->work->db, sql, &watch, &rows, err)) {
        if (err->code == ERROR_CANCELLED && locks->budget.end != BUDGET_KEPT)
            err->code = locks->budget.end == BUDGET_HELD ? ERROR_LOCK_BUDGET : ERROR_LOCK_TIMEOUT;
        return false;
    }
    if (count)
        *count += rows_affected(rows) > 0 ? rows_affected(rows) : 0;
    return true;
}

bool locks_take(struct locks *locks, struct error *err)
{
    SCOPE(tmp);
    struct connection *db = locks->work->db;
    locks->tries++;
    locks->asked_ms = clock_mono_ms();
    locks->looked_ms = 0;
    locks->wait_was_ms = 0;
    budget_begin(&locks->budget, locks->work);
    struct text set = text_init(tmp, TEXT_LINE);
    text_addf(&set, "SET LOCAL lock_timeout = %lld", (long long)locks->wait_ms);
    /* A standby that replays slowly must not make us hold the lock while we wait for it. */
    if (locks->strong)
        text_add(&set, "; SET LOCAL synchronous_commit = local");
    if (locks->bounded)
        text_addf(&set, "; SET LOCAL idle_in_transaction_session_timeout = %lld",
                  (long long)locks->work->limits.lock_budget_ms);
    /* Autovacuum yields only after deadlock_timeout, which is longer than our wait. */
    if (locks->strong && locks->work->deadlock_tuned)
        text_add(&set, "; SET LOCAL deadlock_timeout = '50ms'");
    if (locks->sql)
        text_addf(&set, "; SET LOCAL statement_timeout = %lld", (long long)locks->wait_ms);
    if (!connection_script(db, set.data, err))
        return false;
    if (!locks->sql)
        return true;
    bool taken = watched(locks, locks->sql, NULL, err);
    locks->wait_was_ms = clock_mono_ms() - locks->asked_ms;
    if (locks->wait_was_ms > locks->longest_wait_ms)
        locks->longest_wait_ms = locks->wait_was_ms;
    if (!taken && err->code == ERROR_TIMEOUT)
        err->code = ERROR_LOCK_TIMEOUT;
    return taken && connection_exec(db, "SET LOCAL statement_timeout = 0", err);
}

static int64_t left_ms(const struct locks *locks)
{
    return locks->asked_ms + locks->work->limits.lock_budget_ms - clock_mono_ms();
}

bool locks_limit(struct locks *locks, struct error *err)
{
    SCOPE(tmp);
    int64_t left = left_ms(locks);
    if (!locks->bounded)
        return true;
    if (left <= 0)
        return fail(err, ERROR_LOCK_BUDGET, "the lock budget is used up");
    const char *set = mem_printf(tmp, "SET LOCAL statement_timeout = %lld", (long long)left);
    return connection_exec(locks->work->db, set, err);
}

bool locks_exec(struct locks *locks, const char *sql, int64_t *rows, struct error *err)
{
    return locks_limit(locks, err) && watched(locks, sql, rows, err);
}

/* What ended a try that used its budget up: its wait, when that was a good part of it, else the
 * statements themselves. */
static bool overran(const struct locks *locks, struct error *err)
{
    bool cut = locks->bounded && err->code == ERROR_TIMEOUT && left_ms(locks) <= 0;
    if (!cut && err->code != ERROR_LOCK_BUDGET)
        return false;
    bool waited = locks->budget.waited ||
                  locks->wait_was_ms > locks->work->limits.lock_budget_ms / BLAME_PART;
    err->code = waited ? ERROR_LOCK_TIMEOUT : ERROR_LOCK_BUDGET;
    return !waited;
}

static bool is_lock_error(const struct error *err)
{
    return err->code == ERROR_LOCK_TIMEOUT || text_eq(err->sqlstate, "55P03") ||
           text_eq(err->sqlstate, "40P01");
}

static json_t *waiting_fields(const struct locks *locks)
{
    json_t *o = json_object();
    json_object_set(o, "blockers", locks->blockers ? locks->blockers : json_null());
    if (!locks->blockers)
        json_object_set_new(o, "blockers", json_array());
    json_set_int(o, "tries", locks->tries);
    json_set_int(o, "waited_ms", locks->longest_wait_ms);
    return o;
}

/* Grows to the limit, with a random half so that several runners do not fall into step. */
static int64_t pause_ms(int tries)
{
    int64_t most = PAUSE_FIRST_MS;
    for (int i = 1; i < tries && most < PAUSE_MOST_MS; i++)
        most *= 2;
    most = most > PAUSE_MOST_MS ? PAUSE_MOST_MS : most;
    return most / 2 + (int64_t)random() % (most / 2 + 1);
}

bool locks_again(struct locks *locks, struct error *err)
{
    int64_t now = clock_mono_ms();
    if (overran(locks, err)) {
        if (++locks->overruns == OVERRUNS_MOST)
            return budget_fail(locks->work, locks->overruns, err);
        if (!budget_tell(locks->work, err))
            return false;
        work_sleep(locks->work, pause_ms(locks->overruns));
        return work_orders(locks->work, err);
    }
    if (!is_lock_error(err))
        return false;
    if (now - locks->asked_ms > locks->longest_wait_ms)
        locks->longest_wait_ms = now - locks->asked_ms;
    if (now > locks->deadline_ms) {
        fail_in(err, "no chance for the lock in %d tries", locks->tries);
        return fail_hint(err,
                         "look who holds it in the lock_waiting events, then `flotilla retry`");
    }
    if (now - locks->said_ms >= SAY_EVERY_MS) {
        locks->said_ms = now;
        if (!work_event(locks->work, "lock_waiting", waiting_fields(locks), err))
            return false;
    }
    work_sleep(locks->work, pause_ms(locks->tries));
    return work_orders(locks->work, err);
}

bool locks_held(const void *ctx, struct connection *db, json_t **out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (!connection_query(
            tmp, db,
            "SELECT n.nspname || '.' || c.relname, pg_catalog.upper(pg_catalog.regexp_replace("
            "pg_catalog.replace(l.mode, 'Lock', ''), '([a-z])([A-Z])', '\\1 \\2', 'g'))"
            " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'"
            " AND l.mode <> 'AccessShareLock' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN"
            " ('information_schema', 'flotilla') ORDER BY 1, 2",
            NULL, 0, &rows, err))
        return fail_in(err, "locks");
    json_t *list = json_own(ctx, json_array());
    for (size_t i = 0; i < rows_count(rows); i++) {
        json_t *o = json_object();
        json_set_text(o, "relation", rows_text(rows, i, 0));
        json_set_text(o, "mode", rows_text(rows, i, 1));
        json_array_append_new(list, o);
    }
    *out = list;
    return true;
}
