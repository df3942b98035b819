#include "controller/plan/emit.h"

#include <ctype.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Words that YAML 1.1 or 1.2 readers take for something else than text. */
static bool is_reserved(const char *s)
{
    static const char *const words[] = {
        "true", "false", "yes", "no", "on", "off", "null", "y", "n"
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(s, words[i]) == 0)
            return true;
    return false;
}

/* Plain: starts with a letter, holds nothing that has a meaning anywhere in YAML. */
static bool is_plain(const char *s)
{
    static const char inside[] = " _-./()=*<>+";
    size_t n = strlen(s);
    if (n == 0 || n > 200 || !isalpha((unsigned char)s[0]) || s[n - 1] == ' ' || is_reserved(s))
        return false;
    for (const char *p = s; *p; p++)
        if (!isalnum((unsigned char)*p) && !strchr(inside, *p))
            return false;
    return true;
}

/* A block scalar keeps its lines as they are; what it cannot keep is quoted. */
static bool is_block(const char *s)
{
    size_t n = strlen(s);
    if (!strchr(s, '\n') || s[0] == ' ' || s[0] == '\n' || s[n - 1] == '\n')
        return false;
    for (const char *p = s; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7F)
            return false;
        if (*p == ' ' && (p[1] == '\n' || p[1] == '\0'))
            return false;
    }
    return !strstr(s, "\xC2\x85") && !strstr(s, "\xE2\x80\xA8") && !strstr(s, "\xE2\x80\xA9") &&
           !strstr(s, "\xEF\xBB\xBF");
}

static void indent(struct text *t, int depth)
{
    for (int i = 0; i < depth; i++)
        text_add(t, "  ");
}

static void emit_block(struct text *t, const char *s, int depth)
{
    text_add(t, " |-\n");
    while (s) {
        const char *end = strchr(s, '\n');
        size_t n = end ? (size_t)(end - s) : strlen(s);
        if (n) {
            indent(t, depth);
            text_addn(t, s, n);
        }
        text_addc(t, '\n');
        s = end ? end + 1 : NULL;
    }
}

static void emit_scalar(struct text *t, const json_t *value, int depth)
{
    SCOPE(tmp);
    const char *s = json_string_value(value);
    if (s && is_block(s)) {
        emit_block(t, s, depth);
        return;
    }
    text_addf(t, " %s\n", s && is_plain(s) ? s : json_compact(tmp, value));
}

static void emit_map(struct text *t, const json_t *map, int depth, bool first_inline);

static void emit_list(struct text *t, const json_t *list, int depth)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        indent(t, depth);
        text_addc(t, '-');
        if (json_is_object(item) && json_object_size(item)) {
            text_addc(t, ' ');
            emit_map(t, item, depth + 1, true);
        } else {
            emit_scalar(t, item, depth + 1);
        }
    }
}

static bool is_nested(const json_t *value)
{
    return (json_is_object(value) && json_object_size(value)) ||
           (json_is_array(value) && json_array_size(value));
}

static void emit_map(struct text *t, const json_t *map, int depth, bool first_inline)
{
    SCOPE(tmp);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value) {
        if (!first_inline)
            indent(t, depth);
        first_inline = false;
        json_t *name = json_own(tmp, json_string(key));
        text_addf(t, "%s:", is_plain(key) && !strchr(key, ' ') ? key : json_compact(tmp, name));
        if (!is_nested(value)) {
            emit_scalar(t, value, depth + 1);
        } else {
            text_addc(t, '\n');
            if (json_is_object(value))
                emit_map(t, value, depth + 1, false);
            else
                emit_list(t, value, depth + 1);
        }
    }
}

const char *yaml_from_json(const void *ctx, const json_t *value)
{
    struct text t = text_init(ctx, TEXT_FILE);
    emit_map(&t, value, 0, false);
    return t.data;
}
