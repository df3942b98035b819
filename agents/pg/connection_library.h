/*
 * libpq, loaded at the first connection (agents/base/library.h). To call another function of it,
 * add its name to both lists.
 */
#ifndef AGENTS_PG_CONNECTION_LIBRARY_H
#define AGENTS_PG_CONNECTION_LIBRARY_H

#include <libpq-fe.h>

#include "agents/base/library.h"

/* clang-format off */
#define LIBPQ_FUNCTIONS(X) \
    X(PQbackendPID) X(PQcancel) X(PQclear) X(PQcmdTuples) X(PQconnectdbParams) \
    X(PQconnectionNeedsPassword) X(PQconninfoFree) X(PQconninfoParse) X(PQconsumeInput) \
    X(PQerrorMessage) X(PQfinish) X(PQflush) X(PQfreeCancel) X(PQfreemem) X(PQgetCancel) \
    X(PQgetCopyData) X(PQgetResult) X(PQgetisnull) X(PQgetvalue) X(PQhost) X(PQisBusy) \
    X(PQnfields) X(PQntuples) X(PQport) X(PQputCopyData) X(PQputCopyEnd) \
    X(PQresultErrorField) X(PQresultStatus) X(PQsendPrepare) X(PQsendQuery) \
    X(PQsendQueryParams) X(PQsetNoticeReceiver) X(PQsocket) X(PQstatus) \
    X(PQtransactionStatus)

extern struct libpq {
    LIBPQ_FUNCTIONS(LIBRARY_POINTER)
} libpq;

#define PQbackendPID              libpq.PQbackendPID
#define PQcancel                  libpq.PQcancel
#define PQclear                   libpq.PQclear
#define PQcmdTuples               libpq.PQcmdTuples
#define PQconnectdbParams         libpq.PQconnectdbParams
#define PQconnectionNeedsPassword libpq.PQconnectionNeedsPassword
#define PQconninfoFree            libpq.PQconninfoFree
#define PQconninfoParse           libpq.PQconninfoParse
#define PQconsumeInput            libpq.PQconsumeInput
#define PQerrorMessage            libpq.PQerrorMessage
#define PQfinish                  libpq.PQfinish
#define PQflush                   libpq.PQflush
#define PQfreeCancel              libpq.PQfreeCancel
#define PQfreemem                 libpq.PQfreemem
#define PQgetCancel               libpq.PQgetCancel
#define PQgetCopyData             libpq.PQgetCopyData
#define PQgetResult               libpq.PQgetResult
#define PQgetisnull               libpq.PQgetisnull
#define PQgetvalue                libpq.PQgetvalue
#define PQhost                    libpq.PQhost
#define PQisBusy                  libpq.PQisBusy
#define PQnfields                 libpq.PQnfields
#define PQntuples                 libpq.PQntuples
#define PQport                    libpq.PQport
#define PQputCopyData             libpq.PQputCopyData
#define PQputCopyEnd              libpq.PQputCopyEnd
#define PQresultErrorField        libpq.PQresultErrorField
#define PQresultStatus            libpq.PQresultStatus
#define PQsendPrepare             libpq.PQsendPrepare
#define PQsendQuery               libpq.PQsendQuery
#define PQsendQueryParams         libpq.PQsendQueryParams
#define PQsetNoticeReceiver       libpq.PQsetNoticeReceiver
#define PQsocket                  libpq.PQsocket
#define PQstatus                  libpq.PQstatus
#define PQtransactionStatus       libpq.PQtransactionStatus
/* clang-format on */

/* Before anything of libpq is called: false when it cannot be loaded. */
bool connection_library(struct error *err) MUSTCHECK;

#endif
