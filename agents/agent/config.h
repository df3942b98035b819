/*
 * The agent's own file on a host (agent.yaml): which databases it serves, how they are reached, who
 * may approve what, and the host's policy. It is the only place where a connection string is
 * written; none of it is ever sent to a controller except the databases' names.
 *
 * Paths are absolute or relative to the file's folder, already joined. Everything is owned by the
 * context it was loaded into and never changes.
 */
#ifndef AGENTS_AGENT_CONFIG_H
#define AGENTS_AGENT_CONFIG_H

#include "agents/part/step.h"

#define AGENT_CONFIG_DEFAULT "/etc/flotilla/agent.yaml"

/* `serves:`; a part that was signed for anything else is refused on this database. */
struct agent_serves {
    const char *fleet, *environment, *service, *instance;
};

struct agent_database {
    const char *name;           /* what a manifest's agent_database means */
    const char *conninfo;       /* for libpq; "service=NAME" where pg_service was given */
    struct agent_serves serves; /* all null for a scratch database */
    struct step_texts approvers;
    bool scratch;            /* purpose: scratch */
    const char *scratch_for; /* the database whose clones are made here */
    int line;
};

struct agent_policy {
    int need;                   /* signatures for anything that changes a database: 1 */
    int destructive_need;       /* for parts with a destructive step: 2 */
    int64_t approval_ttl_ms;    /* 14d */
    int64_t lock_budget_max_ms; /* 500ms */
    const char *snapshots_dir;  /* /var/lib/flotilla/snapshots */
    int64_t snapshots_keep_ms;  /* 14d, from the rollout's end */
    const char *snapshots_sink; /* null: none */
};

struct agent_config {
    const char *path;   /* of the file, as given */
    const char *folder; /* of the file */
    struct agent_database *databases;
    size_t database_count;
    const char *allowed_signers; /* path; null: none, so nothing can be approved here */
    const char *release_signers; /* path; null: pushed agents need no signature */
    struct agent_policy policy;
    const char *spool; /* folder for runs; /var/lib/flotilla */
};

/* Loads and checks. On failure err holds the first error and *problems (may be null) the whole list
 * as text, one "file:line:column: what, hint" a line. */
bool agent_config_load(const void *ctx, const char *path, struct agent_config **out,
                       const char **problems, struct error *err) MUSTCHECK;

/* A database that is served; ERROR_NOT_FOUND names those that are. A scratch database is none. */
bool agent_config_database(const struct agent_config *config, const char *name,
                           const struct agent_database **out, struct error *err) MUSTCHECK;

/* The scratch database of a served one; null when none is configured. */
const struct agent_database *agent_config_scratch(const struct agent_config *config,
                                                  const char *name);

#endif
