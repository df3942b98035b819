#include "agents/agent/snapshot.h"

#include "agents/agent/snapshot_file.h"
#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

enum {
    LOCK_WAIT_MS = 10000, /* ACCESS SHARE: nobody but a strong lock's holder is in the way */
    SPARE_BYTES = 16 * 1024 * 1024,
};

const char *snapshot_checksum_sql(const void *ctx, const struct snapshot *s, bool side)
{
    struct text t = text_init(ctx, TEXT_SQL);
    text_add(&t, "count(*), coalesce(sum(pg_catalog.hashtextextended(ROW(");
    for (size_t i = 0; i < s->column_count; i++) {
        const struct snapshot_column *c = &s->columns[i];
        if (side)
            text_addf(&t, "%s%s::text", i ? ", " : "", c->side);
        else
            text_addf(&t, "%s%s", i ? ", " : "", c->read);
    }
    text_add(&t, ")::text, 0)::numeric), 0)::text");
    return t.data;
}

static const char *relation_sql(const void *ctx, const struct snapshot *s)
{
    return object_name_sql(ctx, s->schema, s->name);
}

/* --- what to copy --------------------------------------------------------------------------- */

static void add_column(struct snapshot *s, const char *name, const char *type,
                       enum snapshot_role role)
{
    s->columns = mem_room(s, s->columns, struct snapshot_column, s->column_count + 1);
    struct snapshot_column *c = &s->columns[s->column_count++];
    *c = (struct snapshot_column){
        .name = mem_text(s, name),
        .type = mem_text(s, type),
        .read = mem_printf(s, "%s::text", text_quote_ident(s, name)),
        .side = mem_printf(s, "flotilla_%zu", s->column_count),
        .role = role,
    };
}

