/* The operations count and snapshot. */
#include <dirent.h>

#include "agents/agent/handlers.h"
#include "agents/agent/journal.h"
#include "agents/agent/predicate.h"
#include "agents/agent/snapshot.h"
#include "agents/agent/spool.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

enum { COUNT_MS = 60000 };

static bool open_database(const void *ctx, const struct agent_database *database,
                          struct connection **out, struct error *err)
{
    struct connection_options options = { .conninfo = database->conninfo, .tag = "look" };
    return connection_open(ctx, &options, out, err) || fail_in(err, "database %s", database->name);
}

/* Read-only by the transaction, one statement by the protocol, bounded by time. */
static bool count_rows(struct connection *db, const char *relation, const char *predicate,
                       int64_t *out, struct error *err)
{
    SCOPE(tmp);
    struct object_name name = { 0 };
    struct rows *rows = NULL;
    struct connection_watch watch = { .timeout_ms = COUNT_MS };
    if (!object_name_parse(tmp, relation, &name, err) || !predicate_check(predicate, err))
        return false;
    const char *table = name.schema ? object_name_sql(tmp, name.schema, name.name)
                                    : text_quote_ident(tmp, name.name);
    const char *sql = mem_printf(tmp, "SELECT count(*) FROM %s WHERE (%s)", table, predicate);
    if (!connection_names(db, NULL, err) || !connection_script(db, "SET row_security = off", err) ||
        !connection_exec(db, "BEGIN READ ONLY", err) ||
        !connection_query_watched(tmp, db, sql, &watch, &rows, err))
        return fail_in(err, "count of %s", relation);
    *out = rows_int(rows, 0, 0);
    return true;
}

bool handle_count(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                  struct error *err)
{
    SCOPE(tmp);
    const struct agent_database *database = NULL;
    struct connection *db = NULL;
    const char *relation = NULL;
    const char *predicate = NULL;
    int64_t count = 0;
    (void)reply;
    if (!agent_args_database(agent, args, &database, err) ||
        !json_need_text(args, "relation", &relation, err) ||
        !json_need_text(args, "predicate", &predicate, err) ||
        !open_database(tmp, database, &db, err) ||
        !count_rows(db, relation, predicate, &count, err))
        return false;
    *result = json_pack("{s:I}", "count", (json_int_t)count);
    return true;
}

/* --- snapshots -------------------------------------------------------------------------------- */

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static json_t *listed(const struct snapshot *s)
{
    json_t *o = snapshot_json(s);
    json_t *columns = json_array();
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].role != SNAPSHOT_CURRENT)
            json_array_append_new(columns, json_string(s->columns[i].name));
    json_object_set_new(o, "columns", columns);
    return o;
}

struct shelf {
    const struct agent_config *config;
    const struct agent_database *database;
    struct connection *db; /* null: only list */
    const char *rollout;   /* null: all */
};

static void snapshot_look(const struct shelf *shelf, const char *folder, json_t *list)
{
    SCOPE(tmp);
    struct snapshot *s = NULL;
    struct error err;
    json_t *o;
    if (!snapshot_manifest_read(tmp, folder, &s, &err)) {
        o = json_pack("{s:s}", "error", err.message);
    } else if (shelf->rollout && !text_eq(shelf->rollout, s->rollout)) {
        return;
    } else {
        const struct agent_database *scratch =
            agent_config_scratch(shelf->config, shelf->database->name);
        struct snapshot_bench bench = { .scratch = scratch ? scratch->conninfo : NULL,
                                        .target = shelf->db };
        bool good = !shelf->db || snapshot_verify(s, &bench, &err);
        o = listed(s);
        if (shelf->db)
            json_set_bool(o, "ok", good);
        if (!good)
            json_set_text(o, "error", err.message);
    }
    json_array_append_new(list, o);
}

bool handle_snapshot(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                     struct error *err)
{
    SCOPE(tmp);
    struct shelf shelf = { .config = agent->config };
    const char *action = "list";
    (void)reply;
    if (!agent_args_database(agent, args, &shelf.database, err) ||
        !json_may_text(args, "action", &action, err) ||
        !json_may_text(args, "rollout", &shelf.rollout, err))
        return false;
    if (!text_eq(action, "list") && !text_eq(action, "verify"))
        return fail(err, ERROR_INVALID, "field \"action\": list or verify");
    if (text_eq(action, "verify") && !open_database(tmp, shelf.database, &shelf.db, err))
        return false;
    json_t *list = json_array();
    const char *base =
        snapshot_shelf(tmp, agent->config->policy.snapshots_dir, shelf.database->name);
    __attribute__((cleanup(close_dir))) DIR *dir = opendir(base);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            snapshot_look(&shelf, mem_printf(tmp, "%s/%s", base, e->d_name), list);
    *result = json_pack("{s:o}", "snapshots", list);
    return true;
}
