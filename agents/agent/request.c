#include "agents/agent/request.h"

#include "agents/agent/guard.h"
#include "agents/agent/inside.h"
#include "agents/agent/journal.h"
#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

enum {
    BUDGET_DEFAULT_MS = 200,
    BUDGET_LEAST_MS = 20,
    APPROVALS_MOST = 100,
};

static bool approvals_read(struct request *r, const json_t *json, struct error *err)
{
    size_t i;
    json_t *item;
    json_t *list = NULL;
    if (!json_need_array(json, "approvals", &list, err))
        return false;
    if (json_array_size(list) > APPROVALS_MOST)
        return fail(err, ERROR_INVALID, "more than %d approvals", APPROVALS_MOST);
    r->approvals_json = json_own(r, json_incref(list));
    r->approvals = mem_array(r, struct approval, json_array_size(list));
    json_array_foreach(list, i, item) {
        if (!approval_from_json(r, item, &r->approvals[i], err))
            return fail_in(err, "approvals[%zu]", i);
        r->approval_count++;
    }
    return true;
}

static bool acks_read(struct request *r, const json_t *json, struct error *err)
{
    size_t i;
    json_t *item;
    json_t *list = json_object_get(json, "acks");
    r->acks = mem_array(r, struct work_ack, json_array_size(list));
    json_array_foreach(list, i, item) {
        const char *service = NULL;
        const char *note = NULL;
        if (!json_need_text(item, "service", &service, err) ||
            !json_may_text(item, "note", &note, err))
            return fail_in(err, "acks[%zu]", i);
        r->acks[r->ack_count++] = (struct work_ack){ mem_text(r, service), mem_text(r, note) };
    }
    return true;
}

static bool seen_read(struct request *r, const json_t *json, struct error *err)
{
    const char *name;
    json_t *steps;
    enum phase phase;
    json_t *seen = json_object_get(json, "seen");
    json_object_foreach(seen, name, steps) {
        if (!phase_from_name(name, &phase) || json_integer_value(steps) < 0)
            return fail(err, ERROR_INVALID, "field \"seen\": steps by phase");
        r->seen[phase] = json_integer_value(steps);
    }
    return true;
}

static bool options_read(struct request *r, const struct agent_config *config, const json_t *json,
                         struct error *err)
{
    const char *direction = "forward";
    const char *until = NULL;
    int64_t attempt = 1;
    r->lock_budget_ms = BUDGET_DEFAULT_MS;
    if (!json_may_text(json, "direction", &direction, err) ||
        !json_may_text(json, "until_step", &until, err) ||
        !json_may_int(json, "attempt", &attempt, err) ||
        !json_may_int(json, "lock_budget_ms", &r->lock_budget_ms, err))
        return false;
    r->back = text_eq(direction, "back");
    if (!r->back && !text_eq(direction, "forward"))
        return fail(err, ERROR_INVALID, "field \"direction\": forward or back");
    if (r->lock_budget_ms > config->policy.lock_budget_max_ms)
        r->lock_budget_ms = config->policy.lock_budget_max_ms;
    if (r->lock_budget_ms < BUDGET_LEAST_MS)
        r->lock_budget_ms = BUDGET_LEAST_MS;
    r->until = mem_text(r, until);
    const char *pieces[] = { r->rollout,        phase_name(r->part->phase),
                             r->part->service,  r->database->name,
                             direction,         mem_printf(r, "%lld", (long long)attempt),
                             until ? until : "" };
    r->run = spool_run_id(r, pieces, until ? 7 : 6);
    return true;
}

bool request_read(const void *ctx, const struct agent_config *config, const json_t *json,
                  struct request **out, struct error *err)
{
    struct request *r = mem_new(ctx, struct request);
    const char *database = NULL;
    const char *rollout = NULL;
    json_t *part = NULL;
    if (!json_need_text(json, "database", &database, err) ||
        !json_need_text(json, "rollout", &rollout, err) ||
        !json_need_int(json, "fence", &r->fence, err) ||
        !json_need_object(json, "part", &part, err) ||
        !agent_config_database(config, database, &r->database, err) ||
        !part_from_json(r, part, &r->part, err) || !approvals_read(r, json, err) ||
        !acks_read(r, json, err) || !seen_read(r, json, err))
        return false;
    r->rollout = mem_text(r, rollout);
    if (text_empty(rollout) || r->fence < 0)
        return fail(err, ERROR_INVALID, "field \"rollout\" or \"fence\" makes no sense");
    if (!options_read(r, config, json, err))
        return false;
    *out = r;
    return true;
}

