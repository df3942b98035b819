#include "controller/store/sqlite.h"

bool store_control_add(struct store *store, const char *rollout,
                       const struct store_control *control, int64_t now_ms, int64_t *id,
                       struct error *err)
{
    AUTO_QUERY q;
    if (!query_of(store,
                  "INSERT INTO control (rollout, verb, argument, who, time_ms) "
                  "VALUES (?,?,?,?,?)",
                  rollout, &q, err))
        return false;
    query_text(&q, control->verb);
    query_text(&q, control->argument);
    query_text(&q, control->who);
    query_int(&q, now_ms);
    if (!query_run(&q, err))
        return false;
    *id = sqlite3_last_insert_rowid(store->db);
    return true;
}

static bool control_row(const void *ctx, struct query *q, void *item, struct error *err)
{
    (void)err;
    *(struct store_control *)item = (struct store_control){
        .id = query_column_int(q, 0),
        .verb = query_column(ctx, q, 1),
        .argument = query_column(ctx, q, 2),
        .who = query_column(ctx, q, 3),
    };
    return true;
}

bool store_controls(const void *ctx, struct store *store, const char *rollout,
                    struct store_control **out, size_t *count, struct error *err)
{
    AUTO_QUERY q;
    return query_of(store,
                    "SELECT id, verb, argument, who FROM control "
                    "WHERE rollout = ? AND answer IS NULL ORDER BY id",
                    rollout, &q, err) &&
           query_all(ctx, &q, sizeof(**out), control_row, out, count, err);
}

bool store_control_answer(struct store *store, int64_t id, const char *answer, struct error *err)
{
    AUTO_QUERY q;
    if (!query_of(store, "UPDATE control SET answer = ? WHERE id = ?", answer, &q, err))
        return false;
    query_int(&q, id);
    return query_run(&q, err);
}

bool store_control_withdraw(struct store *store, int64_t id, bool *withdrawn, struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, "DELETE FROM control WHERE id = ? AND answer IS NULL", &q, err))
        return false;
    query_int(&q, id);
    if (!query_run(&q, err))
        return false;
    *withdrawn = sqlite3_changes(store->db) > 0;
    return true;
}

bool store_control_answered(const void *ctx, struct store *store, int64_t id, const char **out,
                            struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store, "SELECT answer FROM control WHERE id = ?", &q, err))
        return false;
    query_int(&q, id);
    if (!query_next(&q, &row, err))
        return false;
    *out = row ? query_column(ctx, &q, 0) : NULL;
    return true;
}
