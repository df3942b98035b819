#include "agents/agent/apply.h"
#include "agents/agent/snapshot.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"

static json_t *measure(const void *ctx, const struct snapshot *s, int64_t began_ms)
{
    json_t *o = json_own(ctx, json_object());
    int64_t ms = clock_mono_ms() - began_ms;
    json_set_int(o, "ms", ms);
    json_set_int(o, "seconds", (ms + 500) / 1000);
    json_set_int(o, "rows", s->rows);
    json_set_int(o, "bytes", s->bytes);
    json_set_text(o, "checksum", s->checksum);
    json_set_text(o, "digest", s->digest);
    json_set_text(o, "verified", s->verified);
    return o;
}

/* Done means: taken, loaded again elsewhere, compared. */
bool apply_snapshot(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    SCOPE(tmp);
    int64_t began = clock_mono_ms();
    struct snapshot *snapshot = NULL;
    if (work->back)
        return snapshot_restore(ctx, work, measured, err);
    struct snapshot_bench bench = { .scratch = work->limits.scratch, .target = work->db };
    if (!journal_step_mark(work, work->step, JOURNAL_STARTED, NULL, err) ||
        !snapshot_take(tmp, work, &snapshot, err) || !work_orders(work, err) ||
        !snapshot_verify(snapshot, &bench, err))
        return false;
    *measured = measure(ctx, snapshot, began);
    return journal_step_mark(work, work->step, JOURNAL_DONE, *measured, err);
}
