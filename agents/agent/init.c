/*
 * The mode `init`: writes an agent.yaml to start from, and the SQL script of the two roles: one
 * that is a member of the owners' roles and of pg_monitor, one that may make scratch databases and
 * reaches nothing else. Neither is a superuser.
 */
#include <argp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/agent/config.h"
#include "agents/agent/modes.h"
#include "agents/agent/roles.h"
#include "agents/base/file.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    KEY_FLEET = 0x1000,
    KEY_ENV,
    KEY_SERVICE,
    KEY_INSTANCE,
    KEY_APPROVER,
    KEY_SQL,
    KEY_FORCE,
    KEY_USER
};

struct init {
    const void *ctx;
    struct step_texts databases, owners, approvers;
    const char *fleet, *environment, *service, *instance;
    const char *user; /* the account that the agent runs as */
    const char *sql;  /* path; "-": standard output; null: beside the configuration */
    bool force;
};

static const struct argp_option options[] = {
    { "database", 'd', "NAME", 0, "a database to serve (several times for several)", 0 },
    { "owner", 'o', "ROLE", 0,
      "a role that owns tables in them (several times; default: the script finds them)", 0 },
    { "fleet", KEY_FLEET, "NAME", 0, "the fleet's name in its manifest (default: fleet)", 0 },
    { "env", KEY_ENV, "NAME", 0, "the environment (default: production)", 0 },
    { "service", KEY_SERVICE, "NAME", 0, "the service (default: the database's name)", 0 },
    { "instance", KEY_INSTANCE, "NAME", 0, "the instance (default: SERVICE-1)", 0 },
    { "approver", KEY_APPROVER, "NAME", 0, "who may approve (several times)", 0 },
    { "sql", KEY_SQL, "FILE", 0,
      "where to write the SQL script; - prints it (default: roles.sql beside the configuration)",
      0 },
    { "user", KEY_USER, "ACCOUNT", 0,
      "the account that the agent runs as: by root, the files are made for it (default: flotilla)",
      0 },
    { "force", KEY_FORCE, NULL, 0, "replace files that are there", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct init *i = state->input;
    switch (key) {
    case 'd': step_texts_add(i->ctx, &i->databases, arg); return 0;
    case 'o': step_texts_add(i->ctx, &i->owners, arg); return 0;
    case KEY_FLEET: i->fleet = arg; return 0;
    case KEY_ENV: i->environment = arg; return 0;
    case KEY_SERVICE: i->service = arg; return 0;
    case KEY_INSTANCE: i->instance = arg; return 0;
    case KEY_APPROVER: step_texts_add(i->ctx, &i->approvers, arg); return 0;
    case KEY_SQL: i->sql = arg; return 0;
    case KEY_USER: i->user = arg; return 0;
    case KEY_FORCE: i->force = true; return 0;
    case ARGP_KEY_END:
        if (i->databases.count == 0)
            argp_error(state, "name the databases to serve with --database");
        if ((i->service || i->instance) && i->databases.count > 1)
            argp_error(state, "--service and --instance go with one --database");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    NULL,
    "Write an agent.yaml to start from and the SQL script of roles and grants.\v"
    "Example:\n"
    "  flotilla-agent --config /etc/flotilla/agent.yaml init --database users \\\n"
    "      --fleet shop --approver ana@example.org --approver raj@example.org\n"
    "  sudo -u postgres psql -f /etc/flotilla/roles.sql\n"
    "  sudo -u flotilla flotilla-agent check\n",
    NULL,
    NULL,
    NULL,
};

/* A YAML double-quoted scalar. */
static void add_scalar(struct text *t, const char *s)
{
    text_addc(t, '"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_addc(t, '\\');
        text_addc(t, *s);
    }
    text_addc(t, '"');
}

static void add_pair(struct text *t, const char *key, const char *value)
{
    text_add(t, key);
    add_scalar(t, value);
}

/* A value inside a conninfo string (libpq: single quotes, backslash escapes). */
static const char *conninfo(const void *ctx, const char *database, const char *role)
{
    struct text t = text_init(ctx, TEXT_LINE);
    text_add(&t, "dbname='");
    for (const char *p = database; *p; p++) {
        if (*p == '\'' || *p == '\\')
            text_addc(&t, '\\');
        text_addc(&t, *p);
    }
    text_addf(&t, "' user=%s", role);
    return t.data;
}

static void add_database(const void *ctx, struct text *t, const struct init *i, const char *name)
{
    const char *service = i->service ? i->service : name;
    text_add(t, "  ");
    add_scalar(t, name);
    text_add(t, ":\n");
    add_pair(t, "    conninfo: ", conninfo(ctx, name, ROLE_WORK));
    text_add(t, "        # or pg_service: NAME of pg_service.conf\n");
    add_pair(t, "    serves: { fleet: ", i->fleet ? i->fleet : "fleet");
    add_pair(t, ", environment: ", i->environment ? i->environment : "production");
    add_pair(t, ", service: ", service);
    add_pair(t, ", instance: ", i->instance ? i->instance : mem_printf(ctx, "%s-1", service));
    text_add(t, " }\n    approvers: [");
    for (size_t k = 0; k < i->approvers.count; k++) {
        text_add(t, k ? ", " : "");
        add_scalar(t, i->approvers.items[k]);
    }
    text_add(t, "]\n  ");
    add_scalar(t, mem_printf(ctx, "%s_scratch", name));
    add_pair(t, ": { conninfo: ", conninfo(ctx, mem_printf(ctx, "%s_scratch", name), ROLE_SCRATCH));
    add_pair(t, ", purpose: scratch, for: ", name);
    text_add(t, " }\n");
}

static const char *agent_yaml(const void *ctx, const struct init *i)
{
    struct text t = text_init(ctx, TEXT_SQL);
    text_add(&t,
             "# flotilla-agent: what this host serves. `flotilla-agent check` tries all of it.\n"
             "databases:\n");
    for (size_t k = 0; k < i->databases.count; k++)
        add_database(ctx, &t, i, i->databases.items[k]);
    text_add(
        &t,
        "allowed_signers: allowed_signers        # beside this file; ssh-keygen's format:\n"
        "                                        # NAME namespaces=\"flotilla\" ssh-ed25519 ...\n"
        "# release_signers: release_signers      # pushed agents must be signed by one of these\n"
        "policy:\n"
        "  need: 1                               # signatures for anything that changes a "
        "database\n"
        "  destructive: { need: 2 }\n"
        "  approval_ttl: 14d\n"
        "  lock_budget_max: 500ms\n"
        "  snapshots: { dir: /var/lib/flotilla/snapshots, keep: 14d }\n"
        "spool: /var/lib/flotilla\n");
    return t.data;
}

static bool write_new(const struct init *i, const char *path, const char *content, mode_t mode,
                      struct error *err)
{
    SCOPE(tmp);
    if (!i->force && file_exists(path)) {
        fail(err, ERROR_EXISTS, "%s is there already", path);
        return fail_hint(err, "keep it, or replace it with --force");
    }
    return file_make_dir(file_folder(tmp, path), 0755, err) &&
           file_write(path, content, strlen(content), mode, err);
}

static bool give(const char *path, uid_t user, gid_t group, struct error *err)
{
    return chown(path, user, group) == 0 || fail_errno(err, "%s: change its owner", path);
}

/* What root makes has to be read and written by the agent's account. */
static bool give_to_account(const struct init *i, const struct agent_config *config,
                            const char *config_path, struct error *err)
{
    const char *name = i->user ? i->user : "flotilla";
    const char *folders[] = { config->spool, config->policy.snapshots_dir };
    if (geteuid() != 0)
        return true;
    struct passwd *pw = getpwnam(name);
    if (!pw && i->user) {
        fail(err, ERROR_NOT_FOUND, "there is no account %s here", name);
        return fail_hint(err, "useradd --create-home --shell /bin/sh %s", name);
    }
    if (!pw) {
        printf(
            "There is no account %s yet, so only root can read %s: make one with\n"
            "`useradd --create-home --shell /bin/sh %s` and say this again with --force, or name\n"
            "the agent's account with --user.\n",
            name, config_path, name);
        return true;
    }
    for (size_t k = 0; k < sizeof folders / sizeof *folders; k++)
        if (!file_make_dir(folders[k], 0700, err) || !give(folders[k], pw->pw_uid, pw->pw_gid, err))
            return false;
    return give(config_path, 0, pw->pw_gid, err);
}

static const char SIGNERS[] =
    "# Whose signatures count on this host: a line a person, NAME as under approvers: in agent.yaml.\n"
    "# NAME namespaces=\"flotilla\" ssh-ed25519 AAAA...\n";

static bool write_signers(const char *path, struct error *err)
{
    return file_exists(path) || file_write(path, SIGNERS, strlen(SIGNERS), 0644, err);
}

static bool init(const struct init *i, const char *config_path, struct error *err)
{
    SCOPE(tmp);
    struct agent_config *config = NULL;
    const char *sql = roles_sql(tmp, &i->databases, &i->owners);
    const char *sql_path =
        i->sql ? i->sql : mem_printf(tmp, "%s/roles.sql", file_folder(tmp, config_path));
    if (!write_new(i, config_path, agent_yaml(tmp, i), 0640, err))
        return false;
    /* What we write must be what we read. */
    if (!agent_config_load(tmp, config_path, &config, NULL, err))
        return false;
    printf("wrote %s\n", config_path);
    if (!write_signers(config->allowed_signers, err) ||
        !give_to_account(i, config, config_path, err))
        return false;
    if (text_eq(sql_path, "-")) {
        fputs(sql, stdout);
        return true;
    }
    if (!write_new(i, sql_path, sql, 0644, err))
        return false;
    printf(
        "wrote %s\nNext: read both, run `psql -f %s` as a superuser (its head says how the roles log "
        "in),\nput the approvers' keys into %s, then, as the agent's account,\n"
        "`flotilla-agent --config %s check`.\n",
        sql_path, sql_path, config->allowed_signers, config_path);
    return true;
}

int mode_init(const struct mode_start *start)
{
    SCOPE(tmp);
    struct error err;
    struct init i = { .ctx = tmp };
    argp_parse(&argp, start->argc, start->argv, 0, NULL, &i);
    if (init(&i, start->config_path, &err))
        return EXIT_SUCCESS;
    log_error("flotilla-agent init", &err);
    return EXIT_FAILURE;
}
