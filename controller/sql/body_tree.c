#include "controller/sql/body_tree.h"

#include <stdint.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { DEPTH_MAX = 2000 }; /* blocks and expressions of one body; the stack is deep */

struct reader {
    const void *ctx;
    struct body_tree *tree;
    char *at;
    int depth;
};

static void blanks(struct reader *r)
{
    r->at += strspn(r->at, " \t\r\n");
}

static bool hex(const char *s, unsigned *out)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned)c | 32) - 'a' + 10;
        if (digit > 15) {
            return false;
        }
        value = value * 16 + digit;
    }
    *out = value;
    return true;
}

static char *utf8_put(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3F));
    } else {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    }
    return to;
}

/* The character behind a backslash; what it stands for is never longer than it. */
static bool escape_read(const char **from, char **to)
{
    static const char names[] = "bfnrt\"\\/", values[] = "\b\f\n\r\t\"\\/";
    unsigned c;
    const char *p = *from;
    const char *name = *p != '\0' ? strchr(names, *p) : NULL;
    if (name) {
        *(*to)++ = values[name - names];
        *from = p + 1;
        return true;
    }
    if (*p != 'u' || !hex(p + 1, &c) || c == 0) {
        return false;
    }
    *to = utf8_put(*to, c);
    *from = p + 5;
    return true;
}

static bool string_read(struct reader *r, const char **out)
{
    if (*r->at != '"') {
        return false;
    }
    const char *from = r->at + 1;
    char *to = r->at + 1;
    *out = to;
    for (;;) {
        size_t plain = strcspn(from, "\"\\");
        memmove(to, from, plain);
        to += plain;
        from += plain;
        if (*from == '\0') {
            return false;
        }
        if (*from++ == '"') {
            break;
        }
        if (!escape_read(&from, &to)) {
            return false;
        }
    }
    r->at = (char *)(uintptr_t)from;
    *to = '\0';
    return true;
}

static size_t node_add(struct reader *r, const char *key)
{
    struct body_tree *t = r->tree;
    t->nodes = mem_room(r->ctx, t->nodes, struct body_node, t->count + 1);
    t->nodes[t->count] = (struct body_node){ .key = key };
    return t->count++;
}

static bool value_read(struct reader *r, size_t node);

static bool members_read(struct reader *r, size_t node, char close)
{
    size_t last = 0;
    r->at++;
    for (blanks(r); *r->at != close; blanks(r)) {
        const char *key = NULL;
        if (close == '}') {
            if (!string_read(r, &key)) {
                return false;
            }
            blanks(r);
            if (*r->at++ != ':') {
                return false;
            }
        }
        size_t child = node_add(r, key);
        *(last ? &r->tree->nodes[last].next : &r->tree->nodes[node].child) = child;
        last = child;
        if (!value_read(r, child)) {
            return false;
        }
        blanks(r);
        if (*r->at == ',') {
            r->at++;
        } else if (*r->at != close) {
            return false;
        }
    }
    r->at++;
    return true;
}

static bool value_read(struct reader *r, size_t node)
{
    bool good;
    const char *text;
    blanks(r);
    switch (*r->at) {
    case '{':
    case '[':
        if (++r->depth > DEPTH_MAX) {
            return false;
        }
        good = members_read(r, node, *r->at == '{' ? '}' : ']');
        r->depth--;
        return good;
    case '"':
        good = string_read(r, &text);
        r->tree->nodes[node].text = good ? text : NULL;
        return good;
    default: { /* a number, true, false or null */
        size_t n = strspn(r->at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE");
        r->at += n;
        return n > 0;
    }
    }
}

bool body_tree_read(const void *ctx, char *json, struct body_tree *out)
{
    *out = (struct body_tree){ NULL, 0 };
    struct reader r = { .ctx = ctx, .tree = out, .at = json };
    if (!value_read(&r, node_add(&r, NULL))) {
        return false;
    }
    blanks(&r);
    return *r.at == '\0';
}

size_t body_tree_child(const struct body_tree *tree, size_t node, const char *key)
{
    for (size_t i = tree->nodes[node].child; i != 0; i = tree->nodes[i].next) {
        if (text_eq(tree->nodes[i].key, key)) {
            return i;
        }
    }
    return 0;
}
