#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"
#include "agents/pg/catalog_shape.h"

static const void *at(const void *object, const struct field *field)
{
    return (const char *)object + field->offset;
}

static size_t count_at(const void *object, const struct field *field)
{
    return *(const size_t *)((const char *)object + field->count_offset);
}

static json_t *text_json(const char *s)
{
    /* Names and definitions of a database in SQL_ASCII can be any bytes. */
    json_t *value = json_string(s);

    if (value)
        return value;
    SCOPE(tmp);
    return json_string(text_printable(tmp, s));
}

static json_t *texts_json(const struct catalog_texts *texts, unsigned flags)
{
    if (texts->count == 0 && (flags & FIELD_QUIET))
        return NULL;
    json_t *list = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, text_json(texts->items[i]));
    return list;
}

static json_t *char_json(const struct field *field, char c)
{
    const char *word = shape_word(field, c);

    if (!c || word)
        return c ? json_string(word) : NULL;
    return json_stringn(&c, 1);
}

static json_t *number_json(const struct field *field, int64_t n)
{
    return n == field->usual && (field->flags & FIELD_QUIET) ? NULL : json_integer(n);
}

static json_t *list_json(const void *object, const struct field *field, bool whole)
{
    const char *items = *(const char *const *)at(object, field);
    size_t count = count_at(object, field);

    if (count == 0 && (field->flags & FIELD_QUIET))
        return NULL;
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              shape_to_json(field->shape, items + i * field->shape->size, whole));
    return list;
}

static json_t *field_json(const void *object, const struct field *field, bool whole)
{
    const void *value = at(object, field);

    switch (field->kind) {
    case FIELD_TEXT: {
        const char *s = *(const char *const *)value;
        return s ? text_json(s) : NULL;
    }
    case FIELD_INT: return number_json(field, *(const int *)value);
    case FIELD_INT64: return number_json(field, *(const int64_t *)value);
    case FIELD_BOOL: {
        bool b = *(const bool *)value;
        return !b && (field->flags & FIELD_QUIET) ? NULL : json_boolean(b);
    }
    case FIELD_CHAR: return char_json(field, *(const char *)value);
    case FIELD_TEXTS: return texts_json(value, field->flags);
    case FIELD_LIST: return list_json(object, field, whole);
    }
    return NULL;
}

json_t *shape_to_json(const struct shape *shape, const void *object, bool whole)
{
    json_t *json = json_object();

    for (const struct field *f = shape->fields; f->key; f++) {
        if (!whole && (f->flags & (FIELD_STATISTIC | FIELD_DERIVED)))
            continue;
        json_t *value = field_json(object, f, whole);
        if (value)
            json_object_set_new(json, f->key, value);
    }
    return json;
}

/* --- and back ------------------------------------------------------------------------------- */

static bool wrong_type(const char *what, const json_t *value, struct error *err)
{
    static const char *const names[] = { "an object", "a list",    "a string",  "a number",
                                         "a number",  "a boolean", "a boolean", "null" };

    return fail(err, ERROR_INVALID, "expected %s, found %s", what, names[json_typeof(value)]);
}

static bool text_from(const void *ctx, const json_t *value, const char **out, struct error *err)
{
    if (!json_is_string(value))
        return wrong_type("a string", value, err);
    *out = mem_textn(ctx, json_string_value(value), json_string_length(value));
    return true;
}

static bool number_from(const json_t *value, int64_t *out, struct error *err)
{
    if (!json_is_integer(value))
        return wrong_type("a whole number", value, err);
    *out = json_integer_value(value);
    return true;
}

static bool char_from(const struct field *field, const json_t *value, char *out, struct error *err)
{
    if (!json_is_string(value))
        return wrong_type("a string", value, err);
    const char *word = json_string_value(value);
    char c = shape_char(field, word);

    if (!c && strlen(word) == 1)
        c = *word;
    if (!c)
        return fail(err, ERROR_INVALID, "unknown word \"%.40s\"", word);
    *out = c;
    return true;
}

static bool texts_from(const void *ctx, const json_t *value, struct catalog_texts *out,
                       struct error *err)
{
    if (!json_is_array(value))
        return wrong_type("a list", value, err);
    return json_to_texts(ctx, value, &out->items, &out->count, err);
}

static bool list_from(const void *ctx, const json_t *value, const struct field *field, void *object,
                      struct error *err)
{
    if (!json_is_array(value))
        return wrong_type("a list", value, err);
    size_t count = json_array_size(value);
    char *items = mem_zeroed(ctx, field->shape->size, count, field->shape->name);

