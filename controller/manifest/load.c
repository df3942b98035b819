#include <stdlib.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/grammar.h"
#include "controller/manifest/reading.h"

/* What sections refer to must be there before them: owners, environments, then services. */

static void defaults_read(struct reading *r, const struct yaml_node *node)
{
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node,
               KEYS("ssh", "policy", "transport", "agent_config", "agent_command"));
    access_read(r, node, &r->access);
    policy_read(r, yaml_key(node, "policy"), &r->fleet->policy);
}

static void members_read(struct reading *r, const struct yaml_node *node, struct owner *owner)
{
    if (!yaml_is_list(r->problems, node))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "%s has no members, who may approve for it?", owner->name);
    owner->members = mem_array(r->fleet, const char *, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const char *s = NULL;
        if (grammar_text(r->problems, node->items[i], GRAMMAR_SIGNER, &s))
            owner->members[owner->member_count++] = mem_text(r->fleet, s);
    }
    /* A team that was not read well is not called too small as well. */
    if (owner->member_count < node->count)
        owner->member_count = 0;
    words_unique(r->problems, node);
}

static int by_owner(const void *a, const void *b)
{
    return text_cmp(((const struct owner *)a)->name, ((const struct owner *)b)->name);
}

static void owners_read(struct reading *r, const struct yaml_node *node)
{
    struct fleet *fleet = r->fleet;
    if (!yaml_is_map(r->problems, node))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "owners: name at least one team and its members");
    fleet->owners = mem_array(fleet, struct owner, node->count);
    for (size_t i = 0; i < node->count; i++) {
        struct owner *owner = &fleet->owners[fleet->owner_count++];
        owner->name = mem_text(fleet, node->keys[i]->text);
        owner->line = node->keys[i]->line;
        grammar_key(r->problems, node->keys[i], GRAMMAR_NAME);
        if (!yaml_is_map(r->problems, node->items[i]))
            continue;
        yaml_known(r->problems, node->items[i], KEYS("members"));
        members_read(r, yaml_must(r->problems, node->items[i], "members"), owner);
    }
    qsort(fleet->owners, fleet->owner_count, sizeof(*fleet->owners), by_owner);
}

static void environments_read(struct reading *r, const struct yaml_node *node)
{
    struct fleet *fleet = r->fleet;
    if (!yaml_is_list(r->problems, node))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "environments: name at least one, such as production");
    fleet->environments = mem_array(fleet, const char *, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const char *s = NULL;
        if (grammar_text(r->problems, node->items[i], GRAMMAR_NAME, &s))
            fleet->environments[fleet->environment_count++] = mem_text(fleet, s);
    }
    words_unique(r->problems, node);
}

static int by_service(const void *a, const void *b)
{
    return text_cmp(((const struct service *)a)->name, ((const struct service *)b)->name);
}

static void services_read(struct reading *r, const struct yaml_node *node)
{
    struct fleet *fleet = r->fleet;
    if (!yaml_is_map(r->problems, node))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "services: name at least one");
    fleet->services = mem_array(fleet, struct service, node->count);
    for (size_t i = 0; i < node->count; i++)
        service_read(r, node->keys[i], node->items[i], &fleet->services[fleet->service_count++]);
    qsort(fleet->services, fleet->service_count, sizeof(*fleet->services), by_service);
}

static void llm_read(struct reading *r, const struct yaml_node *node)
{
    struct fleet_llm *llm = &r->fleet->llm;
    const char *s = NULL;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("provider", "base_url", "model", "api_key_env", "timeout"));
    if (grammar_text(r->problems, yaml_must(r->problems, node, "provider"), GRAMMAR_NAME, &s))
        llm->provider = mem_text(r->fleet, s);
    if (grammar_text(r->problems, yaml_key(node, "base_url"), GRAMMAR_URL, &s))
        llm->base_url = mem_text(r->fleet, s);
    if (yaml_text(r->problems, yaml_key(node, "model"), &s))
        llm->model = mem_text(r->fleet, s);
    if (grammar_text(r->problems, yaml_key(node, "api_key_env"), GRAMMAR_VARIABLE, &s))
        llm->api_key_env = mem_text(r->fleet, s);
    const struct yaml_node *timeout = yaml_key(node, "timeout");
    if (yaml_duration(r->problems, timeout, &llm->timeout_ms) && llm->timeout_ms == 0)
        yaml_complain(r->problems, timeout, "timeout: nothing answers in no time, write 60s");
}

static void header_read(struct reading *r, const struct yaml_node *root)
{
    int64_t version = 0;
    const char *s = NULL;
    yaml_known(r->problems, root,
               KEYS("version", "fleet", "defaults", "owners", "environments", "services",
                    "allowed_signers", "llm"));
    yaml_int(r->problems, yaml_must(r->problems, root, "version"), 1, 1, &version);
    if (grammar_text(r->problems, yaml_must(r->problems, root, "fleet"), GRAMMAR_NAME, &s))
        r->fleet->name = mem_text(r->fleet, s);
    const char *signers = "allowed_signers";
    grammar_text(r->problems, yaml_key(root, "allowed_signers"), GRAMMAR_PATH, &signers);
    r->fleet->allowed_signers = file_path_from(r->fleet, r->fleet->folder, signers);
}

static void manifest_read(struct reading *r, const struct yaml_node *root)
{
    if (!yaml_is_map(r->problems, root))
        return;
    header_read(r, root);
    defaults_read(r, yaml_key(root, "defaults"));
    owners_read(r, yaml_must(r->problems, root, "owners"));
    environments_read(r, yaml_must(r->problems, root, "environments"));
    services_read(r, yaml_must(r->problems, root, "services"));
    llm_read(r, yaml_key(root, "llm"));
    crosscheck(r);
}

bool fleet_load(const void *ctx, const char *path, struct fleet **out, const char **problems,
                struct error *err)
{
    SCOPE(tmp);
    struct yaml_problems list = yaml_problems_for(tmp, path);
    struct fleet *fleet = mem_new(tmp, struct fleet);
    fleet->path = mem_text(fleet, path);
    fleet->folder = file_folder(fleet, path);
    policy_defaults(&fleet->policy);
    struct reading reading = { .fleet = fleet, .problems = &list };
    struct yaml_node *root = yaml_load(tmp, path, YAML_FILE_BYTES, &list);
    if (root)
        manifest_read(&reading, root);
    if (!yaml_problems_none(&list, err)) {
        if (problems)
            *problems = yaml_problems_text(ctx, &list);
        return false;
    }
    talloc_free(reading.mentions);
    talloc_free(reading.claims);
    *out = mem_give(ctx, fleet);
    return true;
}
