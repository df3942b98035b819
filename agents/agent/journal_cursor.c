#include "agents/agent/journal.h"
#include "agents/base/mem.h"

static const char *direction(const struct work *work)
{
    return work->back ? "back" : "forward";
}

bool journal_cursor_read(const void *ctx, struct work *work, const char *target,
                         struct journal_cursor *out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout, work->step->id, direction(work), target };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "SELECT position, done, batches FROM flotilla.cursor WHERE rollout = $1"
                          " AND step = $2 AND direction = $3 AND target = $4",
                          params, 4, &rows, err))
        return fail_in(err, "journal");
    *out = (struct journal_cursor){ .found = rows_count(rows) == 1 };
    if (out->found) {
        out->position = mem_text(ctx, rows_text(rows, 0, 0));
        out->done = rows_int(rows, 0, 1);
        out->batches = rows_int(rows, 0, 2);
    }
    return true;
}

bool journal_cursor_write(struct work *work, const char *target,
                          const struct journal_cursor *cursor, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout,
                             work->step->id,
                             direction(work),
                             target,
                             cursor->position,
                             mem_printf(tmp, "%lld", (long long)cursor->done),
                             mem_printf(tmp, "%lld", (long long)cursor->batches) };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "INSERT INTO flotilla.cursor AS c VALUES ($1, $2, $3, $4, $5,"
                          " $6::bigint, $7::bigint) ON CONFLICT (rollout, step, direction, target)"
                          " DO UPDATE SET position = excluded.position, done = excluded.done,"
                          " batches = excluded.batches",
                          params, 7, &rows, err))
        return fail_in(err, "journal");
    return true;
}

bool journal_cursor_clear(struct work *work, const struct step *step, bool all, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout, step->id, all ? "t" : "f" };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "DELETE FROM flotilla.cursor WHERE rollout = $1 AND step = $2"
                          " AND ($3::boolean OR direction = 'back')",
                          params, 3, &rows, err))
        return fail_in(err, "journal");
    return true;
}
