#include "agents/part/part.h"

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const phase_names[] = { "expand", "migrate", "contract" };

const char *phase_name(enum phase phase)
{
    return (unsigned)phase < PHASE_COUNT ? phase_names[phase] : "unknown";
}

bool phase_from_name(const char *name, enum phase *out)
{
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        if (text_eq(name, phase_names[i])) {
            *out = (enum phase)i;
            return true;
        }
    return false;
}

unsigned part_tags(const struct part *part)
{
    unsigned tags = 0;
    for (size_t i = 0; i < part->step_count; i++)
        tags |= part->steps[i].tags | (part->steps[i].irreversible ? TAG_DESTRUCTIVE : 0);
    return tags;
}

bool part_is_grave(const struct part *part)
{
    return (part_tags(part) & (TAG_DESTRUCTIVE | TAG_UNKNOWN)) != 0;
}

const struct step *part_unknown(const struct part *part)
{
    for (size_t i = 0; i < part->step_count; i++)
        if (part->steps[i].tags & TAG_UNKNOWN)
            return &part->steps[i];
    return NULL;
}

static json_t *objects_json(const struct part *part)
{
    json_t *o = json_object();
    for (size_t i = 0; i < part->object_count; i++)
        json_set_text(o, part->objects[i].object, part->objects[i].fingerprint);
    return o;
}

