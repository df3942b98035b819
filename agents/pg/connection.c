#include "agents/pg/connection.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/pg/connection_private.h"

enum {
    CONNECT_TIMEOUT_S = 10,
    IDLE_TRANSACTION_MS = 10000,
    LEFT_MOST = 20, /* a step has few things to say; a loop of somebody else's has many */
    LEFT_BYTES = 400,
};

static int connection_close(struct connection *connection)
{
    PQfinish(connection->pg);
    return 0;
}

/* Ours are kept for connection_left(); the others libpq would print. */
static void take_notice(void *data, const PGresult *result)
{
    struct connection *connection = data;
    struct connection_left *left = &connection->left;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    if (!state || strcmp(state, CONNECTION_LEFT_STATE) != 0 || !text || left->count >= LEFT_MOST)
        return;
    left->items = mem_room(connection, left->items, const char *, left->count + 1);
    left->items[left->count++] = mem_textn(connection, text, strnlen(text, LEFT_BYTES));
}

size_t connection_left(const void *ctx, struct connection *connection, const char *const **out)
{
    struct connection_left *left = &connection->left;
    size_t count = left->count;
    const char **items = mem_array(ctx, const char *, count + 1);

    for (size_t i = 0; i < count; i++)
        items[i] = mem_text(ctx, left->items[i]);
    left->count = 0;
    *out = items;
    return count;
}

/* libpq's own message may repeat a piece of the text, which may hold a password. */
static bool check_conninfo(const char *conninfo, struct error *err)
{
    char *why = NULL;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &why);

    PQfreemem(why);
    if (!parsed) {
        fail(err, ERROR_INVALID, "the connection string cannot be parsed");
        return fail_hint(err, "write it as libpq does, \"host=… port=… dbname=… user=…\", with "
                              "values that hold spaces in single quotes; its text is not repeated "
                              "here because it may hold a password");
    }
    PQconninfoFree(parsed);
    return true;
}

/* libpq gives no SQLSTATE for a connection that was refused, only the server's words. */
static const struct refusal {
    const char *said, *hint;
    enum error_code code;
} refusals[] = {
    { "Peer authentication failed",
      "let pg_ident.conf map the system user that the agent runs as to its roles: the script of "
      "`flotilla-agent init` begins with the lines",
      ERROR_AUTH },
    { "authentication failed",
      "put the password into .pgpass of the user that the agent runs as, or allow the login in "
      "pg_hba.conf",
      ERROR_AUTH },
    { "no pg_hba.conf entry", "allow this login in pg_hba.conf there, and reload the server",
      ERROR_AUTH },
    { "is not permitted to log in", "ALTER ROLE ... LOGIN, or name another role in agent.yaml",
      ERROR_AUTH },
    { "permission denied for database", "GRANT CONNECT ON DATABASE ... TO the role", ERROR_AUTH },
    { "too many", "end idle sessions there, or raise the limit that is named", ERROR_CONNECT },
    { "connection slots are reserved", "end idle sessions there, or raise max_connections",
      ERROR_CONNECT },
    { "the database system is",
      "wait until the server is up, then try again; its log says how far "
      "it is",
      ERROR_CONNECT },
    { "role \"",
      "create the role with the script that `flotilla-agent init` writes, or correct its "
      "name in the conninfo",
      ERROR_AUTH },
    { "database \"", "create the database, or correct its name", ERROR_CONNECT },
    { "could not translate host name", "correct the host's name in the conninfo", ERROR_CONNECT },
};

static bool connect_failed(PGconn *pg, const struct connection_options *options, struct error *err)
{
    char line[512];
    const char *text = PQerrorMessage(pg);
    size_t n = strcspn(text, "\n");

    if (n >= sizeof line)
        n = sizeof line - 1;
    memcpy(line, text, n);
    line[n] = '\0';
    if (PQconnectionNeedsPassword(pg)) {
        fail(err, ERROR_AUTH, "%s", line);
        return fail_hint(err, "%s", refusals[1].hint);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strstr(text, refusals[i].said)) {
            fail(err, refusals[i].code, "%s", line);
            return fail_hint(err, "%s", refusals[i].hint);
        }
    fail(err, ERROR_CONNECT, "%s", line);
    if (options->service && strstr(text, "service"))
        return fail_hint(err,
                         "name the service \"%s\" in ~/.pg_service.conf, or in the file that "
                         "PGSERVICEFILE names",
                         options->service);
    return fail_hint(err, "check that the server runs and listens there: pg_isready with the same "
                          "host and port");
}

