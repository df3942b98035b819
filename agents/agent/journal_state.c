#include "agents/agent/journal.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"

/* The server builds the whole answer: one read, one snapshot of the journal. */
static const char *const state_query =
    "SELECT pg_catalog.json_build_object("
    "'fence', (SELECT token FROM flotilla.fence),"
    "'parts', (SELECT coalesce(json_agg(json_build_object("
    " 'rollout', p.rollout, 'phase', p.phase, 'plan', p.plan, 'service', p.service,"
    " 'instance', p.instance, 'digest', p.digest, 'state', p.state, 'direction', p.direction,"
    " 'run', p.run, 'fence', p.fence, 'started', p.started, 'finished', p.finished,"
    " 'error', p.error::json, 'part', p.part::json, 'approvals', p.approvals::json,"
    " 'steps', (SELECT coalesce(json_agg(json_build_object("
    "  'step', s.step, 'kind', s.kind, 'state', s.state, 'digest', s.digest, 'run', s.run,"
    "  'attempts', s.attempts, 'started', s.started, 'finished', s.finished,"
    "  'measured', s.measured::json) ORDER BY s.moved), '[]'::json) FROM flotilla.step s"
    "  WHERE s.rollout = p.rollout AND s.step LIKE p.phase || '/%'),"
    " 'cursors', (SELECT coalesce(json_agg(json_build_object("
    "  'step', c.step, 'direction', c.direction, 'target', c.target, 'done', c.done,"
    "  'batches', c.batches)), '[]'::json) FROM flotilla.cursor c"
    "  WHERE c.rollout = p.rollout AND c.step LIKE p.phase || '/%')"
    ") ORDER BY p.started), '[]'::json) FROM flotilla.part p"
    " WHERE $1::text IS NULL OR p.rollout = $1))::text";

bool journal_state_json(struct connection *db, const char *rollout, json_t **out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { rollout };
    struct rows *rows = NULL;
    json_t *state = NULL;
    bool present = false;
    if (!journal_present(db, &present, err))
        return false;
    if (!present) {
        *out = json_pack("{s:n, s:[]}", "fence", "parts");
        return true;
    }
    if (!connection_query(tmp, db, state_query, params, 1, &rows, err))
        return fail_in(err, "journal");
    const char *text = rows_text(rows, 0, 0);
    if (!json_parse(tmp, text, __builtin_strlen(text), &state, err))
        return fail_in(err, "journal");
    *out = json_incref(state);
    return true;
}
