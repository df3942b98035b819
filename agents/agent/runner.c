#include "agents/agent/runner.h"

#include <stdlib.h>
#include <unistd.h>

#include "agents/agent/course.h"
#include "agents/agent/drift.h"
#include "agents/agent/guard.h"
#include "agents/agent/journal.h"
#include "agents/agent/request.h"
#include "agents/agent/snapshot.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    STEP_DEADLINE_MS = 60 * 60 * 1000,
    BATCH_MS = 50, /* measured: batches of 50 to 100 ms cost traffic least per row */
    LAG_MS = 5000,
    LAG_BYTES = 1024 * 1024 * 1024,
    AWAY_MS = 10 * 60 * 1000, /* how long a server may be away */
    AWAY_PAUSE_MS = 500,
};

static struct work *work_of(const void *ctx, const struct agent_config *config,
                            const struct request *r)
{
    struct work *work = mem_new(ctx, struct work);
    const struct agent_database *scratch = agent_config_scratch(config, r->database->name);
    work->part = r->part;
    work->run = r->run;
    work->rollout = r->rollout;
    work->instance = r->database->serves.instance;
    work->database = r->database->name;
    work->fence = r->fence;
    work->back = r->back;
    work->until = r->until;
    work->acks = r->acks;
    work->ack_count = r->ack_count;
    work->limits = (struct work_limits){ .lock_budget_ms = r->lock_budget_ms,
                                         .step_deadline_ms = STEP_DEADLINE_MS,
                                         .batch_ms = BATCH_MS,
                                         .lag_ms = LAG_MS,
                                         .lag_bytes = LAG_BYTES,
                                         .places = config->spool,
                                         .snapshots = config->policy.snapshots_dir,
                                         .scratch = scratch ? scratch->conninfo : NULL };
    return work;
}

/* One way through, from entering the database to the last step. */
static bool go(struct work *work, const struct agent_config *config, const struct request *r,
               struct error *err)
{
    bool begun = false;
    struct guard_access access = { .conninfo = r->database->conninfo, .spool = config->spool };
    work->step = NULL;
    if (!guard_enter(work, &access, err) || !request_begun(work->db, r, &begun, err) ||
        !request_admit(config, r, begun, err) || !drift_check(work, err) ||
        !journal_part_start(work, r->approvals_json, err))
        return false;
    work->begun = true;
    return r->back ? course_back(work, err) : course_forward(work, err);
}

/* A server that restarts or fails over is waited for; the journal then tells where to go on. */
static bool go_on(struct work *work, const struct agent_config *config, const struct request *r,
                  struct error *err)
{
    int64_t away_since = 0;
    while (!go(work, config, r, err)) {
        int64_t now = clock_mono_ms();
        if (!connection_lost(err->code))
            return false;
        if (work->db || away_since == 0) { /* it was there, or we only begin */
            json_t *o = json_pack("{s:s}", "reason", err->message);
            away_since = now;
            if (!work_event(work, "database_lost", o, err))
                return false;
        }
        if (now - away_since > AWAY_MS)
            return false;
        if (spool_order(work->spool) == ORDER_CANCEL)
            return fail(err, ERROR_CANCELLED, "stopped on request while the server was away");
        clock_sleep_ms(AWAY_PAUSE_MS);
    }
    return true;
}

static const char *state_of(const struct request *r, bool went, const struct error *err)
{
    if (went)
        return r->back ? "undone" : r->until ? "stopped" : "done";
    return err->code == ERROR_CANCELLED ? "stopped" : "failed";
}

static json_t *end_fields(const char *state, const struct error *why)
{
    json_t *o = json_object();
    json_set_text(o, "state", state);
    if (!why)
        return o;
    json_t *e = json_object();
    json_set_text(e, "code", error_code_name(why->code));
    if (why->sqlstate[0])
        json_set_text(e, "sqlstate", why->sqlstate);
    json_set_text(e, "message", why->message);
    if (why->detail[0])
        json_set_text(e, "detail", why->detail);
    if (why->hint[0])
        json_set_text(e, "hint", why->hint);
    json_object_set_new(o, "error", e);
    return o;
}

/* The journal first, then the event: whoever sees the event finds the journal in that state. */
static bool end(struct work *work, const struct request *r, bool went, const struct error *why,
                struct error *err)
{
    const char *state = state_of(r, went, why);
    bool reachable = work->db && work->watch && connection_state(work->db) == CONNECTION_IDLE;
    struct error ignored;
    work->step = NULL;
    if (went && !reachable)
        return fail(err, ERROR_CONNECT, "database %s was lost at the very end", work->database);
    if (work->begun && reachable && why->code != ERROR_FENCED &&
        !(drift_record(work, &ignored) &&
          journal_part_end(work, state, went ? NULL : why, &ignored)) &&
        went) {
        /* Nothing is lost: the next runner finds all steps done and ends it. */
        *err = ignored;
        return false;
    }
    return work_event(work, "run_ended", end_fields(state, went ? NULL : why), err);
}

bool runner_run(const struct agent_config *config, const char *run, struct error *err)
{
    SCOPE(tmp);
    json_t *json = NULL;
    struct request *request = NULL;
    srandom((unsigned)getpid() ^ (unsigned)clock_mono_ms());
    if (!spool_read_request(tmp, config->spool, run, &json, err) ||
        !request_read(tmp, config, json, &request, err))
        return false;
    struct work *work = work_of(tmp, config, request);
    if (!spool_open(work, config->spool, run, &work->spool, err))
        return false;
    struct error why = { 0 };
    bool went = go_on(work, config, request, &why);
    if (went)
        snapshot_prune(work->db, config->policy.snapshots_dir, work->database,
                       config->policy.snapshots_keep_ms);
    return end(work, request, went, &why, err);
}
