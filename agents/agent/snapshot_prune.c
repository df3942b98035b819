#include <dirent.h>

#include "agents/agent/snapshot.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* When the snapshot's rollout ended here, by the journal: 0 while it goes on; the time it was taken
 * when the journal does not know it any more. */
static int64_t ended_ms(struct connection *db, const struct snapshot *s)
{
    SCOPE(tmp);
    struct error ignored;
    struct rows *rows = NULL;
    const char *params[] = { s->rollout };
    int64_t taken = 0;
    if (!connection_query(
            tmp, db,
            "SELECT count(*), count(*) FILTER (WHERE state NOT IN ('done', 'undone')),"
            " (extract(epoch FROM max(finished)) * 1000)::bigint"
            " FROM flotilla.part WHERE rollout = $1",
            params, 1, &rows, &ignored) ||
        rows_int(rows, 0, 1) > 0)
        return 0;
    if (rows_int(rows, 0, 0) > 0)
        return rows_int(rows, 0, 2);
    return clock_parse_rfc3339(s->taken, &taken, &ignored) ? taken : 0;
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

void snapshot_prune(struct connection *db, const char *dir, const char *database, int64_t keep_ms)
{
    SCOPE(tmp);
    const char *shelf = snapshot_shelf(tmp, dir, database);
    __attribute__((cleanup(close_dir))) DIR *open_shelf = opendir(shelf);
    for (struct dirent *e; open_shelf && (e = readdir(open_shelf));) {
        struct error ignored;
        struct snapshot *s = NULL;
        const char *folder = mem_printf(tmp, "%s/%s", shelf, e->d_name);
        if (e->d_name[0] == '.' || !snapshot_manifest_read(tmp, folder, &s, &ignored))
            continue;
        int64_t ended = ended_ms(db, s);
        if (ended > 0 && ended + keep_ms < clock_wall_ms())
            file_remove_tree(folder);
    }
}
