#include "agents/agent/course.h"

#include "agents/agent/apply.h"
#include "agents/agent/health.h"
#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool apply_one(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    switch (work->step->kind) {
    case STEP_STATEMENT:
        return work->step->transaction ? apply_transaction(ctx, work, measured, err)
                                       : apply_alone(ctx, work, measured, err);
    case STEP_CONCURRENTLY: return apply_alone(ctx, work, measured, err);
    case STEP_BACKFILL: return apply_backfill(ctx, work, measured, err);
    case STEP_VERIFY: return apply_verify(ctx, work, measured, err);
    case STEP_SNAPSHOT: return apply_snapshot(ctx, work, measured, err);
    case STEP_WAIT: return apply_wait(ctx, work, measured, err);
    case STEP_ACKNOWLEDGE: return apply_acknowledge(ctx, work, measured, err);
    }
    return fail(err, ERROR_UNSUPPORTED, "this agent cannot do a %s step",
                step_kind_name(work->step->kind));
}

static json_t *error_fields(const struct error *why)
{
    json_t *e = json_object();
    json_set_text(e, "code", error_code_name(why->code));
    if (why->sqlstate[0])
        json_set_text(e, "sqlstate", why->sqlstate);
    json_set_text(e, "message", why->message);
    if (why->hint[0])
        json_set_text(e, "hint", why->hint);
    return json_pack("{s:o}", "error", e);
}

static const char *done_event(const struct work *work)
{
    return work->back ? "step_undone" : "step_done";
}

static bool tell_done(struct work *work, json_t *measured, struct error *err)
{
    if (spool_told(work->spool, work->step->id, done_event(work)))
        return true;
    return work_event(work, done_event(work), json_pack("{s:O}", "measured", measured), err);
}

/* A runner that died between the commit and the event: its successor tells it, from the journal. */
static bool tell_earlier(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    json_t *measured = json_own(tmp, json_object());
    const char *params[] = { work->rollout, work->step->id, work->run };
    if (!connection_query(tmp, work->db,
                          "SELECT measured FROM flotilla.step WHERE rollout = $1 AND step = $2"
                          " AND run = $3",
                          params, 3, &rows, err))
        return fail_in(err, "journal");
    if (rows_count(rows) == 0)
        return true;
    const char *text = rows_text(rows, 0, 0);
    if (text && !json_parse(tmp, text, __builtin_strlen(text), &measured, err))
        return fail_in(err, "journal");
    return tell_done(work, measured, err);
}

static bool step_run(struct work *work, struct error *err)
{
    SCOPE(tmp);
    json_t *measured = NULL;
    struct error ignored;
    const char *started = work->back ? "step_undoing" : "step_started";
    json_t *fields = json_pack("{s:s}", "kind", step_kind_name(work->step->kind));
    if (work->step->what)
        json_set_text(fields, "what", work->step->what);
    if (!work_event(work, started, fields, err) || !health_check(work, "before", err))
        return false;
    if (apply_one(tmp, work, &measured, err))
        return tell_done(work, measured, err) && health_check(work, "after", err);
    bool stays = err->code == ERROR_CANCELLED || connection_lost(err->code);
    if (!stays && !work_event(work, "step_failed", error_fields(err), &ignored))
        return fail_in(err, "step %s", work->step->id);
    return fail_in(err, "step %s", work->step->id);
}

/* --- forward -------------------------------------------------------------------------------- */

static bool same_form(const struct step *step, const struct journal_step *row, struct error *err)
{
    SCOPE(tmp);
    json_auto_t *form = step_signed_json(step);
    const char *digest = NULL;
    if (!digest_json(tmp, form, &digest, err))
        return false;
    if (text_eq(digest, row->digest))
        return true;
    fail(err, ERROR_REFUSED, "step %s was carried out in another form", step->id);
    return fail_hint(err, "roll this phase back with the plan that was started: "
                          "`flotilla rollback`");
}

/* Nobody wrote the step down, yet its probe says it is done: somebody did it by hand, or the
 * database lost its journal. */
static bool done_already(struct work *work, enum journal_state state, bool *out, struct error *err)
{
    bool known = false;
    bool done = false;
    *out = false;
    if (state == JOURNAL_UNDONE || !apply_probe(work, &known, &done, err))
        return state == JOURNAL_UNDONE;
    if (!done || work->step->kind == STEP_CONCURRENTLY || work->step->kind == STEP_SNAPSHOT)
        return true;
    json_auto_t *measured = json_pack("{s:b}", "already", 1);
    *out = true;
    return journal_step_mark(work, work->step, JOURNAL_ALREADY, measured, err) &&
           tell_done(work, measured, err);
}

static bool forward_one(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct journal_step row;
    bool already = false;
    if (!journal_step_read(tmp, work, work->step->id, &row, err))
        return false;
    if (row.state == JOURNAL_DONE || row.state == JOURNAL_ALREADY)
        return same_form(work->step, &row, err) && tell_earlier(work, err);
    if (row.state == JOURNAL_UNDOING) {
        fail(err, ERROR_REFUSED, "step %s was about to be undone", work->step->id);
        return fail_hint(err, "finish going back first: `flotilla rollback`");
    }
    if (!work_orders(work, err) || !done_already(work, row.state, &already, err))
        return false;
    return already || step_run(work, err);
}

bool course_forward(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->part->step_count; i++) {
        work->step = &work->part->steps[i];
        bool went = forward_one(work, err);
        work->step = NULL;
        if (!went)
            return false;
        if (work->until && text_eq(work->until, work->part->steps[i].id))
            return true;
    }
    return true;
}

/* --- back ----------------------------------------------------------------------------------- */

static bool was_done(enum journal_state state)
{
    return state != JOURNAL_NONE && state != JOURNAL_UNDONE;
}

static bool refuse_irreversible(struct work *work, struct error *err)
{
    SCOPE(tmp);
    for (size_t i = 0; i < work->part->step_count; i++) {
        const struct step *step = &work->part->steps[i];
        struct journal_step row;
        if (!journal_step_read(tmp, work, step->id, &row, err))
            return false;
        if (step->irreversible && was_done(row.state)) {
            fail(err, ERROR_REFUSED, "step %s has no way back: %s", step->id, step->irreversible);
            return fail_hint(err, "nothing was touched; draft a change that repairs what it did");
        }
    }
    return true;
}

/* A step without statements for the way back (a backfill of a column that goes away) is done with
 * when it is written down. */
static bool back_plain(struct work *work, struct error *err)
{
    json_auto_t *measured = json_object();
    bool plain = work->step->kind != STEP_SNAPSHOT && work->step->down.count == 0;
    if (!plain)
        return step_run(work, err);
    return journal_step_mark(work, work->step, JOURNAL_UNDONE, measured, err) &&
           tell_done(work, measured, err);
}

static bool back_one(struct work *work, struct error *err)
{
    SCOPE(tmp);
    struct journal_step row;
    if (!journal_step_read(tmp, work, work->step->id, &row, err))
        return false;
    if (row.state == JOURNAL_UNDONE)
        return tell_earlier(work, err);
    if (row.state == JOURNAL_NONE)
        return true;
    return same_form(work->step, &row, err) && work_orders(work, err) && back_plain(work, err);
}

bool course_back(struct work *work, struct error *err)
{
    if (!refuse_irreversible(work, err))
        return false;
    for (size_t i = work->part->step_count; i-- > 0;) {
        work->step = &work->part->steps[i];
        bool went = back_one(work, err);
        work->step = NULL;
        if (!went)
            return false;
    }
    return true;
}
