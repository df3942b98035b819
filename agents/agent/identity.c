#include "agents/agent/identity.h"

#include <stdlib.h>
#include <string.h>

#include "agents/agent/spool.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* The first eight digits of a WAL file's name are its timeline (PostgreSQL, Continuous Archiving);
 * pg_control_checkpoint() tells it only after the first checkpoint on the new one. */
static const char *const query =
    "SELECT s.system_identifier || '/' || d.oid, s.system_identifier,"
    " ('x' || substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))"
    "::bit(32)::bigint"
    " FROM pg_catalog.pg_control_system() s, pg_catalog.pg_database d"
    " WHERE d.datname = pg_catalog.current_database()";

/* What this host has seen of the cluster: 0 for one that it did not know. */
static int64_t timeline_seen(const char *path, const char *cluster)
{
    SCOPE(tmp);
    struct error ignored;
    const char *text = NULL;
    size_t len = 0;
    size_t n = strlen(cluster);
    if (!file_read_plain(tmp, path, TEXT_LINE, &text, &len, &ignored) ||
        !text_starts(text, cluster) || text[n] != ' ')
        return 0;
    return strtoll(text + n, NULL, 10);
}

static bool timeline_check(const struct work *work, const char *spool, const char *cluster,
                           int64_t timeline, struct error *err)
{
    SCOPE(tmp);
    const char *folder = mem_printf(tmp, "%s/primaries", spool);
    const char *path = mem_printf(tmp, "%s/%s", folder, spool_run_id(tmp, &work->database, 1));
    int64_t seen = timeline_seen(path, cluster);
    if (timeline < seen) {
        fail(err, ERROR_REFUSED,
             "a primary of an older timeline answers (%lld, but %lld was seen): it was replaced by "
             "a promoted replica",
             (long long)timeline, (long long)seen);
        return fail_hint(err,
                         "stop the old one, or name the new one in the agent's file; then "
                         "`flotilla retry`. If the old one is right, remove %s first",
                         path);
    }
    const char *line = mem_printf(tmp, "%s %lld\n", cluster, (long long)timeline);
    return timeline == seen ||
           (file_make_own_dir(folder, err) && file_write(path, line, strlen(line), 0600, err)) ||
           fail_in(err, "spool");
}

bool identity_check(struct work *work, const char *spool, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    if (!connection_query(tmp, work->db, query, NULL, 0, &rows, err))
        return fail_in(err, "identity of the cluster");
    if (!work->identity)
        work->identity = mem_text(work, rows_text(rows, 0, 0));
    if (!text_eq(work->identity, rows_text(rows, 0, 0))) {
        fail(err, ERROR_REFUSED, "another server or a new database answers now");
        return fail_hint(err, "look what became of the database, then `flotilla retry`");
    }
    return timeline_check(work, spool, rows_text(rows, 0, 1), rows_int(rows, 0, 2), err);
}
