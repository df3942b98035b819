#include <string.h>
#include <strings.h>

#include "agents/agent/apply.h"
#include "agents/agent/sweep.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

/* On the way back a backfill's rows usually need nothing: the column they are in goes away. When
 * the step has a down it is one UPDATE, cut like the way forward, or plain statements. */
static bool is_sweep(const struct work *work)
{
    const struct step_texts *list = apply_statements(work);
    return list->count == 1 && strncasecmp(list->items[0], "UPDATE", strlen("UPDATE")) == 0;
}

static bool sweep_it(struct work *work, struct sweep_result *result, struct error *err)
{
    SCOPE(tmp);
    const struct step *step = work->step;
    struct object_name name = { 0 };
    if (!object_name_parse(tmp, step->batch.relation, &name, err) || !name.schema)
        return fail(err, ERROR_INVALID, "step %s: batch.relation needs schema.table", step->id);
    struct sweep sweep = { .work = work,
                           .target = step->batch.relation,
                           .statement = apply_statements(work)->items[0],
                           .schema = name.schema,
                           .name = name.name,
                           .key = text_eq(step->batch.by, "key") ? &step->batch.columns : NULL,
                           .rows = 0 };
    return sweep_run(&sweep, result, err);
}

bool apply_backfill(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    SCOPE(tmp);
    int64_t began = clock_mono_ms();
    struct sweep_result result = { 0 };
    const char *before = NULL;
    const char *after = NULL;
    int64_t bytes = 0;
    if (!is_sweep(work))
        return apply_transaction(ctx, work, measured, err);
    if (!journal_step_mark(work, work->step, apply_underway(work), NULL, err) ||
        !apply_wal(work->db, NULL, tmp, &before, &bytes, err) || !sweep_it(work, &result, err) ||
        !apply_wal(work->db, before, tmp, &after, &bytes, err))
        return false;
    json_t *o = json_own(ctx, json_object());
    int64_t ms = clock_mono_ms() - began;
    json_set_int(o, "ms", ms);
    json_set_int(o, "seconds", (ms + 500) / 1000);
    json_set_int(o, "rows", result.rows);
    json_set_int(o, "batches", result.batches);
    json_set_int(o, "passes", result.passes);
    json_set_int(o, "hold_ms", result.longest_ms);
    json_set_int(o, "wait_ms", 0);
    json_set_int(o, "wal_bytes", bytes);
    *measured = o;
    return journal_step_mark(work, work->step, apply_finished(work), o, err);
}
