#include "agents/agent/apply.h"

#include <string.h>

#include "agents/agent/locks.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

const struct step_texts *apply_statements(const struct work *work)
{
    return work->back ? &work->step->down : &work->step->up;
}

enum journal_state apply_finished(const struct work *work)
{
    return work->back ? JOURNAL_UNDONE : JOURNAL_DONE;
}

enum journal_state apply_underway(const struct work *work)
{
    return work->back ? JOURNAL_UNDOING : JOURNAL_STARTED;
}

void apply_left(struct work *work, json_t *measured)
{
    SCOPE(tmp);
    const char *const *texts = NULL;
    size_t count = connection_left(tmp, work->db, &texts);
    for (size_t i = 0; i < count; i++)
        apply_left_one(measured, texts[i]);
}

void apply_left_one(json_t *measured, const char *text)
{
    json_t *list = json_object_get(measured, "left");
    if (!list) {
        list = json_array();
        json_object_set_new(measured, "left", list);
    }
    json_array_append_new(list, json_string(text));
}

bool apply_probe(struct work *work, bool *known, bool *done, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    *known = *done = false;
    if (text_empty(work->step->probe))
        return true;
    if (!connection_exec(work->db, "BEGIN READ ONLY", err))
        return false;
    bool asked = connection_query(tmp, work->db, work->step->probe, NULL, 0, &rows, err);
    work_rollback(work);
    if (!asked)
        return fail_in(err, "probe of step %s", work->step->id);
    *known = rows_count(rows) == 1 && !rows_null(rows, 0, 0);
    *done = *known && rows_bool(rows, 0, 0);
    return true;
}

bool apply_wal(struct connection *db, const char *since, const void *ctx, const char **position,
               int64_t *bytes, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { since };
    if (!connection_query(tmp, db,
                          "SELECT p::text, (p - coalesce($1::pg_lsn, p))::bigint"
                          " FROM pg_catalog.pg_current_wal_insert_lsn() p",
                          params, 1, &rows, err))
        return false;
    *position = mem_text(ctx, rows_text(rows, 0, 0));
    *bytes = rows_int(rows, 0, 1);
    return true;
}

struct held {
    int64_t rows;
    int64_t since_ms; /* monotonic: when the locks were ours */
    json_t *locks;    /* lent */
    int64_t wal_bytes;
    bool rewrite; /* looked at in rehearsals only */
};

/* The files of all tables, to see after the step whether one was rewritten. */
static bool files_of(const void *ctx, struct connection *db, const char **out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (!connection_query(tmp, db,
                          "SELECT coalesce(pg_catalog.string_agg(oid || ':' || relfilenode, ','),"
                          " '') FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')"
                          " AND relnamespace >= 2200",
                          NULL, 0, &rows, err))
        return false;
    *out = mem_text(ctx, rows_text(rows, 0, 0));
    return true;
}

static bool files_changed(struct connection *db, const char *before, bool *out, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { before };
    if (!connection_query(tmp, db,
                          "SELECT EXISTS (SELECT FROM pg_catalog.string_to_table($1, ',') e JOIN"
                          " pg_catalog.pg_class c ON c.oid::text = split_part(e, ':', 1)"
                          " WHERE c.relfilenode::text <> split_part(e, ':', 2))",
                          params, 1, &rows, err))
        return false;
    *out = rows_bool(rows, 0, 0);
    return true;
}

static bool gives_away(const char *sql)
{
    return strncmp(sql, "ALTER ", strlen("ALTER ")) == 0 && strstr(sql, " OWNER TO ");
}

/* The role of rehearsals owns everything there and may give nothing away. */
static bool statement_run(struct locks *locks, const char *sql, int64_t *rows, struct error *err)
{
    struct connection *db = locks->work->db;
    if (!locks->work->rehearsal || !gives_away(sql))
        return locks_exec(locks, sql, rows, err);
    if (!connection_exec(db, "SAVEPOINT owner", err))
        return false;
    if (locks_exec(locks, sql, rows, err))
        return true;
    if (err->code != ERROR_RIGHTS)
        return false;
    return connection_exec(db, "ROLLBACK TO owner", err);
}

