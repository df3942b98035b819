/*
 * The guard: makes sure that at most one runner works on a database, and that one which was
 * overtaken can do no harm.
 *
 * Three things work together. The fencing token in the journal decides who may commit (work_begin
 * checks it in every transaction). A session advisory lock keeps a second runner of the same token
 * out. Backends of runners that died, or that carry an older token, are found by their application
 * name and ended before work goes on, since a killed client does not stop its statement.
 */
#ifndef AGENTS_AGENT_GUARD_H
#define AGENTS_AGENT_GUARD_H

#include "agents/agent/work.h"

struct guard_access {
    const char *conninfo; /* the target database */
    const char *spool;    /* to see whether a run that left something behind still lives */
};

/* Opens work->db and work->watch, makes the journal, takes token and lock. ERROR_FENCED when a
 * newer token is there, ERROR_BUSY when a live runner has the database, ERROR_REFUSED for a
 * standby. May be called again after a connection was lost. */
bool guard_enter(struct work *work, const struct guard_access *access, struct error *err) MUSTCHECK;

/* Only looks: ERROR_FENCED when the journal has seen a newer token than `fence`. */
bool guard_check_fence(struct connection *db, int64_t fence, struct error *err) MUSTCHECK;

#endif
