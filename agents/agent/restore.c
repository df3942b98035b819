#include "agents/agent/apply.h"
#include "agents/agent/snapshot.h"
#include "agents/agent/snapshot_file.h"
#include "agents/agent/sweep.h"
#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

struct restore {
    struct work *work;
    struct snapshot *snapshot;
    const char *side;     /* quoted name of the side table */
    const char *relation; /* quoted */
};

static const struct snapshot_column *column_of(const struct snapshot *s, enum snapshot_role role,
                                               const char *name)
{
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].role == role && text_eq(s->columns[i].name, name))
            return &s->columns[i];
    return NULL;
}

static const char *keys_equal(const void *ctx, const struct snapshot *s)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].role == SNAPSHOT_KEY)
            text_addf(&t, "%ss.%s = %s", t.len ? " AND " : "", s->columns[i].side,
                      text_quote_ident(ctx, s->columns[i].name));
    return t.data;
}

/* --- loading -------------------------------------------------------------------------------- */

static const char *create_side(const void *ctx, const struct restore *r)
{
    const struct snapshot *s = r->snapshot;
    struct text t = text_init(ctx, TEXT_SQL);
    text_addf(&t, "DROP TABLE IF EXISTS %s; CREATE TABLE %s (", r->side, r->side);
    for (size_t i = 0; i < s->column_count; i++)
        text_addf(&t, "%s%s %s", i ? ", " : "", s->columns[i].side, s->columns[i].type);
    text_add(&t, ")");
    return t.data;
}

static const char *index_side(const void *ctx, const struct restore *r)
{
    const struct snapshot *s = r->snapshot;
    struct text keys = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].role == SNAPSHOT_KEY)
            text_addf(&keys, "%s%s", keys.len ? ", " : "", s->columns[i].side);
    return keys.len ? mem_printf(ctx, "CREATE INDEX ON %s (%s)", r->side, keys.data) : "SELECT 1";
}

/* Loaded with the columns' own types and compared with what the table was: the way back is proven
 * before it touches a user's row. */
static bool load_side(const struct restore *r, struct error *err)
{
    SCOPE(tmp);
    struct snapshot_reader *reader = NULL;
    struct connection *db = r->work->db;
    return connection_script(db, create_side(tmp, r), err) &&
           snapshot_reader_open(tmp, snapshot_rows_path(tmp, r->snapshot), &reader, err) &&
           connection_copy_in(db, mem_printf(tmp, "COPY %s FROM STDIN", r->side),
                              snapshot_reader_give, reader, NULL, err) &&
           snapshot_compare(r->snapshot, db, r->side, err) &&
           connection_exec(db, index_side(tmp, r), err) &&
           connection_exec(db, mem_printf(tmp, "ANALYZE %s", r->side), err);
}

/* The side table and the note that it is there commit together. */
static bool load_once(const struct restore *r, struct error *err)
{
    struct work *work = r->work;
    struct journal_cursor cursor;
    if (!journal_cursor_read(work, work, "side", &cursor, err))
        return false;
    if (cursor.found)
        return true;
    cursor = (struct journal_cursor){ .position = "{}", .done = r->snapshot->rows };
    if (!work_begin(work, err))
        return false;
    if (load_side(r, err) && journal_step_write(work, work->step, JOURNAL_UNDOING, NULL, err) &&
        journal_cursor_write(work, "side", &cursor, err))
        return work_commit(work, err);
    work_rollback(work);
    return false;
}

/* --- merging -------------------------------------------------------------------------------- */

/* What a row's column should be: the old value where the row is as it was, else what the inverse
 * makes of it as it is now. Without an inverse the column was written over in place, and `current`
 * said what it would become: where it is something else by now, somebody wrote it since, and it
 * stays. One look at the side table. */
static const char *wanted(const void *ctx, const struct restore *r, size_t i)
{
    const struct snapshot *s = r->snapshot;
    const struct step_snapshot *spec = &r->work->step->snapshot;
    const char *column = spec->columns.items[i];
    const struct snapshot_column *value = column_of(s, SNAPSHOT_VALUE, column);
    const struct snapshot_column *current = column_of(s, SNAPSHOT_CURRENT, column);
    const char *inverse = i < spec->inverse.count ? spec->inverse.items[i] : "";
    const char *fresh = text_empty(inverse) ? text_quote_ident(ctx, column) : inverse;
    const char *now = !current              ? NULL
                      : text_empty(inverse) ? mem_printf(ctx, "%s::text", fresh)
                                            : current->read;
    const char *same =
        now ? mem_printf(ctx, "%s IS NOT DISTINCT FROM s.%s", now, current->side) : "true";
    return mem_printf(ctx,
                      "(SELECT CASE WHEN s.flotilla_there IS NULL THEN %s WHEN %s THEN s.%s ELSE"
                      " %s END FROM (SELECT 1) flotilla_one LEFT JOIN (SELECT true AS"
                      " flotilla_there, * FROM %s) s ON %s)",
                      fresh, same, value->side, fresh, r->side, keys_equal(ctx, s));
}

