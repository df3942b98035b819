/*
 * Expressions with their columns exchanged: an index, a check or a USING clause of one column,
 * written for another. Works on tokens, so it is right for what PostgreSQL prints and for plain
 * expressions that people write: a name followed by "(" is a function, one behind "::" or "." is
 * not a column of the table.
 */
#ifndef CONTROLLER_WORK_COLUMN_MAP_H
#define CONTROLLER_WORK_COLUMN_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct column_map {
    const char *column; /* the catalog's spelling */
    const char *sql;    /* what stands for it, quoted as it should be */
};

struct column_maps {
    struct column_map *items;
    size_t count;
};

/* The text with every mention of a mapped column replaced, old.column and new.column of a trigger
 * included. */
const char *columns_mapped(const void *ctx, const char *text, const struct column_maps *maps);

/* Whether the text mentions the column (as above, also behind any qualifier). */
bool column_mentioned(const char *text, const char *column);

/* What stands after the first unquoted keyword (upper case) that begins a word: "USING btree (a)"
 * of an index definition; null when there is none. The text starts with the keyword. */
const char *text_from_keyword(const char *text, const char *keyword);

/* One token of SQL text: length 0 at the end. word: an identifier or keyword; name (owned by ctx)
 * is then its folded, unquoted spelling. */
struct sql_piece {
    const char *start;
    size_t length;
    bool word, quoted;
    const char *name;
};
struct sql_piece sql_piece_next(const void *ctx, const char *at);

#endif
