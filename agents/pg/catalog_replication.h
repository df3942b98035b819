/*
 * Logical replication in a catalog, as plain data: what is published, what is subscribed to. Part
 * of agents/pg/catalog_objects.h, which is what other files include; the catalog owns the texts.
 */
#ifndef AGENTS_PG_CATALOG_REPLICATION_H
#define AGENTS_PG_CATALOG_REPLICATION_H

#include <stdbool.h>
#include <stddef.h>

struct catalog_texts {
    const char *const *items;
    size_t count;
};

struct publication {
    const char *name;
    bool all_tables;
    const char *publish;           /* "insert, update, delete, truncate" */
    struct catalog_texts tables;   /* "schema.table", or "schema.table(a, b)" with a column list */
    struct catalog_texts filtered; /* those of `tables` with a condition on their rows, */
    struct catalog_texts filters;  /* and the conditions, in the same order */
};

struct subscription {
    const char *name;
    struct catalog_texts publications;
    const char *slot;
    bool enabled;
};

#endif
