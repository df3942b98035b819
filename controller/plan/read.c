#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/file.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/private.h"

enum { ID_MOST = 64 };

static void text_copy(struct plan_reading *r, const struct yaml_node *root, const char *key,
                      const char **out)
{
    const char *s = NULL;
    if (yaml_text(r->problems, yaml_must(r->problems, root, key), &s))
        *out = mem_text(r->plan, s);
}

static void header_read(struct plan_reading *r, const struct yaml_node *root)
{
    static const char id_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    struct plan *plan = r->plan;
    int64_t version = 0;
    yaml_int(r->problems, yaml_must(r->problems, root, "flotilla_plan"), PLAN_VERSION, PLAN_VERSION,
             &version);
    text_copy(r, root, "id", &plan->id);
    if (plan->id && (strlen(plan->id) > ID_MOST || strspn(plan->id, id_set) != strlen(plan->id)))
        yaml_complain(r->problems, yaml_key(root, "id"), "id: is up to %d letters, digits, _ and -",
                      ID_MOST);
    text_copy(r, root, "title", &plan->title);
    text_copy(r, root, "author", &plan->author);
    text_copy(r, root, "fleet", &plan->fleet);
    text_copy(r, root, "environment", &plan->environment);
    text_copy(r, root, "digest", &plan->digest);
    const struct yaml_node *change = yaml_must(r->problems, root, "change");
    SCOPE(tmp);
    json_t *json = yaml_is_map(r->problems, change) ? yaml_to_json(tmp, r->problems, change) : NULL;
    if (json)
        plan->change = json_compact(plan, json);
}

static void finding_read(struct plan_reading *r, const struct yaml_node *node,
                         struct plan_finding *out)
{
    int severity = 0;
    const char *texts[5] = { NULL };
    static const char *const keys[] = { "rule", "message", "service", "step", "hint" };
    static const char *const severities[] = { "error", "warning", "info" };
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("rule", "severity", "service", "step", "message", "hint"));
    for (int i = 0; i < 5; i++) {
        const struct yaml_node *value =
            i < 2 ? yaml_must(r->problems, node, keys[i]) : yaml_key(node, keys[i]);
        yaml_text(r->problems, value, &texts[i]);
        texts[i] = mem_text(r->plan, texts[i]);
    }
    yaml_one_of(r->problems, yaml_must(r->problems, node, "severity"), severities, 3, &severity);
    *out = (struct plan_finding){ texts[0], severities[severity], texts[2], texts[3], texts[1],
                                  texts[4] };
}

static void findings_read(struct plan_reading *r, const struct yaml_node *node)
{
    if (!yaml_is_list(r->problems, node))
        return;
    r->plan->findings = mem_array(r->plan, struct plan_finding, node->count);
    for (size_t i = 0; i < node->count; i++)
        finding_read(r, node->items[i], &r->plan->findings[r->plan->finding_count++]);
}

static void discharge_read(struct plan_reading *r, const struct yaml_node *node,
                           struct plan_discharge *out)
{
    const char *texts[4] = { NULL };
    static const char *const keys[] = { "step", "rule", "by", "proof" };
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("step", "back", "rule", "by", "proof"));
    for (int i = 0; i < 4; i++) {
        const struct yaml_node *value =
            i < 3 ? yaml_must(r->problems, node, keys[i]) : yaml_key(node, keys[i]);
        yaml_text(r->problems, value, &texts[i]);
        texts[i] = mem_text(r->plan, texts[i]);
    }
    yaml_bool(r->problems, yaml_key(node, "back"), &out->back);
    out->step = texts[0];
    out->rule = texts[1];
    out->by = texts[2];
    out->proof = texts[3];
}

static void discharged_read(struct plan_reading *r, const struct yaml_node *node)
{
    if (!node || !yaml_is_list(r->problems, node))
        return;
    r->plan->discharged = mem_array(r->plan, struct plan_discharge, node->count);
    for (size_t i = 0; i < node->count; i++)
        discharge_read(r, node->items[i], &r->plan->discharged[r->plan->discharged_count++]);
}

/* A phase whose name is wrong is read on as what its place makes likely: the errors within it are
 * wanted in the same run. */
static void phase_read(struct plan_reading *r, const struct yaml_node *node, size_t place)
{
    int phase = place < PHASE_COUNT ? (int)place : 0;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("phase", "services"));
    const struct yaml_node *name = yaml_must(r->problems, node, "phase");
    const struct yaml_node *services = yaml_must(r->problems, node, "services");
    yaml_one_of(r->problems, name, KEYS("expand", "migrate", "contract"), &phase);
    if (!yaml_is_list(r->problems, services))
        return;
    struct plan_phase *to = &r->plan->phases[phase];
    if (to->count > 0 && name)
        yaml_complain(r->problems, name, "the phase %s is here twice, join the two",
                      phase_name((enum phase)phase));
    for (size_t i = 0; i < services->count; i++) {
        struct part *part = plan_part_read(r, (enum phase)phase, services->items[i]);
        if (!part)
            continue;
        to->parts = mem_room(r->plan, to->parts, struct part *, to->count + 1);
        to->parts[to->count++] = part;
    }
}

