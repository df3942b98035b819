#include <string.h>

#include "agents/base/digest.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"
#include "agents/pg/catalog_shape.h"

/* Numbers of sequences reach beyond what canonical JSON holds exactly: those become texts. */
static void numbers_to_texts(json_t *object)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, key, value) {
        SCOPE(tmp);
        if (json_is_integer(value))
            json_object_set_new(object, key,
                                json_string(mem_printf(tmp, "%lld", json_integer_value(value))));
    }
}

static const char *json_digest(const void *ctx, json_t *object)
{
    const char *digest = NULL;
    struct error err;

    numbers_to_texts(object);
    if (!digest_json(ctx, object, &digest, &err))
        return NULL;
    return digest;
}

static const char *object_digest(const void *ctx, const struct shape *shape, const void *object)
{
    json_auto_t *json = shape == &relation_shape ? catalog_relation_json(object, false)
                                                 : shape_to_json(shape, object, false);

    return json_digest(ctx, json);
}

static const char *function_key(const void *ctx, const struct function *f)
{
    return mem_printf(ctx, "function %s(%s)", object_name_join(ctx, f->schema, f->name),
                      f->arguments ? f->arguments : "");
}

/* Relations by name; the same in quotes or not is the same key, because both sides are written by
 * object_name_join. */
static const char *relation_fingerprint(const void *ctx, const struct catalog *catalog,
                                        const char *key)
{
    SCOPE(tmp);
    struct object_name name;
    struct error err;

    if (!object_name_parse(tmp, key, &name, &err) || name.service)
        return NULL;
    const struct relation *r = catalog_relation(catalog, name.schema, name.name);

    return r ? object_digest(ctx, &relation_shape, r) : NULL;
}

const char *catalog_object_fingerprint(const void *ctx, const struct catalog *c, const char *key)
{
    SCOPE(tmp);

    if (text_starts(key, "function ")) {
        for (size_t i = 0; i < c->function_count; i++)
            if (text_eq(function_key(tmp, &c->functions[i]), key))
                return object_digest(ctx, &function_shape, &c->functions[i]);
        return NULL;
    }
    if (text_starts(key, "type ")) {
        for (size_t i = 0; i < c->type_count; i++)
            if (text_eq(object_name_join(tmp, c->types[i].schema, c->types[i].name), key + 5))
                return object_digest(ctx, &type_shape, &c->types[i]);
        return NULL;
    }
    if (text_starts(key, "sequence ")) {
        for (size_t i = 0; i < c->sequence_count; i++)
            if (text_eq(object_name_join(tmp, c->sequences[i].schema, c->sequences[i].name),
                        key + 9))
                return object_digest(ctx, &sequence_shape, &c->sequences[i]);
        return NULL;
    }
    return relation_fingerprint(ctx, c, key);
}

/* Objects of the schema flotilla are ours and no part of what is compared. */
static bool is_ours(const struct shape *shape, const void *object)
{
    for (const struct field *f = shape->fields; f->key; f++) {
        bool schema = text_eq(f->key, "schema") ||
                      (text_eq(shape->name, "schema") && text_eq(f->key, "name"));
        if (schema)
            return text_eq(*(const char *const *)((const char *)object + f->offset), "flotilla");
    }
    return false;
}

const char *catalog_fingerprint(const void *ctx, const struct catalog *catalog)
{
    SCOPE(tmp);
    json_auto_t *all = json_object();

    for (const struct field *f = catalog_shape.fields; f->key; f++) {
        if (f->kind != FIELD_LIST || (f->flags & FIELD_DERIVED))
            continue;
        const char *items = *(const char *const *)((const char *)catalog + f->offset);
        size_t count = *(const size_t *)((const char *)catalog + f->count_offset);
        json_t *digests = json_array();

        for (size_t i = 0; i < count; i++) {
            const void *object = items + i * f->shape->size;
            if (!is_ours(f->shape, object))
                json_array_append_new(digests, json_string(object_digest(tmp, f->shape, object)));
        }
        json_object_set_new(all, f->key, digests);
    }
    return json_digest(ctx, all);
}

static const char *field_text(const struct shape *shape, const void *object, const char *key)
{
    for (const struct field *f = shape->fields; f->key; f++)
        if (f->kind == FIELD_TEXT && text_eq(f->key, key))
            return *(const char *const *)((const char *)object + f->offset);
    return NULL;
}

static const char *key_of(const void *ctx, const struct shape *shape, const void *object)
{
    const char *name = field_text(shape, object, "name");
    if (shape == &function_shape)
        return function_key(ctx, object);
    name = name ? object_name_join(ctx, field_text(shape, object, "schema"), name) : NULL;
    return !name || shape == &relation_shape ? name : mem_printf(ctx, "%s %s", shape->name, name);
}

json_t *catalog_fingerprints(const struct catalog *catalog)
{
    json_t *all = json_object();
    for (const struct field *f = catalog_shape.fields; f->key; f++) {
        if (f->kind != FIELD_LIST || (f->flags & FIELD_DERIVED))
            continue;
        const char *items = *(const char *const *)((const char *)catalog + f->offset);
        size_t count = *(const size_t *)((const char *)catalog + f->count_offset);
        for (size_t i = 0; i < count; i++) {
            SCOPE(tmp);
            const void *object = items + i * f->shape->size;
            const char *key = is_ours(f->shape, object) ? NULL : key_of(tmp, f->shape, object);
            if (key)
                json_set_text(all, key, object_digest(tmp, f->shape, object));
        }
    }
    return all;
}
