#include "agents/agent/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"

enum {
    LOOK_EVERY_MS = 1000,
    SAY_EVERY_MS = 2000,
    PLACES = 2, /* measured: a third worker on two cores gains nothing */
    PLACE_PAUSE_MS = 50,
};

/* The reason to wait, or null. Slots that nobody reads count only by their bytes: they fill the
 * disk. */
static bool reason_now(const void *ctx, struct work *work, const char **out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { mem_printf(tmp, "%lld", (long long)work->limits.lag_ms),
                             mem_printf(tmp, "%lld", (long long)work->limits.lag_bytes) };
    if (!connection_query(
            tmp, work->watch,
            "SELECT 'replica ' || coalesce(nullif(application_name, ''), client_addr::text, '?')"
            " || ' is ' || round(extract(epoch FROM replay_lag), 1) || ' s behind'"
            " FROM pg_catalog.pg_stat_replication"
            " WHERE extract(epoch FROM replay_lag) * 1000 > $1::bigint"
            " UNION ALL SELECT 'replication slot ' || slot_name || ' is ' ||"
            " pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff("
            "pg_catalog.pg_current_wal_lsn(), coalesce(confirmed_flush_lsn, restart_lsn)))"
            " || ' behind' FROM pg_catalog.pg_replication_slots WHERE pg_catalog.pg_wal_lsn_diff("
            "pg_catalog.pg_current_wal_lsn(), coalesce(confirmed_flush_lsn, restart_lsn))"
            " > $2::bigint LIMIT 1",
            params, 2, &rows, err))
        return fail_in(err, "replication lag");
    *out = rows_count(rows) ? mem_text(ctx, rows_text(rows, 0, 0)) : NULL;
    return true;
}

bool throttle_wait(struct throttle *throttle, struct work *work, struct error *err)
{
    int64_t said = 0;
    for (;;) {
        SCOPE(tmp);
        const char *reason = NULL;
        int64_t now = clock_mono_ms();
        if (now - throttle->looked_ms < LOOK_EVERY_MS)
            return true;
        throttle->looked_ms = now;
        if (!reason_now(tmp, work, &reason, err))
            return false;
        if (!reason)
            return true;
        if (now - said >= SAY_EVERY_MS) {
            json_t *o = json_object();
            json_set_text(o, "reason", reason);
            said = now;
            if (!work_event(work, "throttled", o, err))
                return false;
        }
        work_sleep(work, LOOK_EVERY_MS);
        if (!work_orders(work, err))
            return false;
    }
}

/* *fd is -1 when the place is taken. */
static bool place_try(const char *folder, int number, int *fd, struct error *err)
{
    SCOPE(tmp);
    const char *path = mem_printf(tmp, "%s/backfill.%d", folder, number);
    int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (opened < 0)
        return fail_errno(err, "spool: %s", path);
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *fd = opened;
        return true;
    }
    close(opened);
    *fd = -1;
    return errno == EWOULDBLOCK || fail_errno(err, "spool: %s", path);
}

bool throttle_place(struct work *work, int *fd, struct error *err)
{
    int64_t said = clock_mono_ms();
    *fd = -1;
    while (work->limits.places) {
        for (int i = 0; i < PLACES && *fd < 0; i++)
            if (!place_try(work->limits.places, i, fd, err))
                return false;
        if (*fd >= 0)
            return true;
        if (clock_mono_ms() - said >= SAY_EVERY_MS) {
            json_t *o = json_pack("{s:s}", "reason", "other backfills are at work on this host");
            said = clock_mono_ms();
            if (!work_event(work, "throttled", o, err))
                return false;
        }
        work_sleep(work, PLACE_PAUSE_MS);
        if (!work_orders(work, err))
            return false;
    }
    return true;
}
