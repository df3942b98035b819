#include "agents/pg/connection_late.h"

#include <assert.h>
#include <dlfcn.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* The name that every version of libpq since PostgreSQL 8.2 has. */
#define LIBRARY "libpq.so.5"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;

static void library_load(void)
{
    library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
}

bool connection_library(struct error *err)
{
    pthread_once(&once, library_load);
    if (library) {
        return true;
    }
    fail(err, ERROR_UNSUPPORTED, "%s cannot be loaded, which talks to PostgreSQL", LIBRARY);
    return fail_hint(err, "install it: the package is called libpq5 on Debian");
}

static uintptr_t found(_Atomic(uintptr_t) *known, const char *name)
{
    uintptr_t function = atomic_load_explicit(known, memory_order_relaxed);
    if (!function && library) {
        function = (uintptr_t)dlsym(library, name);
        atomic_store_explicit(known, function, memory_order_relaxed);
    }
    assert(function); /* connection_library said that it is there */
    return function;
}

/* A function of libpq with its parameters and, in the same order, their names. */
#define LATE(type, name, parameters, arguments)                     \
    type name parameters                                            \
    {                                                               \
        static _Atomic(uintptr_t) known;                            \
        return ((type(*) parameters)found(&known, #name))arguments; \
    }

/* clang-format off */
LATE(int, PQbackendPID, (const PGconn *c), (c))
LATE(int, PQcancel, (PGcancel *cancel, char *text, int size), (cancel, text, size))
LATE(void, PQclear, (PGresult *r), (r))
LATE(char *, PQcmdTuples, (PGresult *r), (r))
LATE(PGconn *, PQconnectdbParams, (const char *const *keys, const char *const *values, int expand),
     (keys, values, expand))
LATE(int, PQconnectionNeedsPassword, (const PGconn *c), (c))
LATE(void, PQconninfoFree, (PQconninfoOption *options), (options))
LATE(PQconninfoOption *, PQconninfoParse, (const char *text, char **why), (text, why))
LATE(int, PQconsumeInput, (PGconn *c), (c))
LATE(char *, PQerrorMessage, (const PGconn *c), (c))
LATE(void, PQfinish, (PGconn *c), (c))
LATE(int, PQflush, (PGconn *c), (c))
LATE(int, PQfnumber, (const PGresult *r, const char *name), (r, name))
LATE(void, PQfreeCancel, (PGcancel *cancel), (cancel))
LATE(void, PQfreemem, (void *memory), (memory))
LATE(PGcancel *, PQgetCancel, (PGconn *c), (c))
LATE(int, PQgetCopyData, (PGconn *c, char **data, int async), (c, data, async))
LATE(PGresult *, PQgetResult, (PGconn *c), (c))
LATE(int, PQgetisnull, (const PGresult *r, int row, int column), (r, row, column))
LATE(char *, PQgetvalue, (const PGresult *r, int row, int column), (r, row, column))
LATE(char *, PQhost, (const PGconn *c), (c))
LATE(int, PQisBusy, (PGconn *c), (c))
LATE(int, PQnfields, (const PGresult *r), (r))
LATE(int, PQntuples, (const PGresult *r), (r))
LATE(char *, PQport, (const PGconn *c), (c))
LATE(int, PQputCopyData, (PGconn *c, const char *data, int size), (c, data, size))
LATE(int, PQputCopyEnd, (PGconn *c, const char *error), (c, error))
LATE(char *, PQresultErrorField, (const PGresult *r, int field), (r, field))
LATE(ExecStatusType, PQresultStatus, (const PGresult *r), (r))
LATE(int, PQsendPrepare,
     (PGconn *c, const char *name, const char *sql, int count, const Oid *types),
     (c, name, sql, count, types))
LATE(int, PQsendQuery, (PGconn *c, const char *sql), (c, sql))
LATE(int, PQsendQueryParams,
     (PGconn *c, const char *sql, int count, const Oid *types, const char *const *values,
      const int *lengths, const int *formats, int format),
     (c, sql, count, types, values, lengths, formats, format))
LATE(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn *c, PQnoticeReceiver receiver, void *data),
     (c, receiver, data))
LATE(int, PQsocket, (const PGconn *c), (c))
LATE(ConnStatusType, PQstatus, (const PGconn *c), (c))
LATE(PGTransactionStatusType, PQtransactionStatus, (const PGconn *c), (c))
/* clang-format on */
