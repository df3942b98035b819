#include "agents/agent/doctor.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent/doctor_checks.h"
#include "agents/agent/handlers.h"
#include "agents/base/clock.h"
#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/process.h"
#include "agents/base/text.h"
#include "agents/part/signers.h"
#include "agents/pg/connection.h"

enum {
    CONNECT_TIMEOUT_S = 5,
    QUERY_TIMEOUT_MS = 20 * 1000,
    CLOCK_SKEW_MS = 5000,
};

static const char SIGNER_LINE[] =
    "write a line a person there: NAME namespaces=\"flotilla\" ssh-ed25519 AAAA...";

/* A part's journal, snapshots of a few tables: less than this is not worth starting with. */
static const long long DISK_LEAST = 1024LL * 1024 * 1024;

void doctor_add(json_t *checks, const char *check, const char *level, const char *what,
                const char *fix)
{
    json_t *line = json_object();
    json_set_text(line, "check", check);
    json_set_text(line, "level", level);
    json_set_text(line, "what", what);
    json_set_text(line, "fix", fix);
    json_array_append_new(checks, line);
}

static void add_error(json_t *checks, const char *check, const char *level, const struct error *err)
{
    doctor_add(checks, check, level, err->message, err->hint[0] ? err->hint : NULL);
}

static bool ask(const void *ctx, struct connection *connection, const char *sql, struct rows **out,
                struct error *err)
{
    struct connection_watch watch = { .every_ms = 1000, .timeout_ms = QUERY_TIMEOUT_MS };
    return connection_query_watched(ctx, connection, sql, &watch, out, err);
}

static void run_check(struct connection *connection, const struct doctor_check *check,
                      json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct rows *rows = NULL;
    if (!ask(tmp, connection, check->sql, &rows, &err)) {
        add_error(checks, check->name, "warning", &err);
        return;
    }
    for (size_t i = 0; i < rows_count(rows); i++)
        doctor_add(checks, check->name, rows_text(rows, i, 0), rows_text(rows, i, 1),
                   rows_text(rows, i, 2));
    if (rows_count(rows) > 0)
        return;
    if (check->fine && ask(tmp, connection, check->fine, &rows, &err) && rows_count(rows) == 1)
        doctor_add(checks, check->name, "ok", rows_text(rows, 0, 0), NULL);
    else
        doctor_add(checks, check->name, "ok", NULL, NULL);
}

/* The server's disk can be looked at only where it is this host's. */
static void check_server_disk(struct connection *connection, json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct rows *rows = NULL;
    const char *host = connection_facts(connection)->host;
    if (!host || (host[0] != '/' && !text_eq(host, "localhost") && !text_starts(host, "127.")))
        return;
    if (!ask(tmp, connection,
             "SELECT current_setting('data_directory', true),"
             " coalesce(max(pg_total_relation_size(oid)), 0) FROM pg_class WHERE relkind IN ('r', "
             "'m')",
             &rows, &err) ||
        !rows_text(rows, 0, 0))
        return;
    long long free_bytes = file_free_bytes(rows_text(rows, 0, 0));
    long long largest = rows_int(rows, 0, 1);
    if (free_bytes < 0)
        return;
    const char *what = mem_printf(tmp, "%s free beside the data, the largest table has %s",
                                  text_bytes(tmp, free_bytes), text_bytes(tmp, largest));
    bool little = free_bytes < largest * 2 || free_bytes < DISK_LEAST;
    doctor_add(checks, "database disk", little ? "warning" : "ok", what,
               little ? "free space first: a backfill writes the table once more, and WAL" : NULL);
}

static void check_server_clock(struct connection *connection, json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct rows *rows = NULL;
    if (!ask(tmp, connection, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
             &rows, &err))
        return;
    long long skew = clock_wall_ms() - rows_int(rows, 0, 0);
    if (skew > CLOCK_SKEW_MS || skew < -CLOCK_SKEW_MS)
        doctor_add(checks, "server clock", "warning",
                   mem_printf(tmp, "the server's clock is %s off this host's",
                              text_duration(tmp, skew < 0 ? -skew : skew)),
                   "set both clocks by NTP: approvals expire by them");
}

static bool open_database(const void *ctx, const struct agent_database *database,
                          struct connection **out, struct error *err)
{
    struct connection_options options = { .conninfo = database->conninfo,
                                          .tag = "doctor",
                                          .connect_timeout_s = CONNECT_TIMEOUT_S,
                                          .allow_pooler = true };
    return connection_open(ctx, &options, out, err);
}

