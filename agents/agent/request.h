/*
 * A request to run a part: what the controller sent, checked, and whether this host lets it in.
 *
 * Nothing in a request is trusted. The part's digest is computed here, its signatures are verified
 * with this host's own list of trusted keys, and it must be meant for exactly the database that
 * agent.yaml says it may be run on.
 */
#ifndef AGENTS_AGENT_REQUEST_H
#define AGENTS_AGENT_REQUEST_H

#include "agents/agent/config.h"
#include "agents/agent/work.h"
#include "agents/part/signature.h"

struct request {
    const struct agent_database *database;
    const char *run; /* the same request has the same id: that is what makes it idempotent */
    const char *rollout;
    int64_t fence;
    bool back;
    struct part *part;
    struct approval *approvals;
    size_t approval_count;
    json_t *approvals_json;
    struct work_ack *acks;
    size_t ack_count;
    int64_t seen[PHASE_COUNT]; /* steps that the controller saw carried out in this rollout */
    const char *until;         /* null: the whole part */
    int64_t lock_budget_ms;    /* within the host's limit */
};

/* {database, rollout, fence, part, approvals, direction?, attempt?, acks?, seen?, until_step?,
 * lock_budget_ms?} as in the operation `run`. Everything is owned by ctx. */
bool request_read(const void *ctx, const struct agent_config *config, const json_t *json,
                  struct request **out, struct error *err) MUSTCHECK;

/* May it run here? ERROR_TAMPERED, ERROR_REFUSED (meant for another database) or ERROR_UNSIGNED.
 * `begun`: this very part was started before, so its signatures may have aged since. */
bool request_admit(const struct agent_config *config, const struct request *request, bool begun,
                   struct error *err) MUSTCHECK;

/* Looks into the journal: was this very part begun in this rollout? ERROR_FENCED when a newer
 * command was seen, ERROR_TAMPERED when another form of the part was begun, ERROR_JOURNAL when the
 * journal knows less than the controller saw: it was dropped, or the database is an older copy. */
bool request_begun(struct connection *db, const struct request *request, bool *begun,
                   struct error *err) MUSTCHECK;

#endif
