#include "controller/lint/placeholder.h"

#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

struct filling {
    const void *ctx;
    const char *text, *end, *at;
    const struct lint_placeholder *said;
    size_t count;
    struct sql_texts *unsaid;
    struct text out;
    int brackets; /* a[1:2] is no placeholder */
    bool any;
};

/* One placeholder: how it is written, and what it says. */
struct mark {
    size_t length;    /* of the whole */
    const char *name; /* within it */
    size_t n;
    const char *fallback; /* ${name:-fallback}; null */
    char quote;           /* :"name", :'name' */
};

static bool is_word(int c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static struct mark dollar_mark(const char *at, const char *end)
{
    struct mark m = { 0 };
    const char *p = at + 2;
    while (p < end && (is_word(*p) || strchr(".:-/ ", *p)) && *p != '\0') {
        p++;
    }
    if (p == at + 2 || p >= end || *p != '}') {
        return m;
    }
    m = (struct mark){ .length = (size_t)(p + 1 - at), .name = at + 2, .n = (size_t)(p - at - 2) };
    const char *other = strstr(m.name, ":-");
    if (other && other < p) {
        m.n = (size_t)(other - m.name);
        m.fallback = other + 2;
    }
    return m;
}

/* {{ name }}: the last word of what stands there is the name. */
static struct mark brace_mark(const char *at, const char *end)
{
    struct mark m = { 0 };
    const char *close = strstr(at, "}}");
    if (!close || close >= end || memchr(at, '\n', (size_t)(close - at))) {
        return m;
    }
    const char *last = close;
    while (last > at && !is_word(last[-1])) {
        last--;
    }
    const char *first = last;
    while (first > at && is_word(first[-1])) {
        first--;
    }
    return (struct mark){ .length = (size_t)(close + 2 - at),
                          .name = first,
                          .n = (size_t)(last - first) };
}

/* Behind what stands before it, a colon is a cast, a slice or a key of JSON_OBJECT('key' :value).
 */
static bool follows(const char *text, const char *at)
{
    if (at > text && (is_word(at[-1]) || strchr(":)]\"'", at[-1]))) {
        return true;
    }
    while (at > text && isspace((unsigned char)at[-1])) {
        at--;
    }
    return at > text && at[-1] == '\'';
}

static struct mark colon_mark(const char *text, const char *at, const char *end)
{
    struct mark m = { 0 };
    const char *p = at + 1;
    char quote = p < end && (*p == '"' || *p == '\'') ? *p : '\0';
    const char *name = quote ? p + 1 : p, *last = name;
    while (last < end && is_word(*last)) {
        last++;
    }
    bool open = quote && (last >= end || *last != quote);
    if (last == name || isdigit((unsigned char)*name) || open || follows(text, at)) {
        return m;
    }
    return (struct mark){ .length = (size_t)(last - at) + (quote != '\0'),
                          .name = name,
                          .n = (size_t)(last - name),
                          .quote = quote };
}

static const char *value_of(const struct filling *f, const struct mark *m)
{
    for (size_t i = 0; i < f->count && m->n > 0; i++) {
        if (strlen(f->said[i].name) == m->n && memcmp(f->said[i].name, m->name, m->n) == 0) {
            return f->said[i].value;
        }
    }
    return NULL;
}

/* Newlines that the placeholder held stay, so that lines keep their numbers. */
static void lines_keep(struct filling *f, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (from[i] == '\n') {
            text_addc(&f->out, '\n');
        }
    }
}

static void name_put(struct filling *f, const struct mark *m, bool plain)
{
    const char *after = f->at + m->length;
    bool alone = plain && !m->quote && !is_word(*after) &&
                 !(f->at > f->text && (is_word(f->at[-1]) || strchr("\"'", f->at[-1])));
    char quote = m->quote ? m->quote : alone ? '"' : '\0';
    const char *name = m->name;
    size_t n = m->n;
    for (size_t i = 0; i < m->n; i++) { /* flyway:defaultSchema */
        if (!is_word(m->name[i]) && i + 1 < m->n) {
            name = m->name + i + 1;
            n = m->n - i - 1;
        }
    }
    if (quote) {
        text_addc(&f->out, quote);
    }
    text_addf(&f->out, "%.*s", (int)n, name);
    if (quote) {
        text_addc(&f->out, quote);
    }
}

/* `plain`: outside of quotes. */
static bool replaced(struct filling *f, struct mark m, bool plain)
{
    if (m.length == 0 || m.n == 0) {
        return false;
    }
    const char *value = value_of(f, &m);
    const char *after = f->at + m.length;
    if (value && m.quote) {
        text_addf(&f->out, "%c%s%c", m.quote, value, m.quote);
    } else if (value) {
        text_add(&f->out, value);
    } else if (m.fallback && *m.fallback != '}') {
        text_addf(&f->out, "%.*s", (int)(f->at + m.length - 1 - m.fallback), m.fallback);
    } else {
        const char *written = mem_textn(f->ctx, f->at, m.length);
        if (!sql_texts_have(f->unsaid, written)) {
            sql_texts_add(f->ctx, f->unsaid, written);
        }
        if (plain && m.quote != '\'' && *after == '.') {
            m.length++; /* a schema: the search_path's first */
        } else {
            name_put(f, &m, plain);
        }
    }
    lines_keep(f, f->at, m.length);
    f->at += m.length;
    f->any = true;
    return true;
}

