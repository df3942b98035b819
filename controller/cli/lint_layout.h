/*
 * Migration files of the usual tools: which part of a file goes up, and whether its tool runs it in
 * a transaction. Told by the marks in the text (goose, sql-migrate, dbmate); a file without marks
 * is taken as run statement by statement.
 */
#ifndef CONTROLLER_CLI_LINT_LAYOUT_H
#define CONTROLLER_CLI_LINT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

struct lint_layout {
    const char *tool; /* null: none that is known */
    bool transaction; /* its runner opens one */
    const char *text; /* the same length and lines; what does not go up is blank */
};

/* Owned by ctx; text is the given one where nothing had to be blanked. */
struct lint_layout lint_layout_of(const void *ctx, const char *text, size_t length);

/* A file that undoes: *.down.sql, Flyway's U…__name.sql, a file revert/… of Sqitch. Folders are
 * searched without them. */
bool lint_layout_undoes(const char *path);

#endif
