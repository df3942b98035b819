/*
 * Comments that take findings back, as data: suppress.c reads them and asks them, suppress_check.c
 * says which of them name no rule or took nothing back. Private to both; others ask linting.h.
 */
#ifndef CONTROLLER_RULES_SUPPRESS_H
#define CONTROLLER_RULES_SUPPRESS_H

#include "controller/rules/linting.h"

/* One name in one comment. */
struct suppression {
    const char *name; /* as written; null: every rule */
    int line;         /* of the comment */
    bool file;        /* the whole script */
    bool theirs;      /* squawk's name */
    bool known, used;
};

struct suppressions {
    const struct script *script;
    struct suppression *items; /* in the order of their lines */
    size_t count;
    size_t *whole; /* numbers of those for the whole script */
    size_t whole_count;
};

#endif
