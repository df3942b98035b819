#include "agents/base/yaml.h"

#include <string.h>
#include <uthash.h>

#include "agents/base/file.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml_scalar.h"
#include "agents/base/yaml_stream.h"

struct anchor {
    const char *name;
    struct yaml_node *node;
    bool open; /* the node has not ended yet */
    UT_hash_handle hh;
};

struct loader {
    const void *ctx;     /* of the tree */
    const void *scratch; /* of the anchors; outlives the loader */
    struct yaml_stream stream;
    struct anchor *anchors;
    size_t nodes;
};

static void loader_end(struct loader *l)
{
    HASH_CLEAR(hh, l->anchors);
    yaml_stream_end(&l->stream);
}

#define AUTO_LOADER __attribute__((cleanup(loader_end))) struct loader

static struct yaml_node *node_new(struct loader *l, const yaml_event_t *event, const char *name)
{
    if (++l->nodes > YAML_NODE_LIMIT) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "the file has more than %d values, split it", YAML_NODE_LIMIT);
        return NULL;
    }
    struct yaml_node *node = mem_new(l->ctx, struct yaml_node);
    node->line = (int)event->start_mark.line + 1;
    node->column = (int)event->start_mark.column + 1;
    node->name = name;
    node->weight = 1;
    return node;
}

static bool refuse_tag(struct loader *l, const yaml_event_t *event, const yaml_char_t *tag)
{
    if (!tag)
        return true;
    SCOPE(tmp);
    yaml_stream_complain(&l->stream, &event->start_mark,
                         "the tag %s is not used here, quote a value to make it text",
                         text_printable(tmp, (const char *)tag));
    return false;
}

/* Declares an anchor for a node that begins; a later one of the same name hides it, as in YAML. */
static struct anchor *anchor_begin(struct loader *l, const yaml_char_t *name,
                                   struct yaml_node *node)
{
    if (!name)
        return NULL;
    struct anchor *a = NULL;
    HASH_FIND_STR(l->anchors, (const char *)name, a);
    if (!a) {
        a = mem_new(l->scratch, struct anchor);
        a->name = mem_text(a, (const char *)name);
        HASH_ADD_KEYPTR(hh, l->anchors, a->name, strlen(a->name), a);
    }
    a->node = node;
    a->open = true;
    return a;
}

/* A later anchor of the same name inside the node takes the name over; then this one is gone. */
static void anchor_end(struct anchor *a, const struct yaml_node *node)
{
    if (a && a->node == node)
        a->open = false;
}

static struct yaml_node *read_node(struct loader *l, yaml_event_t *event, int depth,
                                   const char *name);

static struct yaml_node *read_alias(struct loader *l, const yaml_event_t *event, const char *name)
{
    SCOPE(tmp);
    const char *shown = text_printable(tmp, (const char *)event->data.alias.anchor);
    struct anchor *a = NULL;
    HASH_FIND_STR(l->anchors, (const char *)event->data.alias.anchor, a);
    if (!a) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "there is no anchor &%s before the alias *%s", shown, shown);
        return NULL;
    }
    if (a->open) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "the alias *%s stands inside of its own anchor", shown);
        return NULL;
    }
    struct yaml_node *node = node_new(l, event, name);
    if (!node)
        return NULL;
    struct yaml_node place = *node;
    *node = *a->node;
    node->line = place.line;
    node->column = place.column;
    node->name = name;
    return node;
}

static struct yaml_node *read_scalar(struct loader *l, const yaml_event_t *event, const char *name)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct yaml_node *node = node_new(l, event, name);
    if (!node || !refuse_tag(l, event, event->data.scalar.tag))
        return NULL;
    if (memchr(value, '\0', len)) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "the text holds a NUL character, which nothing can use");
        return NULL;
    }
    yaml_scalar_style_t style = event->data.scalar.style;
    bool plain = style == YAML_PLAIN_SCALAR_STYLE;
    node->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    node->text = mem_textn(node, value, len);
    node->type = plain ? yaml_scalar_type(node->text) : YAML_TEXT;
    node->weight += len / 64;
    anchor_end(anchor_begin(l, event->data.scalar.anchor, node), node);
    return node;
}

