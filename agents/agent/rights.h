/*
 * Rights: whether the role that carries parts out may do what they need, looked up in the catalogs
 * of the real database. A rehearsal cannot tell: on a clone everything belongs to its own role.
 */
#ifndef AGENTS_AGENT_RIGHTS_H
#define AGENTS_AGENT_RIGHTS_H

#include <jansson.h>

#include "agents/pg/connection.h"

/* needs: [{step, need, what, schema?, name?, to?}] as controller/sql/need.h has them. Objects that
 * are not there are the plan's own. *out, an array of the caller's: [{step, message, fix}] of what
 * is missing. */
bool rights_missing(struct connection *db, const json_t *needs, json_t **out,
                    struct error *err) MUSTCHECK;

#endif
