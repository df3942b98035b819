/*
 * A rehearsal under way: a clone, and what was seen on it. Only rehears*.c include this.
 */
#ifndef AGENTS_AGENT_REHEARSAL_H
#define AGENTS_AGENT_REHEARSAL_H

#include <jansson.h>

#include "agents/agent/config.h"
#include "agents/agent/scratch.h"
#include "agents/agent/spool.h"
#include "agents/part/part.h"
#include "agents/pg/catalog.h"
#include "agents/wire/server.h"

struct rehearsal {
    const struct agent_config *config;
    const struct agent_database *database;
    struct part **parts; /* in the order of phases */
    size_t part_count;
    struct catalog *target; /* of the real database */
    struct catalog_texts notes;
    const json_t *needs; /* rights, as in rights.h; lent; may be null */
    json_t *missing;     /* those that its role lacks there; null: none was asked for */
    const char *role;
    struct scratch *scratch;
    struct connection *db, *watch; /* in the scratch database */
    const char *run;               /* its folder in the spool; null: none yet */
    int lock;
    struct spool *spool;
    struct reply *reply;
    int64_t began_ms;
    const char
        *misfit; /* why the rows made up before did not do: this clone has none; null: rows */
};

/* Whether an error is about values (SQLSTATE classes 22 and 23), which on a clone are made up: a
 * text that is to become a date, a check that a made-up number does not pass. It proves nothing. */
bool rehearsal_is_misfit(const char *sqlstate);

/* Up, down, up; {steps: [{id, ok, ms, locks, rewrite, error?}], equal, differences, notes, ms}.
 * What goes wrong on the clone is a result, not an error; *why tells it (code 0: nothing did). */
bool rehearsal_play(struct rehearsal *r, json_t **result, struct error *why,
                    struct error *err) MUSTCHECK;

#endif
