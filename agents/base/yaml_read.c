#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/clock.h"
#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/yaml.h"
#include "agents/base/yaml_scalar.h"

/* Longest piece of a file that a message repeats. */
enum { SHOWN = 60 };

const char *yaml_what(const void *ctx, const struct yaml_node *node)
{
    static const char *const kinds[] = { "nothing", "the boolean", "the number", "the number",
                                         "the text" };
    if (node->type == YAML_LIST)
        return "a list";
    if (node->type == YAML_MAP)
        return "a mapping";
    if (node->type == YAML_NULL)
        return "nothing";
    SCOPE(tmp);
    const char *shown = text_printable(tmp, node->text);
    const char *more = strlen(shown) > SHOWN ? "..." : "";
    size_t n = strlen(shown) > SHOWN ? text_utf8_prefix(shown, SHOWN) : strlen(shown);
    const char *quote = node->type == YAML_TEXT ? "\"" : "";
    return mem_printf(ctx, "%s %s%.*s%s%s", kinds[node->type], quote, (int)n, shown, more, quote);
}

struct yaml_node *yaml_key(const struct yaml_node *map, const char *key)
{
    for (size_t i = 0; map && map->type == YAML_MAP && i < map->count; i++)
        if (text_eq(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

static const char *shown_name(const void *ctx, const struct yaml_node *node)
{
    return text_printable(ctx, node->name);
}

struct yaml_node *yaml_must(struct yaml_problems *problems, const struct yaml_node *map,
                            const char *key)
{
    struct yaml_node *node = yaml_key(map, key);
    if (!node && map && map->type == YAML_MAP) {
        SCOPE(tmp);
        yaml_complain(problems, map, "%s: \"%s\" is missing, add it", shown_name(tmp, map), key);
    }
    return node;
}

void yaml_known(struct yaml_problems *problems, const struct yaml_node *map,
                const char *const *keys, size_t count)
{
    for (size_t i = 0; map && map->type == YAML_MAP && i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];
        bool known = false;
        for (size_t k = 0; k < count && !known; k++)
            known = text_eq(key->text, keys[k]);
        if (known)
            continue;
        SCOPE(tmp);
        const char *shown = text_printable(tmp, key->text);
        const char *near = text_nearest(key->text, keys, yaml_worth_searching(problems, count));
        if (text_eq(key->text, "<<"))
            yaml_complain(problems, key, "merge keys (\"<<\") are not read, write the keys out");
        else if (near)
            yaml_complain(problems, key, "unknown key \"%s\", did you mean \"%s\"?", shown, near);
        else {
            struct text all = text_init(tmp, TEXT_LINE);
            for (size_t k = 0; k < count; k++)
                text_addf(&all, "%s%s", k ? ", " : "", keys[k]);
            yaml_complain(problems, key, "unknown key \"%s\", known here: %s", shown, all.data);
        }
    }
}

static bool expected(struct yaml_problems *problems, const struct yaml_node *node,
                     const char *expected_what)
{
    SCOPE(tmp);
    if (node->type == YAML_NULL)
        yaml_complain(problems, node, "%s is empty, expected %s", shown_name(tmp, node),
                      expected_what);
    else
        yaml_complain(problems, node, "%s: expected %s, not %s", shown_name(tmp, node),
                      expected_what, yaml_what(tmp, node));
    return false;
}

bool yaml_is_map(struct yaml_problems *problems, const struct yaml_node *node)
{
    if (!node)
        return false;
    return node->type == YAML_MAP || expected(problems, node, "a mapping (key: value)");
}

bool yaml_is_list(struct yaml_problems *problems, const struct yaml_node *node)
{
    if (!node)
        return false;
    return node->type == YAML_LIST || expected(problems, node, "a list ([a, b])");
}

bool yaml_text_any(struct yaml_problems *problems, const struct yaml_node *node, const char **out)
{
    if (!node)
        return false;
    if (node->type == YAML_BOOL || node->type == YAML_INT || node->type == YAML_FLOAT)
        return expected(problems, node, "text in quotes");
    if (node->type != YAML_TEXT)
        return expected(problems, node, "text");
    *out = node->text;
    return true;
}

bool yaml_text(struct yaml_problems *problems, const struct yaml_node *node, const char **out)
{
    const char *s = NULL;
    if (!yaml_text_any(problems, node, &s))
        return false;
    if (!*s) {
        SCOPE(tmp);
        yaml_complain(problems, node, "%s is empty, expected text", shown_name(tmp, node));
        return false;
    }
    *out = s;
    return true;
}

bool yaml_bool(struct yaml_problems *problems, const struct yaml_node *node, bool *out)
{
    if (!node)
        return false;
    if (node->type == YAML_BOOL) {
        *out = node->text[0] == 't' || node->text[0] == 'T';
        return true;
    }
    if (node->type == YAML_TEXT && yaml_scalar_is_old_boolean(node->text)) {
        SCOPE(tmp);
        yaml_complain(problems, node,
                      "%s: \"%s\" is text and no boolean (YAML 1.2), write true or false",
                      shown_name(tmp, node), node->text);
        return false;
    }
    return expected(problems, node, "true or false");
}

bool yaml_int(struct yaml_problems *problems, const struct yaml_node *node, int64_t least,
              int64_t most, int64_t *out)
{
    if (!node)
        return false;
    SCOPE(tmp);
    int64_t n = 0;
    const char *wanted =
        mem_printf(tmp, "a whole number from %lld to %lld", (long long)least, (long long)most);
    if (least == most)
        wanted = mem_printf(tmp, "the number %lld", (long long)least);
    /* 022 is twenty-two to some readers of YAML and eighteen to others. */
    if (node->type == YAML_INT && node->text[strspn(node->text, "+-")] == '0' &&
        !yaml_scalar_int(node->text, &n))
        wanted = mem_printf(tmp, "%s without leading zeros", wanted);
    if (node->type != YAML_INT || !yaml_scalar_int(node->text, &n) || n < least || n > most)
        return expected(problems, node, wanted);
    *out = n;
    return true;
}

bool yaml_duration(struct yaml_problems *problems, const struct yaml_node *node, int64_t *ms)
{
    if (!node)
        return false;
    struct error err;
    if (node->type != YAML_TEXT || !clock_parse_duration(node->text, ms, &err))
        return expected(problems, node, "a duration with a unit, such as 200ms, 3s, 5m, 2h or 14d");
    return true;
}

bool yaml_one_of(struct yaml_problems *problems, const struct yaml_node *node,
                 const char *const *words, size_t count, int *out)
{
    if (!node)
        return false;
    for (size_t i = 0; node->type == YAML_TEXT && i < count; i++)
        if (text_eq(node->text, words[i])) {
            *out = (int)i;
            return true;
        }
    SCOPE(tmp);
    struct text wanted = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < count; i++)
        text_addf(&wanted, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", words[i]);
    return expected(problems, node, wanted.data);
}

bool yaml_texts(const void *ctx, struct yaml_problems *problems, const struct yaml_node *node,
                const char ***out, size_t *count)
{
    if (!yaml_is_list(problems, node))
        return false;
    bool good = true;
    const char **texts = mem_array(ctx, const char *, node->count);
    for (size_t i = 0; i < node->count; i++)
        good = yaml_text(problems, node->items[i], &texts[i]) && good;
    if (!good)
        return false;
    *out = texts;
    *count = node->count;
    return true;
}