/* Of another version nothing else can be said. */
static bool is_ours(struct plan_reading *r, const struct yaml_node *root)
{
    const struct yaml_node *version = yaml_key(root, "flotilla_plan");
    if (!version || version->type != YAML_INT || text_eq(version->text, "1"))
        return true;
    SCOPE(tmp);
    yaml_complain(r->problems, version,
                  "the plan is of version %s, this flotilla reads version %d: use the one that "
                  "drafted it, or draft it again",
                  text_printable(tmp, version->text), PLAN_VERSION);
    return false;
}

static void plan_read(struct plan_reading *r, const struct yaml_node *root)
{
    if (!yaml_is_map(r->problems, root) || !is_ours(r, root))
        return;
    yaml_known(r->problems, root,
               KEYS("flotilla_plan", "id", "title", "author", "change", "fleet", "environment",
                    "phases", "digest", "findings", "discharged"));
    header_read(r, root);
    const struct yaml_node *phases = yaml_must(r->problems, root, "phases");
    if (yaml_is_list(r->problems, phases))
        for (size_t i = 0; i < phases->count; i++)
            phase_read(r, phases->items[i], i);
    findings_read(r, yaml_key(root, "findings"));
    discharged_read(r, yaml_key(root, "discharged"));
}

/* --- digests --------------------------------------------------------------------------------- */

/* The node of a part's digest, for the place of an error. */
static const struct yaml_node *digest_node(const struct yaml_node *root, const struct part *part)
{
    const struct yaml_node *phases = yaml_key(root, "phases");
    for (size_t p = 0; phases && p < phases->count; p++) {
        const struct yaml_node *services = yaml_key(phases->items[p], "services");
        if (!text_eq(yaml_key(phases->items[p], "phase")->text, phase_name(part->phase)))
            continue;
        for (size_t i = 0; services && i < services->count; i++)
            if (text_eq(yaml_key(services->items[i], "service")->text, part->service))
                return yaml_key(services->items[i], "digest");
    }
    return root;
}

static void part_verify(struct plan_reading *r, const struct yaml_node *root,
                        const struct part *part)
{
    SCOPE(tmp);
    struct error err;
    const char *digest = NULL;
    if (!part_digest(tmp, part, &digest, &err))
        yaml_complain(r->problems, digest_node(root, part), "%s", err.message);
    else if (!text_eq(digest, part->digest))
        yaml_complain(r->problems, digest_node(root, part),
                      "%s of %s is not what its digest says, somebody changed it: take the file "
                      "that was signed, or draft it again",
                      phase_name(part->phase), part->service);
}

/* Digests of a plan that reads well; false when one is wrong. */
static bool plan_verify(struct plan_reading *r, const struct yaml_node *root)
{
    SCOPE(tmp);
    const struct plan *plan = r->plan;
    struct error err;
    const char *digest = NULL;
    for (int p = 0; p < PHASE_COUNT; p++)
        for (size_t i = 0; i < plan->phases[p].count; i++)
            part_verify(r, root, plan->phases[p].parts[i]);
    if (r->problems->count > 0)
        return false;
    if (!plan_digest(tmp, plan, &digest, &err))
        yaml_complain(r->problems, root, "%s", err.message);
    else if (!text_eq(digest, plan->digest))
        yaml_complain(r->problems, yaml_key(root, "digest"),
                      "the plan is not what its digest says, somebody changed it outside of the "
                      "signed parts: take the file that was drafted, or draft it again");
    return r->problems->count == 0;
}

static bool reading_failed(struct yaml_problems *list, const void *ctx, const char **problems,
                           struct error *err)
{
    if (problems)
        *problems = yaml_problems_text(ctx, list);
    return yaml_problems_none(list, err);
}

static bool plan_take(const void *ctx, const struct yaml_node *root, struct yaml_problems *list,
                      struct plan **out, const char **problems, struct error *err)
{
    SCOPE(tmp);
    struct plan *plan = mem_new(tmp, struct plan);
    struct plan_reading r = { .plan = plan, .problems = list };
    struct error order;
    if (root)
        plan_read(&r, root);
    if (list->count == 0 && !plan_arrange(plan, &order))
        yaml_complain(list, yaml_key(root, "phases"), "%s", order.message);
    if (list->count > 0)
        return reading_failed(list, ctx, problems, err);
    if (!plan_verify(&r, root)) {
        reading_failed(list, ctx, problems, err);
        err->code = ERROR_TAMPERED;
        return fail_hint(err, "draft the plan again (`flotilla draft`) and have it signed again");
    }
    *out = mem_give(ctx, plan);
    return true;
}

bool plan_parse(const void *ctx, const char *name, const char *data, size_t len, struct plan **out,
                const char **problems, struct error *err)
{
    SCOPE(tmp);
    struct yaml_problems list = yaml_problems_for(tmp, name);
    const struct yaml_node *root = yaml_parse(tmp, data, len, &list);
    return plan_take(ctx, root, &list, out, problems, err);
}

bool plan_load(const void *ctx, const char *path, struct plan **out, const char **problems,
               struct error *err)
{
    SCOPE(tmp);
    struct yaml_problems list = yaml_problems_for(tmp, path);
    const struct yaml_node *root = yaml_load(tmp, path, PLAN_FILE_BYTES, &list);
    return plan_take(ctx, root, &list, out, problems, err);
}
