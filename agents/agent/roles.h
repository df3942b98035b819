/*
 * The two roles of an agent and the script that makes them. Pure text.
 */
#ifndef AGENTS_AGENT_ROLES_H
#define AGENTS_AGENT_ROLES_H

#include "agents/part/step.h"

#define ROLE_WORK    "flotilla"         /* member of the owners' roles and of pg_monitor */
#define ROLE_SCRATCH "flotilla_scratch" /* CREATEDB; reaches nothing else */

/* A psql script, safe to run again, for these databases. Without owners it finds the roles that own
 * relations in each database; superusers among them are left out. */
const char *roles_sql(const void *ctx, const struct step_texts *databases,
                      const struct step_texts *owners);

#endif
