#include "agents/agent/health.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { HEALTH_MS = 5000 };

static bool ask(const void *ctx, struct work *work, struct rows **rows, struct error *err)
{
    struct error ignored;
    struct connection_watch watch = { .timeout_ms = HEALTH_MS };
    if (!connection_exec(work->watch, "BEGIN READ ONLY", err))
        return false;
    bool asked =
        connection_query_watched(ctx, work->watch, work->part->health_sql, &watch, rows, err);
    bool closed = connection_exec(work->watch, "ROLLBACK", asked ? err : &ignored);
    return asked && closed;
}

bool health_check(struct work *work, const char *when, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (text_empty(work->part->health_sql))
        return true;
    if (!ask(tmp, work, &rows, err))
        return fail_in(err, "health %s the step", when);
    const char *first = rows_count(rows) && rows_columns(rows) ? rows_text(rows, 0, 0) : NULL;
    if (rows_count(rows) && !text_eq(first, "f"))
        return true;
    fail(err, ERROR_VERIFY, "the service's health query says no %s the step", when);
    return fail_hint(err, "look at service %s; then `flotilla retry` or `flotilla rollback`",
                     work->part->service);
}
