#include "controller/store/sqlite.h"

#include <errno.h>
#include <string.h>

bool store_broken(struct store *store, const char *what, struct error *err)
{
    fail(err, ERROR_TAMPERED, "state %s: it is damaged: %s", store->path, what);
    return fail_hint(err, "move its folder away; `flotilla recover PLAN` then rebuilds the state "
                          "from the journals in the databases");
}

bool store_failed(struct store *store, const char *what, struct error *err)
{
    int code = sqlite3_errcode(store->db) & 0xff; /* extended codes say more than we ask */
    const char *why = sqlite3_errmsg(store->db);
    /* A full disk may also show as a failed write, or as a shared-memory file that cannot grow. */
    if (code == SQLITE_FULL ||
        (code == SQLITE_IOERR && sqlite3_system_errno(store->db) == ENOSPC)) {
        fail(err, ERROR_NO_SPACE, "state %s: %s: no space left on the disk", store->path, what);
        return fail_hint(err, "make room there, then run `flotilla resume`; nothing that was "
                              "stored is lost, and what runs on the hosts goes on");
    }
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        fail(err, ERROR_BUSY, "state %s: %s: another process keeps it busy", store->path, what);
        return fail_hint(err,
                         "`fuser -v %s` shows who; one that was stopped in the middle of a "
                         "write holds it until it goes on or is killed",
                         store->path);
    }
    fail(err, ERROR_IO, "state %s: %s: %s", store->path, what, why);
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return store_broken(store, why, err);
    return fail_hint(err, "check the folder's rights and disk, then run `flotilla resume`");
}

bool query_begin(struct store *store, const char *sql, struct query *out, struct error *err)
{
    *out = (struct query){ .store = store };
    if (sqlite3_prepare_v2(store->db, sql, -1, &out->stmt, NULL) != SQLITE_OK)
        return store_failed(store, "prepare", err);
    return true;
}

bool query_of(struct store *store, const char *sql, const char *first, struct query *out,
              struct error *err)
{
    if (!query_begin(store, sql, out, err))
        return false;
    query_text(out, first);
    return true;
}

void query_text(struct query *q, const char *s)
{
    sqlite3_bind_text(q->stmt, ++q->bound, s, -1, SQLITE_TRANSIENT);
}

void query_int(struct query *q, int64_t n)
{
    sqlite3_bind_int64(q->stmt, ++q->bound, n);
}

bool query_next(struct query *q, bool *row, struct error *err)
{
    int code = sqlite3_step(q->stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return store_failed(q->store, "query", err);
    *row = code == SQLITE_ROW;
    return true;
}

bool query_run(struct query *q, struct error *err)
{
    bool row = true;
    while (row)
        if (!query_next(q, &row, err))
            return false;
    return true;
}

bool query_all(const void *ctx, struct query *q, size_t size, query_reader *reader, void *out,
               size_t *count, struct error *err)
{
    char *list = NULL;
    size_t n = 0;
    for (bool row = true; row;) {
        if (!query_next(q, &row, err))
            return false;
        if (!row)
            break;
        list = mem_room_bytes(ctx, list, size, n + 1, "rows");
        if (!reader(ctx, q, list + n++ * size, err))
            return false;
    }
    *(void **)out = list;
    *count = n;
    return true;
}

const char *query_column(const void *ctx, struct query *q, int column)
{
    return mem_text(ctx, (const char *)sqlite3_column_text(q->stmt, column));
}

int64_t query_column_int(struct query *q, int column)
{
    return sqlite3_column_int64(q->stmt, column);
}

void query_end(struct query *q)
{
    sqlite3_finalize(q->stmt);
}

bool store_exec(struct store *store, const char *sql, struct error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_failed(store, "statement", err);
    return true;
}

bool change_begin(struct store *store, struct change *out, struct error *err)
{
    *out = (struct change){ .store = store };
    out->open = store_exec(store, "BEGIN IMMEDIATE", err);
    return out->open;
}

bool change_commit(struct change *change, struct error *err)
{
    if (!store_exec(change->store, "COMMIT", err))
        return false;
    change->open = false;
    return true;
}

void change_end(struct change *change)
{
    if (change->open)
        sqlite3_exec(change->store->db, "ROLLBACK", NULL, NULL, NULL);
}
