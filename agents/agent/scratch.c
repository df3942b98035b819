#include "agents/agent/scratch.h"

#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/digest.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

#define PREFIX "flotilla_rehearsal_"

enum {
    TRIES =
        40, /* CREATE DATABASE waits for nobody: another copy of the template may be under way */
    PAUSE_MS = 250,
};

static bool place_open(const void *ctx, const struct scratch *s, const char *entry,
                       struct connection **out, struct error *err)
{
    struct connection_options options = { .conninfo = s->conninfo,
                                          .database = entry,
                                          .tag = "rehearse" };
    return connection_open(ctx, &options, out, err);
}

/* The template must have no sessions while it is copied, so the way in is another database. */
static bool enter(const void *ctx, const struct scratch *s, struct connection **out,
                  struct error *err)
{
    struct error ignored;
    return place_open(ctx, s, "postgres", out, &ignored) ||
           place_open(ctx, s, "template1", out, &ignored) || place_open(ctx, s, NULL, out, err);
}

static int scratch_drop(struct scratch *s)
{
    SCOPE(tmp);
    struct error ignored;
    struct connection *db = NULL;
    if (enter(tmp, s, &db, &ignored) &&
        !connection_exec(db,
                         mem_printf(tmp, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                                    text_quote_ident(tmp, s->name)),
                         &ignored))
        return 0; /* a later rehearsal finds it */
    return 0;
}

static bool sweep(struct connection *db, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    struct error ignored;
    if (!connection_query(tmp, db,
                          "SELECT datname FROM pg_catalog.pg_database d WHERE datname ~"
                          " '^" PREFIX
                          "[0-9]+_[0-9a-f]+$' AND datdba = (SELECT oid FROM pg_catalog.pg_roles"
                          " WHERE rolname = current_user) AND split_part(datname, '_', 3)::bigint <"
                          " extract(epoch FROM now()) - 3600",
                          NULL, 0, &rows, err))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++)
        if (!connection_exec(db,
                             mem_printf(tmp, "DROP DATABASE IF EXISTS %s WITH (FORCE)",
                                        text_quote_ident(tmp, rows_text(rows, i, 0))),
                             &ignored))
            continue;
    return true;
}

/* What is rehearsed nobody has signed. So its role must not be able to do harm outside of its
 * databases: $1 is the database that the rehearsal is for, $2 whether the role is only for this. */
static const char REACH[] =
    "SELECT why FROM ("
    " SELECT format('is, or is a member of, %I, which may do more than its own databases ask for',"
    "  r.rolname) AS why FROM pg_catalog.pg_roles r"
    "  WHERE pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER') AND (r.rolsuper OR"
    "  r.rolcreaterole OR r.rolreplication OR r.rolname IN ('pg_execute_server_program',"
    "  'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend'))"
    " UNION ALL"
    " SELECT format('may drop the database %I', d.datname) FROM pg_catalog.pg_database d"
    "  WHERE pg_catalog.pg_has_role(current_user, d.datdba, 'MEMBER')"
    "  AND d.datname !~ '^" PREFIX "' AND (d.datname = $1 OR NOT $2::boolean"
    "  OR d.datdba <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = current_user))"
    ") reach LIMIT 1";

static bool harmless(struct connection *db, const char *target, bool configured, struct error *err)
{
    SCOPE(tmp);
    struct rows *rows = NULL;
    const char *params[] = { target, configured ? "t" : "f" };
    if (!connection_query(tmp, db, REACH, params, 2, &rows, err))
        return false;
    if (rows_count(rows) == 0)
        return true;
    return fail(err, ERROR_REFUSED, "its role %s %s", connection_facts(db)->user,
                rows_text(rows, 0, 0));
}

static bool create(struct connection *db, const char *name, const char *template, struct error *err)
{
    SCOPE(tmp);
    const char *sql = mem_printf(tmp, "CREATE DATABASE %s TEMPLATE %s", text_quote_ident(tmp, name),
                                 text_quote_ident(tmp, template));
    for (int tries = 1; !connection_exec(db, sql, err); tries++) {
        /* 55006: somebody is connected to the template, or copies it. */
        if (!text_eq(err->sqlstate, "55006") || tries == TRIES)
            return false;
        clock_sleep_ms(PAUSE_MS);
    }
    return true;
}

/* Which database a conninfo means. */
static bool own_name(const void *ctx, const char *conninfo, const char **out, struct error *err)
{
    SCOPE(tmp);
    struct connection *db = NULL;
    struct connection_options options = { .conninfo = conninfo, .tag = "rehearse" };
    if (!connection_open(tmp, &options, &db, err))
        return false;
    *out = mem_text(ctx, connection_facts(db)->database);
    return true;
}

static bool refuse(const struct agent_database *database, bool configured, struct error *err)
{
    fail_in(err, "database %s: no scratch database can be made", database->name);
    err->code = ERROR_REFUSED;
    if (configured)
        return fail_hint(err, "the scratch role needs CREATEDB and nothing else: `flotilla-agent "
                              "init` prints the script");
    return fail_hint(err,
                     "add to databases in agent.yaml: %s_scratch: { conninfo: \"...\", purpose: "
                     "scratch, for: %s }",
                     database->name, database->name);
}

bool scratch_open(const void *ctx, const struct agent_config *config,
                  const struct agent_database *database, struct scratch **out, struct error *err)
{
    const struct agent_database *configured = agent_config_scratch(config, database->name);
    struct scratch *s = mem_new(ctx, struct scratch);
    struct connection *db = NULL;
    const char *template = "template1";
    const char *target = NULL;
    s->conninfo = mem_text(s, configured ? configured->conninfo : database->conninfo);
    s->name = mem_printf(s, PREFIX "%lld_%s", (long long)(clock_wall_ms() / 1000),
                         digest_random_id(s, 4));
    bool made = own_name(s, database->conninfo, &target, err) &&
                (!configured || own_name(s, s->conninfo, &template, err)) &&
                enter(s, s, &db, err) && harmless(db, target, configured != NULL, err) &&
                sweep(db, err) && create(db, s->name, template, err);
    if (!made) {
        talloc_free(s);
        return refuse(database, configured != NULL, err);
    }
    talloc_free(db);
    talloc_set_destructor(s, scratch_drop);
    *out = s;
    return true;
}

bool scratch_connect(const void *ctx, const struct scratch *scratch, struct connection **out,
                     struct error *err)
{
    if (!place_open(ctx, scratch, scratch->name, out, err))
        return fail_in(err, "scratch database");
    return connection_names(*out, NULL, err) &&
           connection_script(*out,
                             "SET row_security = off;"
                             "SET statement_timeout = 0; SET TimeZone = 'UTC';"
                             "SET synchronous_commit = off",
                             err);
}
