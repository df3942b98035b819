#include "controller/judge/type_change.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* "numeric(10,2)[]" in its pieces; modifiers -1 when not written. */
struct spelled {
    char base[128];
    long a, b;
    bool array;
};

static struct spelled spell(const char *type)
{
    struct spelled s = { .a = -1, .b = -1 };
    size_t n = 0;
    for (const char *p = type; *p != '\0' && n + 1 < sizeof s.base; p++) {
        if (*p == '(') {
            char *end;
            s.a = strtol(p + 1, &end, 10);
            if (*end == ',') {
                s.b = strtol(end + 1, &end, 10);
            }
            p = strchr(p, ')') ? strchr(p, ')') : p + strlen(p) - 1;
        } else if (p[0] == '[' && p[1] == ']') {
            s.array = true;
            p++;
        } else {
            s.base[n++] = *p;
        }
    }
    return s;
}

static bool either(const char *s, const char *a, const char *b)
{
    return text_eq(s, a) || text_eq(s, b);
}

static bool is_text(const char *base)
{
    return either(base, "text", "character varying") || text_ends(base, "citext");
}

static int integer_size(const char *base)
{
    return text_eq(base, "smallint")  ? 2
           : text_eq(base, "integer") ? 4
           : text_eq(base, "bigint")  ? 8
                                      : 0;
}

static bool is_precise_time(const char *base)
{
    return text_starts(base, "timestamp") || text_starts(base, "time ") ||
           text_starts(base, "interval");
}

static struct type_change values(bool narrowing, bool lossy)
{
    return (
        struct type_change){ .effect = TYPE_NEW_VALUES, .narrowing = narrowing, .lossy = lossy };
}

static const struct type_change binary = { .effect = TYPE_BINARY };

/* A limit that grows (or goes) is free, one that shrinks (or comes) is checked row by row. */
static struct type_change limit(long from, long to, bool lossy)
{
    bool free = to < 0 || (from >= 0 && to >= from);
    return free ? binary : values(true, lossy);
}

static struct type_change numeric(struct spelled f, struct spelled t)
{
    if (t.a < 0) {
        return binary;
    }
    bool same_scale = f.a >= 0 && (f.b < 0 ? 0 : f.b) == (t.b < 0 ? 0 : t.b);
    if (same_scale && t.a >= f.a) {
        return binary;
    }
    bool fits = f.a >= 0 && t.b >= f.b && t.a - t.b >= f.a - f.b;
    return values(!fits, !fits && t.b < f.b);
}

static struct type_change times(struct spelled f, struct spelled t)
{
    long from = f.a < 0 ? 6 : f.a, to = t.a < 0 ? 6 : t.a;
    return to >= from ? binary : values(true, true);
}

/* The same base type with other modifiers. */
static struct type_change modifiers(struct spelled f, struct spelled t)
{
    if (f.a == t.a && f.b == t.b) {
        return (struct type_change){ .effect = TYPE_SAME };
    }
    if (text_eq(f.base, "character varying") || text_eq(f.base, "bit varying")) {
        return limit(f.a, t.a, false);
    }
    if (text_eq(f.base, "numeric")) {
        return numeric(f, t);
    }
    if (is_precise_time(f.base)) {
        return times(f, t);
    }
    return values(t.a >= 0 && (f.a < 0 || t.a < f.a), false);
}

static bool timestamps(const char *a, const char *b)
{
    return text_starts(a, "timestamp") && text_starts(b, "timestamp");
}

static bool coercible(const char *from, const char *to)
{
    return (text_eq(from, "cidr") && text_eq(to, "inet")) ||
           (text_eq(from, "integer") && text_eq(to, "oid")) ||
           (text_eq(from, "oid") && text_eq(to, "integer")) ||
           (text_eq(from, "xml") && is_text(to));
}

static bool loses(struct spelled f, struct spelled t)
{
    return (text_starts(f.base, "timestamp") && text_starts(t.base, "date")) ||
           (text_eq(f.base, "double precision") && text_eq(t.base, "real")) ||
           (either(f.base, "numeric", "double precision") && integer_size(t.base) > 0) ||
           (text_eq(f.base, "numeric") && text_eq(t.base, "real"));
}

/* The most characters that a value of the type is written with; 0: any number. */
static long most_characters(struct spelled f)
{
    static const struct {
        const char *type;
        long most;
    } written[] = { { "boolean", 5 }, { "smallint", 6 }, { "integer", 11 },
                    { "bigint", 20 }, { "uuid", 36 },    { "date", 13 } };
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        if (text_eq(f.base, written[i].type)) {
            return written[i].most;
        }
    }
    return either(f.base, "character", "character varying") && f.a > 0 ? f.a : 0;
}

static bool fits_text(struct spelled f, struct spelled t)
{
    long most = most_characters(f);
    return either(t.base, "character", "character varying") && most > 0 && t.a >= most;
}

