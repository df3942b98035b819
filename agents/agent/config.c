#include "agents/agent/config.h"

#include <string.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"

enum { NEED_MOST = 20, NAME_MOST = 63 };

static const int64_t DAY_MS = 24LL * 3600 * 1000;

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct loading {
    struct agent_config *config;
    struct yaml_problems *problems;
};

static const char *path_of(struct loading *l, const char *written)
{
    return written ? file_path_from(l->config, l->config->folder, written) : NULL;
}

/* libpq's quoting of a value in a conninfo string. */
static const char *service_conninfo(const void *ctx, const char *service)
{
    struct text t = text_init(ctx, TEXT_LINE);
    text_add(&t, "service='");
    for (const char *p = service; *p; p++) {
        if (*p == '\'' || *p == '\\')
            text_addc(&t, '\\');
        text_addc(&t, *p);
    }
    text_addc(&t, '\'');
    return t.data;
}

static void load_serves(struct loading *l, const struct yaml_node *node, struct agent_serves *out)
{
    static const char *const keys[] = { "fleet", "environment", "service", "instance" };
    if (!yaml_is_map(l->problems, node))
        return;
    yaml_known(l->problems, node, keys, COUNT(keys));
    yaml_text(l->problems, yaml_must(l->problems, node, "fleet"), &out->fleet);
    yaml_text(l->problems, yaml_must(l->problems, node, "environment"), &out->environment);
    yaml_text(l->problems, yaml_must(l->problems, node, "service"), &out->service);
    yaml_text(l->problems, yaml_must(l->problems, node, "instance"), &out->instance);
}

static void load_address(struct loading *l, const struct yaml_node *node,
                         struct agent_database *out)
{
    const struct yaml_node *service = yaml_key(node, "pg_service");
    const struct yaml_node *conninfo = yaml_key(node, "conninfo");
    if (service && conninfo)
        yaml_complain(l->problems, conninfo, "both pg_service and conninfo are given; keep one");
    if (!service && !conninfo)
        yaml_complain(l->problems, node,
                      "how to connect to \"%s\" is missing; write pg_service: NAME (of "
                      "pg_service.conf) or conninfo: \"...\"",
                      out->name);
    const char *name = NULL;
    if (yaml_text(l->problems, conninfo, &out->conninfo))
        return;
    if (yaml_text(l->problems, service, &name))
        out->conninfo = service_conninfo(l->config, name);
}

static void load_database(struct loading *l, const struct yaml_node *node,
                          struct agent_database *out)
{
    static const char *const keys[] = { "pg_service", "conninfo", "serves",
                                        "approvers",  "purpose",  "for" };
    static const char *const purposes[] = { "scratch" };
    int purpose = -1;
    if (!yaml_is_map(l->problems, node))
        return;
    yaml_known(l->problems, node, keys, COUNT(keys));
    load_address(l, node, out);
    yaml_one_of(l->problems, yaml_key(node, "purpose"), purposes, COUNT(purposes), &purpose);
    out->scratch = purpose == 0;
    yaml_text(l->problems, yaml_key(node, "for"), &out->scratch_for);
    if (out->scratch) {
        yaml_must(l->problems, node, "for");
        if (yaml_key(node, "serves"))
            yaml_complain(l->problems, yaml_key(node, "serves"),
                          "a scratch database serves nothing; remove this");
        return;
    }
    if (out->scratch_for)
        yaml_complain(l->problems, yaml_key(node, "for"),
                      "\"for\" belongs to `purpose: scratch`; add that, or remove this");
    const struct yaml_node *serves = yaml_must(l->problems, node, "serves");
    if (serves)
        load_serves(l, serves, &out->serves);
    yaml_texts(l->config, l->problems, yaml_must(l->problems, node, "approvers"),
               &out->approvers.items, &out->approvers.count);
}

static void load_databases(struct loading *l, const struct yaml_node *node)
{
    if (!node || !yaml_is_map(l->problems, node))
        return;
    l->config->databases = mem_array(l->config, struct agent_database, node->count);
    l->config->database_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        struct agent_database *database = &l->config->databases[i];
        database->name = node->keys[i]->text;
        database->line = node->keys[i]->line;
        if (!*database->name || strlen(database->name) > NAME_MOST)
            yaml_complain(l->problems, node->keys[i], "a database's name has 1 to %d bytes",
                          NAME_MOST);
        load_database(l, node->items[i], database);
    }
}

static bool same_serves(const struct agent_serves *a, const struct agent_serves *b)
{
    return text_eq(a->fleet, b->fleet) && text_eq(a->environment, b->environment) &&
           text_eq(a->service, b->service) && text_eq(a->instance, b->instance);
}

/* What only the whole list tells. */
static void check_databases(struct loading *l, const struct yaml_node *node)
{
    struct agent_config *c = l->config;
    for (size_t i = 0; i < c->database_count; i++) {
        struct agent_database *a = &c->databases[i];
        bool found = false;
        for (size_t k = 0; k < c->database_count; k++) {
            const struct agent_database *b = &c->databases[k];
            found = found || (!b->scratch && text_eq(b->name, a->scratch_for));
            if (k < i && !a->scratch && !b->scratch && a->serves.fleet &&
                same_serves(&a->serves, &b->serves))
                yaml_complain(l->problems, yaml_key(node->items[i], "serves"),
                              "\"%s\" (line %d) serves the same instance; one of them is wrong",
                              b->name, b->line);
        }
        if (a->scratch && a->scratch_for && !found)
            yaml_complain(
                l->problems, yaml_key(node->items[i], "for"),
                "there is no database \"%s\" in this file that this could be a scratch of",
                a->scratch_for);
    }
}

