/*
 * The doctor's look at one database and at this host: what a rollout would trip over, each finding
 * with its fix. Reads only; a check that fails says so and the others go on.
 *
 * The result is {checks: [{check, level: ok|note|warning|error, what, fix}]}; `fix` is left out
 * where all is well. A note is worth knowing and no reason to wait; warnings and errors are.
 * `scope: host` marks what is not about this database alone.
 */
#ifndef AGENTS_AGENT_DOCTOR_H
#define AGENTS_AGENT_DOCTOR_H

#include "agents/agent/config.h"
#include "agents/base/json.h"

/* Appends the checks of one served database to an array: trusted keys, connection, role,
 * settings, load. */
void doctor_database(const struct agent_config *config, const struct agent_database *database,
                     json_t *checks);

/* Appends the checks of the host: programs, folders (made when they are not there and may be). */
void doctor_host(const struct agent_config *config, bool may_make, json_t *checks);

/* Appends one line. fix null: none. */
void doctor_add(json_t *checks, const char *check, const char *level, const char *what,
                const char *fix);

#endif
