#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "agents/base/yaml_scalar.h"

static json_t *scalar_value(struct yaml_problems *problems, const struct yaml_node *node)
{
    SCOPE(tmp);
    int64_t n = 0;
    switch (node->type) {
    case YAML_NULL: return json_null();
    case YAML_BOOL: return json_boolean(node->text[0] == 't' || node->text[0] == 'T');
    case YAML_TEXT: return json_string(node->text);
    case YAML_INT:
        if (yaml_scalar_int(node->text, &n))
            return json_integer(n);
        yaml_complain(problems, node,
                      "%s: %s is no plain number of 64 bits, quote it if it is text",
                      text_printable(tmp, node->name), yaml_what(tmp, node));
        return NULL;
    default: break;
    }
    double real = strtod(node->text, NULL);
    if (isfinite(real) && isdigit((unsigned char)node->text[strcspn(node->text, "0123456789")]))
        return json_real(real);
    yaml_complain(problems, node, "%s: %s is no number of JSON, quote it if it is text",
                  text_printable(tmp, node->name), yaml_what(tmp, node));
    return NULL;
}

/* Depth is bounded by the tree's. */
static json_t *value_of(struct yaml_problems *problems, const struct yaml_node *node)
{
    if (node->type != YAML_LIST && node->type != YAML_MAP)
        return scalar_value(problems, node);
    bool good = true;
    json_t *all = node->type == YAML_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        json_t *item = value_of(problems, node->items[i]);
        good = item && good;
        if (node->type == YAML_LIST)
            json_array_append_new(all, item);
        else
            json_object_set_new(all, node->keys[i]->text, item);
    }
    if (good)
        return all;
    json_decref(all);
    return NULL;
}

json_t *yaml_to_json(const void *ctx, struct yaml_problems *problems, const struct yaml_node *node)
{
    json_t *value = value_of(problems, node);
    return value ? json_own(ctx, value) : NULL;
}

/* One token of a pointer, unescaped: "~1" is "/", "~0" is "~". */
static const char *next_token(const void *ctx, const char **pointer)
{
    struct text t = text_init(ctx, TEXT_LINE);
    const char *p = *pointer + 1;
    for (; *p && *p != '/'; p++) {
        if (p[0] == '~' && (p[1] == '0' || p[1] == '1'))
            text_addc(&t, *++p == '1' ? '/' : '~');
        else
            text_addc(&t, *p);
    }
    *pointer = p;
    return t.data;
}

static const struct yaml_node *key_named(const struct yaml_node *map, const char *name)
{
    for (size_t i = 0; map->type == YAML_MAP && i < map->count; i++)
        if (text_eq(map->keys[i]->text, name))
            return map->keys[i];
    return NULL;
}

const struct yaml_node *yaml_at_key(const struct yaml_node *root, const char *pointer)
{
    SCOPE(tmp);
    const char *last = strrchr(pointer, '/');
    if (!last)
        return root;
    const struct yaml_node *map = yaml_at(root, mem_textn(tmp, pointer, (size_t)(last - pointer)));
    const struct yaml_node *key = key_named(map, next_token(tmp, &last));
    return key ? key : yaml_at(root, pointer);
}

const struct yaml_node *yaml_at(const struct yaml_node *root, const char *pointer)
{
    SCOPE(tmp);
    const struct yaml_node *node = root;
    while (*pointer == '/') {
        const char *token = next_token(tmp, &pointer);
        const struct yaml_node *child = NULL;
        if (node->type == YAML_MAP)
            child = yaml_key(node, token);
        else if (node->type == YAML_LIST && isdigit((unsigned char)*token) &&
                 strtoul(token, NULL, 10) < node->count)
            child = node->items[strtoul(token, NULL, 10)];
        if (!child)
            break;
        node = child;
    }
    return node;
}