/* All integers of so many bytes are numbers of the type. */
static bool holds_integers(struct spelled t, int bytes)
{
    long digits = bytes == 2 ? 5 : bytes == 4 ? 10 : 19;
    return integer_size(t.base) >= bytes ||
           (text_eq(t.base, "numeric") && (t.a < 0 || t.a - (t.b < 0 ? 0 : t.b) >= digits)) ||
           (text_eq(t.base, "double precision") && bytes <= 4) ||
           (text_eq(t.base, "real") && bytes <= 2);
}

enum family { OF_NUMBERS = 1, OF_TEXTS, OF_TIMES };

static enum family family_of(const char *base)
{
    static const char *const numbers[] = { "numeric", "real", "double precision" };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (text_eq(base, numbers[i])) {
            return OF_NUMBERS;
        }
    }
    return integer_size(base) > 0                           ? OF_NUMBERS
           : is_text(base) || text_eq(base, "character")    ? OF_TEXTS
           : is_precise_time(base) || text_eq(base, "date") ? OF_TIMES
                                                            : 0;
}

/* The new type is the smaller one of two that hold the same sort of thing, or a short text. */
static bool is_narrower_kin(struct spelled f, struct spelled t)
{
    enum family from = family_of(f.base), to = family_of(t.base);
    return (from && from == to) || (to == OF_TEXTS && t.a > 0) || text_eq(f.base, t.base);
}

/* Values of any such type can be written as text, and all integers as wider numbers. */
static bool widens(struct spelled f, struct spelled t)
{
    int from = integer_size(f.base);
    return (text_eq(t.base, "text") || (text_eq(t.base, "character varying") && t.a < 0)) ||
           (from > 0 && holds_integers(t, from)) || fits_text(f, t) ||
           (text_eq(f.base, "real") && text_eq(t.base, "double precision")) ||
           (text_eq(f.base, "date") && text_starts(t.base, "timestamp")) ||
           either(t.base, "json", "jsonb");
}

/* Elements are converted one by one even where the plain types would be free. */
static struct type_change arrays(struct spelled f, struct spelled t)
{
    bool both = f.array == t.array;
    if (both && text_eq(f.base, t.base) && f.a == t.a && f.b == t.b) {
        return (struct type_change){ .effect = TYPE_SAME };
    }
    return values(!(both && (t.a < 0 || (f.a >= 0 && t.a >= f.a))), false);
}

static struct type_change between(struct spelled f, struct spelled t, bool utc)
{
    if (f.array || t.array) {
        return arrays(f, t);
    }
    if (text_eq(f.base, t.base)) {
        return modifiers(f, t);
    }
    if (is_text(f.base) && is_text(t.base)) {
        struct type_change c = limit(f.a, t.a, false);
        c.reindex = text_ends(f.base, "citext") != text_ends(t.base, "citext");
        return c;
    }
    if (timestamps(f.base, t.base)) {
        /* behind the cast a limit is applied row by row, even one that cuts nothing */
        struct type_change c =
            t.a >= 0 && t.a < 6 ? values(times(f, t).narrowing, times(f, t).lossy) : times(f, t);
        return utc || c.effect == TYPE_NEW_VALUES ? c : values(false, false);
    }
    if (coercible(f.base, t.base)) {
        struct type_change c = binary;
        c.reindex = true;
        return c;
    }
    return values(!widens(f, t), loses(f, t));
}

static struct world_type *domain_of(struct world *world, const char *type)
{
    SCOPE(tmp);
    const char *dot = strchr(type, '.');
    struct sql_name name = { dot ? mem_textn(tmp, type, (size_t)(dot - type)) : NULL,
                             dot ? dot + 1 : type };
    struct world_type *t = world_type(world, name);
    return t && t->kind == 'd' ? t : NULL;
}

struct type_change type_change(struct world *world, const char *from, const char *to, bool utc)
{
    if (!from) {
        return (struct type_change){ .effect = TYPE_NEW_VALUES, .guessed = true };
    }
    if (text_eq(from, to)) {
        return (struct type_change){ .effect = TYPE_SAME };
    }
    const struct world_type *old = domain_of(world, from), *new = domain_of(world, to);
    if (world_type_constrained(world, new)) {
        return values(true, false);
    }
    struct spelled f = spell(old && old->base ? old->base : from);
    struct spelled t = spell(new &&new->base ? new->base : to);
    struct type_change c = between(f, t, utc);
    if (old &&
        old->base) { /* its column has no modifier of its own that the server could compare */
        f.a = f.b = -1;
        c.effect = between(f, t, utc).effect;
    }
    c.kin = is_narrower_kin(f, t);
    return c;
}

bool type_using_is_plain(const struct sql_expression *using, const char *column, const char *type)
{
    if (!using) {
        return true;
    }
    if (using->functions.count > 0 || using->columns.count != 1 ||
        !text_eq(using->columns.items[0], column)) {
        return false;
    }
    if (using->types.count == 0) {
        return strpbrk(using->text, " +-*/|&#(<>=~!%^:") == NULL;
    }
    const char *cast = strstr(using->text, "::");
    size_t name = strlen(using->qualified.items[0]);
    bool direct = cast && (size_t)(cast - using->text) <= name + 3;
    return using->types.count == 1 && text_eq(using->types.items[0], type) &&
           (direct || strncasecmp(using->text, "cast", 4) == 0);
}
