/*
 * A script: SQL text cut into statements and parsed, once. `sql_parse` never fails because of what
 * the text says: a statement that does not parse is part of the result, with its problem. It fails
 * only on text that is no text at all (not UTF-8, NUL bytes, over the cap).
 *
 * The parser recurses, and dies on a small stack; sql_parse runs it on a thread with a large one
 * and refuses statements over the caps below. Everything in the result is owned by it.
 *
 * psql's backslash lines are statements of kind SQL_STMT_PSQL; inline COPY data belongs to its
 * COPY.
 */
#ifndef CONTROLLER_SQL_SCRIPT_H
#define CONTROLLER_SQL_SCRIPT_H

#include <stddef.h>

#include "agents/base/error.h"
#include "controller/sql/statement.h"

/* Caps on one statement. Measured with a 256 MB stack: 100,000 chained terms pass. */
enum {
    SQL_STATEMENT_MAX = 4 * 1024 * 1024,
    SQL_CHAIN_MAX = 20000, /* tokens that can nest in each other */
    SQL_PARENS_MAX = 3000,
};

/* A comment, for rules that read them (suppressions). */
struct sql_comment {
    int line;         /* of its first byte */
    bool own_line;    /* nothing but white space before it on its line */
    const char *text; /* without the comment marks, trimmed */
};

struct script {
    const char *text;
    size_t length;
    struct statement *statements;
    size_t count;
    struct sql_comment *comments;
    size_t comment_count;
};

bool sql_parse(const void *ctx, const char *text, size_t length, struct script **out,
               struct error *err) MUSTCHECK;

/* The script's only statement; an error when there are none, several, or it does not parse. */
bool sql_parse_one(const void *ctx, const char *sql, struct statement **out,
                   struct error *err) MUSTCHECK;

/* Runs fn(arg) on the process's thread whose stack is deep enough for the parser, and waits for it;
 * calls of several threads wait for each other. On that thread already, it is a plain call: a
 * worker that parses many files starts here. A forked process makes a thread of its own. */
bool sql_deep(void (*fn)(void *arg), void *arg, struct error *err) MUSTCHECK;

/* Ends that thread, unless it is at work; the next call makes another. For who is about to fork a
 * process that goes on with this program, and wants it to be the only thread. */
void sql_deep_end(void);

#endif
