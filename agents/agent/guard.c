#include "agents/agent/guard.h"

#include <unistd.h>

#include "agents/agent/identity.h"
#include "agents/agent/journal.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    TAKE_OVER_MS = 30000, /* for an overtaken runner's transaction to end */
    TRY_MS = 1000,
    PAUSE_MS = 50,
};

static const char *number(const void *ctx, int64_t n)
{
    return mem_printf(ctx, "%lld", (long long)n);
}

/* Settings of our working sessions beyond those of every connection: steps see the names that the
 * owner's own psql would, and rows that a policy hides are an error instead of silently left. */
static bool session_open(struct work *work, const struct guard_access *access, const char *kind,
                         struct connection **out, struct error *err)
{
    SCOPE(tmp);
    struct connection *db = NULL;
    struct connection_options options = {
        .conninfo = access->conninfo,
        .tag = mem_printf(tmp, "%s/%lld", kind, (long long)work->fence),
    };
    if (!connection_open(work, &options, &db, err))
        return fail_in(err, "database %s", work->database);
    if (!connection_names(db, NULL, err) ||
        !connection_script(db,
                           "SET row_security = off;"
                           "SET statement_timeout = 0; SET TimeZone = 'UTC'",
                           err)) {
        talloc_free(db);
        return fail_in(err, "database %s", work->database);
    }
    *out = db;
    return true;
}

bool guard_check_fence(struct connection *db, int64_t fence, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    bool present = false;
    if (!journal_present(db, &present, err))
        return false;
    if (!present)
        return true;
    if (!connection_query(tmp, db, "SELECT token FROM flotilla.fence", NULL, 0, &rows, err))
        return fail_in(err, "fence");
    if (rows_count(rows) == 0 || rows_int(rows, 0, 0) <= fence)
        return true;
    return fail(err, ERROR_FENCED,
                "database %s: a newer command than this one has been seen (token %lld, not %lld)",
                connection_facts(db)->database, (long long)rows_int(rows, 0, 0), (long long)fence);
}

/* Does the process of the run that wrote the fence last still live on this host? */
static bool run_lives(const char *spool, const char *run)
{
    SCOPE(tmp);
    struct error ignored;
    int fd = -1;
    if (!file_exists(spool_run_path(tmp, spool, run)) || !spool_lock(spool, run, &fd, &ignored))
        return false;
    if (fd < 0)
        return true;
    close(fd);
    return false;
}

/* Ends backends that older tokens left behind, and those of our own token when nobody lives who
 * could own them. */
static bool orphans_end(struct work *work, bool own_too, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { number(tmp, work->fence), own_too ? "t" : "f" };
    struct rows *rows = NULL;
    return connection_query(
        tmp, work->db,
        "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a,"
        " LATERAL (SELECT (pg_catalog.regexp_match(a.application_name,"
        "  '^flotilla (run|watch)/([0-9]{1,18})$'))[2]::bigint AS token) t"
        " WHERE a.datname = pg_catalog.current_database()"
        " AND a.usename = current_user AND a.pid <> pg_catalog.pg_backend_pid()"
        " AND (t.token < $1::bigint OR (t.token = $1::bigint AND $2::boolean))",
        params, 2, &rows, err);
}

/* One try: false with *taken false and no error when somebody still holds the row. */
static bool fence_raise(struct work *work, bool *taken, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { number(tmp, work->fence), work->run };
    struct rows *rows = NULL;
    const char *limit = mem_printf(tmp, "BEGIN; SET LOCAL lock_timeout = %d", TRY_MS);
    *taken = false;
    if (!connection_script(work->db, limit, err))
        return false;
    if (!connection_query(tmp, work->db,
                          "INSERT INTO flotilla.fence AS f (token, run) VALUES ($1::bigint, $2)"
                          " ON CONFLICT (one) DO UPDATE SET token = excluded.token,"
                          " run = excluded.run, since = now() WHERE f.token <= excluded.token"
                          " RETURNING token",
                          params, 2, &rows, err)) {
        work_rollback(work);
        return err->code == ERROR_LOCK_TIMEOUT;
    }
    if (rows_count(rows) == 0) {
        work_rollback(work);
        return fail(err, ERROR_FENCED, "a newer command than this one has been seen");
    }
    *taken = true;
    return work_commit(work, err);
}

static bool fence_take(struct work *work, const struct guard_access *access, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    int64_t deadline = clock_mono_ms() + TAKE_OVER_MS;
    if (!guard_check_fence(work->db, work->fence, err) ||
        !connection_query(tmp, work->db, "SELECT token, run FROM flotilla.fence", NULL, 0, &rows,
                          err))
        return false;
    bool same_token = rows_count(rows) == 1 && rows_int(rows, 0, 0) == work->fence;
    const char *last = rows_count(rows) ? rows_text(rows, 0, 1) : "";
    if (same_token && !text_eq(last, work->run) && run_lives(access->spool, last)) {
        fail(err, ERROR_BUSY, "database %s: run %s is at work", work->database, last);
        return fail_hint(err, "wait for its end, or stop it: `flotilla abort`");
    }
    for (;;) {
        bool taken = false;
        if (!orphans_end(work, same_token, err) || !fence_raise(work, &taken, err))
            return false;
        if (taken)
            return true;
        if (clock_mono_ms() > deadline)
            return fail(err, ERROR_BUSY,
                        "database %s: an overtaken run does not end its transaction",
                        work->database);
    }
}

static bool lock_take(struct work *work, struct error *err)
{
    SCOPE(tmp);
    int64_t deadline = clock_mono_ms() + TAKE_OVER_MS;
    const char *sql =
        mem_printf(tmp, "SELECT pg_catalog.pg_try_advisory_lock(%d, 1)", JOURNAL_LOCK);
    for (;;) {
        struct rows *rows = NULL;
        if (!connection_query(tmp, work->db, sql, NULL, 0, &rows, err))
            return false;
        if (rows_bool(rows, 0, 0))
            return true;
        if (clock_mono_ms() > deadline)
            return fail(err, ERROR_BUSY, "database %s: another runner is at work", work->database);
        clock_sleep_ms(PAUSE_MS);
    }
}

/* Only superusers, or who was granted SET on it (15+), may: without it autovacuum is waited for. */
static void tune(struct work *work)
{
    struct error ignored;
    work->deadlock_tuned = connection_exec(work->db, "SET deadlock_timeout = '50ms'", &ignored) &&
                           connection_exec(work->db, "RESET deadlock_timeout", &ignored);
}

bool guard_enter(struct work *work, const struct guard_access *access, struct error *err)
{
    talloc_free(work->db);
    talloc_free(work->watch);
    work->db = work->watch = NULL;
    if (!session_open(work, access, "run", &work->db, err))
        return false;
    if (connection_facts(work->db)->in_recovery) {
        fail(err, ERROR_REFUSED, "database %s: the server is a standby", work->database);
        return fail_hint(err, "name the primary in the agent's file");
    }
    if (!identity_check(work, access->spool, err) || !journal_install(work->db, err) ||
        !fence_take(work, access, err) || !lock_take(work, err) ||
        !session_open(work, access, "watch", &work->watch, err))
        return fail_in(err, "database %s", work->database);
    tune(work);
    return true;
}