/* An owner of the scratch database is a member of pg_database_owner there: that reaches nothing. */
static const char SCRATCH_ROLE[] =
    "SELECT 'error', format('scratch role %s is a superuser', current_user),"
    " format('ALTER ROLE %I NOSUPERUSER', current_user)"
    " FROM pg_roles WHERE rolname = current_user AND rolsuper"
    " UNION ALL SELECT 'error', format('scratch role %s may not create databases', current_user),"
    " format('ALTER ROLE %I CREATEDB', current_user)"
    " FROM pg_roles WHERE rolname = current_user AND NOT rolcreatedb AND NOT rolsuper"
    " UNION ALL SELECT 'error', format('scratch role %s is a member of %s: a rehearsal could reach"
    " real data', current_user, r.rolname), format('REVOKE %I FROM %I', r.rolname, current_user)"
    " FROM pg_roles r WHERE r.rolname NOT IN (current_user, 'pg_database_owner')"
    " AND pg_has_role(r.oid, 'MEMBER')"
    " AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)";

static void check_scratch(const struct agent_config *config, const struct agent_database *database,
                          struct connection *connection, json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct rows *rows = NULL;
    struct connection *scratch = NULL;
    const struct agent_database *where = agent_config_scratch(config, database->name);
    if (!where) {
        bool may = ask(tmp, connection,
                       "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user",
                       &rows, &err) &&
                   rows_count(rows) == 1 && rows_bool(rows, 0, 0);
        doctor_add(checks, "scratch", may ? "ok" : "error",
                   may ? "a throw-away database beside this one"
                       : "there is no scratch database, and the role may not create one",
                   may ? NULL
                       : "add one to agent.yaml: { conninfo: ..., purpose: scratch, for: ... }");
        return;
    }
    if (!open_database(tmp, where, &scratch, &err)) {
        add_error(checks, "scratch", "error", &err);
        return;
    }
    struct doctor_check role = { .name = "scratch",
                                 .sql = SCRATCH_ROLE,
                                 .fine = "SELECT format('%s by role %s', current_database(),"
                                         " current_user)" };
    run_check(scratch, &role, checks);
}

/* Lines that ssh-keygen would not understand either. */
static void check_signer_lines(const struct signers *signers, json_t *checks)
{
    for (size_t i = 0; signers_problem(signers, i); i++)
        doctor_add(checks, "signers", "warning", signers_problem(signers, i), SIGNER_LINE);
}

/* Each approver has a line in the list of keys; a signer nobody can be is a gate nobody opens. */
static int known_approvers(const struct signers *signers, const struct agent_config *config,
                           const struct agent_database *database, json_t *checks)
{
    SCOPE(tmp);
    int known = 0;
    for (size_t i = 0; i < database->approvers.count; i++) {
        const char *name = database->approvers.items[i];
        if (signers_know(signers, name))
            known++;
        else
            doctor_add(checks, "signers", "note",
                       mem_printf(tmp, "%s may approve but has no key in %s", name,
                                  config->allowed_signers),
                       mem_printf(tmp, "add a line: %s namespaces=\"flotilla\" ssh-ed25519 AAAA...",
                                  name));
    }
    return known;
}

static void check_signers(const struct agent_config *config, const struct agent_database *database,
                          json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct signers *signers = NULL;
    if (!signers_read(tmp, config->allowed_signers, &signers, &err)) {
        doctor_add(checks, "signers", "error", err.message, SIGNER_LINE);
        return;
    }
    check_signer_lines(signers, checks);
    int known = known_approvers(signers, config, database, checks), need = config->policy.need;
    int most = config->policy.destructive_need > need ? config->policy.destructive_need : need;
    if (known >= most) {
        doctor_add(
            checks, "signers", "ok",
            mem_printf(tmp, "%d approvers with a key, up to %d signatures needed", known, most),
            NULL);
        return;
    }
    bool none = known < need;
    doctor_add(checks, "signers", none ? "error" : "warning",
               mem_printf(tmp,
                          "%s has keys of %d of the approvers, and %s needs %d signature%s: it "
                          "would be refused here",
                          config->allowed_signers, known,
                          none ? "every part" : "what is destructive", none ? need : most,
                          (none ? need : most) == 1 ? "" : "s"),
               mem_printf(tmp, "%s; or see to approvers: and policy: in agent.yaml", SIGNER_LINE));
}

