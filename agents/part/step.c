#include "agents/part/step.h"

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

static const char *const kind_names[] = {
#define X(id, name) name,
    STEP_KINDS(X)
#undef X
};

static const struct {
    const char *name;
    unsigned bit;
} tag_names[] = {
#define X(id, name, bit) { name, bit },
    STEP_TAGS(X)
#undef X
};

enum {
    KIND_COUNT = sizeof(kind_names) / sizeof(kind_names[0]),
    TAG_COUNT = sizeof(tag_names) / sizeof(tag_names[0]),
};

const char *step_kind_name(enum step_kind kind)
{
    return (unsigned)kind < KIND_COUNT ? kind_names[kind] : "unknown";
}

static bool step_kind_from_name(const char *name, enum step_kind *out)
{
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (text_eq(name, kind_names[i])) {
            *out = (enum step_kind)i;
            return true;
        }
    return false;
}

const char *step_tags_text(const void *ctx, unsigned tags)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (unsigned i = 0; i < TAG_COUNT; i++)
        if (tags & tag_names[i].bit)
            text_addf(&t, "%s%s", t.len ? ", " : "", tag_names[i].name);
    return t.data;
}

void step_texts_add(const void *ctx, struct step_texts *list, const char *s)
{
    list->items = mem_room(ctx, list->items, const char *, list->count + 1);
    list->items[list->count++] = mem_text(ctx, s);
}

/* --- to JSON ------------------------------------------------------------------------------- */

static void set_texts(json_t *to, const char *key, const struct step_texts *list)
{
    if (list->count)
        json_object_set_new(to, key, json_from_texts(list->items, list->count));
}

static json_t *batch_json(const struct step_batch *batch)
{
    json_t *o = json_object();
    json_set_text(o, "relation", batch->relation);
    json_set_text(o, "by", batch->by);
    set_texts(o, "columns", &batch->columns);
    return o;
}

static void set_snapshot(json_t *o, const struct step_snapshot *s)
{
    json_set_text(o, "of", s->of);
    set_texts(o, "key", &s->key);
    set_texts(o, "columns", &s->columns);
    set_texts(o, "current", &s->current);
    set_texts(o, "inverse", &s->inverse);
}

static json_t *tags_json(unsigned tags)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < TAG_COUNT; i++)
        if (tags & tag_names[i].bit)
            json_array_append_new(list, json_string(tag_names[i].name));
    return list;
}

static json_t *locks_json(const struct step *step)
{
    json_t *list = json_array();
    for (size_t i = 0; i < step->lock_count; i++) {
        json_t *o = json_object();
        json_set_text(o, "relation", step->locks[i].relation);
        json_set_text(o, "mode", step->locks[i].mode);
        json_array_append_new(list, o);
    }
    return list;
}

json_t *step_signed_json(const struct step *step)
{
    json_t *o = json_object();
    json_set_text(o, "id", step->id);
    json_set_text(o, "kind", step_kind_name(step->kind));
    set_texts(o, "up", &step->up);
    set_texts(o, "down", &step->down);
    json_set_text(o, "irreversible", step->irreversible);
    json_set_bool(o, "transaction", step->transaction);
    json_set_text(o, "probe", step->probe);
    json_object_set_new(o, "tags", tags_json(step->tags));
    if (step->lock_count)
        json_object_set_new(o, "locks", locks_json(step));
    if (step->batch.relation)
        json_object_set_new(o, "batch", batch_json(&step->batch));
    json_set_text(o, "check", step->check);
    if (step->snapshot.of)
        set_snapshot(o, &step->snapshot);
    if (step->wait_ms) {
        SCOPE(tmp);
        json_set_text(o, "for", mem_printf(tmp, "%lldms", (long long)step->wait_ms));
    }
    json_set_text(o, "from", step->from);
    return o;
}

