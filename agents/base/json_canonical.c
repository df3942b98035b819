#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Decodes the character at *s (jansson holds valid UTF-8 only) and moves on. */
static uint32_t next_character(const unsigned char **s)
{
    const unsigned char *p = *s;
    unsigned n = *p >= 0xF0 ? 4 : *p >= 0xE0 ? 3 : *p >= 0xC0 ? 2 : 1;
    uint32_t c = n == 1 ? *p : *p & (0xFFu >> (n + 1));
    for (unsigned i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3F);
    *s = p + n;
    return c;
}

/* Where two characters differ, UTF-16 order is code point order except that characters beyond the
 * basic plane (first unit 0xD800..) come before U+E000..U+FFFF. */
static uint32_t utf16_rank(uint32_t c)
{
    return c < 0x10000 ? (c >= 0xE000 ? c + 0x110000 : c) : c;
}

static int by_utf16(const void *left, const void *right)
{
    const unsigned char *a = *(const unsigned char *const *)left;
    const unsigned char *b = *(const unsigned char *const *)right;
    while (*a && *b) {
        uint32_t x = utf16_rank(next_character(&a));
        uint32_t y = utf16_rank(next_character(&b));
        if (x != y)
            return x < y ? -1 : 1;
    }
    return *a ? 1 : *b ? -1 : 0;
}

/* RFC 8785 3.2.2.2: the two-character escapes where they exist, \u00xx for other controls. */
static void write_string(struct text *t, const char *s)
{
    static const char shorts[] = "\b\t\n\f\r\"\\";
    static const char letters[] = "btnfr\"\\";
    text_addc(t, '"');
    for (; *s; s++) {
        const char *at = strchr(shorts, *s);
        if (at)
            text_addf(t, "\\%c", letters[at - shorts]);
        else if ((unsigned char)*s < 0x20)
            text_addf(t, "\\u%04x", *s);
        else
            text_addc(t, *s);
    }
    text_addc(t, '"');
}

static bool write_value(struct text *t, const json_t *value, struct error *err);

static bool write_object(struct text *t, const json_t *object, struct error *err)
{
    SCOPE(tmp);
    size_t n = json_object_size(object);
    const char **keys = mem_array(tmp, const char *, n);
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        keys[i++] = key;
    qsort(keys, n, sizeof(*keys), by_utf16);
    text_addc(t, '{');
    for (i = 0; i < n; i++) {
        if (i)
            text_addc(t, ',');
        write_string(t, keys[i]);
        text_addc(t, ':');
        if (!write_value(t, json_object_get(object, keys[i]), err))
            return fail_in(err, "%s", keys[i]);
    }
    text_addc(t, '}');
    return true;
}

static bool write_array(struct text *t, const json_t *array, struct error *err)
{
    text_addc(t, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i)
            text_addc(t, ',');
        if (!write_value(t, json_array_get(array, i), err))
            return fail_in(err, "[%zu]", i);
    }
    text_addc(t, ']');
    return true;
}

static bool write_integer(struct text *t, json_int_t n, struct error *err)
{
    if (n > JSON_SAFE_INTEGER || n < -JSON_SAFE_INTEGER)
        return fail(err, ERROR_INVALID, "integer %lld has no canonical form", (long long)n);
    text_addf(t, "%lld", (long long)n);
    return true;
}

static bool write_value(struct text *t, const json_t *value, struct error *err)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return write_object(t, value, err);
    case JSON_ARRAY: return write_array(t, value, err);
    case JSON_STRING: write_string(t, json_string_value(value)); return true;
    case JSON_INTEGER: return write_integer(t, json_integer_value(value), err);
    case JSON_REAL:
        return fail(err, ERROR_INVALID, "floating-point numbers have no place in a signed form");
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL: break;
    }
    text_add(t, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    return true;
}

bool json_canonical(const void *ctx, const json_t *value, const char **out, struct error *err)
{
    struct text t = text_init(ctx, TEXT_FILE);
    if (!write_value(&t, value, err))
        return fail_in(err, "canonical JSON");
    if (t.full)
        return fail(err, ERROR_INVALID, "canonical JSON is over %d bytes", TEXT_FILE);
    *out = t.data;
    return true;
}
