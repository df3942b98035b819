/*
 * The engine's view of everything outside of it: time, and work on hosts whose outcome arrives as
 * reports. The real one (workers.h) uses threads and sessions; a simulation gives another.
 */
#ifndef CONTROLLER_ROLLOUT_WORLD_H
#define CONTROLLER_ROLLOUT_WORLD_H

#include <jansson.h>
#include <stdint.h>

#include "agents/part/signature.h"
#include "controller/rollout/state.h"

/* Work on one task: run its part (or its way back) on its instance and report until it ends. The
 * same job given again after a crash continues: runs are idempotent, `after` skips what is known.
 */
struct job {
    size_t task;
    const char *service, *instance;
    const char *rollout;
    const struct part *part;
    const struct approval *approvals;
    size_t approval_count;
    const json_t *acks; /* [{service, note}] */
    const json_t *seen; /* {phase: steps}: what the host's journal must know of by now */
    int64_t token;
    int attempt;
    bool back;
    int64_t after;
};

/* EVENT   the runner's next event (body has seq)
 * LOST    the agent cannot be reached, work goes on there: err says why
 * FOUND   it can be reached again
 * ENDED   the run ended: body is {state, step, error}
 * FAILED  the job cannot be done: err says why */
enum report_kind { REPORT_EVENT, REPORT_LOST, REPORT_FOUND, REPORT_ENDED, REPORT_FAILED };

struct report {
    enum report_kind kind;
    size_t task;
    int attempt;
    json_t *body; /* owned by the report; may be null */
    struct error err;
};

struct world {
    int64_t (*wall_ms)(struct world *world);
    int64_t (*mono_ms)(struct world *world);
    /* Starts the job; what comes of it arrives as reports. */
    bool (*dispatch)(struct world *world, const struct job *job, struct error *err) MUSTCHECK;
    /* Asks the runner of a task "pause", "resume" or "cancel"; best effort, repeatable. */
    void (*control)(struct world *world, const struct job *job, const char *action);
    /* The next report, owned by ctx, or null after timeout_ms. */
    struct report *(*receive)(struct world *world, const void *ctx, int64_t timeout_ms);
};

#endif
