/*
 * Statements that would leave the place they are run in.
 *
 * A step's statements and the row of the journal that says so commit together, so no statement may
 * end or begin a transaction itself. A rehearsal happens in its scratch database; what concerns the
 * whole server (databases, roles, tablespaces, its settings) cannot be rehearsed there. The agent
 * has no parser: the first words of a statement tell, and PostgreSQL takes such commands at the top
 * level only.
 */
#ifndef AGENTS_AGENT_INSIDE_H
#define AGENTS_AGENT_INSIDE_H

#include "agents/part/part.h"

/* True for COMMIT, END, ROLLBACK, ABORT, BEGIN, START and PREPARE TRANSACTION. */
bool statement_ends_transaction(const char *sql);
/* True for CREATE, ALTER and DROP of a DATABASE, ROLE, USER, GROUP or TABLESPACE, ALTER SYSTEM. */
bool statement_is_for_server(const char *sql);

/* ERROR_REFUSED, naming the step, when a statement of the part is of the first sort, or, for a
 * rehearsal, of the second. */
bool part_stays_inside(const struct part *part, bool rehearsal, struct error *err) MUSTCHECK;

#endif
