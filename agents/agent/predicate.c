#include "agents/agent/predicate.h"

#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

enum { PREDICATE_BYTES = 16 * 1024, DEPTH_MOST = 100 };

struct reading {
    const char *p;
    char open[DEPTH_MOST]; /* brackets that are open */
    int depth;
    bool called; /* the last token may be the name of a function */
    struct error *err;
};

static bool refuse(const struct reading *r, const char *what)
{
    fail(r->err, ERROR_REFUSED, "field \"predicate\": %s is not let through", what);
    return fail_hint(r->err, "a count takes one expression over the relation's own columns");
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool among(const char *word, size_t n, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i]) == n && strncasecmp(word, list[i], n) == 0)
            return true;
    return false;
}
#define AMONG(word, n, list) among(word, n, list, sizeof(list) / sizeof((list)[0]))

/* What may stand before an opening bracket: keywords, types with a length, plain functions. */
static bool may_open(const char *word, size_t n)
{
    static const char *const list[] = {
        "and",     "or",       "not",        "in",          "is",           "like",
        "ilike",   "between",  "any",        "all",         "some",         "case",
        "when",    "then",     "else",       "array",       "row",          "coalesce",
        "nullif",  "greatest", "least",      "length",      "lower",        "upper",
        "trim",    "btrim",    "substring",  "substr",      "abs",          "mod",
        "round",   "floor",    "ceil",       "char_length", "octet_length", "cast",
        "extract", "now",      "date_trunc", "cardinality", "array_length", "jsonb_typeof",
        "numeric", "decimal",  "varchar",    "char",        "timestamp",    "timestamptz",
        "time",    "bit",      "varying",    "character",   "overlaps",
    };
    return AMONG(word, n, list);
}

static bool take_word(struct reading *r)
{
    static const char *const queries[] = { "select", "table", "values", "with" };
    const char *word = r->p;
    size_t n = 0;
    while (is_word(word[n]))
        n++;
    r->p += n;
    /* timestamp with time zone */
    bool zone = n == 4 && strncasecmp(word, "with", n) == 0 && strncasecmp(r->p, " time ", 6) == 0;
    if (AMONG(word, n, queries) && !zone)
        return refuse(r, "a query");
    if (*r->p == '\'' || (*r->p == '&' && (r->p[1] == '\'' || r->p[1] == '"')))
        return refuse(r, "a prefixed string");
    r->called = !may_open(word, n);
    return true;
}

static bool take_quoted(struct reading *r)
{
    char quote = *r->p;
    for (r->p++; *r->p; r->p++) {
        if (*r->p == '\\')
            return refuse(r, "a backslash in quotes");
        if (*r->p == quote && r->p[1] != quote)
            break;
        if (*r->p == quote)
            r->p++;
    }
    if (!*r->p)
        return refuse(r, "an open quote");
    r->p++;
    r->called = quote == '"';
    return true;
}

static bool take_bracket(struct reading *r)
{
    char c = *r->p++;
    if (c == '(' && r->called)
        return refuse(r, "a call of that function");
    r->called = false;
    if (c == '(' || c == '[') {
        if (r->depth == DEPTH_MOST)
            return refuse(r, "so deep a nesting");
        r->open[r->depth++] = c == '(' ? ')' : ']';
        return true;
    }
    if (r->depth == 0 || r->open[--r->depth] != c)
        return refuse(r, "a bracket that closes none");
    return true;
}

static bool take(struct reading *r)
{
    char c = *r->p;
    if (is_word(c))
        return take_word(r);
    if (c == '\'' || c == '"')
        return take_quoted(r);
    if (strchr("()[]", c))
        return take_bracket(r);
    if ((c == '-' && r->p[1] == '-') || (c == '/' && r->p[1] == '*'))
        return refuse(r, "a comment");
    if (!strchr(" \t\n\r.,:+-*/<>=~!@#%^&|?", c))
        return refuse(r, "such a character");
    if (!strchr(" \t\n\r", c))
        r->called = false;
    r->p++;
    return true;
}

bool predicate_check(const char *predicate, struct error *err)
{
    struct reading r = { .p = predicate, .err = err };
    if (text_empty(predicate) || strlen(predicate) > PREDICATE_BYTES)
        return fail(err, ERROR_INVALID, "field \"predicate\": empty, or too long");
    while (*r.p)
        if (!take(&r))
            return false;
    return r.depth == 0 || refuse(&r, "a bracket that is not closed");
}
