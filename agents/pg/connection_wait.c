#include <errno.h>
#include <poll.h>

#include "agents/base/clock.h"
#include "agents/base/mem.h"
#include "agents/pg/connection_private.h"

enum wait_end { WAIT_READY, WAIT_CANCELLED, WAIT_TIMEOUT, WAIT_LOST };

struct wait {
    const struct connection_watch *watch; /* may be null */
    int64_t start_ms;
    int64_t next_tick_ms;
    enum wait_end end; /* why we asked for the end; WAIT_READY: we did not */
};

/* Milliseconds until something is due; -1: nothing ever is. */
static int wait_budget(const struct wait *w, int64_t now)
{
    int64_t due = INT64_MAX;

    if (!w->watch || w->end != WAIT_READY)
        return -1;
    if (w->watch->tick && w->watch->every_ms > 0)
        due = w->next_tick_ms;
    if (w->watch->timeout_ms > 0 && w->start_ms + w->watch->timeout_ms < due)
        due = w->start_ms + w->watch->timeout_ms;
    if (due == INT64_MAX)
        return -1;
    return due <= now ? 0 : (int)(due - now);
}

static void wait_due(struct wait *w, struct connection *connection)
{
    int64_t now = clock_mono_ms();

    if (!w->watch || w->end != WAIT_READY)
        return;
    if (w->watch->timeout_ms > 0 && now >= w->start_ms + w->watch->timeout_ms)
        w->end = WAIT_TIMEOUT;
    else if (w->watch->tick && w->watch->every_ms > 0 && now >= w->next_tick_ms) {
        if (!w->watch->tick(w->watch->data, now - w->start_ms))
            w->end = WAIT_CANCELLED;
        w->next_tick_ms = clock_mono_ms() + w->watch->every_ms;
    }
    if (w->end != WAIT_READY)
        connection_cancel(connection);
}

/* Until PQgetResult will not block. False: the connection is gone. */
static bool wait_ready(struct wait *w, struct connection *connection)
{
    while (PQisBusy(connection->pg)) {
        struct pollfd fd = { .fd = PQsocket(connection->pg), .events = POLLIN };
        int n = poll(&fd, 1, wait_budget(w, clock_mono_ms()));

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0 && !PQconsumeInput(connection->pg))
            return false;
        wait_due(w, connection);
    }
    return true;
}

static bool is_failure(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE ||
           status == PGRES_EMPTY_QUERY;
}

static bool is_copy(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* What the statement's failure means when we asked for its end ourselves. */
static bool wait_failed(const struct wait *w, const struct connection *connection,
                        const PGresult *result, struct error *err)
{
    connection_failed(connection, result, err);
    if (w->end == WAIT_CANCELLED)
        err->code = ERROR_CANCELLED;
    else if (w->end == WAIT_TIMEOUT)
        err->code = ERROR_TIMEOUT;
    return false;
}

bool connection_wait(const void *ctx, struct connection *connection,
                     const struct connection_watch *watch, struct rows **out, struct error *err)
{
    SCOPE(tmp);
    struct wait w = { .watch = watch, .start_ms = clock_mono_ms() };
    PGresult *last = NULL;
    bool failed = false, lost = false;

    w.next_tick_ms = w.start_ms + (watch ? watch->every_ms : 0);
    while (PQflush(connection->pg) > 0) {
        struct pollfd fd = { .fd = PQsocket(connection->pg), .events = POLLOUT };
        poll(&fd, 1, -1);
    }
    while (true) {
        lost = !wait_ready(&w, connection);
        PGresult *next = lost ? NULL : PQgetResult(connection->pg);

        if (!next)
            break;
        if (failed) {
            PQclear(next);
            continue;
        }
        PQclear(last);
        last = next;
        failed = is_failure(last);
        if (is_copy(last))
            break;
    }
    if (lost || !last || failed) {
        rows_own(tmp, last);
        return wait_failed(&w, connection, failed ? last : NULL, err);
    }
    *out = rows_own(ctx, last);
    return true;
}
