#include "controller/plan/emit.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/yaml_scalar.h"

/* What is shorter than this in flow style is written so. */
enum { FLOW_WIDTH = 76, INDENT = 2 };

/* --- characters ------------------------------------------------------------------------------ */

/* The code point at s of valid UTF-8; *len is its length. */
static unsigned code_point(const char *s, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s;
    *len = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (*len == 1)
        return p[0];
    unsigned c = p[0] & (0xFFu >> (*len + 1));
    for (size_t i = 1; i < *len; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

/* Shows as itself: no control, no line break of Unicode, nothing invisible or that turns the
 * direction of writing (a reviewer must see what is signed). */
static bool shows(unsigned c)
{
    static const struct {
        unsigned from, to;
    } hidden[] = {
        { 0x00, 0x1F },     { 0x7F, 0x9F },       { 0xAD, 0xAD },     { 0x061C, 0x061C },
        { 0x200B, 0x200F }, { 0x2028, 0x202E },   { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF },
        { 0xFFF0, 0xFFFF }, { 0xE0000, 0xE0FFF },
    };
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (c >= hidden[i].from && c <= hidden[i].to)
            return false;
    return (c & 0xFFFE) != 0xFFFE;
}

static bool all_show(const char *s, const char *but)
{
    size_t len = 1;
    for (; *s; s += len)
        if (!shows(code_point(s, &len)) && !(len == 1 && strchr(but, *s)))
            return false;
    return true;
}

/* --- scalars --------------------------------------------------------------------------------- */

static bool is_plain_word(const char *s)
{
    return *s && yaml_scalar_type(s) == YAML_TEXT && !yaml_scalar_is_old_boolean(s) &&
           s[strlen(s) - 1] != ' ';
}

/* YAML 1.1 has more numbers and dates: whatever starts like one is quoted. */
static bool starts_safely(const char *s)
{
    return (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || *s == '_' || *s == '/' ||
           *s == '(' || (unsigned char)*s >= 0x80;
}

/* Inside of [ ] and { }. */
static bool is_flow_safe(const char *s, bool spaces)
{
    static const char word[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@-";
    if (!is_plain_word(s) || !starts_safely(s))
        return false;
    for (; *s; s++)
        if (!strchr(word, *s) && !(spaces && *s == ' '))
            return false;
    return true;
}

static bool is_plain(const char *s)
{
    size_t n = strlen(s);
    return is_plain_word(s) && starts_safely(s) && all_show(s, "") && s[n - 1] != ':' &&
           !strstr(s, ": ") && !strstr(s, " #");
}

/* Can stand as a literal block: lines that show, none but the last of spaces only, at most one line
 * break at the end. */
static bool is_block(const char *s)
{
    size_t n = strlen(s);
    if (!strchr(s, '\n') || *s == '\n' || *s == ' ' || *s == '\t' || !all_show(s, "\n\t"))
        return false;
    if (text_ends(s, "\n\n"))
        return false;
    for (const char *line = s; line < s + n;) {
        size_t len = strcspn(line, "\n");
        if (len > 0 && strspn(line, " \t") == len)
            return false;
        line += len + 1;
    }
    return true;
}

static void add_quoted(struct text *t, const char *s)
{
    text_addc(t, '"');
    size_t len = 1;
    for (; *s; s += len) {
        unsigned c = code_point(s, &len);
        if (c == '"' || c == '\\')
            text_addf(t, "\\%c", (char)c);
        else if (c == '\n')
            text_add(t, "\\n");
        else if (c == '\t')
            text_add(t, "\\t");
        else if (shows(c))
            text_addn(t, s, len);
        else if (c < 0x100)
            text_addf(t, "\\x%02X", c);
        else
            text_addf(t, c < 0x10000 ? "\\u%04X" : "\\U%08X", c);
    }
    text_addc(t, '"');
}

static void add_spaces(struct text *t, int n)
{
    for (int i = 0; i < n; i++)
        text_addc(t, ' ');
}

static void add_block(struct text *t, const char *s, int indent)
{
    text_add(t, text_ends(s, "\n") ? "|" : "|-");
    while (*s) {
        size_t len = strcspn(s, "\n");
        text_addc(t, '\n');
        if (len > 0)
            add_spaces(t, indent);
        text_addn(t, s, len);
        s += len + (s[len] == '\n');
    }
}

static void add_other(struct text *t, const json_t *value)
{
    char *s = json_dumps(value, JSON_ENCODE_ANY);
    text_add(t, s ? s : "null");
    free(s);
}

static void add_scalar(struct text *t, const json_t *value, int indent)
{
    const char *s = json_string_value(value);
    if (!s)
        add_other(t, value);
    else if (is_plain(s))
        text_add(t, s);
    else if (is_block(s))
        add_block(t, s, indent);
    else
        add_quoted(t, s);
}

static void add_key(struct text *t, const char *key)
{
    if (is_flow_safe(key, false))
        text_add(t, key);
    else
        add_quoted(t, key);
    text_addc(t, ':');
}

/* --- flow style ------------------------------------------------------------------------------ */

static bool is_container(const json_t *value)
{
    return json_is_array(value) || json_is_object(value);
}

static void flow_scalar(struct text *t, const json_t *value, bool spaces)
{
    const char *s = json_string_value(value);
    if (!s)
        add_other(t, value);
    else if (is_flow_safe(s, spaces))
        text_add(t, s);
    else
        t->full = true;
}

static void flow_list(struct text *t, const json_t *list)
{
    size_t i;
    json_t *item;
    text_addc(t, '[');
    json_array_foreach(list, i, item) {
        text_add(t, i ? ", " : "");
        if (is_container(item))
            t->full = true;
        else
            flow_scalar(t, item, false);
    }
    text_addc(t, ']');
}

static void flow_map(struct text *t, const json_t *map)
{
    const char *key;
    json_t *item;
    const char *before = "{ ";
    json_object_foreach((json_t *)(uintptr_t)map, key, item) {
        text_add(t, before);
        before = ", ";
        add_key(t, key);
        text_addc(t, ' ');
        if (json_is_array(item))
            flow_list(t, item);
        else if (json_is_object(item))
            t->full = true;
        else
            flow_scalar(t, item, true);
    }
    text_add(t, json_object_size(map) ? " }" : "{}");
}

/* The value in flow style, or null when it is too long or holds what would need quotes. */
static const char *flow(const void *ctx, const json_t *value)
{
    struct text t = text_init(ctx, FLOW_WIDTH);
    if (json_is_array(value))
        flow_list(&t, value);
    else
        flow_map(&t, value);
    return t.full ? NULL : t.data;
}

/* --- block style ----------------------------------------------------------------------------- */

static void add_value(struct text *t, const json_t *value, int indent);

static void add_entries(struct text *t, const json_t *map, int indent)
{
    const char *key;
    json_t *item;
    bool first = true;
    json_object_foreach((json_t *)(uintptr_t)map, key, item) {
        if (!first) {
            text_addc(t, '\n');
            add_spaces(t, indent);
        }
        first = false;
        add_key(t, key);
        add_value(t, item, indent + INDENT);
    }
}

static void add_items(struct text *t, const json_t *list, int indent)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        SCOPE(tmp);
        text_addc(t, '\n');
        add_spaces(t, indent);
        text_addc(t, '-');
        if (json_is_object(item) && !flow(tmp, item)) {
            text_addc(t, ' ');
            add_entries(t, item, indent + INDENT);
        } else {
            add_value(t, item, indent + INDENT);
        }
    }
}

/* What follows "key:" or "-"; depth is bounded by that of the plan and by the reader's. */
static void add_value(struct text *t, const json_t *value, int indent)
{
    SCOPE(tmp);
    const char *short_form = is_container(value) ? flow(tmp, value) : NULL;
    if (!is_container(value)) {
        text_addc(t, ' ');
        add_scalar(t, value, indent);
    } else if (short_form) {
        text_addf(t, " %s", short_form);
    } else if (json_is_array(value)) {
        add_items(t, value, indent);
    } else {
        text_addc(t, '\n');
        add_spaces(t, indent);
        add_entries(t, value, indent);
    }
}

void emit_document(struct text *t, const json_t *object)
{
    add_entries(t, object, 0);
    text_addc(t, '\n');
}
