/*
 * Grammar newer than the parser's (PostgreSQL 15): rewritten to what it can read, with what was
 * taken away remembered. Facts: tests/golden/syntax, measured on PostgreSQL 15 to 18.
 */
#ifndef CONTROLLER_SQL_DESUGAR_H
#define CONTROLLER_SQL_DESUGAR_H

#include <stdbool.h>
#include <stddef.h>

/* What was taken away, by where it stood in the rewritten text. */
enum sugar_kind {
    SUGAR_VIRTUAL,      /* generated column, VIRTUAL or nothing written */
    SUGAR_NOT_ENFORCED, /* of the constraint before */
    SUGAR_ENFORCED,     /* ALTER CONSTRAINT … ENFORCED */
    SUGAR_NOT_NULL,     /* ADD [CONSTRAINT n] NOT NULL c, written as ALTER c SET NOT NULL */
    SUGAR_NOT_VALID,    /* of such a NOT NULL */
    SUGAR_EXPRESSION,   /* SET EXPRESSION AS (e), written as SET DEFAULT (e) */
    SUGAR_SPLIT_PARTITION,
    SUGAR_ONLY, /* VACUUM and ANALYZE ONLY */
};

struct sugar_mark {
    enum sugar_kind kind;
    size_t offset;    /* in `text` */
    const char *name; /* SUGAR_NOT_NULL: the constraint's; may be null */
};

struct sugar {
    const char *text; /* rewritten, NUL-terminated */
    int version;      /* the first major version that knows it; 0: nothing was rewritten */
    struct sugar_mark *marks;
    size_t count;
};

/* Rewrites one statement; version 0 when there is nothing to rewrite. Owned by ctx. */
struct sugar *sql_desugar(const void *ctx, const char *text, size_t length);

/* There is a mark of that kind with first <= offset < last. */
const struct sugar_mark *sugar_find(const struct sugar *sugar, enum sugar_kind kind, size_t first,
                                    size_t last);

#endif
