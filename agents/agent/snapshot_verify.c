#include "agents/agent/snapshot.h"
#include "agents/agent/snapshot_file.h"
#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

bool snapshot_compare(const struct snapshot *s, struct connection *db, const char *relation,
                      struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *sql =
        mem_printf(tmp, "SELECT %s FROM %s", snapshot_checksum_sql(tmp, s, true), relation);
    if (!connection_query(tmp, db, sql, NULL, 0, &rows, err))
        return fail_in(err, "snapshot of %s.%s", s->schema, s->name);
    if (rows_int(rows, 0, 0) == s->rows && text_eq(rows_text(rows, 0, 1), s->checksum))
        return true;
    return fail(err, ERROR_VERIFY,
                "snapshot of %s.%s: %lld rows were kept, %lld came back, checksums %s", s->schema,
                s->name, (long long)s->rows, (long long)rows_int(rows, 0, 0),
                text_eq(rows_text(rows, 0, 1), s->checksum) ? "equal" : "differ");
}

static bool digest_holds(const struct snapshot *s, struct error *err)
{
    SCOPE(tmp);
    const char *digest = NULL;
    if (!digest_file(tmp, snapshot_rows_path(tmp, s), &digest, err))
        return fail_in(err, "snapshot");
    if (text_eq(digest, s->digest))
        return true;
    return fail(err, ERROR_VERIFY, "snapshot %s: the file is not what was written", s->folder);
}

/* Text columns take exactly what the server printed, whatever types the database has. */
static bool load_and_compare(const struct snapshot *s, struct connection *db, struct error *err)
{
    SCOPE(tmp);
    struct snapshot_reader *reader = NULL;
    struct text sql = text_init(tmp, TEXT_SQL);
    text_add(&sql, "BEGIN; CREATE TEMPORARY TABLE flotilla_check (");
    for (size_t i = 0; i < s->column_count; i++)
        text_addf(&sql, "%s%s text", i ? ", " : "", s->columns[i].side);
    text_add(&sql, ") ON COMMIT DROP");
    return connection_script(db, sql.data, err) &&
           snapshot_reader_open(tmp, snapshot_rows_path(tmp, s), &reader, err) &&
           connection_copy_in(db, "COPY flotilla_check FROM STDIN", snapshot_reader_give, reader,
                              NULL, err) &&
           snapshot_compare(s, db, "pg_temp.flotilla_check", err);
}

bool snapshot_verify(struct snapshot *s, const struct snapshot_bench *bench, struct error *err)
{
    SCOPE(tmp);
    struct error ignored;
    struct connection *db = bench->target;
    struct connection *scratch = NULL;
    struct connection_options options = { .conninfo = bench->scratch, .tag = "verify" };
    if (bench->scratch && connection_open(tmp, &options, &scratch, &ignored))
        db = scratch;
    if (!digest_holds(s, err))
        return false;
    bool good = load_and_compare(s, db, err);
    enum connection_state state = connection_state(db);
    if (state == CONNECTION_IN_TRANSACTION || state == CONNECTION_FAILED_TRANSACTION)
        if (!connection_exec(db, "ROLLBACK", good ? err : &ignored))
            return false;
    if (!good)
        return false;
    s->verified = clock_rfc3339(s, clock_wall_ms());
    return snapshot_manifest_write(s, err);
}