json_t *step_to_json(const struct step *step)
{
    json_t *o = step_signed_json(step);
    json_set_text(o, "what", step->what);
    json_set_text(o, "why", step->why);
    if (step->intent)
        json_set_int(o, "intent", step->intent);
    if (!step->lock_count)
        json_object_set_new(o, "locks", json_array());
    json_set_bool(o, "rewrite", step->rewrite);
    json_set_bool(o, "full_scan", step->full_scan);
    json_t *estimate = json_object();
    json_set_int(estimate, "rows", step->estimate.rows);
    json_set_int(estimate, "seconds", (step->estimate.ms + 999) / 1000);
    json_set_int(estimate, "ms", step->estimate.ms);
    json_set_text(estimate, "confidence", step->estimate.confidence);
    json_object_set_new(o, "estimate", estimate);
    set_texts(o, "risks", &step->risks);
    return o;
}

/* --- from JSON ----------------------------------------------------------------------------- */

static bool may_texts(const void *ctx, const json_t *o, const char *key, struct step_texts *out,
                      struct error *err)
{
    json_t *value = json_object_get(o, key);
    const char *const *items = NULL;
    if (!value || json_is_null(value))
        return true;
    if (!json_to_texts(ctx, value, &items, &out->count, err))
        return fail_in(err, "field \"%s\"", key);
    out->items = (const char **)(uintptr_t)items;
    return true;
}

static bool owned_text(const void *ctx, const json_t *o, const char *key, const char **out,
                       struct error *err)
{
    const char *s = NULL;
    if (!json_may_text(o, key, &s, err))
        return false;
    *out = mem_text(ctx, s);
    return true;
}

static bool tags_read(const json_t *list, unsigned *tags, struct error *err)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        unsigned k = 0;
        while (k < TAG_COUNT && !text_eq(json_string_value(item), tag_names[k].name))
            k++;
        if (k == TAG_COUNT)
            return fail(err, ERROR_INVALID, "field \"tags\": element %zu is no tag", i + 1);
        *tags |= tag_names[k].bit;
    }
    return true;
}

static bool locks_read(const void *ctx, const json_t *list, struct step *step, struct error *err)
{
    size_t i;
    json_t *item;
    step->lock_count = json_array_size(list);
    step->locks = mem_array(ctx, struct step_lock, step->lock_count);
    json_array_foreach(list, i, item) {
        const char *relation = NULL;
        const char *mode = NULL;
        if (!json_need_text(item, "relation", &relation, err) ||
            !json_need_text(item, "mode", &mode, err))
            return fail_in(err, "locks[%zu]", i);
        step->locks[i] = (struct step_lock){ mem_text(ctx, relation), mem_text(ctx, mode) };
    }
    return true;
}

static bool batch_read(const void *ctx, const json_t *o, struct step_batch *batch,
                       struct error *err)
{
    if (!o)
        return true;
    if (!owned_text(ctx, o, "relation", &batch->relation, err) ||
        !owned_text(ctx, o, "by", &batch->by, err) ||
        !may_texts(ctx, o, "columns", &batch->columns, err))
        return fail_in(err, "batch");
    bool by_key = text_eq(batch->by, "key");
    if (!batch->relation || (!by_key && !text_eq(batch->by, "ctid")))
        return fail(err, ERROR_INVALID, "batch: needs relation and by: ctid or key");
    if (by_key && batch->columns.count == 0)
        return fail(err, ERROR_INVALID, "batch: by: key needs columns");
    return true;
}

static bool snapshot_read(const void *ctx, const json_t *o, struct step *step, struct error *err)
{
    struct step_snapshot *s = &step->snapshot;
    if (step->kind != STEP_SNAPSHOT)
        return true;
    if (!owned_text(ctx, o, "of", &s->of, err) || !may_texts(ctx, o, "key", &s->key, err) ||
        !may_texts(ctx, o, "columns", &s->columns, err) ||
        !may_texts(ctx, o, "current", &s->current, err) ||
        !may_texts(ctx, o, "inverse", &s->inverse, err))
        return false;
    size_t n = s->columns.count;
    if (!s->of || (s->current.count && s->current.count != n) ||
        (s->inverse.count && s->inverse.count != n))
        return fail(err, ERROR_INVALID,
                    "a snapshot needs `of`, and `current` and `inverse` as long as `columns`");
    return true;
}

static bool wait_read(const json_t *json, struct step *s, struct error *err)
{
    const char *duration = NULL;
    if (!json_may_text(json, "for", &duration, err))
        return false;
    return !duration || clock_parse_duration(duration, &s->wait_ms, err);
}

