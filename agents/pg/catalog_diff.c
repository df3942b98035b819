#include <string.h>

#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog.h"
#include "agents/pg/catalog_shape.h"

enum {
    VALUE_SHOWN = 60, /* longer values are only said to have changed */
};

struct diff {
    const void *ctx; /* of the lines */
    void *tmp;
    const char **lines;
    size_t count;
};

static void diff_add(struct diff *d, const char *line)
{
    d->lines = mem_room(d->ctx, d->lines, const char *, d->count + 1);
    d->lines[d->count++] = line;
}

static const char *text_at(const void *object, const struct shape *shape, const char *key)
{
    for (const struct field *f = shape->fields; f->key; f++)
        if (f->kind == FIELD_TEXT && strcmp(f->key, key) == 0)
            return *(const char *const *)((const char *)object + f->offset);
    return NULL;
}

/* What an object is called at the start of a line; unique among the objects of its list. */
static const char *object_key(const void *ctx, const struct shape *shape, const void *object)
{
    const char *name = text_at(object, shape, "name");
    const char *schema = text_at(object, shape, "schema");
    const char *arguments = text_at(object, shape, "arguments");

    if (shape == &relation_shape)
        return object_name_join(ctx, schema, name);
    if (shape == &function_shape)
        return mem_printf(ctx, "function %s(%s)", object_name_join(ctx, schema, name),
                          arguments ? arguments : "");
    if (shape == &type_shape || shape == &sequence_shape)
        return mem_printf(ctx, "%s %s", shape->name, object_name_join(ctx, schema, name));
    return mem_printf(ctx, "%s %s", shape->name, name);
}

static bool is_ours(const struct shape *shape, const void *object)
{
    return text_eq(text_at(object, shape, "schema"), "flotilla") ||
           (text_eq(shape->name, "schema") && text_eq(text_at(object, shape, "name"), "flotilla"));
}

static const char *value_text(const void *ctx, const struct field *f, const void *object)
{
    const void *value = (const char *)object + f->offset;

    switch (f->kind) {
    case FIELD_TEXT: return *(const char *const *)value;
    case FIELD_INT: return mem_printf(ctx, "%d", *(const int *)value);
    case FIELD_INT64: return mem_printf(ctx, "%lld", (long long)*(const int64_t *)value);
    case FIELD_BOOL: return *(const bool *)value ? "true" : "false";
    case FIELD_CHAR: return *(const char *)value ? shape_word(f, *(const char *)value) : NULL;
    default: return NULL;
    }
}

static bool texts_equal(const struct catalog_texts *a, const struct catalog_texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!text_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

static bool is_shown(const char *s)
{
    return !s || (strlen(s) <= VALUE_SHOWN && !strchr(s, '\n'));
}

static void diff_value(struct diff *d, const char *prefix, const struct field *f, const void *a,
                       const void *b)
{
    const char *x = value_text(d->tmp, f, a);
    const char *y = value_text(d->tmp, f, b);

    if (text_eq(x, y))
        return;
    if (is_shown(x) && is_shown(y))
        diff_add(
            d, mem_printf(d->ctx, "%s%s %s -> %s", prefix, f->key, x ? x : "none", y ? y : "none"));
    else
        diff_add(d, mem_printf(d->ctx, "%s%s changed", prefix, f->key));
}

struct entry {
    const void *object;
    bool seen;
    size_t twins; /* others of the same key; a database has none, a file may */
    UT_hash_handle hh;
};

static void diff_list(struct diff *d, const char *prefix, const struct field *f, const void *a,
                      const void *b);

static void diff_object(struct diff *d, const char *prefix, const struct shape *shape,
                        const void *a, const void *b)
{
    for (const struct field *f = shape->fields; f->key; f++) {
        if (f->flags & (FIELD_STATISTIC | FIELD_DERIVED))
            continue;
        const void *x = (const char *)a + f->offset;
        const void *y = (const char *)b + f->offset;

        if (f->kind == FIELD_LIST)
            diff_list(d, prefix, f, a, b);
        else if (f->kind != FIELD_TEXTS)
            diff_value(d, prefix, f, a, b);
        else if (!texts_equal(x, y))
            diff_add(d, mem_printf(d->ctx, "%s%s changed", prefix, f->key));
    }
}

/* "public.orders: " for objects of the catalog, "public.orders: column status " for their parts. */
static const char *prefix_of(struct diff *d, const char *prefix, const char *key)
{
    return *prefix ? mem_printf(d->tmp, "%s%s ", prefix, key) : mem_printf(d->tmp, "%s: ", key);
}

static struct entry *entries_of(struct diff *d, const struct field *f, const void *object)
{
    const char *items = *(const char *const *)((const char *)object + f->offset);
    size_t count = *(const size_t *)((const char *)object + f->count_offset);
    struct entry *all = NULL, *entries = mem_array(d->tmp, struct entry, count);

    for (size_t i = 0; i < count; i++) {
        const char *key = object_key(d->tmp, f->shape, items + i * f->shape->size);
        struct entry *twin = NULL;

        HASH_FIND(hh, all, key, strlen(key), twin);
        if (twin)
            key = mem_printf(d->tmp, "%s (%zu)", key, ++twin->twins + 1);
        entries[i].object = items + i * f->shape->size;
        HASH_ADD_KEYPTR(hh, all, key, strlen(key), &entries[i]);
    }
    return all;
}

static void diff_list(struct diff *d, const char *prefix, const struct field *f, const void *a,
                      const void *b)
{
    struct entry *before = entries_of(d, f, a), *after = entries_of(d, f, b);

    for (struct entry *e = before; e; e = e->hh.next) {
        const char *key = e->hh.key;
        struct entry *other = NULL;

        if (is_ours(f->shape, e->object))
            continue;
        HASH_FIND(hh, after, key, strlen(key), other);
        if (other) {
            other->seen = true;
            diff_object(d, prefix_of(d, prefix, key), f->shape, e->object, other->object);
        } else {
            diff_add(d, mem_printf(d->ctx, "%sremoved", prefix_of(d, prefix, key)));
        }
    }
    for (struct entry *e = after; e; e = e->hh.next)
        if (!e->seen && !is_ours(f->shape, e->object))
            diff_add(d, mem_printf(d->ctx, "%sadded", prefix_of(d, prefix, e->hh.key)));
    HASH_CLEAR(hh, before);
    HASH_CLEAR(hh, after);
}

struct catalog_texts catalog_diff(const void *ctx, const struct catalog *before,
                                  const struct catalog *after)
{
    SCOPE(tmp);
    struct diff d = { .ctx = ctx, .tmp = tmp };

    diff_object(&d, "", &catalog_shape, before, after);
    return (struct catalog_texts){ d.lines, d.count };
}
