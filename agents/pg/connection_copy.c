#include "agents/base/mem.h"
#include "agents/pg/connection_private.h"

static bool copy_start(struct connection *connection, const char *sql, ExecStatusType want,
                       struct error *err)
{
    if (!PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        return connection_failed(connection, NULL, err);
    return connection_wait_copy(connection, want, err);
}

static bool copy_end(struct connection *connection, int64_t *count, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    if (!connection_wait(tmp, connection, NULL, &rows, err))
        return false;
    if (count)
        *count = rows_affected(rows);
    return true;
}

bool connection_copy_out(struct connection *connection, const char *sql, connection_take take,
                         void *data, int64_t *count, struct error *err)
{
    char *chunk = NULL;
    int len = 0;
    bool taken = true;

    if (!copy_start(connection, sql, PGRES_COPY_OUT, err))
        return false;
    while (taken && (len = PQgetCopyData(connection->pg, &chunk, 0)) > 0) {
        taken = take(data, chunk, (size_t)len, err);
        PQfreemem(chunk);
        chunk = NULL;
    }
    if (taken && len == -2)
        return connection_failed(connection, NULL, err);
    if (taken)
        return copy_end(connection, count, err);
    connection_cancel(connection);
    while (PQgetCopyData(connection->pg, &chunk, 0) > 0)
        PQfreemem(chunk);
    struct error ignored; /* the caller's own error is the one to report */
    return copy_end(connection, NULL, &ignored) && false;
}

bool connection_copy_in(struct connection *connection, const char *sql, connection_give give,
                        void *data, int64_t *count, struct error *err)
{
    const char *chunk = NULL;
    size_t len = 0;
    bool given = true;

    if (!copy_start(connection, sql, PGRES_COPY_IN, err))
        return false;
    while ((given = give(data, &chunk, &len, err)) && len > 0)
        if (PQputCopyData(connection->pg, chunk, (int)len) < 0)
            return connection_failed(connection, NULL, err);
    if (PQputCopyEnd(connection->pg, given ? NULL : "the sender gave up") < 0)
        return connection_failed(connection, NULL, err);
    if (given)
        return copy_end(connection, count, err);
    struct error ignored; /* the caller's own error is the one to report */
    return copy_end(connection, NULL, &ignored) && false;
}
