#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"

struct chain {
    int64_t seq;
    const char *hash;
};

static const char *chain_hash(const void *ctx, const char *before, const char *body)
{
    SCOPE(tmp);
    return digest_text(ctx, mem_printf(tmp, "%s\n%s", before, body));
}

static bool chain_end(const void *ctx, struct store *store, struct chain *out, struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store, "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1", &q, err) ||
        !query_next(&q, &row, err))
        return false;
    out->seq = row ? query_column_int(&q, 0) : 0;
    out->hash = row ? query_column(ctx, &q, 1) : "";
    return true;
}

static bool append_event(const void *ctx, struct store *store, const char *rollout,
                         struct chain *chain, json_t *event, struct error *err)
{
    AUTO_QUERY q;
    const char *sql = "INSERT INTO event (seq, rollout, time_ms, body, hash) VALUES (?,?,?,?,?)";
    json_set_int(event, "seq", ++chain->seq);
    const char *body = json_compact(ctx, event);
    chain->hash = chain_hash(ctx, chain->hash, body);
    if (!query_begin(store, sql, &q, err))
        return false;
    query_int(&q, chain->seq);
    query_text(&q, rollout);
    query_int(&q, json_int_of(event, "time_ms"));
    query_text(&q, body);
    query_text(&q, chain->hash);
    return query_run(&q, err);
}

bool store_append(struct store *store, const char *rollout, json_t *const *events, size_t count,
                  struct error *err)
{
    SCOPE(tmp);
    struct chain chain;
    if (!chain_end(tmp, store, &chain, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!append_event(tmp, store, rollout, &chain, events[i], err))
            return false;
    return true;
}

bool store_events(const void *ctx, struct store *store, const char *rollout, int64_t after,
                  size_t most, json_t **out_array, struct error *err)
{
    SCOPE(tmp);
    AUTO_QUERY q;
    if (!query_of(store,
                  "SELECT body FROM event WHERE rollout = ? AND seq > ? ORDER BY seq LIMIT ?",
                  rollout, &q, err))
        return false;
    query_int(&q, after);
    query_int(&q, (int64_t)most);
    json_t *list = json_own(ctx, json_array());
    for (bool row = true; row;) {
        if (!query_next(&q, &row, err))
            return false;
        json_t *event = NULL;
        const char *body = row ? query_column(tmp, &q, 0) : NULL;
        if (row && !json_parse(tmp, body, strlen(body), &event, err))
            return store_broken(store, "an event is not readable", err);
        if (row)
            json_array_append(list, event);
    }
    *out_array = list;
    return true;
}

bool store_verify(struct store *store, int64_t *count, struct error *err)
{
    SCOPE(tmp);
    AUTO_QUERY q;
    const char *hash = mem_text(tmp, "");
    *count = 0;
    if (!query_begin(store, "SELECT seq, body, hash FROM event ORDER BY seq", &q, err))
        return false;
    for (;;) {
        bool row = false;
        if (!query_next(&q, &row, err))
            return false;
        if (!row)
            return true;
        int64_t seq = query_column_int(&q, 0);
        hash = chain_hash(tmp, hash, query_column(tmp, &q, 1));
        if (seq != ++*count || !text_eq(hash, query_column(tmp, &q, 2)))
            return store_broken(
                store, mem_printf(tmp, "the event chain is broken at event %lld", (long long)seq),
                err);
    }
}
