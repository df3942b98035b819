/* The operation clean: what ended rollouts left in a database is removed, once nobody can want it.
 */
#include "agents/agent/handlers.h"
#include "agents/agent/journal.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

struct cleaning {
    struct connection *db;
    const struct agent_database *database;
    const json_t *given_up; /* rollouts whose end the journal does not know; may be null */
    int64_t keep_ms;        /* how long after its rollout's end what was dropped is kept */
    json_t *removed, *kept; /* lent */
};

/* What still needs the schema: a live runner, a rollout that has not ended, a trigger of ours. */
static bool refuse_needed(const struct cleaning *c, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { c->given_up ? json_compact(tmp, c->given_up) : "[]" };
    const char *sql = mem_printf(
        tmp,
        "SELECT 'rollout ' || rollout || ' is ' || state FROM flotilla.part"
        " WHERE state NOT IN ('done', 'undone')"
        " AND NOT $1::jsonb @> pg_catalog.to_jsonb(rollout) UNION ALL"
        " SELECT 'trigger ' || t.tgname || ' of ' || t.tgrelid::regclass || ' uses it'"
        " FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.pronamespace = 'flotilla'::regnamespace AND NOT t.tgisinternal UNION ALL"
        " SELECT 'a runner is at work' WHERE NOT pg_catalog.pg_try_advisory_xact_lock(%d, 1)"
        " LIMIT 1",
        JOURNAL_LOCK);
    if (!connection_query(tmp, c->db, sql, params, 1, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    fail(err, ERROR_BUSY, "database %s: the schema flotilla is needed: %s", c->database->name,
         rows_text(rows, 0, 0));
    return fail_hint(err, "finish the rollout, or roll it back, first");
}

/* What a contract has put aside instead of dropping it: whole schemas under another name, and
 * tables, types, sequences and functions in our own. The step that did so names it; the age is that
 * of the end of its rollout. Of what no step names the age is not known. */
static const char aside[] =
    "WITH a AS (SELECT 'schema ' || quote_ident(nspname) AS said, quote_ident(nspname) AS name,"
    "  true AS apart FROM pg_namespace WHERE starts_with(nspname, 'flotilla dropped ')"
    " UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN"
    "  'materialized view' ELSE 'table' END || ' flotilla.' || quote_ident(relname),"
    "  quote_ident(relname), false FROM pg_class WHERE relnamespace = 'flotilla'::regnamespace"
    "  AND relkind IN ('r', 'p', 'S', 'v', 'm') AND NOT relispartition"
    "  AND starts_with(relname, 'dropped ')"
    " UNION ALL SELECT CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END || ' flotilla.' ||"
    "  quote_ident(typname), quote_ident(typname), false FROM pg_type t"
    "  WHERE typnamespace = 'flotilla'::regnamespace AND starts_with(typname, 'dropped ')"
    "  AND (typtype IN ('e', 'd', 'r') OR EXISTS (SELECT FROM pg_class WHERE oid = t.typrelid"
    "  AND relkind = 'c'))"
    " UNION ALL SELECT CASE prokind WHEN 'p' THEN 'procedure ' ELSE 'function ' END ||"
    "  oid::regprocedure, quote_ident(proname), false FROM pg_proc"
    "  WHERE pronamespace = 'flotilla'::regnamespace AND starts_with(proname, 'dropped '))"
    " SELECT a.said, a.apart, r.rollout, to_char(r.until AT TIME ZONE 'UTC',"
    "  'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), coalesce(r.until <= now(), false) FROM a LEFT JOIN LATERAL"
    "  (SELECT p.rollout, (SELECT max(coalesce(e.finished, e.started)) FROM flotilla.part e"
    "   WHERE e.rollout = p.rollout) + $1::bigint * interval '1 ms' AS until FROM flotilla.part p"
    "   WHERE EXISTS (SELECT FROM jsonb_array_elements(p.part::jsonb -> 'steps') s,"
    "    jsonb_array_elements_text(s -> 'up') u WHERE strpos(u, a.name) > 0)"
    "   ORDER BY until DESC LIMIT 1) r ON true ORDER BY a.apart DESC, a.said";

static void keep(const struct cleaning *c, const struct rows *rows, size_t i)
{
    SCOPE(tmp);
    const char *said = rows_text(rows, i, 0);
    const char *rollout = rows_text(rows, i, 2);
    const char *line = rollout ? mem_printf(tmp, "%s until %s (dropped by rollout %s)", said,
                                            rows_text(rows, i, 3), rollout)
                               : mem_printf(tmp, "%s (no rollout is known that dropped it)", said);
    json_array_append_new(c->kept, json_string(line));
}

/* Owned by roles that ours is a member of; CASCADE only where the signed statement said so. */
static bool drop(const struct cleaning *c, const char *what, bool apart, struct error *err)
{
    SCOPE(tmp);
    json_array_append_new(c->removed, json_string(what));
    const char *sql = mem_printf(tmp, "DROP %s%s", what, apart ? " CASCADE" : "");
    return connection_exec(c->db, sql, err) || fail_in(err, "DROP %s", what);
}

/* What is old enough goes; while anything is kept, so is the journal, which is the way back to it.
 */
static bool remove_old(const struct cleaning *c, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { mem_printf(tmp, "%lld", (long long)c->keep_ms) };
    if (!connection_query(tmp, c->db, aside, params, 1, &rows, err))
        return fail_in(err, "what was put aside");
    for (size_t i = 0; i < rows_count(rows); i++)
        if (!rows_bool(rows, i, 4))
            keep(c, rows, i);
    bool all = json_array_size(c->kept) == 0;
    for (size_t i = 0; i < rows_count(rows); i++) {
        bool apart = rows_bool(rows, i, 1);
        if (rows_bool(rows, i, 4) && (apart || !all) && !drop(c, rows_text(rows, i, 0), apart, err))
            return false;
        if (rows_bool(rows, i, 4) && !apart && all)
            json_array_append_new(c->removed, json_string(rows_text(rows, i, 0)));
    }
    return !all || drop(c, "schema flotilla", true, err);
}

static bool clean_database(const struct cleaning *c, bool dry, struct error *err)
{
    return connection_script(c->db,
                             "BEGIN; SET LOCAL lock_timeout = '5s';"
                             "SET LOCAL client_min_messages = warning",
                             err) &&
           refuse_needed(c, err) && remove_old(c, err) &&
           connection_exec(c->db, dry ? "ROLLBACK" : "COMMIT", err);
}

bool handle_clean(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                  struct error *err)
{
    SCOPE(tmp);
    struct cleaning c = { .given_up = json_object_get(args, "given_up"),
                          .keep_ms = agent->config->policy.snapshots_keep_ms };
    bool present = false;
    bool dry = false;
    (void)reply;
    if (!agent_args_database(agent, args, &c.database, err) ||
        !json_may_bool(args, "dry_run", &dry, err))
        return false;
    struct connection_options options = { .conninfo = c.database->conninfo, .tag = "clean" };
    if (!connection_open(tmp, &options, &c.db, err) || !journal_present(c.db, &present, err))
        return fail_in(err, "database %s", c.database->name);
    json_t *o = json_own(tmp, json_object());
    c.removed = json_array();
    c.kept = json_array();
    json_object_set_new(o, "removed", c.removed);
    json_object_set_new(o, "kept", c.kept);
    if (present && !clean_database(&c, dry, err))
        return fail_in(err, "database %s", c.database->name);
    if (json_array_size(c.kept) == 0)
        json_object_del(o, "kept");
    *result = json_incref(o);
    return true;
}
