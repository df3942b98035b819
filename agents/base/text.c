#include "agents/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agents/base/mem.h"

struct text text_init(const void *ctx, size_t cap)
{
    struct text t = { .ctx = ctx, .cap = cap };
    t.data = mem_array(ctx, char, 64);
    return t;
}

void text_addn(struct text *t, const char *s, size_t n)
{
    if (n > t->cap - t->len) {
        n = t->cap - t->len;
        t->full = true;
    }
    t->data = mem_room(t->ctx, t->data, char, t->len + n + 1);
    memcpy(t->data + t->len, s, n);
    t->len += n;
    t->data[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
    text_addn(t, s, strlen(s));
}

void text_addc(struct text *t, char c)
{
    text_addn(t, &c, 1);
}

static void addv_long(struct text *t, const char *fmt, va_list ap)
{
    SCOPE(tmp);
    char *s = talloc_vasprintf(tmp, fmt, ap);
    if (s)
        text_add(t, s);
    else
        t->full = true;
}

void text_addv(struct text *t, const char *fmt, va_list ap)
{
    enum { SHORT = 512 };
    char room[SHORT];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(room, sizeof(room), fmt, ap);
    if (n >= 0 && n < SHORT)
        text_addn(t, room, (size_t)n);
    else
        addv_long(t, fmt, again);
    va_end(again);
}

void text_addf(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    text_addv(t, fmt, ap);
    va_end(ap);
}

bool text_eq(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int text_cmp(const char *a, const char *b)
{
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

bool text_starts(const char *s, const char *prefix)
{
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
    size_t n = s ? strlen(s) : 0;
    size_t m = strlen(suffix);
    return s && n >= m && strcmp(s + n - m, suffix) == 0;
}

bool text_empty(const char *s)
{
    return !s || !*s;
}

/* Longer than needed, a surrogate, or beyond U+10FFFF: the first two bytes tell. */
static bool utf8_forbidden(const unsigned char *s)
{
    switch (s[0]) {
    case 0xE0: return s[1] < 0xA0;
    case 0xF0: return s[1] < 0x90;
    case 0xED: return s[1] > 0x9F;
    case 0xF4: return s[1] > 0x8F;
    default: return false;
    }
}

/* Length of the UTF-8 character at s (at most n bytes), 0 when it is not one. RFC 3629. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return utf8_forbidden(s) ? 0 : len;
}

size_t text_utf8_prefix(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t left = n;
    while (left > 0) {
        uint64_t eight;
        if (left >= sizeof(eight)) { /* mostly ASCII without NUL: eight at a time */
            memcpy(&eight, p, sizeof(eight));
            uint64_t empty = (eight - 0x0101010101010101u) & ~eight;
            if (((eight | empty) & 0x8080808080808080u) == 0) {
                p += sizeof(eight);
                left -= sizeof(eight);
                continue;
            }
        }
        size_t len = *p ? utf8_length(p, left) : 0;
        if (len == 0)
            break;
        p += len;
        left -= len;
    }
    return n - left;
}

bool text_is_utf8(const char *s, size_t n)
{
    return text_utf8_prefix(s, n) == n;
}

