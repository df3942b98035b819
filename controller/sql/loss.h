/*
 * What a statement destroys, by name: rows of tables and values of columns that are gone after it.
 * For who keeps them aside before it, and for who checks that somebody did.
 */
#ifndef CONTROLLER_SQL_LOSS_H
#define CONTROLLER_SQL_LOSS_H

#include "controller/sql/statement.h"

struct sql_loss {
    struct sql_name relation; /* schema null: not written */
    const char *column;       /* null: rows, or the whole table */
    bool deletes;             /* only some rows: to put them back, each must be told apart */
};

struct sql_losses {
    struct sql_loss *items;
    size_t count;
    bool complete; /* false: it may destroy what cannot be named (CASCADE, a lossy type, …) */
};

/* Dropped tables and columns, TRUNCATE, DELETE and MERGE. Other statements destroy nothing that is
 * named here; whether they destroy anything is for the judge to say. */
struct sql_losses sql_losses_of(const void *ctx, const struct statement *s);

#endif
