#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/plan/private.h"

enum { APPROVALS_MOST = 1000 };

/* --- steps ----------------------------------------------------------------------------------- */

static void texts_check(struct plan_reading *r, const struct yaml_node *node)
{
    if (!yaml_is_list(r->problems, node))
        return;
    const char *ignored = NULL;
    for (size_t i = 0; i < node->count; i++)
        yaml_text_any(r->problems, node->items[i], &ignored);
}

static void locks_check(struct plan_reading *r, const struct yaml_node *node)
{
    const char *ignored = NULL;
    if (!yaml_is_list(r->problems, node))
        return;
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *lock = node->items[i];
        if (!yaml_is_map(r->problems, lock))
            continue;
        yaml_known(r->problems, lock, KEYS("relation", "mode"));
        yaml_text(r->problems, yaml_must(r->problems, lock, "relation"), &ignored);
        yaml_text(r->problems, yaml_must(r->problems, lock, "mode"), &ignored);
    }
}

static void estimate_check(struct plan_reading *r, const struct yaml_node *node)
{
    int64_t n = 0;
    int word = 0;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("rows", "ms", "seconds", "confidence"));
    yaml_int(r->problems, yaml_key(node, "rows"), -1, JSON_SAFE_INTEGER, &n);
    yaml_int(r->problems, yaml_key(node, "ms"), -1, JSON_SAFE_INTEGER, &n);
    yaml_int(r->problems, yaml_key(node, "seconds"), -1, JSON_SAFE_INTEGER, &n);
    yaml_one_of(r->problems, yaml_key(node, "confidence"), KEYS("guessed", "rehearsed", "measured"),
                &word);
}

static void batch_check(struct plan_reading *r, const struct yaml_node *node)
{
    const char *ignored = NULL;
    int word = 0;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("relation", "by", "columns"));
    yaml_text(r->problems, yaml_must(r->problems, node, "relation"), &ignored);
    yaml_one_of(r->problems, yaml_must(r->problems, node, "by"), KEYS("ctid", "key"), &word);
    texts_check(r, yaml_key(node, "columns"));
}

static const char *const step_kinds[] = {
#define X(id, name) name,
    STEP_KINDS(X)
#undef X
};

static const char *const step_tags[] = {
#define X(id, name, bit) name,
    STEP_TAGS(X)
#undef X
};

static void step_scalars_check(struct plan_reading *r, const struct yaml_node *node)
{
    static const char *const texts[] = { "what",  "why", "irreversible", "probe",
                                         "check", "of",  "from" };
    static const char *const bools[] = { "transaction", "rewrite", "full_scan" };
    const char *text = NULL;
    bool flag = false;
    int64_t n = 0;
    int kind = 0;
    yaml_one_of(r->problems, yaml_must(r->problems, node, "kind"), step_kinds,
                sizeof(step_kinds) / sizeof(step_kinds[0]), &kind);
    const struct yaml_node *tags = yaml_must(r->problems, node, "tags");
    yaml_is_list(r->problems, tags);
    for (size_t i = 0; tags && tags->type == YAML_LIST && i < tags->count; i++)
        yaml_one_of(r->problems, tags->items[i], step_tags,
                    sizeof(step_tags) / sizeof(step_tags[0]), &kind);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        yaml_text(r->problems, yaml_key(node, texts[i]), &text);
    for (size_t i = 0; i < sizeof(bools) / sizeof(bools[0]); i++)
        yaml_bool(r->problems, yaml_key(node, bools[i]), &flag);
    yaml_int(r->problems, yaml_key(node, "intent"), 1, 1000000, &n);
    yaml_duration(r->problems, yaml_key(node, "for"), &n);
}

/* A key that the step's kind has no use for would be there for the eye only. */
static bool kind_uses(struct plan_reading *r, const struct yaml_node *node, const struct step *step)
{
    bool good = true;
    json_auto_t *used = step_to_json(step);
    for (size_t i = 0; i < node->count; i++) {
        bool empty = node->items[i]->type == YAML_LIST && node->items[i]->count == 0;
        if (empty || json_object_get(used, node->keys[i]->text))
            continue;
        yaml_complain(r->problems, node->keys[i], "a %s step has no \"%s\", remove it",
                      step_kind_name(step->kind), node->keys[i]->text);
        good = false;
    }
    return good;
}

/* Types and keys with their places first; what is left to step_from_json() concerns the step as a
 * whole. */
static bool step_read(struct plan_reading *r, const struct yaml_node *node, const char *id,
                      const void *ctx, struct step *out)
{
    static const char *const lists[] = { "up",      "down",    "risks",  "key",
                                         "columns", "current", "inverse" };
    SCOPE(tmp);
    size_t before = r->problems->count + r->problems->dropped;
    if (!yaml_is_map(r->problems, node))
        return false;
    yaml_known(r->problems, node,
               KEYS("id", "what", "why", "intent", "kind", "up", "down", "irreversible",
                    "transaction", "probe", "tags", "locks", "rewrite", "full_scan", "estimate",
                    "risks", "batch", "check", "of", "key", "columns", "current", "inverse", "for",
                    "from"));
    const char *written = NULL;
    const struct yaml_node *id_node = yaml_must(r->problems, node, "id");
    if (yaml_text(r->problems, id_node, &written) && !text_eq(written, id))
        yaml_complain(r->problems, id_node,
                      "the id of this step is \"%s\" by its place, not \"%s\"", id,
                      text_printable(tmp, written));
    step_scalars_check(r, node);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        texts_check(r, yaml_key(node, lists[i]));
    locks_check(r, yaml_key(node, "locks"));
    estimate_check(r, yaml_key(node, "estimate"));
    batch_check(r, yaml_key(node, "batch"));
    json_t *json = yaml_to_json(tmp, r->problems, node);
    struct error err;
    if (!json || r->problems->count + r->problems->dropped > before)
        return false;
    if (step_from_json(ctx, json, out, &err))
        return kind_uses(r, node, out);
    yaml_complain(r->problems, node, "%s", err.message);
    return false;
}

