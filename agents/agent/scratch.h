/*
 * Scratch: throw-away databases for rehearsals.
 *
 * Each is a copy of the empty scratch database that agent.yaml names (so that extensions which only
 * an administrator may install come along), made and owned by the scratch role. Without one, a copy
 * of template1 is made with the database's own role, if that may. They are dropped with their
 * context; what a crash leaves behind is dropped by a later rehearsal, known by its name and age.
 *
 * Nobody has signed what runs in them, so a role that could harm anything else on that server (a
 * superuser, a maker of roles, an owner of the real database) is refused.
 */
#ifndef AGENTS_AGENT_SCRATCH_H
#define AGENTS_AGENT_SCRATCH_H

#include "agents/agent/config.h"
#include "agents/pg/connection.h"

struct scratch {
    const char *conninfo; /* of the server and role */
    const char *name;     /* of the new database */
};

/* ERROR_REFUSED, with what to write into agent.yaml, when no database may be made. */
bool scratch_open(const void *ctx, const struct agent_config *config,
                  const struct agent_database *database, struct scratch **out,
                  struct error *err) MUSTCHECK;

/* A session in it. Close it (free it) before the scratch goes. */
bool scratch_connect(const void *ctx, const struct scratch *scratch, struct connection **out,
                     struct error *err) MUSTCHECK;

#endif