static const char *merge_statement(const void *ctx, const struct restore *r)
{
    const struct step_texts *columns = &r->work->step->snapshot.columns;
    struct text set = text_init(ctx, TEXT_SQL);
    struct text where = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < columns->count; i++) {
        const char *name = text_quote_ident(ctx, columns->items[i]);
        const char *want = wanted(ctx, r, i);
        text_addf(&set, "%s%s = %s", i ? ", " : "", name, want);
        text_addf(&where, "%s%s::text IS DISTINCT FROM %s::text", i ? " OR " : "", name, want);
    }
    return mem_printf(ctx, "UPDATE %s SET %s WHERE (%s)", r->relation, set.data, where.data);
}

static bool merge_columns(const struct restore *r, struct sweep_result *result, struct error *err)
{
    SCOPE(tmp);
    struct sweep sweep = { .work = r->work,
                           .target = "merge",
                           .statement = merge_statement(tmp, r),
                           .schema = r->snapshot->schema,
                           .name = r->snapshot->name,
                           .rows = r->snapshot->rows,
                           .settles = true };
    return sweep_run(&sweep, result, err);
}

static const char *insert_statement(const void *ctx, const struct restore *r)
{
    const struct snapshot *s = r->snapshot;
    struct text names = text_init(ctx, TEXT_SQL);
    struct text values = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < s->column_count; i++) {
        text_addf(&names, "%s%s", i ? ", " : "", text_quote_ident(ctx, s->columns[i].name));
        text_addf(&values, "%ss.%s", i ? ", " : "", s->columns[i].side);
    }
    const char *equal = keys_equal(ctx, s);
    return mem_printf(ctx,
                      "INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s s WHERE NOT"
                      " EXISTS (SELECT 1 FROM %s WHERE %s)",
                      r->relation, names.data, values.data, r->side, r->relation,
                      text_empty(equal) ? "true" : equal);
}

/* A whole table that was made anew: rows that somebody wrote meanwhile stay. Without a key only an
 * empty table can be filled. */
static bool insert_rows(const void *ctx, const struct restore *r, struct sweep_result *result,
                        struct error *err)
{
    struct work *work = r->work;
    struct rows *rows = NULL;
    struct journal_cursor cursor;
    if (!journal_cursor_read(ctx, work, "insert", &cursor, err))
        return false;
    result->rows = cursor.done;
    if (cursor.found)
        return true;
    if (!work_begin(work, err))
        return false;
    if (connection_query(ctx, work->db, insert_statement(ctx, r), NULL, 0, &rows, err)) {
        cursor = (struct journal_cursor){ .position = "{}", .done = rows_affected(rows) };
        result->rows = cursor.done;
        if (journal_cursor_write(work, "insert", &cursor, err))
            return work_commit(work, err);
    }
    work_rollback(work);
    return false;
}

static bool finish(const struct restore *r, const json_t *measured, struct error *err)
{
    SCOPE(tmp);
    struct work *work = r->work;
    if (!work_begin(work, err))
        return false;
    if (connection_exec(work->db, mem_printf(tmp, "DROP TABLE IF EXISTS %s", r->side), err) &&
        journal_step_write(work, work->step, JOURNAL_UNDONE, measured, err))
        return work_commit(work, err);
    work_rollback(work);
    return false;
}

bool snapshot_restore(const void *ctx, struct work *work, json_t **measured, struct error *err)
{
    SCOPE(tmp);
    struct restore r = { .work = work };
    struct sweep_result result = { 0 };
    int64_t began = clock_mono_ms();
    const char *folder =
        snapshot_folder(tmp, work->limits.snapshots, work->database, work->rollout, work->step->id);
    if (!snapshot_manifest_read(tmp, folder, &r.snapshot, err))
        return false;
    const char *pieces = mem_printf(tmp, "%s\n%s", work->rollout, work->step->id);
    r.side = mem_printf(tmp, "flotilla.\"restore_%.16s\"",
                        digest_text(tmp, pieces) + __builtin_strlen("sha256:"));
    r.relation = object_name_sql(tmp, r.snapshot->schema, r.snapshot->name);
    if (!load_once(&r, err))
        return false;
    if (!(r.snapshot->whole ? insert_rows(tmp, &r, &result, err) : merge_columns(&r, &result, err)))
        return false;
    json_t *o = json_own(ctx, json_object());
    json_set_int(o, "ms", clock_mono_ms() - began);
    json_set_int(o, "seconds", (clock_mono_ms() - began + 500) / 1000);
    json_set_int(o, "rows", result.rows);
    json_set_int(o, "kept_rows", r.snapshot->rows);
    json_set_int(o, "batches", result.batches);
    json_set_int(o, "hold_ms", result.longest_ms);
    *measured = o;
    return finish(&r, o, err);
}