/* Adds a child that is complete; refuses what would take too long to walk or is too deep. */
static bool adopt(struct loader *l, struct yaml_node *parent, const struct yaml_node *child,
                  int depth, const yaml_mark_t *mark)
{
    parent->weight += child->weight;
    if (child->height + 1 > parent->height)
        parent->height = child->height + 1;
    if (parent->weight > YAML_VISIT_LIMIT) {
        yaml_stream_complain(&l->stream, mark,
                             "aliases make the file more than %d values long, write less",
                             YAML_VISIT_LIMIT);
        return false;
    }
    if (depth + child->height > YAML_DEPTH_LIMIT) {
        yaml_stream_complain(&l->stream, mark,
                             "nested deeper than %d levels, which no file of ours needs",
                             YAML_DEPTH_LIMIT);
        return false;
    }
    return true;
}

static struct yaml_node *read_list(struct loader *l, const yaml_event_t *start, int depth,
                                   const char *name)
{
    struct yaml_node *list = node_new(l, start, name);
    if (!list || !refuse_tag(l, start, start->data.sequence_start.tag))
        return NULL;
    list->type = YAML_LIST;
    struct anchor *anchor = anchor_begin(l, start->data.sequence_start.anchor, list);
    for (;;) {
        AUTO_EVENT event = { 0 };
        if (!yaml_stream_next(&l->stream, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        const char *place = mem_printf(list, "item %zu", list->count + 1);
        struct yaml_node *item = read_node(l, &event, depth + 1, place);
        if (!item || !adopt(l, list, item, depth, &event.start_mark))
            return NULL;
        list->items = mem_room(list, list->items, struct yaml_node *, list->count + 1);
        list->items[list->count++] = item;
    }
    anchor_end(anchor, list);
    return list;
}

struct entry {
    const struct yaml_node *key;
    struct yaml_node *item;
};

static int by_key(const void *a, const void *b)
{
    const struct yaml_node *x = ((const struct entry *)a)->key;
    const struct yaml_node *y = ((const struct entry *)b)->key;
    int order = strcmp(x->text, y->text);
    if (order)
        return order;
    return x->line != y->line ? x->line - y->line : x->column - y->column;
}

static struct yaml_node **joined(const struct yaml_node *owner, struct yaml_node *const *a,
                                 size_t a_count, struct yaml_node *const *b, size_t b_count)
{
    struct yaml_node **all = mem_array(owner, struct yaml_node *, a_count + b_count);
    for (size_t i = 0; i < a_count + b_count; i++)
        all[i] = i < a_count ? a[i] : b[i - a_count];
    return all;
}

/* What stands under a key that is there twice is read under the first, or every mention of it would
 * be an error of its own. The arrays may be an anchor's: they are copied. */
static void take_in(struct yaml_node *first, const struct yaml_node *second)
{
    if (first->type != second->type || (first->type != YAML_LIST && first->type != YAML_MAP))
        return;
    if (first->type == YAML_MAP)
        first->keys = joined(first, first->keys, first->count, second->keys, second->count);
    first->items = joined(first, first->items, first->count, second->items, second->count);
    first->count += second->count;
    first->weight += second->weight;
    if (second->height > first->height)
        first->height = second->height;
}

/* A key that is there twice is a problem, but not the end of the reading: the file may have others.
 * Only the second is taken in: thousands of the same would take their time. */
static void keys_compare(struct loader *l, const struct yaml_node *map)
{
    SCOPE(tmp);
    size_t same = 0;
    struct entry *sorted = mem_array(tmp, struct entry, map->count);
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = (struct entry){ map->keys[i], map->items[i] };
    qsort(sorted, map->count, sizeof(*sorted), by_key);
    for (size_t i = 1; i < map->count; i++) {
        const struct yaml_node *before = sorted[i - 1].key;
        if (!text_eq(before->text, sorted[i].key->text)) {
            same = 0;
            continue;
        }
        yaml_complain(l->stream.problems, sorted[i].key,
                      "the key \"%s\" is already on line %d column %d, keep one of them",
                      text_printable(tmp, before->text), before->line, before->column);
        if (same++ == 0)
            take_in(sorted[i - 1].item, sorted[i].item);
    }
}

static struct yaml_node *read_key(struct loader *l, yaml_event_t *event, int depth)
{
    bool scalar = event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT;
    struct yaml_node *key = scalar ? read_node(l, event, depth, "a key") : NULL;
    if (!scalar || (key && (key->type == YAML_LIST || key->type == YAML_MAP))) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "a key must be text, quote it if it starts with [ or {");
        return NULL;
    }
    if (key && key->type == YAML_NULL) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "a key is empty, write its name before the colon");
        return NULL;
    }
    return key;
}

