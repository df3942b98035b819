/*
 * A server as the judge of syntax: whether its grammar knows a statement. It is parsed there and
 * never run: PQprepare of a utility command looks at nothing but the text, that of a query looks
 * names up as well, for which lock_timeout and statement_timeout are set.
 *
 * The body of a DO block in plpgsql is given to that language's validator, as a function in pg_temp
 * whose transaction is rolled back.
 */
#ifndef AGENTS_PG_SYNTAX_H
#define AGENTS_PG_SYNTAX_H

#include "agents/pg/connection.h"

/* One list: enum names and names on the wire. */
#define SYNTAX_VERDICTS(X) \
    X(UNSAID, "unsaid")    \
    X(KNOWN, "known")      \
    X(REFUSED, "refused")

enum syntax_verdict {
#define X(id, name) SYNTAX_##id,
    SYNTAX_VERDICTS(X)
#undef X
};

enum { SYNTAX_TEXT_MAX = 256 * 1024, SYNTAX_QUESTIONS_MAX = 64 };

struct syntax_question {
    const char *sql;      /* one statement, or a body */
    const char *language; /* of a body ("plpgsql"); null: a statement */
};

struct syntax_answer {
    enum syntax_verdict verdict;
    int version;     /* of the server: 150018; 0 when there was none to ask */
    const char *why; /* the server's words where it refused, or why nothing can be said; or null */
};

const char *syntax_verdict_name(enum syntax_verdict verdict);
enum syntax_verdict syntax_verdict_from_name(const char *name);

/* Sets the session's timeouts; once, before it is asked. */
bool syntax_begin(struct connection *connection, struct error *err) MUSTCHECK;

/* The answer's texts are owned by ctx. It fails only when the connection is lost. */
bool syntax_ask(const void *ctx, struct connection *connection,
                const struct syntax_question *question, struct syntax_answer *out,
                struct error *err) MUSTCHECK;

#endif
