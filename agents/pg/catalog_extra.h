/*
 * What definitions do not say, and what fires for definitions: part of agents/pg/catalog_objects.h,
 * which is what other files include; the catalog owns the texts.
 */
#ifndef AGENTS_PG_CATALOG_EXTRA_H
#define AGENTS_PG_CATALOG_EXTRA_H

#include "agents/pg/catalog_replication.h"

/* What a definition does not say and who makes the object again has to say anew: comments of
 * triggers, policies, rules and statistics, owners and targets of statistics, targets of an index's
 * expressions, the marks of CLUSTER and REPLICA IDENTITY, rules that are switched off. */
struct extra {
    const char *name; /* "trigger x", "policy x", "rule x", "index x", "statistics s.x" */
    const char *sql;
};

/* Fires for DDL of anybody, ours too. */
struct event_trigger {
    const char *name, *event, *function, *owner;
    char enabled;              /* O D R A */
    struct catalog_texts tags; /* empty: all commands */
};

#endif
