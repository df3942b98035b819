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
