#include "agents/base/json.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Deep enough for every format of ours (plans nest 8 levels), shallow enough for any stack. A
 * catalog of 10,000 tables has a million values; an empty list of two bytes takes a hundred in
 * memory. */
enum { DEPTH_LIMIT = 512, VALUES_LIMIT = 4 * 1000 * 1000 };

struct holder {
    json_t *value;
};

static int holder_end(struct holder *h)
{
    json_decref(h->value);
    return 0;
}

json_t *json_own(const void *ctx, json_t *value)
{
    struct holder *h = mem_new(ctx, struct holder);
    h->value = value;
    talloc_set_destructor(h, holder_end);
    return value;
}

/* Brackets are counted before parsing: jansson's own limit (2048) is far above what we accept. */
static bool is_bounded(const char *data, size_t len, struct error *err)
{
    size_t depth = 0;
    size_t values = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = data[i];
        if (c == '"')
            in_string = !in_string;
        if (in_string) {
            i += c == '\\';
            continue;
        }
        bool opens = c == '{' || c == '[';
        depth += opens;
        depth -= depth > 0 && (c == '}' || c == ']');
        values += opens || c == ',';
        if (depth > DEPTH_LIMIT)
            return fail(err, ERROR_INVALID, "JSON nests deeper than %d levels", DEPTH_LIMIT);
    }
    if (values > VALUES_LIMIT)
        return fail(err, ERROR_INVALID, "JSON holds over %d values", VALUES_LIMIT);
    return true;
}

bool json_parse(const void *ctx, const char *data, size_t len, json_t **out, struct error *err)
{
    if (!is_bounded(data, len, err))
        return false;
    /* jansson takes a NUL for the end of the text. */
    if (memchr(data, '\0', len))
        return fail(err, ERROR_INVALID, "JSON holds a NUL byte");
    json_error_t why;
    json_t *value = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!value) {
        SCOPE(tmp);
        return fail(err, ERROR_INVALID, "JSON line %d column %d: %s", why.line, why.column,
                    text_printable(tmp, why.text));
    }
    *out = json_own(ctx, value);
    return true;
}

static const char *dumped(const void *ctx, const json_t *value, size_t flags)
{
    char *raw = json_dumps(value, flags | JSON_ENCODE_ANY);
    const char *copy = mem_text(ctx, raw ? raw : "null");
    free(raw);
    return copy;
}

const char *json_compact(const void *ctx, const json_t *value)
{
    return dumped(ctx, value, JSON_COMPACT);
}

const char *json_pretty(const void *ctx, const json_t *value)
{
    return dumped(ctx, value, JSON_INDENT(2));
}

static bool field(const json_t *object, const char *key, bool must, json_t **out, struct error *err)
{
    if (!json_is_object(object))
        return fail(err, ERROR_INVALID, "expected an object with a field \"%s\"", key);
    json_t *value = json_object_get(object, key);
    if (value && json_is_null(value))
        value = NULL;
    if (!value && must)
        return fail(err, ERROR_INVALID, "field \"%s\" is missing", key);
    *out = value;
    return true;
}

static bool wrong_type(const char *key, const char *expected, struct error *err)
{
    return fail(err, ERROR_INVALID, "field \"%s\": expected %s", key, expected);
}

static bool text_field(const json_t *object, const char *key, bool must, const char **out,
                       struct error *err)
{
    json_t *value = NULL;
    if (!field(object, key, must, &value, err))
        return false;
    if (value && !json_is_string(value))
        return wrong_type(key, "a string", err);
    if (value)
        *out = json_string_value(value);
    return true;
}

static bool int_field(const json_t *object, const char *key, bool must, int64_t *out,
                      struct error *err)
{
    json_t *value = NULL;
    if (!field(object, key, must, &value, err))
        return false;
    if (value && !json_is_integer(value))
        return wrong_type(key, "an integer", err);
    if (value)
        *out = json_integer_value(value);
    return true;
}

bool json_need_text(const json_t *object, const char *key, const char **out, struct error *err)
{
    return text_field(object, key, true, out, err);
}

bool json_may_text(const json_t *object, const char *key, const char **out, struct error *err)
{
    return text_field(object, key, false, out, err);
}

bool json_need_int(const json_t *object, const char *key, int64_t *out, struct error *err)
{
    return int_field(object, key, true, out, err);
}

bool json_may_int(const json_t *object, const char *key, int64_t *out, struct error *err)
{
    return int_field(object, key, false, out, err);
}

bool json_may_bool(const json_t *object, const char *key, bool *out, struct error *err)
{
    json_t *value = NULL;
    if (!field(object, key, false, &value, err))
        return false;
    if (value && !json_is_boolean(value))
        return wrong_type(key, "true or false", err);
    if (value)
        *out = json_is_true(value);
    return true;
}

bool json_need_array(const json_t *object, const char *key, json_t **out, struct error *err)
{
    json_t *value = NULL;
    if (!field(object, key, true, &value, err))
        return false;
    if (!json_is_array(value))
        return wrong_type(key, "an array", err);
    *out = value;
    return true;
}

bool json_need_object(const json_t *object, const char *key, json_t **out, struct error *err)
{
    json_t *value = NULL;
    if (!field(object, key, true, &value, err))
        return false;
    if (!json_is_object(value))
        return wrong_type(key, "an object", err);
    *out = value;
    return true;
}

const char *json_text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

int64_t json_int_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool json_true_of(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

void json_set_text(json_t *object, const char *key, const char *value)
{
    if (value)
        json_object_set_new(object, key, json_string(value));
}

void json_set_int(json_t *object, const char *key, int64_t value)
{
    json_object_set_new(object, key, json_integer(value));
}

void json_set_bool(json_t *object, const char *key, bool value)
{
    json_object_set_new(object, key, json_boolean(value));
}

json_t *json_from_texts(const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(texts[i]));
    return array;
}

bool json_to_texts(const void *ctx, const json_t *array, const char *const **out, size_t *count,
                   struct error *err)
{
    if (!json_is_array(array))
        return fail(err, ERROR_INVALID, "expected an array of strings");
    size_t n = json_array_size(array);
    const char **texts = mem_array(ctx, const char *, n);
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(array, i));
        if (!s)
            return fail(err, ERROR_INVALID, "element %zu: expected a string", i + 1);
        texts[i] = mem_text(texts, s);
    }
    *out = texts;
    *count = n;
    return true;
}
