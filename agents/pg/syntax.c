#include "agents/pg/syntax.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const names[] = {
#define X(id, name) name,
    SYNTAX_VERDICTS(X)
#undef X
};

const char *syntax_verdict_name(enum syntax_verdict verdict)
{
    return names[verdict];
}

enum syntax_verdict syntax_verdict_from_name(const char *name)
{
    enum syntax_verdict v = SYNTAX_REFUSED;
    while (v > SYNTAX_UNSAID && !text_eq(names[v], name))
        v--;
    return v;
}

bool syntax_begin(struct connection *connection, struct error *err)
{
    return connection_script(connection, "SET lock_timeout = '200ms'; SET statement_timeout = '2s'",
                             err);
}

/* What an SQLSTATE says about the grammar. 42601: syntax error; 0A000: the grammar itself says that
 * a form is not supported. Class 42 otherwise is about names, which comes after the grammar, and so
 * do locks that were waited for. */
static enum syntax_verdict verdict_of(const struct error *err)
{
    if (text_eq(err->sqlstate, "42601") || text_eq(err->sqlstate, "0A000"))
        return SYNTAX_REFUSED;
    bool later = text_starts(err->sqlstate, "42") || text_starts(err->sqlstate, "22") ||
                 text_starts(err->sqlstate, "3F") || text_eq(err->sqlstate, "55P03");
    return later ? SYNTAX_KNOWN : SYNTAX_UNSAID;
}

/* The validator looks at a body as soon as a function is made of it. */
static bool body_try(struct connection *connection, const struct syntax_question *q,
                     struct error *err)
{
    SCOPE(tmp);
    struct error ignored;
    if (!connection_exec(connection, "BEGIN READ WRITE", err))
        return false;
    bool good = connection_exec(
        connection,
        mem_printf(tmp, "CREATE FUNCTION pg_temp.flotilla_syntax() RETURNS void LANGUAGE %s AS %s",
                   text_quote_ident(tmp, q->language), text_quote_literal(tmp, q->sql)),
        err);
    return connection_exec(connection, "ROLLBACK", good ? err : &ignored) && good;
}

bool syntax_ask(const void *ctx, struct connection *connection,
                const struct syntax_question *question, struct syntax_answer *out,
                struct error *err)
{
    struct syntax_answer answer = { .version = connection_facts(connection)->server_version };
    struct error refused;
    if (strlen(question->sql) > SYNTAX_TEXT_MAX) {
        answer.why = "it is too long to ask the server";
    } else if (question->language && !text_eq(question->language, "plpgsql")) {
        answer.why = "only bodies in plpgsql can be looked at";
    } else if (question->language ? body_try(connection, question, &refused)
                                  : connection_parse(connection, question->sql, &refused)) {
        answer.verdict = SYNTAX_KNOWN;
    } else if (connection_state(connection) == CONNECTION_BROKEN) {
        *err = refused;
        return false;
    } else {
        answer.verdict = verdict_of(&refused);
        answer.why = answer.verdict == SYNTAX_KNOWN ? NULL : mem_text(ctx, refused.message);
    }
    *out = answer;
    return true;
}
