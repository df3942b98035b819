#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "controller/plan/order.h"

/* Reading a plan file: shape with every error at its line, then the parts through the one reader
 * that agents use, then every digest. */

struct reading {
    struct plan *plan;
    struct yaml_problems problems;
    bool tampered;
};

static const char *const plan_keys[] = { "flotilla_plan", "id",      "title",       "author",
                                         "change",        "fleet",   "environment", "phases",
                                         "digest",        "findings" };
static const char *const phase_keys[] = { "phase", "services" };
static const char *const part_keys[] = { "service", "instances", "after",  "approvals",
                                         "catalog", "health",    "digest", "steps" };
static const char *const step_keys[] = {
    "id",          "what",    "intent", "kind",  "up",      "down",      "irreversible",
    "transaction", "probe",   "tags",   "locks", "rewrite", "full_scan", "estimate",
    "why",         "risks",   "batch",  "check", "of",      "key",       "columns",
    "current",     "inverse", "for",    "from",
};
static const char *const finding_keys[] = {
    "rule", "severity", "service", "step", "message", "hint"
};

#define KNOWN(r, node, keys) \
    yaml_known(&(r)->problems, (node), (keys), sizeof(keys) / sizeof(*keys))

static void text_at(struct reading *r, const struct yaml_node *map, const char *key,
                    const char **out)
{
    const char *s = NULL;
    if (yaml_text(&r->problems, yaml_must(&r->problems, map, key), &s))
        *out = mem_text(r->plan, s);
}

/* The part's JSON with the plan-wide fields, as the agents' reader wants it. */
static json_t *whole(struct reading *r, const struct yaml_node *node, enum phase phase)
{
    json_t *o = yaml_to_json(r->plan, &r->problems, node);
    if (!json_is_object(o))
        return NULL;
    json_set_text(o, "fleet", r->plan->fleet);
    json_set_text(o, "environment", r->plan->environment);
    json_set_text(o, "plan", r->plan->id);
    json_set_text(o, "author", r->plan->author);
    json_set_text(o, "phase", phase_name(phase));
    return o;
}

static void digest_check(struct reading *r, const struct yaml_node *node, const struct part *part)
{
    struct error err;
    const char *digest = NULL;
    const char *name = phase_name(part->phase);
    if (!part_digest(r->plan, part, &digest, &err)) {
        yaml_complain(&r->problems, node, "%s", err.message);
    } else if (!text_eq(digest, part->digest)) {
        r->tampered = true;
        yaml_complain(&r->problems, yaml_at(node, "/digest"),
                      "%s of %s is not what its digest says, draft the plan again", name,
                      part->service);
    }
}

static void step_shapes(struct reading *r, const struct yaml_node *part)
{
    const struct yaml_node *steps = yaml_key(part, "steps");
    for (size_t i = 0; steps && steps->type == YAML_LIST && i < steps->count; i++) {
        struct error err;
        struct step step;
        const struct yaml_node *node = steps->items[i];
        if (!yaml_is_map(&r->problems, node))
            continue;
        KNOWN(r, node, step_keys);
        json_t *json = yaml_to_json(r->plan, &r->problems, node);
        if (json && !step_from_json(r->plan, json, &step, &err))
            yaml_complain(&r->problems, node, "%s", err.message);
    }
}

static void read_part(struct reading *r, const struct yaml_node *node, enum phase phase)
{
    struct error err;
    struct part *part = NULL;
    struct plan_phase *into = &r->plan->phases[phase];
    if (!yaml_is_map(&r->problems, node))
        return;
    size_t before = r->problems.count;
    KNOWN(r, node, part_keys);
    step_shapes(r, node);
    json_t *json = whole(r, node, phase);
    if (!json || r->problems.count > before)
        return;
    if (!part_from_json(r->plan, json, &part, &err)) {
        yaml_complain(&r->problems, node, "%s", err.message);
        return;
    }
    if (plan_part(r->plan, phase, part->service))
        yaml_complain(&r->problems, node, "%s of %s is there twice", phase_name(phase),
                      part->service);
    digest_check(r, node, part);
    into->parts = mem_room(r->plan, into->parts, struct part *, into->count + 1);
    into->parts[into->count++] = part;
}

static void read_phase(struct reading *r, const struct yaml_node *node, int *last)
{
    const char *const names[] = { "expand", "migrate", "contract" };
    int phase = 0;
    if (!yaml_is_map(&r->problems, node))
        return;
    KNOWN(r, node, phase_keys);
    const struct yaml_node *name = yaml_must(&r->problems, node, "phase");
    if (!yaml_one_of(&r->problems, name, names, PHASE_COUNT, &phase))
        return;
    if (phase <= *last)
        yaml_complain(&r->problems, name, "phases come once each, as expand, migrate, contract");
    *last = phase;
    const struct yaml_node *services = yaml_must(&r->problems, node, "services");
    if (!services || !yaml_is_list(&r->problems, services))
        return;
    for (size_t i = 0; i < services->count; i++)
        read_part(r, services->items[i], (enum phase)phase);
}

