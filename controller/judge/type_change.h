/*
 * What ALTER COLUMN TYPE does, from the old and the new type as format_type prints them. Facts: the
 * type_* measurements of tests/golden/locks and pg_cast of PostgreSQL 15.
 */
#ifndef CONTROLLER_JUDGE_TYPE_CHANGE_H
#define CONTROLLER_JUDGE_TYPE_CHANGE_H

#include <stdbool.h>

#include "controller/world/world.h"

enum type_effect {
    TYPE_SAME,
    TYPE_BINARY, /* no rewrite */
    TYPE_NEW_VALUES,
};

struct type_change {
    enum type_effect effect;
    bool narrowing; /* values may not fit: it can fail or lose something */
    bool kin;       /* both hold the same sort of thing: numbers, texts, times */
    bool lossy;     /* values lose something without an error: there is no way back */
    bool reindex;   /* the default operator class is another one */
    bool guessed;   /* the old type is not known: the worse is assumed */
};

/* `from` may be null (not known). `utc`: the session's time zone is UTC. */
struct type_change type_change(struct world *world, const char *from, const char *to, bool utc);

/* The expression is the column itself, perhaps cast to the new type: like no USING at all. */
bool type_using_is_plain(const struct sql_expression *using, const char *column, const char *type);

#endif
