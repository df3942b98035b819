/*
 * SQLite behind the store: statements with bound parameters and typed columns, errors as ours.
 * For the files of this folder only.
 */
#ifndef CONTROLLER_STORE_SQLITE_H
#define CONTROLLER_STORE_SQLITE_H

#include <sqlite3.h>

#include "agents/base/mem.h"
#include "controller/store/store.h"

struct store {
    sqlite3 *db;
    const char *path;
};

struct query {
    struct store *store;
    sqlite3_stmt *stmt;
    int bound;
};

#define AUTO_QUERY __attribute__((cleanup(query_end))) struct query

/* The content is not what was written: says so, and how to rebuild it. */
bool store_broken(struct store *store, const char *what, struct error *err) MUSTCHECK;

/* Sets err from SQLite's own and returns false. */
bool store_failed(struct store *store, const char *what, struct error *err) MUSTCHECK;

bool query_begin(struct store *store, const char *sql, struct query *out,
                 struct error *err) MUSTCHECK;
/* The same with the first parameter bound. */
bool query_of(struct store *store, const char *sql, const char *first, struct query *out,
              struct error *err) MUSTCHECK;
/* Bind the next parameter. */
void query_text(struct query *q, const char *s); /* null binds NULL */
void query_int(struct query *q, int64_t n);
/* Steps: *row tells whether there is one. */
bool query_next(struct query *q, bool *row, struct error *err) MUSTCHECK;
/* Runs to the end, ignoring rows. */
bool query_run(struct query *q, struct error *err) MUSTCHECK;
/* Reads the row that the query stands on into an item, whose texts are ctx's. */
typedef bool query_reader(const void *ctx, struct query *q, void *item, struct error *err);
/* All rows that are left, into an array of items of `size` bytes, owned by ctx: *(type **)out. */
bool query_all(const void *ctx, struct query *q, size_t size, query_reader *reader, void *out,
               size_t *count, struct error *err) MUSTCHECK;
const char *query_column(const void *ctx, struct query *q, int column);
int64_t query_column_int(struct query *q, int column);
void query_end(struct query *q);

/* Adds events to the chain, within a change. */
bool store_append(struct store *store, const char *rollout, json_t *const *events, size_t count,
                  struct error *err) MUSTCHECK;

bool store_exec(struct store *store, const char *sql, struct error *err) MUSTCHECK;

/* A transaction that is rolled back at the end of the block unless it was committed. */
struct change {
    struct store *store;
    bool open;
};
#define AUTO_CHANGE __attribute__((cleanup(change_end))) struct change
bool change_begin(struct store *store, struct change *out, struct error *err) MUSTCHECK;
bool change_commit(struct change *change, struct error *err) MUSTCHECK;
void change_end(struct change *change);

#endif