static bool steps_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    bool good = true;
    if (!yaml_is_list(r->problems, node))
        return false;
    if (node->count == 0) {
        yaml_complain(r->problems, node, "steps: a part without steps is left out of the plan");
        return false;
    }
    part->steps = mem_array(part, struct step, node->count);
    part->step_count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        SCOPE(tmp);
        const char *id =
            mem_printf(tmp, "%s/%s/%zu", phase_name(part->phase), part->service, i + 1);
        good = step_read(r, node->items[i], id, part, &part->steps[i]) && good;
    }
    return good;
}

/* --- the part around them -------------------------------------------------------------------- */

static void words_read(struct plan_reading *r, const struct yaml_node *node, struct part *part,
                       struct step_texts *out)
{
    const char **texts = NULL;
    size_t count = 0;
    SCOPE(tmp);
    if (!yaml_texts(tmp, r->problems, node, &texts, &count))
        return;
    for (size_t i = 0; i < count; i++)
        step_texts_add(part, out, texts[i]);
}

static void after_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    if (!yaml_is_list(r->problems, node))
        return;
    part->after = mem_array(part, struct part_after, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];
        const char *service = NULL;
        const char *reason = "";
        if (!yaml_is_map(r->problems, item))
            continue;
        yaml_known(r->problems, item, KEYS("service", "reason"));
        yaml_text(r->problems, yaml_must(r->problems, item, "service"), &service);
        yaml_text_any(r->problems, yaml_must(r->problems, item, "reason"), &reason);
        part->after[part->after_count++] =
            (struct part_after){ mem_text(part, service), mem_text(part, reason) };
    }
}

static void approvals_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    int64_t need = 0;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("need", "from"));
    if (yaml_int(r->problems, yaml_must(r->problems, node, "need"), 0, APPROVALS_MOST, &need))
        part->approvals_need = (int)need;
    words_read(r, yaml_must(r->problems, node, "from"), part, &part->approvals_from);
}

static void catalog_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    if (!yaml_is_map(r->problems, node))
        return;
    part->objects = mem_array(part, struct part_object, node->count);
    for (size_t i = 0; i < node->count; i++) {
        const char *print = NULL;
        if (!yaml_text(r->problems, node->items[i], &print))
            continue;
        if (!digest_is_valid(print) && !text_eq(print, "absent"))
            yaml_complain(r->problems, node->items[i],
                          "a fingerprint is \"sha256:\" and 64 hex digits, or \"absent\"");
        part->objects[part->object_count++] =
            (struct part_object){ mem_text(part, node->keys[i]->text), mem_text(part, print) };
    }
}

static void health_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    const char *sql = NULL;
    if (!yaml_is_map(r->problems, node))
        return;
    yaml_known(r->problems, node, KEYS("sql"));
    if (yaml_text(r->problems, yaml_key(node, "sql"), &sql))
        part->health_sql = mem_text(part, sql);
}

static void digest_read(struct plan_reading *r, const struct yaml_node *node, struct part *part)
{
    const char *digest = NULL;
    if (!yaml_text(r->problems, node, &digest))
        return;
    if (!digest_is_valid(digest))
        yaml_complain(r->problems, node, "a digest is \"sha256:\" and 64 hex digits in lower case");
    part->digest = mem_text(part, digest);
}

struct part *plan_part_read(struct plan_reading *r, enum phase phase, const struct yaml_node *node)
{
    if (!yaml_is_map(r->problems, node))
        return NULL;
    yaml_known(
        r->problems, node,
        KEYS("service", "instances", "after", "approvals", "catalog", "health", "digest", "steps"));
    struct part *part = mem_new(r->plan, struct part);
    const char *service = NULL;
    part->phase = phase;
    part->fleet = r->plan->fleet;
    part->environment = r->plan->environment;
    part->plan = r->plan->id;
    part->author = r->plan->author;
    if (!yaml_text(r->problems, yaml_must(r->problems, node, "service"), &service))
        return NULL;
    part->service = mem_text(part, service);
    words_read(r, yaml_must(r->problems, node, "instances"), part, &part->instances);
    after_read(r, yaml_key(node, "after"), part);
    approvals_read(r, yaml_must(r->problems, node, "approvals"), part);
    catalog_read(r, yaml_must(r->problems, node, "catalog"), part);
    health_read(r, yaml_key(node, "health"), part);
    digest_read(r, yaml_must(r->problems, node, "digest"), part);
    return steps_read(r, yaml_must(r->problems, node, "steps"), part) ? part : NULL;
}
