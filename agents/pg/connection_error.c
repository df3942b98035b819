#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/connection_private.h"

static bool in_class(const char *sqlstate, const char *prefix)
{
    return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

/* SQLSTATEs: PostgreSQL manual, appendix A. */
static enum error_code code_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        enum error_code code;
    } codes[] = {
        { "55P03", ERROR_LOCK_TIMEOUT }, { "57014", ERROR_TIMEOUT }, { "42501", ERROR_RIGHTS },
        { "08", ERROR_CONNECT },         { "57P", ERROR_CONNECT },   { "25P03", ERROR_CONNECT },
        { "53100", ERROR_NO_SPACE },     { "53300", ERROR_CONNECT }, { "28", ERROR_AUTH },
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (in_class(sqlstate, codes[i].prefix))
            return codes[i].code;
    return ERROR_DATABASE;
}

/* Messages about data (class 22) quote values of rows: `invalid input syntax for type integer:
 * "abc"`. Those about settings quote what the plan says. */
static bool quotes_values(const char *sqlstate, const char *message)
{
    return in_class(sqlstate, "22") && message &&
           !text_starts(message, "invalid value for parameter ");
}

/* What PL/pgSQL's RAISE says is under any SQLSTATE its author likes. The server names the place in
 * its own source, in no language. */
static bool is_raised(const PGresult *result, const char *sqlstate)
{
    const char *place = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

    return in_class(sqlstate, "P0") || text_eq(place, "exec_stmt_raise");
}

/* From the first quote to the last: a value may hold quotes itself. */
static void add_without_quoted(struct text *out, const char *message)
{
    const char *first = strchr(message, '"');
    const char *last = strrchr(message, '"');

    if (!first) {
        text_add(out, message);
        return;
    }
    text_addn(out, message, (size_t)(first - message) + 1);
    text_add(out, "…\"");
    if (last > first)
        text_add(out, last + 1);
}

/* A sentence whose author is not PostgreSQL: what looks like a value in it is left out, which is
 * each word with a digit or an @, and everything between quotes of either kind. */
static void add_without_values(struct text *out, const char *message)
{
    for (const char *p = message; *p;) {
        size_t n = strcspn(p, " \n\"'");
        const char *end = *p == '"' || *p == '\'' ? strrchr(p + 1, *p) : NULL;
        size_t at = strcspn(p, "0123456789@");
        if (*p == '"' || *p == '\'') {
            text_addf(out, "%c…%c", *p, *p);
            p = end ? end + 1 : p + strlen(p);
        } else if (n == 0) {
            text_addc(out, *p++);
        } else {
            if (at < n)
                text_add(out, "…");
            else
                text_addn(out, p, n);
            p += n;
        }
    }
}

/* DETAIL is kept only for classes whose details name objects (42 and 2BP01: what depends on what;
 * 40, 55, 57: processes); for constraints the names of table and constraint stand in for it. */
static void set_detail(const PGresult *result, const char *sqlstate, struct error *err)
{
    static const char *const named[] = { "0A", "2B", "40", "42", "55", "57", "53" };
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    for (size_t i = 0; detail && !is_raised(result, sqlstate) && i < sizeof named / sizeof *named;
         i++)
        if (in_class(sqlstate, named[i])) {
            fail_detail(err, "%s", detail);
            return;
        }
    if (table && constraint)
        fail_detail(err, "constraint \"%s\" of table \"%s\"", constraint, table);
    else if (table)
        fail_detail(err, "table \"%s\"", table);
}

static void set_where(const PGresult *result, struct error *err)
{
    const char *where = PQresultErrorField(result, PG_DIAG_CONTEXT);

    if (where && !*err->detail &&
        (text_starts(where, "PL/pgSQL function") || text_starts(where, "SQL function")))
        fail_detail(err, "%.*s", (int)strcspn(where, "\n"), where);
}

static bool failed_lost(const struct connection *connection, struct error *err)
{
    const char *text = PQerrorMessage(connection->pg);

    return fail(err, PQstatus(connection->pg) == CONNECTION_BAD ? ERROR_CONNECT : ERROR_DATABASE,
                "%.*s", (int)strcspn(text, "\n"), *text ? text : "the connection was lost");
}

bool connection_failed(const struct connection *connection, const PGresult *result,
                       struct error *err)
{
    SCOPE(tmp);
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    if (result && PQresultStatus(result) == PGRES_EMPTY_QUERY)
        return fail(err, ERROR_INVALID, "the statement is empty");
    if (!sqlstate)
        return failed_lost(connection, err);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    struct text safe = text_init(tmp, TEXT_LINE);

    if (message && is_raised(result, sqlstate))
        add_without_values(&safe, message);
    else if (message && quotes_values(sqlstate, message))
        add_without_quoted(&safe, message);
    else
        text_add(&safe, message ? message : "the server reported an error");
    fail(err, code_of(sqlstate), "%s (SQLSTATE %s)", safe.data, sqlstate);
    memcpy(err->sqlstate, sqlstate, sizeof err->sqlstate - 1);
    err->sqlstate[sizeof err->sqlstate - 1] = '\0';
    if (hint && !*err->hint && !is_raised(result, sqlstate) && !quotes_values(sqlstate, message))
        fail_hint(err, "%s", hint);
    set_detail(result, sqlstate, err);
    set_where(result, err);
    return false;
}

bool connection_lost(enum error_code code)
{
    return code == ERROR_CONNECT;
}
