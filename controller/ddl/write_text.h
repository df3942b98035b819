/*
 * The clauses of one INSERT, UPDATE or DELETE as text: what stands between its keywords, outside of
 * brackets. By tokens; a statement that it cannot take apart has null clauses.
 */
#ifndef CONTROLLER_DDL_WRITE_TEXT_H
#define CONTROLLER_DDL_WRITE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct assignment {
    const char *column;
    const char *expression;
};

struct write_text {
    const char *sql;        /* the whole statement without a final semicolon */
    const char *with;       /* "WITH … " in front, or "" */
    const char *target_sql; /* "t AS x": null when it is not an UPDATE or DELETE */
    const char *target;     /* what its columns are qualified with: "x" */
    const char *from;       /* FROM or USING; null: none */
    const char *where;      /* null: none */
    bool returning;
    struct assignment *assignments;
    size_t assignment_count;
    bool simple; /* UPDATE of one table without alias, FROM, WITH, RETURNING, each column by itself
                  */
};

void write_text_of(const void *ctx, const char *sql, struct write_text *out);

#endif