/* Any text that the configuration names, such as @owner@. */
static bool literal(struct filling *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *name = f->said[i].name;
        size_t n = strlen(name);
        bool odd = n > 0 && !is_word(*name);
        if (odd && *name == *f->at && (size_t)(f->end - f->at) >= n &&
            memcmp(f->at, name, n) == 0) {
            text_add(&f->out, f->said[i].value);
            f->at += n;
            f->any = true;
            return true;
        }
    }
    return false;
}

static void copy(struct filling *f, size_t n)
{
    n = n > (size_t)(f->end - f->at) ? (size_t)(f->end - f->at) : n;
    text_addf(&f->out, "%.*s", (int)n, f->at);
    f->at += n;
}

/* Up to and with the closing text; placeholders with a dollar are replaced in there, too. */
static void quoted_copy(struct filling *f, const char *close, size_t opening)
{
    size_t n = strlen(close);
    copy(f, opening);
    while (f->at < f->end) {
        if ((size_t)(f->end - f->at) >= n && memcmp(f->at, close, n) == 0) {
            copy(f, n);
            return;
        }
        bool dollar = f->at[0] == '$' && f->at[1] == '{';
        struct mark m = dollar ? dollar_mark(f->at, f->end) : (struct mark){ 0 };
        bool text_only = n == 1 && !value_of(f, &m); /* it is SQL as it stands */
        if (!literal(f) && (text_only || !replaced(f, m, false))) {
            copy(f, 1);
        }
    }
}

/* $$ or $tag$; 0: none. */
static size_t dollar_tag(const char *at, const char *end)
{
    const char *p = at + 1;
    while (p < end && is_word(*p)) {
        p++;
    }
    return p < end && *p == '$' && !isdigit((unsigned char)at[1]) ? (size_t)(p + 1 - at) : 0;
}

static void comment_copy(struct filling *f)
{
    const char *close = f->at[0] == '-' ? "\n" : "*/";
    const char *last = strstr(f->at + 2, close);
    copy(f, last ? (size_t)(last - f->at) + strlen(close) : (size_t)(f->end - f->at));
}

/* What begins here outside of quotes, if it is more than one character. */
static bool piece(struct filling *f)
{
    const char *p = f->at;
    size_t tag;
    if (literal(f)) {
        return true;
    }
    switch (*p) {
    case '-':
    case '/':
        if ((p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*')) {
            comment_copy(f);
            return true;
        }
        return false;
    case '\'': quoted_copy(f, "'", 1); return true;
    case '"': quoted_copy(f, "\"", 1); return true;
    case '$':
        if (p[1] == '{') {
            return replaced(f, dollar_mark(p, f->end), true);
        }
        tag = dollar_tag(p, f->end);
        if (tag > 0) {
            quoted_copy(f, mem_textn(f->ctx, p, tag), tag);
        }
        return tag > 0;
    case '{': return p[1] == '{' && replaced(f, brace_mark(p, f->end), true);
    case ':': return f->brackets == 0 && replaced(f, colon_mark(f->text, p, f->end), true);
    default: return false;
    }
}

/* Without these there is nothing to do, and most files have none. */
static bool may_have(const char *text, size_t said)
{
    if (said > 0 || strstr(text, "${") || strstr(text, "{{")) {
        return true;
    }
    for (const char *p = strchr(text, ':'); p; p = strchr(p + 1, ':')) {
        bool starts = isalpha((unsigned char)p[1]) || p[1] == '_' || p[1] == '"' || p[1] == '\'';
        if (starts && (p == text || !(is_word(p[-1]) || strchr(":)]\"'", p[-1])))) {
            return true;
        }
    }
    return false;
}

const char *lint_placeholders_fill(const void *ctx, const char *text, size_t *length,
                                   const struct lint_placeholder *said, size_t count,
                                   struct sql_texts *unsaid)
{
    if (strlen(text) != *length || !may_have(text, count)) {
        return text; /* a NUL in it is somebody else's to complain about */
    }
    struct filling f = { .ctx = ctx,
                         .text = text,
                         .end = text + *length,
                         .at = text,
                         .said = said,
                         .count = count,
                         .unsaid = unsaid,
                         .out = text_init(ctx, TEXT_FILE) };
    while (f.at < f.end) {
        if (!piece(&f)) {
            f.brackets += *f.at == '[' ? 1 : *f.at == ']' && f.brackets > 0 ? -1 : 0;
            copy(&f, 1);
        }
    }
    if (!f.any) {
        return text;
    }
    *length = f.out.len;
    return f.out.data;
}