static json_t *after_json(const struct part *part)
{
    json_t *list = json_array();
    for (size_t i = 0; i < part->after_count; i++) {
        json_t *o = json_object();
        json_set_text(o, "service", part->after[i].service);
        json_set_text(o, "reason", part->after[i].reason);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *steps_json(const struct part *part, json_t *(*step_json)(const struct step *))
{
    json_t *list = json_array();
    for (size_t i = 0; i < part->step_count; i++)
        json_array_append_new(list, step_json(&part->steps[i]));
    return list;
}

static void set_plan_fields(json_t *o, const struct part *part)
{
    json_set_text(o, "fleet", part->fleet);
    json_set_text(o, "environment", part->environment);
    json_set_text(o, "plan", part->plan);
    json_set_text(o, "author", part->author);
    json_set_text(o, "phase", phase_name(part->phase));
}

static void set_signed_fields(json_t *o, const struct part *part)
{
    json_set_text(o, "service", part->service);
    json_object_set_new(o, "instances",
                        json_from_texts(part->instances.items, part->instances.count));
    json_object_set_new(o, "catalog", objects_json(part));
    if (part->health_sql) {
        json_t *health = json_object();
        json_set_text(health, "sql", part->health_sql);
        json_object_set_new(o, "health", health);
    }
}

json_t *part_to_json(const struct part *part, bool whole)
{
    json_t *o = json_object();
    if (whole)
        set_plan_fields(o, part);
    set_signed_fields(o, part);
    if (part->after_count)
        json_object_set_new(o, "after", after_json(part));
    json_t *approvals = json_object();
    json_set_int(approvals, "need", part->approvals_need);
    json_object_set_new(approvals, "from",
                        json_from_texts(part->approvals_from.items, part->approvals_from.count));
    json_object_set_new(o, "approvals", approvals);
    json_set_text(o, "digest", part->digest);
    json_object_set_new(o, "steps", steps_json(part, step_to_json));
    return o;
}

bool part_digest(const void *ctx, const struct part *part, const char **out, struct error *err)
{
    json_auto_t *o = json_object();
    set_plan_fields(o, part);
    set_signed_fields(o, part);
    json_object_set_new(o, "steps", steps_json(part, step_signed_json));
    if (!digest_json(ctx, o, out, err))
        return fail_in(err, "digest of %s/%s", phase_name(part->phase), part->service);
    return true;
}

/* --- from JSON ----------------------------------------------------------------------------- */

static bool owned(const void *ctx, const json_t *json, const char *key, const char **out,
                  struct error *err)
{
    const char *s = NULL;
    if (!json_need_text(json, key, &s, err))
        return false;
    *out = mem_text(ctx, s);
    return true;
}

static bool names_read(const void *ctx, const json_t *json, struct part *part, struct error *err)
{
    const char *phase = NULL;
    const char *digest = NULL;
    const char *author = NULL;
    if (!owned(ctx, json, "fleet", &part->fleet, err) ||
        !owned(ctx, json, "environment", &part->environment, err) ||
        !owned(ctx, json, "plan", &part->plan, err) ||
        !owned(ctx, json, "service", &part->service, err) ||
        !json_need_text(json, "phase", &phase, err) ||
        !json_may_text(json, "author", &author, err) ||
        !json_may_text(json, "digest", &digest, err))
        return false;
    if (!phase_from_name(phase, &part->phase))
        return fail(err, ERROR_INVALID, "field \"phase\": there is no phase \"%s\"", phase);
    part->author = mem_text(ctx, author);
    part->digest = mem_text(ctx, digest);
    return true;
}

static bool texts_read(const void *ctx, const json_t *json, const char *key, struct step_texts *out,
                       struct error *err)
{
    const char *const *items = NULL;
    json_t *list = NULL;
    if (!json_need_array(json, key, &list, err))
        return false;
    if (!json_to_texts(ctx, list, &items, &out->count, err))
        return fail_in(err, "field \"%s\"", key);
    out->items = (const char **)(uintptr_t)items;
    return true;
}

static bool objects_read(const void *ctx, const json_t *json, struct part *part, struct error *err)
{
    json_t *map = NULL;
    if (!json_need_object(json, "catalog", &map, err))
        return false;
    part->objects = mem_array(ctx, struct part_object, json_object_size(map));
    const char *key;
    json_t *value;
    json_object_foreach(map, key, value) {
        const char *print = json_string_value(value);
        if (!digest_is_valid(print) && !text_eq(print, "absent"))
            return fail(err, ERROR_INVALID, "field \"catalog\": %s has no fingerprint", key);
        part->objects[part->object_count++] =
            (struct part_object){ mem_text(ctx, key), mem_text(ctx, print) };
    }
    return true;
}

static bool after_read(const void *ctx, const json_t *json, struct part *part, struct error *err)
{
    json_t *list = json_object_get(json, "after");
    part->after = mem_array(ctx, struct part_after, json_array_size(list));
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (!owned(ctx, item, "service", &part->after[i].service, err) ||
            !owned(ctx, item, "reason", &part->after[i].reason, err))
            return fail_in(err, "after[%zu]", i);
        part->after_count++;
    }
    return true;
}

static bool rules_read(const void *ctx, const json_t *json, struct part *part, struct error *err)
{
    json_t *approvals = NULL;
    int64_t need = 0;
    if (!json_need_object(json, "approvals", &approvals, err) ||
        !json_need_int(approvals, "need", &need, err) ||
        !texts_read(ctx, approvals, "from", &part->approvals_from, err))
        return false;
    if (need < 0 || need > 1000)
        return fail(err, ERROR_INVALID, "approvals: need is out of range");
    part->approvals_need = (int)need;
    const char *sql = NULL;
    json_t *health = json_object_get(json, "health");
    if (health && !json_may_text(health, "sql", &sql, err))
        return fail_in(err, "health");
    part->health_sql = mem_text(ctx, sql);
    return true;
}

static bool steps_read(const void *ctx, const json_t *json, struct part *part, struct error *err)
{
    json_t *list = NULL;
    if (!json_need_array(json, "steps", &list, err))
        return false;
    part->steps = mem_array(ctx, struct step, json_array_size(list));
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (!step_from_json(ctx, item, &part->steps[i], err))
            return false;
        part->step_count++;
    }
    return true;
}

bool part_from_json(const void *ctx, const json_t *json, struct part **out, struct error *err)
{
    struct part *part = mem_new(ctx, struct part);
    if (!json_is_object(json))
        return fail(err, ERROR_INVALID, "a part is an object");
    if (!names_read(part, json, part, err) ||
        !texts_read(part, json, "instances", &part->instances, err) ||
        !objects_read(part, json, part, err) || !after_read(part, json, part, err) ||
        !rules_read(part, json, part, err) || !steps_read(part, json, part, err)) {
        talloc_free(part);
        return fail_in(err, "part");
    }
    *out = part;
    return true;
}
