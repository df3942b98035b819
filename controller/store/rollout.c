#include <string.h>

#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"

bool store_add(struct store *store, const struct store_rollout *r, json_t *const *events,
               size_t count, struct error *err)
{
    SCOPE(tmp);
    AUTO_CHANGE change;
    AUTO_QUERY q = { 0 };
    if (!change_begin(store, &change, err) ||
        !query_begin(store,
                     "INSERT INTO rollout (id, plan, plan_digest, fleet, environment, title, "
                     "status, active, created_ms, plan_text, plan_path, doc) "
                     "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                     &q, err))
        return false;
    const char *const texts[] = { r->id,          r->plan,  r->plan_digest, r->fleet,
                                  r->environment, r->title, r->status };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        query_text(&q, texts[i]);
    query_int(&q, r->active);
    query_int(&q, r->created_ms);
    query_text(&q, r->plan_text);
    query_text(&q, r->plan_path);
    query_text(&q, json_compact(tmp, r->doc));
    return query_run(&q, err) && store_append(store, r->id, events, count, err) &&
           change_commit(&change, err);
}

static bool lease_token(struct store *store, const char *rollout, int64_t *token, struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_of(store, "SELECT token FROM lease WHERE rollout = ?", rollout, &q, err) ||
        !query_next(&q, &row, err))
        return false;
    *token = row ? query_column_int(&q, 0) : 0;
    return true;
}

bool store_save(struct store *store, const struct store_rollout *r, int64_t token,
                json_t *const *events, size_t count, struct error *err)
{
    SCOPE(tmp);
    AUTO_CHANGE change;
    AUTO_QUERY q = { 0 };
    int64_t newest = 0;
    if (!change_begin(store, &change, err) || !lease_token(store, r->id, &newest, err))
        return false;
    if (newest > token)
        return fail(err, ERROR_FENCED, "rollout %s: another process took over", r->id);
    if (!query_of(store, "UPDATE rollout SET status = ?, active = ?, doc = ? WHERE id = ?",
                  r->status, &q, err))
        return false;
    query_int(&q, r->active);
    query_text(&q, json_compact(tmp, r->doc));
    query_text(&q, r->id);
    return query_run(&q, err) && store_append(store, r->id, events, count, err) &&
           change_commit(&change, err);
}

#define ROLLOUT_COLUMNS                                                                     \
    "SELECT id, plan, plan_digest, fleet, environment, title, status, active, created_ms, " \
    "plan_text, plan_path, doc FROM rollout "

static bool rollout_row(const void *ctx, struct query *q, void *item, struct error *err)
{
    struct store_rollout *r = item;
    const char **const texts[] = { &r->id,          &r->plan,  &r->plan_digest, &r->fleet,
                                   &r->environment, &r->title, &r->status };
    for (int i = 0; i < 7; i++)
        *texts[i] = query_column(ctx, q, i);
    r->active = query_column_int(q, 7) != 0;
    r->created_ms = query_column_int(q, 8);
    r->plan_text = query_column(ctx, q, 9);
    r->plan_path = query_column(ctx, q, 10);
    const char *doc = query_column(ctx, q, 11);
    if (!json_parse(ctx, doc, strlen(doc), &r->doc, err))
        return store_broken(q->store, mem_printf(ctx, "rollout %s is not readable", r->id), err);
    return true;
}

bool store_find(const void *ctx, struct store *store, const char *id, struct store_rollout **out,
                struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_of(store,
                  ROLLOUT_COLUMNS
                  "WHERE id = ?1 OR plan = ?1 ORDER BY id = ?1 DESC, created_ms DESC LIMIT 1",
                  id, &q, err) ||
        !query_next(&q, &row, err))
        return false;
    *out = NULL;
    if (!row)
        return true;
    *out = mem_new(ctx, struct store_rollout);
    return rollout_row(*out, &q, *out, err);
}

bool store_list(const void *ctx, struct store *store, bool active_only, struct store_rollout **out,
                size_t *count, struct error *err)
{
    AUTO_QUERY q;
    if (!query_begin(store, ROLLOUT_COLUMNS "WHERE active >= ? ORDER BY created_ms DESC, id DESC",
                     &q, err))
        return false;
    query_int(&q, active_only);
    return query_all(ctx, &q, sizeof(**out), rollout_row, out, count, err);
}
