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

void connection_cancel(struct connection *connection)
{
    char why[256];
    PGcancel *cancel = PQgetCancel(connection->pg);

    if (!cancel)
        return;
    PQcancel(cancel, why, sizeof why);
    PQfreeCancel(cancel);
}

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
    long long ms = clock_mono_ms() - w->start_ms;

    if (connection_failed(connection, result, err) || err->code != ERROR_TIMEOUT ||
        w->end == WAIT_READY)
        return false;
    if (w->end == WAIT_CANCELLED)
        return fail(err, ERROR_CANCELLED, "cancelled after %lld ms", ms);
    return fail(err, ERROR_TIMEOUT, "cancelled: no end within %lld ms", ms);
}

/* The last result, the first that failed, or a COPY's beginning; null: the connection is gone. */
static PGresult *wait_last(struct wait *w, struct connection *connection)
{
    PGresult *last = NULL, *next;

    while (!last || !is_copy(last)) {
        next = wait_ready(w, connection) ? PQgetResult(connection->pg) : NULL;
        if (!next)
            break;
        if (last && is_failure(last)) {
            PQclear(next);
            continue;
        }
        PQclear(last);
        last = next;
    }
    if (PQstatus(connection->pg) == CONNECTION_OK || (last && is_failure(last)))
        return last;
    PQclear(last);
    return NULL;
}

/* Leaves a COPY that nobody wants, so that the connection can be used again. */
static void leave_copy(struct connection *connection, ExecStatusType status)
{
    char *chunk = NULL;
    PGresult *result;

    if (status == PGRES_COPY_IN)
        PQputCopyEnd(connection->pg, "not expected");
    else
        connection_cancel(connection);
    while (status != PGRES_COPY_IN && PQgetCopyData(connection->pg, &chunk, 0) > 0)
        PQfreemem(chunk);
    while ((result = PQgetResult(connection->pg)))
        PQclear(result);
}

static struct wait wait_begin(struct connection *connection, const struct connection_watch *watch)
{
    struct wait w = { .watch = watch, .start_ms = clock_mono_ms() };

    w.next_tick_ms = w.start_ms + (watch ? watch->every_ms : 0);
    while (PQflush(connection->pg) > 0) {
        struct pollfd fd = { .fd = PQsocket(connection->pg), .events = POLLOUT };
        poll(&fd, 1, -1);
    }
    return w;
}

bool connection_wait(const void *ctx, struct connection *connection,
                     const struct connection_watch *watch, struct rows **out, struct error *err)
{
    SCOPE(tmp);
    struct wait w = wait_begin(connection, watch);
    PGresult *last = wait_last(&w, connection);
    struct rows *rows = rows_own(tmp, last);

    if (!last || is_failure(last))
        return wait_failed(&w, connection, last, err);
    if (is_copy(last)) {
        leave_copy(connection, PQresultStatus(last));
        return fail(err, ERROR_INVALID, "COPY to or from the client cannot be run like this");
    }
    *out = mem_give(ctx, rows);
    return true;
}

bool connection_wait_copy(struct connection *connection, ExecStatusType want, struct error *err)
{
    SCOPE(tmp);
    struct wait w = wait_begin(connection, NULL);
    PGresult *last = wait_last(&w, connection);

    rows_own(tmp, last);
    if (!last || is_failure(last))
        return wait_failed(&w, connection, last, err);
    if (PQresultStatus(last) == want)
        return true;
    if (is_copy(last))
        leave_copy(connection, PQresultStatus(last));
    return fail(err, ERROR_INVALID, "the statement is not a COPY in the direction asked for");
}