/* --- admission ------------------------------------------------------------------------------ */

static bool has_instance(const struct part *part, const char *instance)
{
    for (size_t i = 0; i < part->instances.count; i++)
        if (text_eq(part->instances.items[i], instance))
            return true;
    return false;
}

static bool meant_for(const struct agent_database *database, const struct part *part,
                      struct error *err)
{
    const struct agent_serves *s = &database->serves;
    if (text_eq(s->fleet, part->fleet) && text_eq(s->environment, part->environment) &&
        text_eq(s->service, part->service) && has_instance(part, s->instance))
        return true;
    fail(err, ERROR_REFUSED,
         "database %s serves %s/%s/%s/%s; the part is for %s/%s/%s and does not name it",
         database->name, s->fleet, s->environment, s->service, s->instance, part->fleet,
         part->environment, part->service);
    return fail_hint(err, "compare `serves:` in the host's agent.yaml with the fleet's manifest");
}

static bool digest_holds(const struct part *part, struct error *err)
{
    SCOPE(tmp);
    const char *digest = NULL;
    if (!part_digest(tmp, part, &digest, err))
        return false;
    if (part->digest && !text_eq(part->digest, digest))
        return fail(err, ERROR_TAMPERED, "%s/%s: the part is not what its digest says",
                    phase_name(part->phase), part->service);
    return true;
}

bool request_admit(const struct agent_config *config, const struct request *request, bool begun,
                   struct error *err)
{
    const struct part *part = request->part;
    const struct agent_policy *policy = &config->policy;
    int need = policy->need > 1 ? policy->need : 1;
    if (part_is_grave(part) && policy->destructive_need > need)
        need = policy->destructive_need;
    if (!meant_for(request->database, part, err) || !digest_holds(part, err) ||
        !part_stays_inside(part, false, err))
        return false;
    if (!config->allowed_signers) {
        fail(err, ERROR_UNSIGNED, "this host trusts no signer");
        return fail_hint(err, "name a file of trusted keys as allowed_signers in agent.yaml");
    }
    struct approval_rule rule = { .allowed_signers = config->allowed_signers,
                                  .who = &request->database->approvers,
                                  .need = need,
                                  .ttl_ms = begun || request->back ? 0 : policy->approval_ttl_ms,
                                  .now_ms = clock_wall_ms(),
                                  .author = part->author };
    return approvals_suffice(part, request->approvals, request->approval_count, &rule, err);
}

/* Going on by a journal that forgot would undo nothing and call it undone, or contract what was
 * never expanded. */
static bool journal_knows(struct connection *db, const struct request *request, struct error *err)
{
    for (int i = 0; i < PHASE_COUNT; i++) {
        const char *phase = phase_name((enum phase)i);
        int64_t known = 0;
        bool present = false;
        if (request->seen[i] == 0)
            continue;
        if (!journal_present(db, &present, err) ||
            (present && !journal_steps(db, request->rollout, phase, &known, err)))
            return false;
        if (known >= request->seen[i])
            continue;
        return fail(err, ERROR_JOURNAL,
                    "%s: %lld steps of %s were carried out by rollout %s, of which it tells %lld; "
                    "nothing was done",
                    present ? "its journal (schema flotilla) has been emptied, or the database is "
                              "an older copy"
                            : "its journal (schema flotilla) is missing",
                    (long long)request->seen[i], phase, request->rollout, (long long)known);
    }
    return true;
}

bool request_begun(struct connection *db, const struct request *request, bool *begun,
                   struct error *err)
{
    SCOPE(tmp);
    struct journal_part row;
    const char *digest = NULL;
    const char *phase = phase_name(request->part->phase);
    if (!guard_check_fence(db, request->fence, err) || !journal_knows(db, request, err) ||
        !journal_part_read(tmp, db, request->rollout, phase, &row, err) ||
        !part_digest(tmp, request->part, &digest, err))
        return fail_in(err, "database %s", request->database->name);
    *begun = row.found && text_eq(row.digest, digest);
    if (row.found && !*begun && request->back) {
        fail(err, ERROR_TAMPERED, "database %s: phase %s was carried out in another form",
             request->database->name, phase);
        return fail_hint(err, "roll back with the plan that was started");
    }
    return true;
}
