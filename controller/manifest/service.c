#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/grammar.h"
#include "controller/manifest/reading.h"

static void owner_check(struct reading *r, const struct yaml_node *node)
{
    const struct fleet *fleet = r->fleet;
    if (node->type != YAML_TEXT || fleet->owner_count == 0 || fleet_owner(fleet, node->text))
        return;
    SCOPE(tmp);
    size_t count = yaml_worth_searching(r->problems, fleet->owner_count);
    const char **names = mem_array(tmp, const char *, count);
    for (size_t i = 0; i < count; i++)
        names[i] = fleet->owners[i].name;
    const char *near = text_nearest(node->text, names, count);
    const char *shown = text_printable(tmp, node->text);
    if (near)
        yaml_complain(r->problems, node, "there is no owner \"%s\", did you mean \"%s\"?", shown,
                      near);
    else
        yaml_complain(r->problems, node, "there is no owner \"%s\", add it to owners", shown);
}

static void owners_read(struct reading *r, const struct yaml_node *node, struct service *service)
{
    if (!yaml_texts(r->fleet, r->problems, node, &service->owners, &service->owner_count))
        return;
    if (node->count == 0)
        yaml_complain(r->problems, node, "%s has no owner, who may approve its changes?",
                      service->name);
    for (size_t i = 0; i < node->count; i++) {
        owner_check(r, node->items[i]);
        service->owners[i] = mem_text(r->fleet, service->owners[i]);
    }
    words_unique(r->problems, node);
}

/* How many different people may sign for the service, counted up to `most`. Minus one when that
 * cannot be told because an owner was not read well. */
static int people_count(const struct fleet *fleet, const struct service *service, int most)
{
    SCOPE(tmp);
    const char **seen = mem_array(tmp, const char *, (size_t)most);
    int count = 0;
    for (size_t i = 0; i < service->owner_count; i++) {
        const struct owner *owner = fleet_owner(fleet, service->owners[i]);
        if (!owner || owner->member_count == 0)
            return -1;
        for (size_t k = 0; k < owner->member_count && count < most; k++) {
            bool known = false;
            for (int s = 0; s < count && !known; s++)
                known = text_eq(seen[s], owner->members[k]);
            if (!known)
                seen[count++] = owner->members[k];
        }
    }
    return count;
}

/* A gate that can never open. */
static void team_check(struct reading *r, const struct yaml_node *node,
                       const struct service *service)
{
    const char *what = NULL;
    int need = policy_most(&service->policy, &what);
    int have = people_count(r->fleet, service, need);
    if (!node || service->owner_count == 0 || have < 0 || have >= need)
        return;
    SCOPE(tmp);
    struct text teams = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < service->owner_count; i++)
        text_addf(&teams, "%s%s", i ? " and " : "", service->owners[i]);
    yaml_complain(r->problems, node,
                  "%s of %s needs %d approvals, but %s ha%s %d member%s, add members or ask for "
                  "fewer under policy: approvals",
                  what, service->name, need, teams.data, service->owner_count > 1 ? "ve" : "s",
                  have, have == 1 ? "" : "s");
}

static void health_read(struct reading *r, const struct yaml_node *node, struct service *service)
{
    const char *s = NULL;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("sql", "http"));
    if (yaml_text(r->problems, yaml_key(node, "sql"), &s))
        service->health_sql = mem_text(r->fleet, s);
    if (grammar_text(r->problems, yaml_key(node, "http"), GRAMMAR_URL, &s))
        service->health_http = mem_text(r->fleet, s);
}

void service_read(struct reading *r, const struct yaml_node *key, const struct yaml_node *node,
                  struct service *service)
{
    service->name = mem_text(r->fleet, key->text);
    service->line = key->line;
    service->policy = r->fleet->policy;
    grammar_key(r->problems, key, GRAMMAR_NAME);
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node,
               KEYS("owners", "instances", "health", "references", "consumes", "policy", "ssh",
                    "transport", "agent_config", "agent_command"));
    struct access access = r->access;
    access_read(r, node, &access);
    const struct yaml_node *owners = yaml_must(r->problems, node, "owners");
    policy_read(r, yaml_key(node, "policy"), &service->policy);
    owners_read(r, owners, service);
    team_check(r, owners, service);
    instances_read(r, yaml_must(r->problems, node, "instances"), service, &access);
    health_read(r, yaml_key(node, "health"), service);
    references_read(r, yaml_key(node, "references"), service);
    consumes_read(r, yaml_key(node, "consumes"), service);
}
