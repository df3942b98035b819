/*
 * A conversation with one PostgreSQL server: the project's only face of libpq.
 *
 * connection_open() connects with the settings every session of ours needs, so that a program of
 * ours that dies never leaves a statement or a lock behind: application_name "flotilla TAG",
 * client_connection_check_interval (server 14+), TCP keepalives and tcp_user_timeout,
 * idle_in_transaction_session_timeout, an empty or pg_catalog search_path. A pooler in between
 * makes session settings and locks meaningless: it is refused unless asked for.
 *
 * A `struct rows` belongs to the context given to the call; the texts in it live as long as it. The
 * connection closes with the context it was opened in. Errors carry the server's SQLSTATE and are
 * free of values from rows: DETAIL is kept only where it names objects, quoted values of messages
 * about data are replaced. A connection belongs to one thread.
 */
#ifndef AGENTS_PG_CONNECTION_H
#define AGENTS_PG_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

struct connection;
struct rows;

struct connection_options {
    const char *conninfo;        /* "host=… dbname=…" or a URI; null with service */
    const char *service;         /* of pg_service.conf; null with conninfo */
    const char *database;        /* another database of the same server; null: as conninfo says */
    const char *tag;             /* application_name becomes "flotilla TAG"; null: "flotilla" */
    const char *search_path;     /* null: "pg_catalog"; "" is the empty path */
    int connect_timeout_s;       /* 0: 10 */
    int64_t idle_transaction_ms; /* 0: 10,000 */
    bool allow_pooler;           /* go on when a pooler is in between (see connection_facts) */
};

bool connection_open(const void *ctx, const struct connection_options *options,
                     struct connection **out, struct error *err) MUSTCHECK;

struct connection_facts {
    const char *database;
    const char *user;
    const char *host; /* as libpq connected: a name, an address, or a socket folder */
    const char *port;
    int server_version; /* 150018 */
    int backend_pid;    /* the server's own; 0 behind a pooler */
    bool pooled;        /* something like pgbouncer is in between */
    bool in_recovery;   /* a standby, when the session was opened */
    bool superuser;
};
const struct connection_facts *connection_facts(const struct connection *connection);

/* One statement with text parameters (null = SQL NULL; count may be 0). Exactly one: a second
 * statement after a semicolon is refused by the server. */
bool connection_query(const void *ctx, struct connection *connection, const char *sql,
                      const char *const *params, size_t param_count, struct rows **out,
                      struct error *err) MUSTCHECK;

/* The same for a statement whose rows do not matter. */
bool connection_exec(struct connection *connection, const char *sql, struct error *err) MUSTCHECK;

/* Has the server parse one statement, and look its names up if it is a query; it is not run. */
bool connection_parse(struct connection *connection, const char *sql, struct error *err) MUSTCHECK;

/* Names are looked up from now on as by `path` (null: by what role and database are set to),
 * without
 * "$user": the agent's role has a schema of its own name, its journal, where nothing of the
 * application's may land. The compiler reads the path in the same way. */
bool connection_names(struct connection *connection, const char *path, struct error *err) MUSTCHECK;

/* What a statement had to leave other than it was meant to, said as a warning with this SQLSTATE
 * (of the class of warnings, with a subclass that PostgreSQL does not use): the texts since the
 * last call, owned by ctx. */
#define CONNECTION_LEFT_STATE "01FL0"
size_t connection_left(const void *ctx, struct connection *connection, const char *const **out);

/* Any number of statements in one round trip (one implicit transaction, if none is open): for text
 * of our own only. */
bool connection_script(struct connection *connection, const char *sql, struct error *err) MUSTCHECK;

/* Called every `every_ms` while a statement runs; false cancels it on the server and the call fails
 * with ERROR_CANCELLED. It must not use the same connection. */
struct connection_watch {
    int64_t every_ms;
    int64_t timeout_ms; /* 0: none; over it the statement is cancelled, ERROR_TIMEOUT */
    bool (*tick)(void *data, int64_t elapsed_ms);
    void *data;
};
/* One statement without parameters under a watch; `out` may be null. */
bool connection_query_watched(const void *ctx, struct connection *connection, const char *sql,
                              const struct connection_watch *watch, struct rows **out,
                              struct error *err) MUSTCHECK;

/* COPY … TO STDOUT: every chunk (a row in text format, newline included) goes to `take`; its false
 * cancels the copy and its error is the result. *count (may be null): the rows. */
typedef bool (*connection_take)(void *data, const char *chunk, size_t len, struct error *err);
bool connection_copy_out(struct connection *connection, const char *sql, connection_take take,
                         void *data, int64_t *count, struct error *err) MUSTCHECK;

/* COPY … FROM STDIN: `give` hands out chunks of any size until *len is 0. */
typedef bool (*connection_give)(void *data, const char **chunk, size_t *len, struct error *err);
bool connection_copy_in(struct connection *connection, const char *sql, connection_give give,
                        void *data, int64_t *count, struct error *err) MUSTCHECK;

/* Asks the server to cancel what runs; best effort. Other threads may call it. */
void connection_cancel(struct connection *connection);

enum connection_state {
    CONNECTION_IDLE,
    CONNECTION_IN_TRANSACTION,
    CONNECTION_FAILED_TRANSACTION,
    CONNECTION_ACTIVE,
    CONNECTION_BROKEN,
};
enum connection_state connection_state(const struct connection *connection);

/* Rows. Row and column are from 0 and must be in range. */
size_t rows_count(const struct rows *rows);
size_t rows_columns(const struct rows *rows);
int64_t rows_affected(const struct rows *rows);                         /* of the command tag */
const char *rows_text(const struct rows *rows, size_t row, size_t col); /* null: SQL NULL */
int64_t rows_int(const struct rows *rows, size_t row, size_t col);      /* 0: SQL NULL */
bool rows_bool(const struct rows *rows, size_t row, size_t col);        /* false: SQL NULL */
bool rows_null(const struct rows *rows, size_t row, size_t col);
/* A one-dimensional text[] (also name[], aclitem[] …): *out is never null; NULL elements are "". */
size_t rows_texts(const void *ctx, const struct rows *rows, size_t row, size_t col,
                  const char *const **out);

/* True for the code of an error that means the server or the way to it went away: worth another try
 * on a new connection. */
bool connection_lost(enum error_code code);

#endif