static bool statements_run(struct locks *locks, struct held *held, struct error *err)
{
    SCOPE(tmp);
    struct work *work = locks->work;
    const struct step_texts *list = apply_statements(work);
    const char *before = NULL;
    const char *after = NULL;
    int64_t none = 0;
    if (!apply_wal(work->db, NULL, tmp, &before, &none, err))
        return false;
    held->since_ms = clock_mono_ms();
    const char *files = NULL;
    if (work->rehearsal && !files_of(tmp, work->db, &files, err))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!statement_run(locks, list->items[i], &held->rows, err))
            return list->count > 1 ? fail_in(err, "statement %zu", i + 1) : false;
    /* What waits for the commit would be done there, where no timeout ends it. */
    if (!locks_exec(locks, "SET CONSTRAINTS ALL IMMEDIATE", NULL, err))
        return fail_in(err, "what it deferred to its end");
    /* What ends it was refused before; a procedure that does so would be an error. */
    if (connection_state(work->db) != CONNECTION_IN_TRANSACTION)
        return fail(err, ERROR_INTERNAL, "the step's transaction was ended by its statements");
    if (work->rehearsal && !files_changed(work->db, files, &held->rewrite, err))
        return false;
    return locks_held(locks, work->db, &held->locks, err) &&
           apply_wal(work->db, before, tmp, &after, &held->wal_bytes, err);
}

static bool measure_json(const void *ctx, const struct locks *locks, const struct held *held,
                         int64_t began_ms, json_t **out)
{
    int64_t now = clock_mono_ms();
    json_t *o = json_own(ctx, json_object());
    json_set_int(o, "ms", now - began_ms);
    json_set_int(o, "seconds", (now - began_ms + 500) / 1000);
    json_set_int(o, "hold_ms", now - held->since_ms);
    json_set_int(o, "wait_ms", locks->longest_wait_ms);
    json_set_int(o, "tries", locks->tries);
    json_object_set(o, "locks", held->locks);
    json_set_int(o, "wal_bytes", held->wal_bytes);
    json_set_int(o, "rows", held->rows);
    if (locks->work->rehearsal)
        json_set_bool(o, "rewrite", held->rewrite);
    apply_left(locks->work, o);
    *out = o;
    return true;
}

/* One try. What it did and the row that says so commit together, or not at all. */
static bool attempt(const void *ctx, struct locks *locks, int64_t began_ms, json_t **measured,
                    struct error *err)
{
    struct work *work = locks->work;
    struct held held = { .since_ms = clock_mono_ms() };
    const char *const *earlier = NULL;
    if (!work_begin(work, err))
        return false;
    (void)connection_left(ctx, work->db, &earlier); /* a try that failed left nothing */
    if (locks_take(locks, err) && statements_run(locks, &held, err) &&
        measure_json(ctx, locks, &held, began_ms, measured) && locks_limit(locks, err) &&
        journal_step_write(work, work->step, apply_finished(work), *measured, err) &&
        work_commit(work, err)) {
        json_set_int(*measured, "ms", clock_mono_ms() - began_ms);
        json_set_int(*measured, "hold_ms", clock_mono_ms() - held.since_ms);
        return true;
    }
    work_rollback(work);
    return false;
}

bool apply_transaction(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    SCOPE(tmp);
    struct locks *locks = NULL;
    int64_t began = clock_mono_ms();
    if (apply_statements(work)->count == 0) {
        *measured = json_own(ctx, json_object());
        return journal_step_mark(work, work->step, apply_finished(work), *measured, err);
    }
    if (!locks_new(tmp, work, &locks, err))
        return false;
    while (!attempt(ctx, locks, began, measured, err))
        if (!locks_again(locks, err))
            return false;
    return true;
}
