#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/manifest/reading.h"

enum {
    LOCK_BUDGET_MS = 200,
    LOCK_TIMEOUT_MS = 150,
    LOCK_MOST_MS = 60 * 1000, /* longer is an outage, not a budget */
    APPROVALS_MOST = 100,
};

void policy_defaults(struct fleet_policy *policy)
{
    *policy = (struct fleet_policy){
        .lock_budget_ms = LOCK_BUDGET_MS,
        .lock_timeout_ms = LOCK_TIMEOUT_MS,
        .rehearse = REHEARSE_REQUIRED,
        .need_expand = 1,
        .need_migrate = 1,
        .need_contract = 2,
        .need_destructive = 2,
        .on_failure = ON_FAILURE_STOP,
    };
}

static void need_read(struct reading *r, const struct yaml_node *approvals, const char *key,
                      int *need)
{
    int64_t n = 0;
    if (yaml_int(r->problems, yaml_key(approvals, key), 0, APPROVALS_MOST, &n))
        *need = (int)n;
}

static void approvals_read(struct reading *r, const struct yaml_node *node,
                           struct fleet_policy *policy)
{
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("expand", "migrate", "contract", "destructive"));
    need_read(r, node, "expand", &policy->need_expand);
    need_read(r, node, "migrate", &policy->need_migrate);
    need_read(r, node, "contract", &policy->need_contract);
    need_read(r, node, "destructive", &policy->need_destructive);
}

static bool lock_read(struct reading *r, const struct yaml_node *node, int64_t *ms)
{
    int64_t n = 0;
    if (!yaml_duration(r->problems, node, &n))
        return false;
    if (n < 1 || n > LOCK_MOST_MS) {
        yaml_complain(r->problems, node, "%s: %s is out of range, use 1ms to 60s", node->name,
                      node->text);
        return false;
    }
    *ms = n;
    return true;
}

static void locks_read(struct reading *r, const struct yaml_node *node, struct fleet_policy *policy)
{
    const struct yaml_node *timeout = yaml_key(node, "lock_timeout");
    const struct yaml_node *budget = yaml_key(node, "lock_budget");
    bool has_budget = lock_read(r, budget, &policy->lock_budget_ms);
    bool has_timeout = lock_read(r, timeout, &policy->lock_timeout_ms);
    if (policy->lock_timeout_ms <= policy->lock_budget_ms)
        return;
    if (has_timeout)
        yaml_complain(r->problems, timeout,
                      "lock_timeout: %s is longer than the lock_budget of %lldms, shorten it",
                      timeout->text, (long long)policy->lock_budget_ms);
    else if (has_budget) /* nobody asked for a timeout: the budget's share, as 150 of 200 is */
        policy->lock_timeout_ms = (policy->lock_budget_ms * 3 + 3) / 4;
}

void policy_read(struct reading *r, const struct yaml_node *node, struct fleet_policy *policy)
{
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(
        r->problems, node,
        KEYS("lock_budget", "lock_timeout", "rehearse", "approvals", "auto_promote", "on_failure"));
    locks_read(r, node, policy);
    int word = 0;
    if (yaml_one_of(r->problems, yaml_key(node, "rehearse"), KEYS("required", "optional", "off"),
                    &word))
        policy->rehearse = (enum rehearse)word;
    if (yaml_one_of(r->problems, yaml_key(node, "on_failure"), KEYS("stop", "pause", "compensate"),
                    &word))
        policy->on_failure = (enum on_failure)word;
    yaml_bool(r->problems, yaml_key(node, "auto_promote"), &policy->auto_promote);
    approvals_read(r, yaml_key(node, "approvals"), policy);
}

int policy_most(const struct fleet_policy *policy, const char **what)
{
    const struct {
        int need;
        const char *what;
    } all[] = { { policy->need_expand, "expand" },
                { policy->need_migrate, "migrate" },
                { policy->need_contract, "contract" },
                { policy->need_destructive, "a destructive step" } };
    int most = 0;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].need > most) {
            most = all[i].need;
            *what = all[i].what;
        }
    return most;
}
