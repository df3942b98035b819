#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/grammar.h"
#include "controller/manifest/reading.h"

enum { SSH_PORT = 22 };

static void copy(struct reading *r, const struct yaml_node *node, enum grammar form,
                 const char **out)
{
    const char *s = NULL;
    if (grammar_text(r->problems, node, form, &s))
        *out = mem_text(r->fleet, s);
}

static bool is_environment(const struct fleet *fleet, const char *name)
{
    for (size_t i = 0; i < fleet->environment_count; i++)
        if (text_eq(fleet->environments[i], name))
            return true;
    return fleet->environment_count == 0; /* which is an error of its own */
}

/* What the transport cannot do without, and what it has no use for. */
static void transport_check(struct reading *r, const struct yaml_node *node,
                            const struct instance *instance)
{
    bool local = instance->transport == TRANSPORT_LOCAL;
    if (!local && !yaml_key(node, "host"))
        yaml_complain(r->problems, node, "%s: \"host\" is missing, add it",
                      instance->name ? instance->name : node->name);
    if (local && !instance->agent_config)
        yaml_complain(r->problems, node,
                      "%s: transport: local needs \"agent_config\", the path of an agent.yaml",
                      instance->name ? instance->name : node->name);
    const struct yaml_node *config = yaml_key(node, "agent_config");
    if (!local && config)
        yaml_complain(r->problems, config,
                      "agent_config: is for transport: local only, a host's agent has its own");
}

/* Two spellings of one host: DNS knows no capitals. */
static const char *folded(const void *ctx, const char *host)
{
    char *s = host ? talloc_strdup(ctx, host) : NULL;
    for (char *p = s; p && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return s;
}

static void claims_add(struct reading *r, const struct yaml_node *node,
                       const struct instance *instance)
{
    const void *ctx = r->fleet;
    bool local = instance->transport == TRANSPORT_LOCAL;
    const char *where = local ? instance->agent_config : folded(ctx, instance->host);
    if (!instance->name)
        return;
    claim_add(r, yaml_key(node, "name"),
              mem_printf(ctx, "the name %s of %s in %s", instance->name, instance->service,
                         instance->environment));
    /* The port is left out: two sshds of one host lead to the same agent.yaml. */
    if (where && instance->agent_database)
        claim_add(r, node,
                  mem_printf(ctx, "the database %s on %s", instance->agent_database, where));
}

static void port_read(struct reading *r, const struct yaml_node *node, struct access *access)
{
    int64_t port = 0;
    const struct yaml_node *flat = yaml_key(node, "port");
    if (flat && yaml_key(yaml_key(node, "ssh"), "port"))
        yaml_complain(r->problems, flat, "port: is here and under ssh, keep one of them");
    if (yaml_int(r->problems, flat, 1, 65535, &port))
        access->port = (int)port;
}

static void instance_read(struct reading *r, const struct yaml_node *node,
                          const struct access *defaults, struct instance *instance)
{
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node,
               KEYS("name", "host", "port", "agent_database", "transport", "agent_config",
                    "agent_command", "ssh"));
    struct access access = *defaults;
    access_read(r, node, &access);
    port_read(r, node, &access);
    instance->line = node->line;
    instance->transport = access.transport;
    instance->identity = access.identity;
    instance->push_identity = access.push_identity;
    instance->known_hosts = access.known_hosts;
    instance->agent_config = access.transport == TRANSPORT_LOCAL ? access.agent_config : NULL;
    instance->agent_command = access.agent_command ? access.agent_command : "flotilla-agent";
    bool ssh = access.transport == TRANSPORT_SSH;
    instance->user = access.user || !ssh ? access.user : "flotilla";
    instance->port = access.port || !ssh ? access.port : SSH_PORT;
    copy(r, yaml_must(r->problems, node, "name"), GRAMMAR_NAME, &instance->name);
    copy(r, yaml_key(node, "host"), GRAMMAR_HOST, &instance->host);
    instance->agent_database = instance->service;
    copy(r, yaml_key(node, "agent_database"), GRAMMAR_DATABASE, &instance->agent_database);
    transport_check(r, node, instance);
    if (access.transport == TRANSPORT_LOCAL)
        instance->host = NULL;
    claims_add(r, node, instance);
}

static void environment_read(struct reading *r, const struct yaml_node *key,
                             const struct yaml_node *list, struct service *service,
                             const struct access *access)
{
    if (grammar_key(r->problems, key, GRAMMAR_NAME) && !is_environment(r->fleet, key->text)) {
        const char *near =
            text_nearest(key->text, r->fleet->environments,
                         yaml_worth_searching(r->problems, r->fleet->environment_count));
        yaml_complain(r->problems, key, "there is no environment \"%s\"%s%s%s", key->text,
                      near ? ", did you mean \"" : ", add it to environments", near ? near : "",
                      near ? "\"?" : "");
    }
    if (!yaml_is_list(r->problems, list))
        return;
    if (list->count == 0)
        yaml_complain(r->problems, list, "%s has no instance, add one or leave the key out",
                      key->text);
    const char *environment = mem_text(r->fleet, key->text);
    for (size_t i = 0; i < list->count; i++) {
        service->instances =
            mem_room(r->fleet, service->instances, struct instance, service->instance_count + 1);
        struct instance *instance = &service->instances[service->instance_count];
        instance->service = service->name;
        instance->environment = environment;
        instance_read(r, list->items[i], access, instance);
        service->instance_count++;
    }
}

void instances_read(struct reading *r, const struct yaml_node *node, struct service *service,
                    const struct access *access)
{
    if (!yaml_is_map(r->problems, node))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "instances: name an environment and its instances");
    for (size_t i = 0; i < node->count; i++)
        environment_read(r, node->keys[i], node->items[i], service, access);
}