static PGconn *connect_now(const void *ctx, const struct connection_options *options)
{
    int seconds = options->connect_timeout_s ? options->connect_timeout_s : CONNECT_TIMEOUT_S;
    const char *timeout = mem_printf(ctx, "%d", seconds);
    const char *name = options->tag ? mem_printf(ctx, "flotilla %s", options->tag) : "flotilla";
    const char *target = options->conninfo ? options->conninfo : "";
    const char *keys[16], *values[16];
    size_t n = 0;

    if (options->service)
        keys[n] = "service", values[n++] = options->service;
    /* What stands before dbname can be overridden by the connection string, the rest cannot. */
    keys[n] = "connect_timeout", values[n++] = timeout;
    keys[n] = "keepalives_idle", values[n++] = "10";
    keys[n] = "keepalives_interval", values[n++] = "5";
    keys[n] = "keepalives_count", values[n++] = "3";
    keys[n] = "tcp_user_timeout", values[n++] = "25000";
    if (!options->service)
        keys[n] = "dbname", values[n++] = target;
    /* Only the first dbname is taken for a connection string; a later one overrides its part. */
    if (options->database)
        keys[n] = "dbname", values[n++] = options->database;
    keys[n] = "application_name", values[n++] = name;
    keys[n] = "client_encoding", values[n++] = "UTF8";
    keys[n] = NULL, values[n] = NULL;
    return PQconnectdbParams(keys, values, 1);
}

static bool read_facts(struct connection *connection, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    if (!connection_query(tmp, connection,
                          "SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_database(),"
                          " current_user, pg_catalog.pg_is_in_recovery(),"
                          " pg_catalog.current_setting('is_superuser') = 'on',"
                          " pg_catalog.current_setting('server_version_num')",
                          NULL, 0, &rows, err))
        return false;
    struct connection_facts *facts = &connection->facts;
    facts->backend_pid = (int)rows_int(rows, 0, 0);
    facts->database = mem_text(connection, rows_text(rows, 0, 1));
    facts->user = mem_text(connection, rows_text(rows, 0, 2));
    facts->in_recovery = rows_bool(rows, 0, 3);
    facts->superuser = rows_bool(rows, 0, 4);
    facts->server_version = (int)rows_int(rows, 0, 5);
    facts->host = mem_text(connection, PQhost(connection->pg));
    facts->port = mem_text(connection, PQport(connection->pg));
    /* Poolers invent the process id and key of the cancel request they hand to clients. */
    facts->pooled = facts->backend_pid != PQbackendPID(connection->pg);
    if (facts->pooled)
        facts->backend_pid = 0;
    return true;
}

static bool refuse_pooler(const struct connection *connection, struct error *err)
{
    fail(err, ERROR_UNSUPPORTED,
         "database %s at %s:%s: a connection pooler is in between; session settings and locks do "
         "not hold there",
         connection->facts.database, connection->facts.host, connection->facts.port);
    return fail_hint(err, "name the PostgreSQL server's own host and port in the agent's file, not "
                          "the pooler's");
}

/* libpq's keepalives find a server that vanished; these let the server find a host of ours that
 * did, whose session would hold its locks for hours. Limits that role or database set are for the
 * application's sessions: ours may be long and idle, and set their own. */
static const char server_side[] =
    "SELECT pg_catalog.set_config(s.name, w.setting, false) FROM pg_catalog.pg_settings s JOIN"
    " (VALUES ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),"
    " ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '25000'),"
    " ('transaction_timeout', '0'), ('idle_session_timeout', '0')) w (name, setting)"
    " USING (name)";

/* Settings of a session behind a transaction pooler would leak to other clients. */
static bool set_session(struct connection *connection, const struct connection_options *options,
                        struct error *err)
{
    SCOPE(tmp);
    int64_t idle =
        options->idle_transaction_ms ? options->idle_transaction_ms : IDLE_TRANSACTION_MS;
    const char *path = options->search_path ? options->search_path : "pg_catalog";
    const char *params[] = { path, mem_printf(tmp, "%lld", (long long)idle) };
    struct rows *rows = NULL;

