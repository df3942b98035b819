#include "controller/rollout/gate.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/approvals.h"
#include "controller/rollout/evidence.h"

enum { ACKS_NAMED = 3 }; /* commands on one line; more are not read */

/* --- signatures ---------------------------------------------------------------------------- */

struct approval_list {
    struct approval *items;
    size_t count;
};

static void list_add(const void *ctx, struct approval_list *list, const struct approval *approval)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_eq(list->items[i].signature, approval->signature))
            return;
    list->items = mem_room(ctx, list->items, struct approval, list->count + 1);
    list->items[list->count++] = (struct approval){
        .signer = mem_text(ctx, approval->signer),
        .signed_at = mem_text(ctx, approval->signed_at),
        .signature = mem_text(ctx, approval->signature),
    };
}

/* None where there is no state yet. */
static bool words_of(const void *ctx, const struct gate_source *source, enum store_words kind,
                     const char *plan, struct store_word **out, size_t *count, struct error *err)
{
    *count = 0;
    return !source->store || store_words(ctx, source->store, kind, plan, out, count, err);
}

static bool from_store(const void *ctx, const struct gate_source *source, const struct part *part,
                       const char *digest, struct approval_list *list, struct error *err)
{
    struct store_word *words = NULL;
    size_t count = 0;
    if (!words_of(ctx, source, STORE_APPROVALS, part->plan, &words, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (text_eq(words[i].digest, digest))
            list_add(ctx, list,
                     &(struct approval){ words[i].who, words[i].signed_at, words[i].text });
    return true;
}

bool gate_approvals(const void *ctx, const struct gate_source *source, const struct part *part,
                    struct approval **out, size_t *count, struct error *err)
{
    struct approval_list list = { 0 };
    const char *digest = NULL;
    if (!part_digest(ctx, part, &digest, err) || !from_store(ctx, source, part, digest, &list, err))
        return false;
    SCOPE(tmp);
    struct approval *files = NULL;
    size_t file_count = plan_approvals_of(tmp, source->plan_path, part, &files);
    for (size_t i = 0; i < file_count; i++)
        list_add(ctx, &list, &files[i]);
    *out = list.items;
    *count = list.count;
    return true;
}

/* What the plan says, or the manifest where it asks for more: nobody lowers the bar in a plan file.
 */
static int signatures_needed(const struct fleet_policy *policy, const struct part *part)
{
    const int of_phase[] = { policy->need_expand, policy->need_migrate, policy->need_contract };
    int need = part->approvals_need;
    if (of_phase[part->phase] > need)
        need = of_phase[part->phase];
    if (part_is_grave(part) && policy->need_destructive > need)
        need = policy->need_destructive;
    return need == 0 && part_unknown(part) ? 1 : need;
}

static bool look_at_signatures(const void *ctx, const struct gate_source *source,
                               const struct part *part, struct gate_facts *facts, struct error *err)
{
    struct approval *approvals = NULL;
    size_t count = 0;
    struct service *service = fleet_service(source->fleet, part->service);
    if (!service)
        return fail(err, ERROR_NOT_FOUND, "the manifest has no service %s any more", part->service);
    int need = signatures_needed(&service->policy, part);
    if (need == 0)
        return true;
    if (!gate_approvals(ctx, source, part, &approvals, &count, err))
        return false;
    struct step_texts who = { 0 };
    const char *const *people = NULL;
    size_t n = service_approvers(ctx, source->fleet, service, &people);
    for (size_t i = 0; i < n; i++)
        step_texts_add(ctx, &who, people[i]);
    struct approval_rule rule = {
        .allowed_signers = source->fleet->allowed_signers,
        .who = &who,
        .need = need,
        .ttl_ms = 0, /* how old they may be is each host's own word: approval_ttl in agent.yaml */
        .now_ms = source->now_ms,
        .author = part->author,
    };
    struct error why;
    if (!approvals_suffice(part, approvals, count, &rule, &why))
        step_texts_add(ctx, &facts->unsigned_parts, why.message);
    return true;
}

/* --- words --------------------------------------------------------------------------------- */

static bool look_at_rejections(const void *ctx, const struct gate_source *source,
                               const struct part *part, struct gate_facts *facts, struct error *err)
{
    struct store_word *words = NULL;
    size_t count = 0;
    const char *digest = NULL;
    if (!part_digest(ctx, part, &digest, err) ||
        !words_of(ctx, source, STORE_REJECTIONS, part->plan, &words, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (text_eq(words[i].digest, digest))
            step_texts_add(ctx, &facts->rejected,
                           mem_printf(ctx, "%s of %s was rejected by %s: %s", words[i].phase,
                                      words[i].service, words[i].who, words[i].text));
    return true;
}

static bool in_texts(const struct step_texts *list, const char *s)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_eq(list->items[i], s))
            return true;
    return false;
}

void gate_acknowledgers(const void *ctx, const struct plan *plan, enum phase phase,
                        struct step_texts *out)
{
    for (size_t i = 0; i < plan->phases[phase].count; i++) {
        const struct part *part = plan->phases[phase].parts[i];
        for (size_t k = 0; k < part->step_count; k++)
            if (part->steps[k].kind == STEP_ACKNOWLEDGE && !in_texts(out, part->steps[k].from))
                step_texts_add(ctx, out, part->steps[k].from);
    }
}

static bool look_at_acks(const void *ctx, const struct gate_source *source,
                         const struct rollout *rollout, enum phase phase, struct gate_facts *facts,
                         struct error *err)
{
    struct step_texts needed = { 0 };
    struct store_word *words = NULL;
    size_t count = 0;
    gate_acknowledgers(ctx, rollout->plan, phase, &needed);
    if (!words_of(ctx, source, STORE_ACKS, rollout->plan->id, &words, &count, err))
        return false;
    for (size_t i = 0; i < needed.count; i++) {
        bool there = false;
        for (size_t k = 0; k < count && !there; k++)
            there = text_eq(words[k].service, needed.items[i]);
        if (!there)
            step_texts_add(ctx, &facts->unacknowledged, needed.items[i]);
    }
    return true;
}

static void look_at_evidence(const void *ctx, const struct gate_source *source,
                             const struct part *part, struct gate_facts *facts)
{
    const struct service *service = fleet_service(source->fleet, part->service);
    enum rehearse policy = service ? service->policy.rehearse : source->fleet->policy.rehearse;
    for (size_t i = 0; policy == REHEARSE_REQUIRED && i < part->instances.count; i++)
        if (!evidence_holds(source->plan_path, part, part->instances.items[i]))
            step_texts_add(ctx, &facts->unrehearsed,
                           mem_printf(ctx, "%s of %s on %s", phase_name(part->phase), part->service,
                                      part->instances.items[i]));
}

bool gate_look(const void *ctx, const struct gate_source *source, const struct rollout *rollout,
               enum phase phase, struct gate_facts *out, struct error *err)
{
    *out = (struct gate_facts){ 0 };
    for (size_t i = 0; i < rollout->plan->phases[phase].count; i++) {
        const struct part *part = rollout->plan->phases[phase].parts[i];
        if (!look_at_signatures(ctx, source, part, out, err) ||
            !look_at_rejections(ctx, source, part, out, err))
            return false;
        look_at_evidence(ctx, source, part, out);
        out->unknown = out->unknown ? out->unknown : part_unknown(part);
    }
    out->needs_promote =
        out->unknown || (phase == PHASE_CONTRACT && !source->fleet->policy.auto_promote);
    return look_at_acks(ctx, source, rollout, phase, out, err);
}

/* --- the decision -------------------------------------------------------------------------- */

static const char *joined(const void *ctx, const struct step_texts *list, const char *between)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < list->count; i++)
        text_addf(&t, "%s%s", i ? between : "", list->items[i]);
    return t.data;
}

