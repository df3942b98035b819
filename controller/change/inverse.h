/*
 * The way back of a statement that stays SQL, as far as the statement and the catalog before it
 * tell; and texts of parts of statements.
 */
#ifndef CONTROLLER_CHANGE_INVERSE_H
#define CONTROLLER_CHANGE_INVERSE_H

#include "agents/pg/catalog.h"
#include "controller/sql/script.h"

struct inverse {
    struct sql_texts down; /* none: there is no way back, see why */
    const char *why;
    const char *phase; /* expand for what only adds, contract for what takes away */
    bool alone;        /* cannot run inside a transaction */
};

/* alter: the one action of an ALTER TABLE it is about; null for other statements. */
struct inverse inverse_of(const void *ctx, const struct statement *statement,
                          const struct sql_alter *alter, const struct catalog *catalog);

/* "ALTER TABLE t ACTION" of one action out of several; null when it cannot be cut out. */
const char *alter_alone(const void *ctx, const struct statement *statement,
                        const struct sql_alter *alter);

/* "USING btree (a, lower(b)) WHERE …" of an index; null when it says what cannot be rebuilt. */
const char *index_tail(const void *ctx, const struct sql_index *index);

#endif
