#include "agents/agent/journal.h"

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/part/part.h"

static const char *const state_names[] = {
    "none", "started", "done", "already", "undoing", "undone"
};

static const char *journal_state_name(enum journal_state state)
{
    return state_names[state];
}

static enum journal_state state_of(const char *name)
{
    for (unsigned i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++)
        if (text_eq(name, state_names[i]))
            return (enum journal_state)i;
    return JOURNAL_STARTED;
}

static const char *number(const void *ctx, int64_t n)
{
    return mem_printf(ctx, "%lld", (long long)n);
}

/* --- steps --------------------------------------------------------------------------------- */

bool journal_step_read(const void *ctx, struct work *work, const char *step,
                       struct journal_step *out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout, step };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "SELECT state, digest, attempts,"
                          " (extract(epoch FROM started) * 1000)::bigint"
                          " FROM flotilla.step WHERE rollout = $1 AND step = $2",
                          params, 2, &rows, err))
        return fail_in(err, "journal");
    *out = (struct journal_step){ .state = JOURNAL_NONE };
    if (rows_count(rows) == 0)
        return true;
    out->state = state_of(rows_text(rows, 0, 0));
    out->digest = mem_text(ctx, rows_text(rows, 0, 1));
    out->attempts = (int)rows_int(rows, 0, 2);
    out->started_ms = rows_int(rows, 0, 3);
    return true;
}

bool journal_step_write(struct work *work, const struct step *step, enum journal_state state,
                        const json_t *measured, struct error *err)
{
    SCOPE(tmp);
    json_auto_t *signed_form = step_signed_json(step);
    const char *digest = NULL;
    if (!digest_json(tmp, signed_form, &digest, err))
        return fail_in(err, "step %s", step->id);
    bool open = state == JOURNAL_STARTED || state == JOURNAL_UNDOING;
    const char *params[] = { work->rollout,
                             step->id,
                             step_kind_name(step->kind),
                             journal_state_name(state),
                             digest,
                             work->run,
                             open ? "t" : "f",
                             measured ? json_compact(tmp, measured) : NULL };
    struct rows *rows = NULL;
    if (!connection_query(
            tmp, work->db,
            "INSERT INTO flotilla.step AS s (rollout, step, kind, state, digest, run, finished,"
            " measured, moved) VALUES ($1, $2, $3, $4, $5, $6,"
            " CASE WHEN $7::boolean THEN NULL ELSE clock_timestamp() END, $8,"
            " nextval('flotilla.moved'))"
            " ON CONFLICT (rollout, step) DO UPDATE SET state = excluded.state,"
            " digest = excluded.digest, run = excluded.run, finished = excluded.finished,"
            " measured = coalesce(excluded.measured, s.measured), moved = excluded.moved,"
            " attempts = s.attempts + CASE WHEN $7::boolean THEN 1 ELSE 0 END,"
            " started = CASE WHEN $7::boolean AND s.state <> excluded.state"
            " THEN clock_timestamp() ELSE s.started END",
            params, 8, &rows, err))
        return fail_in(err, "journal");
    return open || journal_cursor_clear(work, step, state == JOURNAL_UNDONE, err);
}

bool journal_step_mark(struct work *work, const struct step *step, enum journal_state state,
                       const json_t *measured, struct error *err)
{
    if (!work_begin(work, err))
        return false;
    if (journal_step_write(work, step, state, measured, err))
        return work_commit(work, err);
    work_rollback(work);
    return false;
}

bool journal_last_step(const void *ctx, struct work *work, const char **out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "SELECT step || ' ' || state || ' ' || moved FROM flotilla.step"
                          " WHERE rollout = $1 ORDER BY moved DESC LIMIT 1",
                          params, 1, &rows, err))
        return fail_in(err, "journal");
    *out = rows_count(rows) ? mem_text(ctx, rows_text(rows, 0, 0)) : "";
    return true;
}

/* --- parts --------------------------------------------------------------------------------- */

