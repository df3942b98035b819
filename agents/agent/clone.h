/*
 * A clone: the schema of a database made anew, empty, in another one, from the catalog that was
 * read there. For rehearsals: no rows, no passwords, no addresses of servers, no subscriptions come
 * along, and everything belongs to the role that makes it.
 *
 * The catalog has no order in which its objects can be made; statements that fail are tried again
 * after the others, until nothing moves any more.
 */
#ifndef AGENTS_AGENT_CLONE_H
#define AGENTS_AGENT_CLONE_H

#include "agents/pg/catalog.h"
#include "agents/pg/connection.h"

/* Which relations come along: all of them in a database of usual size, otherwise those named and
 * whatever hangs together with them by foreign keys, partitions, inheritance and views. */
struct clone_choice {
    const char *const *relations; /* "schema.name" */
    size_t relation_count;
};

/* Makes the clone in `db`, which has a database of its own. ERROR_UNSUPPORTED names the first
 * object that could not be made and why. *notes: what was left out without harm, one line each. */
bool clone_make(const void *ctx, struct connection *db, const struct catalog *catalog,
                const struct clone_choice *choice, struct catalog_texts *notes,
                struct error *err) MUSTCHECK;

/* A few made-up rows in each table, where its constraints let them in: so that statements find
 * something to do. */
bool clone_sample(struct connection *db, const struct catalog *catalog,
                  struct error *err) MUSTCHECK;

#endif
