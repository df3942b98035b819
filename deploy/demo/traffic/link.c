#include "deploy/demo/traffic/traffic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PGconn *link_open(struct client *client, int service)
{
    PGconn *link = client->links[service];
    if (link != NULL && PQstatus(link) == CONNECTION_OK) {
        return link;
    }
    PQfinish(link);
    client->links[service] = link = PQconnectdb(client->setup->services[service].conninfo);
    return link;
}

/* What an application tries again: serialization failure, deadlock, its own lock timeout. */
static bool may_retry(const char *sqlstate)
{
    return strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0 ||
           strcmp(sqlstate, "55P03") == 0;
}

static PGresult *failed(struct client *client, PGconn *link, PGresult *result, const char *sql)
{
    const char *sqlstate = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate != NULL && may_retry(sqlstate)) {
        client->outcome = OUTCOME_RETRY;
    } else {
        char message[600];
        snprintf(message, sizeof message, "%.300s in: %.250s", PQerrorMessage(link), sql);
        measure_failed(client, sqlstate == NULL ? "-----" : sqlstate, message);
        client->outcome = OUTCOME_FAILED;
    }
    PQclear(result);
    return NULL;
}

static PGresult *ask(struct client *client, int service, int rows, const char *sql)
{
    PGconn *link = link_open(client, service);
    PGresult *result = PQexec(link, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        return failed(client, link, result, sql);
    }
    int found =
        status == PGRES_TUPLES_OK ? PQntuples(result) : (int)strtol(PQcmdTuples(result), NULL, 10);
    if (rows >= 0 && found != rows) {
        measure_wrong(client, "%d rows, expected %d: %.200s", found, rows, sql);
        PQclear(result);
        client->outcome = OUTCOME_FAILED;
        return NULL;
    }
    return result;
}

PGresult *link_ask(struct client *client, int service, int rows, const char *format, ...)
{
    char sql[16384];
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    return ask(client, service, rows, sql);
}

bool link_do(struct client *client, int service, int rows, const char *format, ...)
{
    char sql[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    PGresult *result = ask(client, service, rows, sql);
    PQclear(result);
    return result != NULL;
}

/* Ends transactions that a failure left open, so that the connection can be used again. */
void link_reset(struct client *client)
{
    for (int i = 0; i < client->setup->service_count; i++) {
        PGconn *link = client->links[i];
        if (link != NULL && PQtransactionStatus(link) != PQTRANS_IDLE) {
            PQclear(PQexec(link, "ROLLBACK"));
        }
    }
}