static bool texts_read(const void *ctx, const json_t *json, struct step *s, struct error *err)
{
    return owned_text(ctx, json, "id", &s->id, err) &&
           owned_text(ctx, json, "what", &s->what, err) &&
           owned_text(ctx, json, "why", &s->why, err) &&
           owned_text(ctx, json, "irreversible", &s->irreversible, err) &&
           owned_text(ctx, json, "probe", &s->probe, err) &&
           owned_text(ctx, json, "check", &s->check, err) &&
           owned_text(ctx, json, "from", &s->from, err) &&
           may_texts(ctx, json, "up", &s->up, err) && may_texts(ctx, json, "down", &s->down, err) &&
           may_texts(ctx, json, "risks", &s->risks, err);
}

static bool scalars_read(const json_t *json, struct step *s, struct error *err)
{
    const char *kind = NULL;
    int64_t intent = 0;
    if (!json_need_text(json, "kind", &kind, err) || !json_may_int(json, "intent", &intent, err) ||
        !json_may_bool(json, "transaction", &s->transaction, err) ||
        !json_may_bool(json, "rewrite", &s->rewrite, err) ||
        !json_may_bool(json, "full_scan", &s->full_scan, err) || !wait_read(json, s, err))
        return false;
    if (!step_kind_from_name(kind, &s->kind))
        return fail(err, ERROR_INVALID, "field \"kind\": this version knows no \"%s\"", kind);
    if (intent < 0 || intent > 1000000)
        return fail(err, ERROR_INVALID, "field \"intent\" is out of range");
    s->intent = (int)intent;
    return true;
}

static bool estimate_read(const void *ctx, const json_t *o, struct step_estimate *e,
                          struct error *err)
{
    if (!o)
        return true;
    return json_may_int(o, "rows", &e->rows, err) && json_may_int(o, "ms", &e->ms, err) &&
           owned_text(ctx, o, "confidence", &e->confidence, err);
}

/* What each kind cannot do without; an agent must never meet a step that it has to guess at. Null
 * when nothing is missing. */
static const char *kind_misses(const struct step *s)
{
    switch (s->kind) {
    case STEP_CONCURRENTLY:
        return s->up.count == 1 && !s->transaction
                   ? NULL
                   : "exactly one statement in `up` and transaction: false";
    case STEP_BACKFILL:
        return s->up.count == 1 && s->batch.relation ? NULL : "one statement in `up` and `batch`";
    case STEP_VERIFY: return s->check ? NULL : "`check`";
    case STEP_SNAPSHOT: return s->snapshot.of ? NULL : "`of`";
    case STEP_ACKNOWLEDGE: return s->from ? NULL : "`from`";
    case STEP_STATEMENT:
    case STEP_WAIT: break;
    }
    return NULL;
}

static bool shape_check(const struct step *s, struct error *err)
{
    const char *missing = text_empty(s->id) ? "an id" : kind_misses(s);
    if (!missing && s->kind == STEP_STATEMENT && !s->transaction && s->up.count > 1)
        missing = "at most one statement in `up` when transaction: false";
    if (missing)
        return fail(err, ERROR_INVALID, "a %s step needs %s", step_kind_name(s->kind), missing);
    return true;
}

bool step_from_json(const void *ctx, const json_t *json, struct step *out, struct error *err)
{
    struct step s = { 0 };
    if (!json_is_object(json))
        return fail(err, ERROR_INVALID, "a step is an object");
    if (!texts_read(ctx, json, &s, err) || !scalars_read(json, &s, err) ||
        !tags_read(json_object_get(json, "tags"), &s.tags, err) ||
        !locks_read(ctx, json_object_get(json, "locks"), &s, err) ||
        !batch_read(ctx, json_object_get(json, "batch"), &s.batch, err) ||
        !snapshot_read(ctx, json, &s, err) ||
        !estimate_read(ctx, json_object_get(json, "estimate"), &s.estimate, err) ||
        !shape_check(&s, err))
        return s.id ? fail_in(err, "step %s", s.id) : false;
    *out = s;
    return true;
}