    for (size_t i = 0; i < count; i++)
        if (!shape_from_json(ctx, field->shape, json_array_get(value, i),
                             items + i * field->shape->size, err))
            return fail_in(err, "%zu", i);
    *(void **)((char *)object + field->offset) = items;
    *(size_t *)((char *)object + field->count_offset) = count;
    return true;
}

static bool field_from(const void *ctx, const json_t *value, const struct field *field,
                       void *object, struct error *err)
{
    void *target = (char *)object + field->offset;
    int64_t n = 0;

    switch (field->kind) {
    case FIELD_TEXT: return text_from(ctx, value, target, err);
    case FIELD_INT:
        if (!number_from(value, &n, err))
            return false;
        *(int *)target = (int)n;
        return true;
    case FIELD_INT64: return number_from(value, target, err);
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return wrong_type("true or false", value, err);
        *(bool *)target = json_is_true(value);
        return true;
    case FIELD_CHAR: return char_from(field, value, target, err);
    case FIELD_TEXTS: return texts_from(ctx, value, target, err);
    case FIELD_LIST: return list_from(ctx, value, field, object, err);
    }
    return true;
}

static void set_usual(const struct field *field, void *object)
{
    void *target = (char *)object + field->offset;

    if (field->kind == FIELD_INT)
        *(int *)target = field->usual;
    else if (field->kind == FIELD_INT64)
        *(int64_t *)target = field->usual;
    else if (field->kind == FIELD_TEXTS)
        ((struct catalog_texts *)target)->items = NULL;
}

/* What every object of a shape must have, so that nobody has to check for a null name. */
static bool must_have(const struct field *field)
{
    return text_eq(field->key, "name") || text_eq(field->key, "schema") ||
           text_eq(field->key, "type") || text_eq(field->key, "kind");
}

bool shape_from_json(const void *ctx, const struct shape *shape, const json_t *json, void *object,
                     struct error *err)
{
    if (!json_is_object(json))
        return wrong_type("an object", json, err);
    for (const struct field *f = shape->fields; f->key; f++) {
        const json_t *value = json_object_get(json, f->key);

        set_usual(f, object);
        if (value && !json_is_null(value)) {
            if (!field_from(ctx, value, f, object, err))
                return fail_in(err, "%s", f->key);
        } else if (must_have(f)) {
            return fail(err, ERROR_INVALID, "%s: is missing", f->key);
        }
    }
    return true;
}

json_t *catalog_to_json(const struct catalog *catalog)
{
    json_t *json = shape_to_json(&catalog_shape, catalog, true);

    json_object_set_new(json, "flotilla_catalog", json_integer(1));
    return json;
}

bool catalog_from_json(const void *ctx, const json_t *json, struct catalog **out, struct error *err)
{
    struct catalog *catalog = mem_new(ctx, struct catalog);

    if (json_is_object(json) && !json_object_get(json, "relations") &&
        json_is_object(json_object_get(json, "catalog")))
        json = json_object_get(json, "catalog");
    if (!json_is_object(json) || !json_is_array(json_object_get(json, "relations"))) {
        talloc_free(catalog);
        fail(err, ERROR_INVALID, "this is not a catalog: it has no list \"relations\"");
        return fail_hint(err, "save one with `flotilla inspect --format json`");
    }
    if (!shape_from_json(catalog, &catalog_shape, json, catalog, err)) {
        talloc_free(catalog);
        fail_in(err, "catalog");
        return fail_hint(err, "save it again with `flotilla inspect --format json`");
    }
    catalog_sort(catalog);
    *out = catalog;
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return text_cmp(json_text_of(*(json_t *const *)a, "name"),
                    json_text_of(*(json_t *const *)b, "name"));
}

/* A column dropped and put back is last in the table and yet the same catalog. */
static void columns_sort(json_t *columns)
{
    SCOPE(tmp);
    size_t n = json_array_size(columns);
    json_t **list = mem_array(tmp, json_t *, n);

    for (size_t i = 0; i < n; i++)
        list[i] = json_incref(json_array_get(columns, i));
    qsort(list, n, sizeof *list, compare_names);
    json_array_clear(columns);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(columns, list[i]);
}

json_t *catalog_relation_json(const struct relation *relation, bool with_statistics)
{
    json_t *json = shape_to_json(&relation_shape, relation, with_statistics);

    if (!with_statistics)
        columns_sort(json_object_get(json, "columns"));
    return json;
}
