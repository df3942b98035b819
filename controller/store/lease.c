#include "agents/base/text.h"
#include "controller/store/sqlite.h"

struct lease_row {
    const char *holder;
    int64_t token, expires_ms;
};

static bool lease_read(const void *ctx, struct store *store, const char *rollout,
                       struct lease_row *out, struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    *out = (struct lease_row){ 0 };
    if (!query_of(store, "SELECT holder, token, expires_ms FROM lease WHERE rollout = ?", rollout,
                  &q, err) ||
        !query_next(&q, &row, err))
        return false;
    if (row)
        *out = (struct lease_row){ query_column(ctx, &q, 0), query_column_int(&q, 1),
                                   query_column_int(&q, 2) };
    return true;
}

static bool lease_write(struct store *store, const struct store_lease *lease, int64_t expires_ms,
                        struct error *err)
{
    AUTO_QUERY q;
    if (!query_of(store,
                  "INSERT INTO lease (rollout, token, holder, expires_ms) VALUES (?,?,?,?) "
                  "ON CONFLICT (rollout) DO UPDATE SET token = excluded.token, "
                  "holder = excluded.holder, expires_ms = excluded.expires_ms",
                  lease->rollout, &q, err))
        return false;
    query_int(&q, lease->token);
    query_text(&q, lease->holder);
    query_int(&q, expires_ms);
    return query_run(&q, err);
}

bool store_lease_take(const void *ctx, struct store *store, struct store_lease *lease,
                      int64_t now_ms, int64_t ttl_ms, struct error *err)
{
    AUTO_CHANGE change;
    struct lease_row row;
    if (!change_begin(store, &change, err) || !lease_read(ctx, store, lease->rollout, &row, err))
        return false;
    bool mine = row.token != 0 && row.token == lease->token;
    if (!mine && row.expires_ms > now_ms) {
        lease->token = 0;
        lease->other = row.holder;
        return true;
    }
    /* A driver that lost its lease while it slept must not take it back under the old token. */
    if (!mine)
        lease->token = row.token >= now_ms ? row.token + 1 : now_ms;
    lease->other = NULL;
    return lease_write(store, lease, now_ms + ttl_ms, err) && change_commit(&change, err);
}

bool store_lease_release(struct store *store, const char *rollout, int64_t token, struct error *err)
{
    AUTO_QUERY q;
    if (!query_of(store, "UPDATE lease SET expires_ms = 0 WHERE rollout = ? AND token = ?", rollout,
                  &q, err))
        return false;
    query_int(&q, token);
    return query_run(&q, err);
}

bool store_lease_break(struct store *store, const char *rollout, const char *holder,
                       struct error *err)
{
    AUTO_QUERY q;
    if (!query_of(store, "UPDATE lease SET expires_ms = 0 WHERE rollout = ? AND holder = ?",
                  rollout, &q, err))
        return false;
    query_text(&q, holder);
    return query_run(&q, err);
}

bool store_lease_holder(const void *ctx, struct store *store, const char *rollout, int64_t now_ms,
                        const char **out, struct error *err)
{
    struct lease_row row;
    if (!lease_read(ctx, store, rollout, &row, err))
        return false;
    *out = row.expires_ms > now_ms ? row.holder : NULL;
    return true;
}