bool journal_part_read(const void *ctx, struct connection *db, const char *rollout,
                       const char *phase, struct journal_part *out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { rollout, phase };
    struct rows *rows = NULL;
    *out = (struct journal_part){ 0 };
    bool present = false;
    if (!journal_present(db, &present, err))
        return false;
    if (!present)
        return true;
    if (!connection_query(tmp, db,
                          "SELECT digest, state FROM flotilla.part"
                          " WHERE rollout = $1 AND phase = $2",
                          params, 2, &rows, err))
        return fail_in(err, "journal");
    out->found = rows_count(rows) == 1;
    if (out->found) {
        out->digest = mem_text(ctx, rows_text(rows, 0, 0));
        out->state = mem_text(ctx, rows_text(rows, 0, 1));
    }
    return true;
}

bool journal_steps(struct connection *db, const char *rollout, const char *phase, int64_t *out,
                   struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { rollout, phase };
    struct rows *rows = NULL;
    if (!connection_query(
            tmp, db,
            "SELECT count(*) FROM flotilla.part p JOIN flotilla.step s USING (rollout)"
            " WHERE p.rollout = $1 AND p.phase = $2"
            " AND pg_catalog.starts_with(s.step, $2 || '/')",
            params, 2, &rows, err))
        return fail_in(err, "journal");
    *out = rows_int(rows, 0, 0);
    return true;
}

static bool part_insert(struct work *work, const json_t *approvals, struct error *err)
{
    SCOPE(tmp);
    json_auto_t *whole = part_to_json(work->part, true);
    const char *digest = NULL;
    if (!part_digest(tmp, work->part, &digest, err))
        return false;
    const char *params[] = { work->rollout,
                             phase_name(work->part->phase),
                             work->part->plan,
                             work->part->service,
                             work->instance,
                             digest,
                             work->back ? "back" : "forward",
                             work->run,
                             number(tmp, work->fence),
                             json_compact(tmp, whole),
                             approvals ? json_compact(tmp, approvals) : "[]" };
    struct rows *rows = NULL;
    return connection_query(
        tmp, work->db,
        "INSERT INTO flotilla.part AS p (rollout, phase, plan, service, instance, digest,"
        " state, direction, run, fence, part, approvals)"
        " VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9::bigint, $10, $11)"
        " ON CONFLICT (rollout, phase) DO UPDATE SET digest = excluded.digest,"
        " state = excluded.state, direction = excluded.direction, run = excluded.run,"
        " fence = excluded.fence, part = excluded.part, approvals = excluded.approvals,"
        " finished = NULL, error = NULL",
        params, 11, &rows, err);
}

bool journal_part_start(struct work *work, const json_t *approvals, struct error *err)
{
    if (!work_begin(work, err))
        return fail_in(err, "journal");
    if (part_insert(work, approvals, err))
        return work_commit(work, err);
    work_rollback(work);
    return fail_in(err, "journal");
}

static bool part_update(struct work *work, const char *state, const struct error *why,
                        struct error *err)
{
    SCOPE(tmp);
    json_auto_t *reason = json_object();
    if (why) {
        json_set_text(reason, "code", error_code_name(why->code));
        json_set_text(reason, "message", why->message);
    }
    const char *params[] = { work->rollout, phase_name(work->part->phase), state,
                             why ? json_compact(tmp, reason) : NULL };
    struct rows *rows = NULL;
    return connection_query(tmp, work->db,
                            "UPDATE flotilla.part SET state = $3, error = $4,"
                            " finished = clock_timestamp() WHERE rollout = $1 AND phase = $2",
                            params, 4, &rows, err);
}

bool journal_part_end(struct work *work, const char *state, const struct error *why,
                      struct error *err)
{
    if (!work_begin(work, err))
        return fail_in(err, "journal");
    if (part_update(work, state, why, err))
        return work_commit(work, err);
    work_rollback(work);
    return fail_in(err, "journal");
}