static void load_need(struct loading *l, const struct yaml_node *node, int *out)
{
    int64_t need = *out;
    if (yaml_int(l->problems, node, 1, NEED_MOST, &need))
        *out = (int)need;
}

static void load_policy(struct loading *l, const struct yaml_node *node)
{
    static const char *const keys[] = { "need", "destructive", "approval_ttl", "lock_budget_max",
                                        "snapshots" };
    static const char *const destructive_keys[] = { "need" };
    static const char *const snapshot_keys[] = { "dir", "keep", "sink" };
    struct agent_policy *p = &l->config->policy;
    if (!node || !yaml_is_map(l->problems, node))
        return;
    yaml_known(l->problems, node, keys, COUNT(keys));
    load_need(l, yaml_key(node, "need"), &p->need);
    const struct yaml_node *destructive = yaml_key(node, "destructive");
    if (destructive && yaml_is_map(l->problems, destructive)) {
        yaml_known(l->problems, destructive, destructive_keys, COUNT(destructive_keys));
        load_need(l, yaml_key(destructive, "need"), &p->destructive_need);
    }
    yaml_duration(l->problems, yaml_key(node, "approval_ttl"), &p->approval_ttl_ms);
    yaml_duration(l->problems, yaml_key(node, "lock_budget_max"), &p->lock_budget_max_ms);
    const struct yaml_node *snapshots = yaml_key(node, "snapshots");
    if (!snapshots || !yaml_is_map(l->problems, snapshots))
        return;
    yaml_known(l->problems, snapshots, snapshot_keys, COUNT(snapshot_keys));
    yaml_text(l->problems, yaml_key(snapshots, "dir"), &p->snapshots_dir);
    yaml_duration(l->problems, yaml_key(snapshots, "keep"), &p->snapshots_keep_ms);
    yaml_text_any(l->problems, yaml_key(snapshots, "sink"), &p->snapshots_sink);
}

static void set_defaults(struct agent_config *c)
{
    c->spool = "/var/lib/flotilla";
    c->policy = (struct agent_policy){
        .need = 1,
        .destructive_need = 2,
        .approval_ttl_ms = 14 * DAY_MS,
        .lock_budget_max_ms = 500,
        .snapshots_keep_ms = 14 * DAY_MS,
    };
}

static void load_root(struct loading *l, const struct yaml_node *root)
{
    static const char *const keys[] = { "databases", "allowed_signers", "release_signers", "policy",
                                        "spool" };
    struct agent_config *c = l->config;
    if (!yaml_is_map(l->problems, root))
        return;
    yaml_known(l->problems, root, keys, COUNT(keys));
    const struct yaml_node *databases = yaml_must(l->problems, root, "databases");
    load_databases(l, databases);
    if (c->database_count)
        check_databases(l, databases);
    yaml_text(l->problems, yaml_must(l->problems, root, "allowed_signers"), &c->allowed_signers);
    yaml_text(l->problems, yaml_key(root, "release_signers"), &c->release_signers);
    yaml_text(l->problems, yaml_key(root, "spool"), &c->spool);
    load_policy(l, yaml_key(root, "policy"));
    c->allowed_signers = path_of(l, c->allowed_signers);
    c->release_signers = path_of(l, c->release_signers);
    c->spool = path_of(l, c->spool);
    if (!c->policy.snapshots_dir)
        c->policy.snapshots_dir = mem_printf(c, "%s/snapshots", c->spool);
    c->policy.snapshots_dir = path_of(l, c->policy.snapshots_dir);
    if (text_empty(c->policy.snapshots_sink))
        c->policy.snapshots_sink = NULL;
}

bool agent_config_load(const void *ctx, const char *path, struct agent_config **out,
                       const char **problems_text, struct error *err)
{
    SCOPE(tmp);
    struct yaml_problems problems = yaml_problems_for(tmp, path);
    struct agent_config *config = mem_new(tmp, struct agent_config);
    struct loading loading = { .config = config, .problems = &problems };
    config->path = mem_text(config, path);
    config->folder = file_folder(config, path);
    set_defaults(config);
    if (!file_exists(path)) {
        fail(err, ERROR_NOT_FOUND, "%s: No such file or directory", path);
        return fail_hint(err, "`flotilla-agent --config %s init` writes one", path);
    }
    const struct yaml_node *root = yaml_load(config, path, YAML_FILE_BYTES, &problems);
    if (root)
        load_root(&loading, root);
    if (!yaml_problems_none(&problems, err)) {
        if (problems_text)
            *problems_text = yaml_problems_text(ctx, &problems);
        return fail_hint(
            err, "correct the file; `flotilla-agent --config %s check` shows all of it", path);
    }
    *out = mem_give(ctx, config);
    return true;
}

bool agent_config_database(const struct agent_config *config, const char *name,
                           const struct agent_database **out, struct error *err)
{
    SCOPE(tmp);
    struct text list = text_init(tmp, 512);
    for (size_t i = 0; i < config->database_count; i++) {
        const struct agent_database *database = &config->databases[i];
        if (database->scratch)
            continue;
        if (text_eq(database->name, name)) {
            *out = database;
            return true;
        }
        text_addf(&list, "%s%s", list.len ? ", " : "", database->name);
    }
    fail(err, ERROR_NOT_FOUND, "the agent serves no database \"%s\"; it serves: %s",
         text_printable(tmp, name), list.len ? list.data : "none");
    return fail_hint(err, "correct agent_database in the manifest, or add the database to %s there",
                     config->path);
}

const struct agent_database *agent_config_scratch(const struct agent_config *config,
                                                  const char *name)
{
    for (size_t i = 0; i < config->database_count; i++)
        if (config->databases[i].scratch && text_eq(config->databases[i].scratch_for, name))
            return &config->databases[i];
    return NULL;
}
