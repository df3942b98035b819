#include "agents/agent/journal.h"
#include "agents/base/mem.h"

bool journal_object_read(const void *ctx, struct work *work, const char *object,
                         struct journal_object *out, struct error *err)
{
    SCOPE(tmp);
    const char *params[] = { work->rollout, object };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "SELECT fingerprint, after FROM flotilla.object WHERE rollout = $1"
                          " AND object = $2",
                          params, 2, &rows, err))
        return fail_in(err, "journal");
    *out = (struct journal_object){ 0 };
    if (rows_count(rows)) {
        out->fingerprint = mem_text(ctx, rows_text(rows, 0, 0));
        out->after = mem_text(ctx, rows_text(rows, 0, 1));
    }
    return true;
}

bool journal_object_write(struct work *work, const char *object, const char *fingerprint,
                          struct error *err)
{
    SCOPE(tmp);
    const char *after = NULL;
    if (!journal_last_step(tmp, work, &after, err))
        return false;
    const char *params[] = { work->rollout, object, fingerprint, after };
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db,
                          "INSERT INTO flotilla.object VALUES ($1, $2, $3, $4)"
                          " ON CONFLICT (rollout, object) DO UPDATE SET"
                          " fingerprint = excluded.fingerprint, after = excluded.after",
                          params, 4, &rows, err))
        return fail_in(err, "journal");
    return true;
}