void doctor_database(const struct agent_config *config, const struct agent_database *database,
                     json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct connection *connection = NULL;
    check_signers(config, database, checks);
    int64_t began = clock_mono_ms();
    if (!open_database(tmp, database, &connection, &err)) {
        add_error(checks, "database", "error", &err);
        return;
    }
    const struct connection_facts *facts = connection_facts(connection);
    doctor_add(checks, "database", "ok",
               mem_printf(tmp, "database %s answers in %s", facts->database,
                          text_duration(tmp, clock_mono_ms() - began)),
               NULL);
    if (facts->pooled)
        doctor_add(checks, "pooler", "error",
                   "a connection pooler is in between: locks and settings would be lost",
                   "let the agent's conninfo name the server itself");
    for (const struct doctor_check *c = doctor_checks; c->name; c++)
        if (facts->server_version >= c->min_version)
            run_check(connection, c, checks);
    check_scratch(config, database, connection, checks);
    check_server_disk(connection, checks);
    check_server_clock(connection, checks);
}

/* What root would make is of no use to the account that the agent runs as. */
static bool folder_is_ready(const char *path, bool may_make)
{
    struct error ignored;
    bool there = may_make ? file_make_dir(path, 0700, &ignored) : file_exists(path);
    return there && access(path, W_OK | X_OK) == 0;
}

static void check_folder(const char *check, const char *path, bool may_make, json_t *checks)
{
    SCOPE(tmp);
    struct passwd *pw = getpwuid(geteuid());
    if (!folder_is_ready(path, may_make)) {
        doctor_add(checks, check, "error", mem_printf(tmp, "%s cannot be written to", path),
                   mem_printf(tmp, "as root: install -d -m 700 -o %s %s",
                              may_make && pw ? pw->pw_name : "ACCOUNT", path));
        return;
    }
    long long free_bytes = file_free_bytes(path);
    bool little = free_bytes >= 0 && free_bytes < DISK_LEAST;
    doctor_add(checks, check, little ? "warning" : "ok",
               mem_printf(tmp, "%s free in %s", text_bytes(tmp, free_bytes), path),
               little ? "free space there: snapshots need as much as the columns they keep" : NULL);
}

/* A part that is signed for one instance is refused by the database of another. */
static void check_serves(const struct agent_database *database, const json_t *wanted,
                         json_t *checks)
{
    SCOPE(tmp);
    const struct agent_serves *s = &database->serves;
    const char *const pairs[][2] = {
        { "fleet", s->fleet },
        { "environment", s->environment },
        { "service", s->service },
        { "instance", s->instance },
    };
    struct text here = text_init(tmp, TEXT_LINE);
    struct text there = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const char *asked = json_text_of(wanted, pairs[i][0]);
        if (!asked || !pairs[i][1] || text_eq(asked, pairs[i][1]))
            continue;
        text_addf(&here, "%s%s %s", here.len ? ", " : "", pairs[i][0], pairs[i][1]);
        text_addf(&there, "%s%s %s", there.len ? ", " : "", pairs[i][0], asked);
    }
    if (here.len)
        doctor_add(checks, "serves", "error",
                   mem_printf(tmp, "database %s serves %s, the manifest says %s", database->name,
                              here.data, there.data),
                   "correct serves: in agent.yaml, or the manifest: what is signed for one is "
                   "refused by the other");
    else if (wanted)
        doctor_add(checks, "serves", "ok", NULL, NULL);
}

/* What every database of the host would find as well: said once by who prints it. */
static void mark_host(json_t *checks)
{
    size_t i;
    json_t *line;
    json_array_foreach(checks, i, line) {
        json_set_text(line, "scope", "host");
    }
}

void doctor_host(const struct agent_config *config, bool may_make, json_t *checks)
{
    SCOPE(tmp);
    struct error err;
    struct process_result result;
    /* Without arguments that it knows it prints its usage: all that counts is that it is there. */
    const char *const keygen[] = { "ssh-keygen", "-Y", "nothing", NULL };
    if (!process_run(tmp, keygen, NULL, 5000, &result, &err))
        doctor_add(checks, "ssh-keygen", "error",
                   "ssh-keygen is missing: approvals cannot be verified",
                   "install openssh-client on the host");
    check_folder("spool", config->spool, may_make, checks);
    check_folder("snapshots", config->policy.snapshots_dir, may_make, checks);
    mark_host(checks);
}

bool handle_doctor(struct agent *agent, const json_t *args, struct reply *reply, json_t **result,
                   struct error *err)
{
    (void)reply;
    const struct agent_database *database = NULL;
    if (!agent_args_database(agent, args, &database, err))
        return false;
    json_t *checks = json_array();
    doctor_host(agent->config, true, checks);
    check_serves(database, json_object_get(args, "serves"), checks);
    doctor_database(agent->config, database, checks);
    *result = json_object();
    json_object_set_new(*result, "checks", checks);
    return true;
}
