/*
 * The statements that make a clone. Only clone*.c include this.
 */
#ifndef AGENTS_AGENT_CLONE_LIST_H
#define AGENTS_AGENT_CLONE_LIST_H

#include "agents/agent/clone.h"

struct clone_statement {
    const char *object; /* what a message calls it */
    const char *sql;
    bool needed; /* without it the clone is not good */
    bool done;
    struct error why; /* of its last try */
};

struct clone_list {
    struct clone_statement *items;
    size_t count;
    const bool *chosen; /* by index of the catalog's relations */
    const struct catalog *catalog;
};

void clone_add(struct clone_list *list, bool needed, const char *object, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* "schema.name" of the catalog as SQL. */
const char *clone_name(const void *ctx, const char *joined);

/* In this order. */
void clone_schemas(struct clone_list *list);   /* schemas, extensions, types, servers */
void clone_sequences(struct clone_list *list); /* those that no identity column owns */
void clone_functions(struct clone_list *list);
void clone_tables(struct clone_list *list); /* tables, keys, checks, indexes, partitions */
void clone_views(struct clone_list *list);
void clone_references(struct clone_list *list); /* foreign keys, then what hangs on tables */
void clone_grants(struct clone_list *list);     /* and comments, publications */

/* GRANTs of access lists on "TABLE x"; columns: null, or the quoted column. */
void clone_grant(struct clone_list *list, const struct catalog_texts *acl, const char *what,
                 const char *column);

#endif
