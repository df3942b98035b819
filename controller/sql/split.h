/*
 * Cuts a script into spans: statements, psql lines, COPY data; collects comments. Knows BEGIN
 * ATOMIC bodies (semicolons inside), parentheses (CREATE RULE … DO (a; b)), dollar quotes.
 */
#ifndef CONTROLLER_SQL_SPLIT_H
#define CONTROLLER_SQL_SPLIT_H

#include "controller/sql/script.h"

struct span {
    size_t start, end; /* without the semicolon */
    int line, end_line;
    bool psql;           /* a backslash line */
    bool broken;         /* an unterminated quote or comment runs to the end of the script */
    size_t data_lines;   /* inline COPY rows behind it */
    const char *refused; /* over a cap: what */
    bool closed;         /* ended by a semicolon */
};

struct spans {
    struct span *items;
    size_t count;
    struct sql_comment *comments;
    size_t comment_count;
};

/* Everything is owned by ctx; comments are kept only when asked for. */
struct spans sql_split(const void *ctx, const char *text, size_t length, bool comments);

#endif