static struct yaml_node *read_map(struct loader *l, const yaml_event_t *start, int depth,
                                  const char *name)
{
    struct yaml_node *map = node_new(l, start, name);
    if (!map || !refuse_tag(l, start, start->data.mapping_start.tag))
        return NULL;
    map->type = YAML_MAP;
    struct anchor *anchor = anchor_begin(l, start->data.mapping_start.anchor, map);
    for (;;) {
        AUTO_EVENT event = { 0 };
        AUTO_EVENT second = { 0 };
        if (!yaml_stream_next(&l->stream, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        struct yaml_node *key = read_key(l, &event, depth + 1);
        if (!key || !yaml_stream_next(&l->stream, &second))
            return NULL;
        struct yaml_node *value = read_node(l, &second, depth + 1, key->text);
        if (!value || !adopt(l, map, key, depth, &event.start_mark) ||
            !adopt(l, map, value, depth, &second.start_mark))
            return NULL;
        map->keys = mem_room(map, map->keys, struct yaml_node *, map->count + 1);
        map->items = mem_room(map, map->items, struct yaml_node *, map->count + 1);
        map->keys[map->count] = key;
        map->items[map->count++] = value;
    }
    anchor_end(anchor, map);
    keys_compare(l, map);
    return map;
}

static struct yaml_node *read_node(struct loader *l, yaml_event_t *event, int depth,
                                   const char *name)
{
    if (depth > YAML_DEPTH_LIMIT) {
        yaml_stream_complain(&l->stream, &event->start_mark,
                             "nested deeper than %d levels, which no file of ours needs",
                             YAML_DEPTH_LIMIT);
        return NULL;
    }
    switch (event->type) {
    case YAML_ALIAS_EVENT: return read_alias(l, event, name);
    case YAML_SCALAR_EVENT: return read_scalar(l, event, name);
    case YAML_SEQUENCE_START_EVENT: return read_list(l, event, depth, name);
    case YAML_MAPPING_START_EVENT: return read_map(l, event, depth, name);
    default:
        yaml_stream_complain(&l->stream, &event->start_mark, "not YAML: a value was expected");
        return NULL;
    }
}

struct yaml_node *yaml_parse(const void *ctx, const char *data, size_t len,
                             struct yaml_problems *problems)
{
    SCOPE(scratch);
    void *holder = talloc_new(ctx);
    AUTO_LOADER l = { .ctx = holder, .scratch = scratch };
    AUTO_EVENT event = { 0 };
    struct yaml_node *root = NULL;
    if (yaml_stream_begin(&l.stream, data, len, problems) && yaml_stream_root(&l.stream, &event))
        root = read_node(&l, &event, 1, "the file");
    if (root && yaml_stream_ends(&l.stream))
        return root;
    talloc_free(holder);
    return NULL;
}

struct yaml_node *yaml_load(const void *ctx, const char *path, size_t most,
                            struct yaml_problems *problems)
{
    SCOPE(tmp);
    const char *data;
    size_t len;
    struct error err = { 0 };
    if (!file_read(tmp, path, most, &data, &len, &err)) {
        const char *what = err.message;
        size_t n = strlen(path);
        /* file_read says "PATH: what"; the place says the path already. */
        if (text_starts(what, path) && text_starts(what + n, ": "))
            what += n + 2;
        yaml_complain_at(problems, 0, 0, "%s", what);
        return NULL;
    }
    return yaml_parse(ctx, data, len, problems);
}
