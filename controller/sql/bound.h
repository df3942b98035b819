/*
 * Whether a WHERE keeps a statement to few rows, as far as its text tells: inside controller/sql/
 * only. Without a catalog a column is judged by its name: `id = 5` finds a row, `status = 'old'`
 * may find most of them.
 */
#ifndef CONTROLLER_SQL_BOUND_H
#define CONTROLLER_SQL_BOUND_H

#include "controller/sql/ast.h"

struct bound_scope {
    const void *ctx;
    const struct sql_texts *batches; /* CTEs that are cut by LIMIT or hold VALUES; may be null */
    const char *target, *alias;      /* of the relation that is written; null: of a SELECT */
    bool joined;                     /* it is joined with others */
    struct sql_texts equal;          /* out: columns that must equal constants */
};

/* A key with constants by = or IN, a range from both sides, membership in a batch. */
bool where_bounded(struct bound_scope *scope, const PgQuery__Node *where);
/* The FROM has an item of few rows: VALUES, a LIMITed subselect, a batch. */
bool from_bounded(const struct bound_scope *scope, size_t n, PgQuery__Node *const *items);
/* The query makes few rows: LIMIT, VALUES, no FROM, or from a batch. */
bool select_bounded(const struct bound_scope *scope, const PgQuery__SelectStmt *select);

#endif
