#include <string.h>

#include "agents/base/mem.h"
#include "agents/pg/catalog.h"
#include "agents/pg/catalog_shape.h"

static void copy_object(const void *ctx, const struct shape *shape, void *object);

static void copy_texts(const void *ctx, struct catalog_texts *texts)
{
    const char **items = mem_array(ctx, const char *, texts->count);

    for (size_t i = 0; i < texts->count; i++)
        items[i] = mem_text(ctx, texts->items[i]);
    texts->items = items;
}

static void copy_list(const void *ctx, const struct field *field, void *object)
{
    char **list = (char **)((char *)object + field->offset);
    size_t count = *(size_t *)((char *)object + field->count_offset);
    size_t size = field->shape->size;
    char *items = mem_zeroed(ctx, size, count, field->shape->name);

    if (count)
        memcpy(items, *list, count * size);
    for (size_t i = 0; i < count; i++)
        copy_object(ctx, field->shape, items + i * size);
    *list = items;
}

/* Turns a shallow copy into a deep one. */
static void copy_object(const void *ctx, const struct shape *shape, void *object)
{
    for (const struct field *f = shape->fields; f->key; f++) {
        void *value = (char *)object + f->offset;

        if (f->kind == FIELD_TEXT)
            *(const char **)value = mem_text(ctx, *(const char **)value);
        else if (f->kind == FIELD_TEXTS)
            copy_texts(ctx, value);
        else if (f->kind == FIELD_LIST)
            copy_list(ctx, f, object);
    }
}

struct catalog *catalog_copy(const void *ctx, const struct catalog *catalog)
{
    struct catalog *copy = mem_new(ctx, struct catalog);

    *copy = *catalog;
    copy_object(copy, &catalog_shape, copy);
    return copy;
}