static bool type_of(const void *ctx, struct connection *db, const struct snapshot *s,
                    const char *column, const char **out, struct error *err)
{
    struct rows *rows = NULL;
    const char *params[] = { relation_sql(ctx, s), column };
    if (!connection_query(ctx, db,
                          "SELECT pg_catalog.format_type(atttypid, atttypmod)"
                          " FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND"
                          " attrelid = pg_catalog.to_regclass($1) AND attname = $2",
                          params, 2, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return fail(err, ERROR_NOT_FOUND, "%s.%s has no column %s", s->schema, s->name, column);
    *out = rows_text(rows, 0, 0);
    return true;
}

static bool add_named(struct snapshot *s, struct connection *db, const struct step_texts *names,
                      enum snapshot_role role, struct error *err)
{
    SCOPE(tmp);
    for (size_t i = 0; i < names->count; i++) {
        const char *type = NULL;
        if (!type_of(tmp, db, s, names->items[i], &type, err))
            return false;
        add_column(s, names->items[i], type, role);
    }
    return true;
}

static void add_current(struct snapshot *s, const struct step_snapshot *spec)
{
    for (size_t i = 0; i < spec->current.count; i++) {
        if (text_empty(spec->current.items[i]))
            continue;
        add_column(s, spec->columns.items[i], "text", SNAPSHOT_CURRENT);
        s->columns[s->column_count - 1].read = mem_printf(s, "(%s)::text", spec->current.items[i]);
    }
}

/* Stored generated columns are computed again when rows come back. */
static bool add_all(struct snapshot *s, struct connection *db, const struct step_texts *key,
                    struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { relation_sql(tmp, s) };
    if (!connection_query(tmp, db,
                          "SELECT attname, pg_catalog.format_type(atttypid, atttypmod)"
                          " FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND"
                          " attrelid = pg_catalog.to_regclass($1) AND attgenerated = ''"
                          " ORDER BY attnum",
                          params, 1, &rows, err))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        const char *name = rows_text(rows, i, 0);
        bool is_key = false;
        for (size_t k = 0; k < key->count; k++)
            is_key = is_key || text_eq(key->items[k], name);
        add_column(s, name, rows_text(rows, i, 1), is_key ? SNAPSHOT_KEY : SNAPSHOT_VALUE);
    }
    return true;
}

static bool describe(struct work *work, struct snapshot *s, struct error *err)
{
    SCOPE(tmp);
    const struct step_snapshot *spec = &work->step->snapshot;
    struct object_name name = { 0 };
    if (!object_name_parse(tmp, spec->of, &name, err) || !name.schema)
        return fail(err, ERROR_INVALID, "step %s: snapshot.of needs schema.table", work->step->id);
    s->schema = mem_text(s, name.schema);
    s->name = mem_text(s, name.name);
    s->rollout = mem_text(s, work->rollout);
    s->step = mem_text(s, work->step->id);
    s->whole = spec->columns.count == 0;
    s->folder = snapshot_folder(s, work->limits.snapshots, work->database, s->rollout, s->step);
    if (s->whole)
        return add_all(s, work->db, &spec->key, err);
    if (spec->key.count == 0)
        return fail(err, ERROR_INVALID, "step %s: a snapshot of columns needs a key",
                    work->step->id);
    if (!add_named(s, work->db, &spec->key, SNAPSHOT_KEY, err) ||
        !add_named(s, work->db, &spec->columns, SNAPSHOT_VALUE, err))
        return false;
    add_current(s, spec);
    return true;
}

/* --- taking --------------------------------------------------------------------------------- */

/* Uncompressed text of the columns is about their average width; compressed it is less. */
static bool space_suffices(struct work *work, const struct snapshot *s, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { relation_sql(tmp, s), s->schema, s->name };
    if (!connection_query(
            tmp, work->db,
            "SELECT greatest(c.reltuples, 0)::bigint, coalesce((SELECT sum(avg_width)::bigint"
            " FROM pg_catalog.pg_stats WHERE schemaname = $2 AND tablename = $3), 64)"
            " FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)",
            params, 3, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return fail(err, ERROR_NOT_FOUND, "table %s.%s is not there", s->schema, s->name);
    int64_t need = rows_int(rows, 0, 0) * (rows_int(rows, 0, 1) + 8) + SPARE_BYTES;
    long long have = file_free_bytes(s->folder);
    if (have < 0 || have >= need)
        return true;
    fail(err, ERROR_NO_SPACE, "snapshot of %s.%s: %s has %s free and may need %s", s->schema,
         s->name, s->folder, text_bytes(tmp, have), text_bytes(tmp, need));
    return fail_hint(err, "free space there, or name another folder as policy.snapshots.dir in the "
                          "host's agent.yaml; then `flotilla retry`");
}

static bool copy_rows(const struct snapshot *s, struct connection *db, struct snapshot_writer *w,
                      struct error *err)
{
    SCOPE(tmp);
    struct text sql = text_init(tmp, TEXT_SQL);
    text_add(&sql, "COPY (SELECT ");
    for (size_t i = 0; i < s->column_count; i++)
        text_addf(&sql, "%s%s", i ? ", " : "", s->columns[i].read);
    text_addf(&sql, " FROM %s) TO STDOUT", relation_sql(tmp, s));
    return connection_copy_out(db, sql.data, snapshot_writer_take, w, NULL, err);
}

static bool count_rows(struct snapshot *s, struct connection *db, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *sql = mem_printf(tmp, "SELECT %s FROM %s", snapshot_checksum_sql(tmp, s, false),
                                 relation_sql(tmp, s));
    if (!connection_query(tmp, db, sql, NULL, 0, &rows, err))
        return false;
    s->rows = rows_int(rows, 0, 0);
    s->checksum = mem_text(s, rows_text(rows, 0, 1));
    return true;
}

/* The lock comes before the transaction's snapshot: one taken earlier would see an empty table
 * after a TRUNCATE or a rewrite, and verify as such. */
static bool copy_under_lock(struct work *work, struct snapshot *s, struct snapshot_writer *w,
                            struct error *err)
{
    SCOPE(tmp);
    const char *begin = mem_printf(tmp,
                                   "BEGIN ISOLATION LEVEL REPEATABLE READ;"
                                   "SET LOCAL lock_timeout = %d",
                                   LOCK_WAIT_MS);
    const char *lock = mem_printf(tmp, "LOCK TABLE %s IN ACCESS SHARE MODE", relation_sql(tmp, s));
    bool done = connection_script(work->db, begin, err) && connection_exec(work->db, lock, err) &&
                copy_rows(s, work->db, w, err) && count_rows(s, work->db, err);
    work_rollback(work);
    return done;
}

bool snapshot_take(const void *ctx, struct work *work, struct snapshot **out, struct error *err)
{
    struct snapshot *s = mem_new(ctx, struct snapshot);
    struct snapshot_writer *w = NULL;
    if (!describe(work, s, err) || !file_make_own_dir(file_folder(s, s->folder), err) ||
        !file_make_own_dir(s->folder, err) ||
        !file_remove(mem_printf(s, "%s/manifest", s->folder), err) ||
        !space_suffices(work, s, err) ||
        !snapshot_writer_open(s, snapshot_rows_path(s, s), &w, err) ||
        !copy_under_lock(work, s, w, err) || !snapshot_writer_end(w, &s->bytes, err) ||
        !digest_file(s, snapshot_rows_path(s, s), &s->digest, err)) {
        talloc_free(s);
        return fail_in(err, "snapshot of %s", work->step->snapshot.of);
    }
    s->taken = clock_rfc3339(s, clock_wall_ms());
    *out = s;
    return true;
}
