#include "controller/store/store.h"

#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/embed.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/text.h"
#include "controller/store/sqlite.h"

EMBED(store_schema_1, "schemas/store/1.sql");

enum {
    SCHEMA_VERSION = 1,
    BUSY_MS = 10000, /* other processes write for milliseconds; a backup tool may take longer */
};

static int store_close(struct store *store)
{
    sqlite3_close_v2(store->db);
    return 0;
}

static bool schema_version(struct store *store, int64_t *out, struct error *err)
{
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store, "PRAGMA user_version", &q, err) || !query_next(&q, &row, err))
        return false;
    *out = query_column_int(&q, 0);
    return true;
}

static bool schema_make(struct store *store, struct error *err)
{
    AUTO_CHANGE change;
    int64_t version = 0;
    if (!change_begin(store, &change, err) || !schema_version(store, &version, err))
        return false;
    if (version == SCHEMA_VERSION)
        return true;
    if (version != 0) {
        fail(err, ERROR_VERSION, "state %s: has version %lld, this program knows %d", store->path,
             (long long)version, SCHEMA_VERSION);
        return fail_hint(err, "use the flotilla that wrote it, or a newer one");
    }
    return store_exec(store, store_schema_1, err) &&
           store_exec(store, "PRAGMA user_version = 1", err) && change_commit(&change, err);
}

/* Tens of milliseconds for a hundred thousand events; a damaged page is named before it is read. */
static bool integrity_check(struct store *store, struct error *err)
{
    SCOPE(tmp);
    AUTO_QUERY q;
    bool row = false;
    if (!query_begin(store, "PRAGMA quick_check(1)", &q, err) || !query_next(&q, &row, err))
        return false;
    const char *answer = row ? query_column(tmp, &q, 0) : "no answer";
    return text_eq(answer, "ok") || store_broken(store, answer, err);
}

bool store_open(const void *ctx, const char *folder, struct store **out, struct error *err)
{
    struct store *store = mem_new(ctx, struct store);
    if (!file_make_dir(folder, 0700, err))
        return fail_in(err, "state");
    store->path = mem_printf(store, "%s/state.db", folder);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(store->path, &store->db, flags, NULL);
    talloc_set_destructor(store, store_close);
    if (code != SQLITE_OK)
        return store_failed(store, "open", err);
    sqlite3_busy_timeout(store->db, BUSY_MS);
    /* FULL: a transition that was persisted must survive a power loss, also under WAL. */
    if (!store_exec(store, "PRAGMA journal_mode = WAL", err) ||
        !store_exec(store, "PRAGMA synchronous = FULL", err) || !integrity_check(store, err) ||
        !schema_make(store, err))
        return false;
    *out = store;
    return true;
}

/* --- events -------------------------------------------------------------------------------- */

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
    if (!query_begin(store,
                     "SELECT body FROM event WHERE rollout = ? AND seq > ? ORDER BY seq LIMIT ?",
                     &q, err))
        return false;
    query_text(&q, rollout);
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

/* --- rollouts ------------------------------------------------------------------------------ */

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
    if (!query_begin(store, "SELECT token FROM lease WHERE rollout = ?", &q, err))
        return false;
    query_text(&q, rollout);
    if (!query_next(&q, &row, err))
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
    if (!query_begin(store, "UPDATE rollout SET status = ?, active = ?, doc = ? WHERE id = ?", &q,
                     err))
        return false;
    query_text(&q, r->status);
    query_int(&q, r->active);
    query_text(&q, json_compact(tmp, r->doc));
    query_text(&q, r->id);
    return query_run(&q, err) && store_append(store, r->id, events, count, err) &&
           change_commit(&change, err);
}

#define ROLLOUT_COLUMNS                                                                     \
    "SELECT id, plan, plan_digest, fleet, environment, title, status, active, created_ms, " \
    "plan_text, plan_path, doc FROM rollout "

static bool rollout_row(const void *ctx, struct query *q, struct store_rollout *r,
                        struct error *err)
{
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
    if (!query_begin(store,
                     ROLLOUT_COLUMNS
                     "WHERE id = ?1 OR plan = ?1 ORDER BY id = ?1 DESC, created_ms DESC LIMIT 1",
                     &q, err))
        return false;
    query_text(&q, id);
    if (!query_next(&q, &row, err))
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
    struct store_rollout *list = NULL;
    size_t n = 0;
    for (;;) {
        bool row = false;
        if (!query_next(&q, &row, err))
            return false;
        if (!row)
            break;
        list = mem_room(ctx, list, struct store_rollout, n + 1);
        if (!rollout_row(list, &q, &list[n++], err))
            return false;
    }
    *out = list;
    *count = n;
    return true;
}