    if (!connection_query(tmp, connection,
                          "SELECT pg_catalog.set_config('search_path', $1, false),"
                          " pg_catalog.set_config('idle_in_transaction_session_timeout', $2,"
                          " false),"
                          " pg_catalog.set_config('DateStyle', 'ISO', false),"
                          " pg_catalog.set_config('IntervalStyle', 'postgres', false),"
                          " pg_catalog.set_config('extra_float_digits', '1', false)",
                          params, 2, &rows, err) ||
        !connection_query(tmp, connection, server_side, NULL, 0, &rows, err))
        return false;
    /* 14+, and only where the kernel can tell (Linux and the BSDs): elsewhere the server refuses
     * the value and the keepalives alone must do. */
    struct error ignored;
    if (connection->facts.server_version >= 140000)
        (void)!connection_exec(connection, "SET client_connection_check_interval = '500ms'",
                               &ignored);
    return true;
}

bool connection_names(struct connection *connection, const char *path, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { path };
    return connection_query(
        tmp, connection,
        "SELECT pg_catalog.set_config('search_path', coalesce(nullif(pg_catalog.btrim("
        "pg_catalog.regexp_replace(coalesce($1, reset_val), '\"?[$]user\"? *,?', '', 'g'), ', '),"
        " ''), 'public'), false) FROM pg_catalog.pg_settings WHERE name = 'search_path'",
        params, 1, &rows, err);
}

bool connection_open(const void *ctx, const struct connection_options *options,
                     struct connection **out, struct error *err)
{
    if (!connection_library(err) || (options->conninfo && !check_conninfo(options->conninfo, err)))
        return false;
    struct connection *connection = mem_new(ctx, struct connection);

    connection->pg = connect_now(connection, options);
    talloc_set_destructor(connection, connection_close);
    if (PQstatus(connection->pg) != CONNECTION_OK) {
        connect_failed(connection->pg, options, err);
        talloc_free(connection);
        return false;
    }
    PQsetNoticeReceiver(connection->pg, take_notice, connection);
    bool good =
        read_facts(connection, err) &&
        (!connection->facts.pooled || options->allow_pooler || refuse_pooler(connection, err)) &&
        (connection->facts.pooled || set_session(connection, options, err));
    if (!good) {
        talloc_free(connection);
        return false;
    }
    *out = connection;
    return true;
}

const struct connection_facts *connection_facts(const struct connection *connection)
{
    return &connection->facts;
}

bool connection_query(const void *ctx, struct connection *connection, const char *sql,
                      const char *const *params, size_t param_count, struct rows **out,
                      struct error *err)
{
    if (!PQsendQueryParams(connection->pg, sql, (int)param_count, NULL, params, NULL, NULL, 0))
        return connection_failed(connection, NULL, err);
    return connection_wait(ctx, connection, NULL, out, err);
}

bool connection_exec(struct connection *connection, const char *sql, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    return connection_query(tmp, connection, sql, NULL, 0, &rows, err);
}

bool connection_parse(struct connection *connection, const char *sql, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    if (!PQsendPrepare(connection->pg, "", sql, 0, NULL))
        return connection_failed(connection, NULL, err);
    return connection_wait(tmp, connection, NULL, &rows, err);
}

bool connection_script(struct connection *connection, const char *sql, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    if (!PQsendQuery(connection->pg, sql))
        return connection_failed(connection, NULL, err);
    return connection_wait(tmp, connection, NULL, &rows, err);
}

bool connection_query_watched(const void *ctx, struct connection *connection, const char *sql,
                              const struct connection_watch *watch, struct rows **out,
                              struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;

    if (!PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        return connection_failed(connection, NULL, err);
    if (!connection_wait(out ? ctx : tmp, connection, watch, &rows, err))
        return false;
    if (out)
        *out = rows;
    return true;
}

enum connection_state connection_state(const struct connection *connection)
{
    if (PQstatus(connection->pg) != CONNECTION_OK)
        return CONNECTION_BROKEN;
    switch (PQtransactionStatus(connection->pg)) {
    case PQTRANS_IDLE: return CONNECTION_IDLE;
    case PQTRANS_INTRANS: return CONNECTION_IN_TRANSACTION;
    case PQTRANS_INERROR: return CONNECTION_FAILED_TRANSACTION;
    case PQTRANS_ACTIVE: return CONNECTION_ACTIVE;
    default: return CONNECTION_BROKEN;
    }
}
