/*
 * What a statement needs the right to, as far as its text tells: whose objects it alters, where it
 * makes some, what it reads and writes, whom it gives something to. Whether a role has it only the
 * database can say. What functions, triggers and views need inside is not looked at.
 */
#ifndef CONTROLLER_SQL_NEED_H
#define CONTROLLER_SQL_NEED_H

#include "controller/sql/statement.h"

/* need        what       name
 * owner       relation, type, function, schema   must be owned (by a role that ours is a member of)
 * drop        the same; the owner of its schema may, too
 * create      schema     may make objects there; name null: the first of the search path
 * create      database   may make schemas there
 * member      role       ours must be a member of it
 * receive     schema     the role `to` must have CREATE there
 * select, insert, update, delete, truncate, references, trigger    relation */
struct sql_need {
    const char *need;
    const char *what;
    struct sql_name name;
    const char *to; /* receive */
};

struct sql_needs {
    struct sql_need *items;
    size_t count;
};

/* Adds what is not there yet. */
void sql_needs_add(const void *ctx, struct sql_needs *list, const struct statement *s);

#endif
