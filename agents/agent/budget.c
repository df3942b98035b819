#include "agents/agent/budget.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    LOOKS = 4, /* in the time of a budget */
    LOOK_LEAST_MS = 20,
};

void budget_begin(struct budget *budget, struct work *work)
{
    *budget = (struct budget){ .work = work };
}

/* Modes behind which an application's reads or writes queue. Readers of a materialized view mind
 * nothing below ACCESS EXCLUSIVE, and nobody writes to it. Tables that the transaction itself has
 * made are not in the second session's catalog. */
static const char strong_locks[] =
    "SELECT coalesce(bool_or(l.granted), false), coalesce(bool_or(NOT l.granted), false)"
    " FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_class c ON c.oid = l.relation"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE l.pid = $1::integer AND l.locktype = 'relation' AND l.database = (SELECT oid FROM"
    " pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
    " AND (l.mode = 'AccessExclusiveLock' OR (c.relkind <> 'm' AND l.mode IN ('ShareLock',"
    " 'ShareRowExclusiveLock', 'ExclusiveLock'))) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    " AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'flotilla')";

static int64_t since(int64_t before, bool now, int64_t at)
{
    return !now ? 0 : before ? before : at;
}

bool budget_look(struct budget *budget)
{
    SCOPE(tmp);
    struct error ignored;
    struct rows *rows = NULL;
    struct work *work = budget->work;
    int64_t limit = work->limits.lock_budget_ms;
    int64_t every = limit / LOOKS > LOOK_LEAST_MS ? limit / LOOKS : LOOK_LEAST_MS;
    int64_t now = clock_mono_ms();
    if (work->rehearsal || now - budget->looked_ms < every)
        return true;
    budget->looked_ms = now;
    const char *params[] = { mem_printf(tmp, "%d", connection_facts(work->db)->backend_pid) };
    if (!connection_query(tmp, work->watch, strong_locks, params, 1, &rows, &ignored))
        return true;
    budget->held_ms = since(budget->held_ms, rows_bool(rows, 0, 0), now);
    budget->waiting_ms = since(budget->waiting_ms, rows_bool(rows, 0, 1), now);
    budget->waited |= budget->waiting_ms != 0;
    now = clock_mono_ms();
    if (budget->held_ms && now - budget->held_ms + every > limit)
        budget->end = BUDGET_HELD;
    else if (budget->waiting_ms && !budget->patient && now - budget->waiting_ms + every > limit)
        budget->end = BUDGET_WAITED;
    return budget->end == BUDGET_KEPT;
}

bool budget_fail(const struct work *work, int tries, struct error *err)
{
    long long limit = work->limits.lock_budget_ms;
    fail(err, ERROR_LOCK_BUDGET,
         "its locks would last longer than the lock budget of %lld ms: it was taken back in each "
         "of %d tries",
         limit, tries);
    return fail_hint(err, "nothing of it is left. Cut it into steps that are shorter, or allow "
                          "more (policy.lock_budget in the manifest, policy.lock_budget_max in "
                          "the host's agent.yaml), then `flotilla retry`; or go back: `flotilla "
                          "rollback`");
}

bool budget_tell(struct work *work, struct error *err)
{
    SCOPE(tmp);
    json_t *o = json_object();
    json_set_text(o, "reason",
                  mem_printf(tmp,
                             "its locks lasted as long as the lock budget of %lld ms allows; "
                             "taken back, to be tried again",
                             (long long)work->limits.lock_budget_ms));
    return work_event(work, "throttled", o, err);
}
