/* The operations about runs: run, attach, control, state. */
#include <unistd.h>

#include "agents/agent/guard.h"
#include "agents/agent/handlers.h"
#include "agents/agent/journal.h"
#include "agents/agent/request.h"
#include "agents/agent/runner.h"
#include "agents/agent/spool.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    POLL_FIRST_MS = 5,
    POLL_MOST_MS = 100,
    ALIVE_MS = 5000, /* a long statement or a pause is silent: the listener hears that we live */
};

static bool open_database(const void *ctx, const struct agent_database *database,
                          struct connection **out, struct error *err)
{
    struct connection_options options = { .conninfo = database->conninfo, .tag = "ask" };
    return connection_open(ctx, &options, out, err) || fail_in(err, "database %s", database->name);
}

/* All that can be refused is refused here, to the asker's face; the runner checks it again. */
static bool refuse_early(const struct agent_config *config, const struct request *request,
                         struct error *err)
{
    SCOPE(tmp);
    struct connection *db = NULL;
    bool begun = false;
    return open_database(tmp, request->database, &db, err) &&
           request_begun(db, request, &begun, err) && request_admit(config, request, begun, err);
}

static json_t *run_result(const char *run, const json_t *end)
{
    json_t *o = json_object();
    json_set_text(o, "run", run);
    json_set_text(o, "state", end ? json_text_of(end, "state") : "running");
    return o;
}

bool handle_run(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                struct error *err)
{
    SCOPE(tmp);
    const struct agent_config *config = agent->config;
    struct request *request = NULL;
    json_t *end = NULL;
    AUTO_FD lock = -1;
    (void)reply;
    if (!request_read(tmp, config, args, &request, err))
        return false;
    /* First may it: who is refused leaves nothing behind, neither a folder nor a raised fence. */
    bool known = spool_exists(config->spool, request->run);
    if (known ? !request_admit(config, request, true, err) : !refuse_early(config, request, err))
        return false;
    if (!spool_make(config->spool, request->run, err) ||
        !spool_fence(config->spool, request->run, request->fence, err) ||
        !spool_lock(config->spool, request->run, &lock, err))
        return false;
    if (lock >= 0 && !spool_end(tmp, config->spool, request->run, &end, err))
        return false;
    if (lock >= 0 && !end &&
        ((known && !refuse_early(config, request, err)) ||
         !spool_write_request(config->spool, request->run, args, err) ||
         !runner_start(config, agent->program, request->run, lock, err)))
        return false;
    *result = run_result(request->run, end);
    return true;
}

/* --- attach --------------------------------------------------------------------------------- */

struct tail {
    const char *folder, *run;
    struct spool_reader *reader;
    json_t *end;
    int64_t sent_ms;
};

static bool send(struct tail *tail, struct reply *reply, json_t *event)
{
    tail->sent_ms = clock_mono_ms();
    return reply_event(reply, event);
}

/* Sends what is there. *some: something was. */
static bool tail_once(struct tail *tail, struct reply *reply, bool *some, struct error *err)
{
    for (*some = false;; *some = true) {
        SCOPE(tmp);
        json_t *event = NULL;
        if (!spool_next(tail->reader, tmp, &event, err))
            return false;
        if (!event)
            return true;
        if (text_eq(json_text_of(event, "event"), "run_ended")) {
            tail->end = json_own(tail->reader, json_incref(event));
            return true;
        }
        if (!send(tail, reply, json_incref(event)))
            return fail(err, ERROR_CONNECT, "nobody listens");
    }
}

/* A runner that is gone without an end was killed. Asked after the events were read, so that an
 * end it wrote last is not missed. */
static bool runner_gone(const struct tail *tail, bool *gone, struct error *err)
{
    AUTO_FD lock = -1;
    if (!spool_lock(tail->folder, tail->run, &lock, err))
        return false;
    *gone = lock >= 0;
    return true;
}

/* False when nobody listens any more. */
static bool tail_wait(struct tail *tail, struct reply *reply, int64_t pause)
{
    if (clock_mono_ms() - tail->sent_ms > ALIVE_MS &&
        !send(tail, reply, json_pack("{s:s}", "event", "alive")))
        return false;
    return reply_wait(reply, pause);
}

static bool tail_to_end(struct tail *tail, struct reply *reply, struct error *err)
{
    int64_t pause = POLL_FIRST_MS;
    bool gone = false;
    while (!tail->end) {
        bool some = false;
        bool was_gone = gone;
        if (!tail_once(tail, reply, &some, err) || !runner_gone(tail, &gone, err))
            return false;
        if (!tail->end && !some && was_gone) {
            if (!spool_end(tail->reader, tail->folder, tail->run, &tail->end, err))
                return false;
            if (tail->end)
                return true; /* its end had been seen before */
            fail(err, ERROR_CONNECT, "run %s: its runner was killed", tail->run);
            return fail_hint(err, "`flotilla resume` starts it again where it was");
        }
        pause = some ? POLL_FIRST_MS : pause * 2 > POLL_MOST_MS ? POLL_MOST_MS : pause * 2;
        if (!tail->end && !tail_wait(tail, reply, pause))
            return fail(err, ERROR_CONNECT, "nobody listens");
    }
    return true;
}

bool handle_attach(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                   struct error *err)
{
    SCOPE(tmp);
    int64_t after = 0;
    struct tail tail = { .folder = agent->config->spool, .sent_ms = clock_mono_ms() };
    if (!json_need_text(args, "run", &tail.run, err) || !json_may_int(args, "after", &after, err) ||
        !spool_reader_open(tmp, tail.folder, tail.run, after, &tail.reader, err) ||
        !tail_to_end(&tail, reply, err))
        return false;
    *result = json_object();
    json_object_set(*result, "seq", json_object_get(tail.end, "seq"));
    json_object_set(*result, "state", json_object_get(tail.end, "state"));
    if (json_object_get(tail.end, "error"))
        json_object_set(*result, "error", json_object_get(tail.end, "error"));
    return true;
}

bool handle_control(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                    struct error *err)
{
    const char *run = NULL;
    const char *action = NULL;
    int64_t fence = INT64_MAX;
    (void)reply;
    if (!json_need_text(args, "run", &run, err) || !json_need_text(args, "action", &action, err) ||
        !json_may_int(args, "fence", &fence, err) ||
        (fence != INT64_MAX && !spool_fence(agent->config->spool, run, fence, err)) ||
        !spool_write_order(agent->config->spool, run, action, err))
        return false;
    *result = json_pack("{s:s, s:s}", "run", run, "action", action);
    return true;
}

bool handle_state(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                  struct error *err)
{
    SCOPE(tmp);
    const struct agent_database *database = NULL;
    struct connection *db = NULL;
    const char *rollout = NULL;
    (void)reply;
    return agent_args_database(agent, args, &database, err) &&
           json_may_text(args, "rollout", &rollout, err) &&
           open_database(tmp, database, &db, err) && journal_state_json(db, rollout, result, err);
}