static void may_text(struct reading *r, const struct yaml_node *map, const char *key,
                     const char **out)
{
    const char *s = NULL;
    if (yaml_text_any(&r->problems, yaml_key(map, key), &s))
        *out = mem_text(r->plan, s);
}

static void read_findings(struct reading *r, const struct yaml_node *list)
{
    if (!list || !yaml_is_list(&r->problems, list))
        return;
    r->plan->findings = mem_array(r->plan, struct plan_finding, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *node = list->items[i];
        struct plan_finding *f = &r->plan->findings[r->plan->finding_count++];
        if (!yaml_is_map(&r->problems, node))
            continue;
        KNOWN(r, node, finding_keys);
        may_text(r, node, "rule", &f->rule);
        may_text(r, node, "severity", &f->severity);
        may_text(r, node, "service", &f->service);
        may_text(r, node, "step", &f->step);
        may_text(r, node, "message", &f->message);
        may_text(r, node, "hint", &f->hint);
    }
}

static void read_change(struct reading *r, const struct yaml_node *node)
{
    if (!node)
        return;
    json_t *json = yaml_to_json(r->plan, &r->problems, node);
    if (json && !json_is_object(json))
        yaml_complain(&r->problems, node, "`change` is the wish as an object");
    else if (json)
        r->plan->change = json_compact(r->plan, json);
}

static void read_header(struct reading *r, const struct yaml_node *root)
{
    int64_t version = 0;
    KNOWN(r, root, plan_keys);
    yaml_int(&r->problems, yaml_must(&r->problems, root, "flotilla_plan"), 1, PLAN_VERSION,
             &version);
    text_at(r, root, "id", &r->plan->id);
    text_at(r, root, "title", &r->plan->title);
    text_at(r, root, "author", &r->plan->author);
    text_at(r, root, "fleet", &r->plan->fleet);
    text_at(r, root, "environment", &r->plan->environment);
    text_at(r, root, "digest", &r->plan->digest);
    read_change(r, yaml_key(root, "change"));
}

static void read_phases(struct reading *r, const struct yaml_node *root)
{
    int last = -1;
    const struct yaml_node *phases = yaml_must(&r->problems, root, "phases");
    if (!phases || !yaml_is_list(&r->problems, phases))
        return;
    for (size_t i = 0; i < phases->count; i++)
        read_phase(r, phases->items[i], &last);
}

static void plan_digest_check(struct reading *r, const struct yaml_node *root)
{
    struct error err;
    const char *digest = NULL;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (!plan_order(&r->plan->phases[phase], (enum phase)phase, &err))
            yaml_complain(&r->problems, yaml_at(root, "/phases"), "%s", err.message);
    if (r->problems.count)
        return;
    if (!plan_digest(r->plan, r->plan, &digest, &err)) {
        yaml_complain(&r->problems, root, "%s", err.message);
    } else if (!text_eq(digest, r->plan->digest)) {
        r->tampered = true;
        yaml_complain(&r->problems, yaml_at(root, "/digest"),
                      "the plan is not what its digest says, draft it again");
    }
}

static bool finish(struct reading *r, struct plan **out, const char **problems, struct error *err)
{
    if (yaml_problems_none(&r->problems, err)) {
        *out = r->plan;
        return true;
    }
    if (problems)
        *problems = yaml_problems_text(r->problems.ctx, &r->problems);
    if (r->tampered) {
        char first[sizeof(err->message)];
        memcpy(first, err->message, sizeof(first));
        fail(err, ERROR_TAMPERED, "%s", first);
    }
    return false;
}

static bool read_tree(struct reading *r, const struct yaml_node *root, struct plan **out,
                      const char **problems, struct error *err)
{
    if (root && yaml_is_map(&r->problems, root)) {
        read_header(r, root);
        if (r->problems.count == 0)
            read_phases(r, root);
        read_findings(r, yaml_key(root, "findings"));
        if (r->problems.count == 0)
            plan_digest_check(r, root);
    }
    return finish(r, out, problems, err);
}

bool plan_load(const void *ctx, const char *path, struct plan **out, const char **problems,
               struct error *err)
{
    SCOPE(tmp);
    struct reading r = { .plan = mem_new(ctx, struct plan) };
    r.problems = yaml_problems_for(ctx, path);
    const struct yaml_node *root = yaml_load(tmp, path, PLAN_FILE_BYTES, &r.problems);
    return read_tree(&r, root, out, problems, err);
}

bool plan_parse(const void *ctx, const char *name, const char *data, size_t len, struct plan **out,
                const char **problems, struct error *err)
{
    SCOPE(tmp);
    struct reading r = { .plan = mem_new(ctx, struct plan) };
    r.problems = yaml_problems_for(ctx, name);
    const struct yaml_node *root = yaml_parse(tmp, data, len, &r.problems);
    return read_tree(&r, root, out, problems, err);
}