/* C1 controls (U+0080..U+009F) and the bidirectional overrides can steer a terminal too. */
static bool steers_terminal(const unsigned char *p, size_t len)
{
    if (len == 1)
        return *p < 0x20 || *p == 0x7F;
    if (len == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (len == 3 && p[0] == 0xE2)
        return (p[1] == 0x80 && p[2] >= 0xAA && p[2] <= 0xAE) ||
               (p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9);
    return false;
}

static void add_escape(struct text *t, unsigned char c)
{
    if (c == '\n')
        text_add(t, "\\n");
    else if (c == '\t')
        text_add(t, "\\t");
    else
        text_addf(t, "\\x%02x", c);
}

/* How many bytes can be shown as they are. */
static size_t plain_run(const unsigned char *p, size_t n)
{
    size_t run = 0;
    while (run < n) {
        size_t len = utf8_length(p + run, n - run);
        if (len == 0 || steers_terminal(p + run, len))
            break;
        run += len;
    }
    return run;
}

const char *text_printable(const void *ctx, const char *s)
{
    struct text t = text_init(ctx, TEXT_FILE);
    const unsigned char *p = (const unsigned char *)(s ? s : "");
    size_t n = strlen((const char *)p);
    while (n > 0) {
        size_t run = plain_run(p, n);
        text_addn(&t, (const char *)p, run);
        p += run;
        n -= run;
        size_t len = n > 0 ? utf8_length(p, n) : 0;
        len = n > 0 && len == 0 ? 1 : len;
        for (size_t i = 0; i < len; i++)
            add_escape(&t, p[i]);
        p += len;
        n -= len;
    }
    return t.data;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b, unsigned most)
{
    enum { WIDEST = 64 };
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > WIDEST || m > WIDEST || (n > m ? n - m : m - n) > most)
        return most + 1;
    unsigned row[3][WIDEST + 1];
    for (unsigned j = 0; j <= m; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *now = row[i % 3];
        unsigned *before = row[(i + 2) % 3];
        unsigned *older = row[(i + 1) % 3];
        unsigned best = now[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            now[j] =
                least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], older[j - 2] + 1);
            best = least(best, now[j]);
        }
        if (best > most) /* it can only grow */
            return most + 1;
    }
    return least(row[n % 3][m], most + 1);
}

/* Letters that only one of them has: a distance is never smaller. `has` counts those of s. */
static unsigned letters_apart(const char *name, size_t n, int has[256])
{
    unsigned common = 0;
    size_t m = strlen(name);
    for (size_t i = 0; i < m; i++)
        common += has[(unsigned char)name[i]]-- > 0;
    for (size_t i = 0; i < m; i++)
        has[(unsigned char)name[i]]++;
    return (unsigned)(n > m ? n : m) - common;
}

const char *text_nearest(const char *s, const char *const *names, size_t count)
{
    size_t n = strlen(s);
    unsigned most = (unsigned)(n / 3) + 1;
    int has[256] = { 0 };
    const char *best = NULL;
    for (size_t i = 0; i < n; i++)
        has[(unsigned char)s[i]]++;
    for (size_t i = 0; i < count; i++) {
        if (letters_apart(names[i], n, has) > most)
            continue;
        unsigned d = text_distance(s, names[i], most);
        if (d > most)
            continue;
        best = names[i];
        if (d == 0)
            break;
        most = d - 1; /* of equally near ones the first */
    }
    return best;
}

const char *text_quote_ident(const void *ctx, const char *s)
{
    struct text t = text_init(ctx, TEXT_SQL);
    text_addc(&t, '"');
    for (; *s; s++) {
        if (*s == '"')
            text_addc(&t, '"');
        text_addc(&t, *s);
    }
    text_addc(&t, '"');
    return t.data;
}

const char *text_quote_literal(const void *ctx, const char *s)
{
    struct text t = text_init(ctx, TEXT_SQL);
    text_add(&t, strchr(s, '\\') ? "E'" : "'");
    for (; *s; s++) {
        if (*s == '\'' || *s == '\\')
            text_addc(&t, *s);
        text_addc(&t, *s);
    }
    text_addc(&t, '\'');
    return t.data;
}

const char *text_count(const void *ctx, long long n)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", n);
    size_t len = strlen(digits);
    struct text t = text_init(ctx, 64);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
            text_addc(&t, ',');
        text_addc(&t, digits[i]);
    }
    return t.data;
}

const char *text_duration(const void *ctx, long long ms)
{
    if (ms < 1000)
        return mem_printf(ctx, "%lld ms", ms);
    if (ms < 120 * 1000)
        return mem_printf(ctx, "%.1f s", (double)ms / 1000);
    if (ms < 120LL * 60 * 1000)
        return mem_printf(ctx, "%lld min", ms / 60000);
    return mem_printf(ctx, "%.1f h", (double)ms / 3600000);
}

const char *text_bytes(const void *ctx, long long bytes)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    return mem_printf(ctx, value < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}