/* The commands that give the words. PLAN stands for a path that only the caller knows. */
static const char *acks_text(const void *ctx, const struct step_texts *services)
{
    struct text t = text_init(ctx, TEXT_LINE);
    if (services->count > ACKS_NAMED)
        return "`flotilla ack SERVICE --plan PLAN` for each of them,";
    for (size_t i = 0; i < services->count; i++)
        text_addf(&t, "%s`flotilla ack %s --plan PLAN`", i ? ", " : "", services->items[i]);
    return t.data;
}

bool gate_open(const void *ctx, const struct rollout *rollout, enum phase phase,
               const struct gate_facts *facts, const char **why, const char **hint)
{
    const char *name = phase_name(phase);
    *why = *hint = NULL;
    if ((int)phase > rollout->until) {
        *why = mem_printf(ctx, "stopped before %s, as asked with --until", name);
        *hint = mem_printf(ctx, "`flotilla resume %s` goes on", rollout->id);
    } else if (facts->rejected.count) {
        *why = joined(ctx, &facts->rejected, "; ");
        *hint = "the same person withdraws it (`flotilla reject --withdraw`), or draft that part "
                "anew";
    } else if (facts->unrehearsed.count) {
        *why = mem_printf(ctx, "not rehearsed: %s", joined(ctx, &facts->unrehearsed, ", "));
        *hint = "`flotilla rehearse PLAN` proves it on clones";
    } else if (facts->unsigned_parts.count) {
        *why = joined(ctx, &facts->unsigned_parts, "; ");
        *hint = mem_printf(ctx,
                           "`flotilla approve PLAN --as NAME --phase %s`, then `flotilla "
                           "resume %s`",
                           name, rollout->id);
    } else if (facts->unacknowledged.count) {
        *why = mem_printf(ctx, "%s waits for the word of %s", name,
                          joined(ctx, &facts->unacknowledged, ", "));
        *hint = mem_printf(ctx, "%s once what is deployed there lives with the new shape",
                           acks_text(ctx, &facts->unacknowledged));
    } else if (facts->needs_promote && rollout->promoted < (int)phase) {
        *why = facts->unknown
                   ? mem_printf(ctx, "%s waits for promote: step %s could not be analysed", name,
                                facts->unknown->id)
                   : mem_printf(ctx, "%s waits for promote", name);
        *hint = mem_printf(ctx, "`flotilla promote %s`", rollout->id);
    }
    return *why == NULL;
}
