/* What the files behind connection.h share; nobody else includes it. */
#ifndef AGENTS_PG_CONNECTION_PRIVATE_H
#define AGENTS_PG_CONNECTION_PRIVATE_H

#include "agents/pg/connection.h"
#include "agents/pg/connection_library.h"

struct connection {
    PGconn *pg;
    struct connection_facts facts;
    struct connection_left {
        const char **items;
        size_t count;
    } left;
};

/* A libpq result owned by ctx; null stays null. */
struct rows *rows_own(const void *ctx, PGresult *result);

/* Fills err from a failed result (null: from the connection) and returns false. */
bool connection_failed(const struct connection *connection, const PGresult *result,
                       struct error *err) MUSTCHECK;

/* Waits for what was sent and collects its last result, or the first that failed. */
bool connection_wait(const void *ctx, struct connection *connection,
                     const struct connection_watch *watch, struct rows **out,
                     struct error *err) MUSTCHECK;

/* Waits for a COPY to begin in the direction `want` (PGRES_COPY_IN or PGRES_COPY_OUT). */
bool connection_wait_copy(struct connection *connection, ExecStatusType want,
                          struct error *err) MUSTCHECK;

#endif
