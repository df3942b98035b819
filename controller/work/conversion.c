/*
 * What PostgreSQL does when a value changes its type: which changes touch only the catalog, which
 * lose nothing, and how a value is turned into another without depending on a session's settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/types.h"

static const char *const aliases[][2] = {
    { "int", "integer" },
    { "int4", "integer" },
    { "int8", "bigint" },
    { "int2", "smallint" },
    { "float8", "double precision" },
    { "float", "double precision" },
    { "float4", "real" },
    { "decimal", "numeric" },
    { "bool", "boolean" },
    { "varchar", "character varying" },
    { "char", "character(1)" },
    { "character", "character(1)" },
    { "timestamp", "timestamp without time zone" },
    { "timestamptz", "timestamp with time zone" },
    { "time", "time without time zone" },
    { "timetz", "time with time zone" },
    { "varbit", "bit varying" },
};

/* "varchar(50)" → base "varchar", modifier "(50)", rest "[]". */
struct type_parts {
    const char *base, *modifier, *rest;
};

static struct type_parts type_parts_of(const void *ctx, const char *type)
{
    const char *open = strchr(type, '('), *close = open ? strchr(open, ')') : NULL;
    const char *array = strchr(type, '[');
    if (open && close) {
        const char *tail = close + 1;
        return (struct type_parts){ mem_textn(ctx, type, (size_t)(open - type)),
                                    mem_textn(ctx, open, (size_t)(close + 1 - open)), tail };
    }
    return (struct type_parts){ array ? mem_textn(ctx, type, (size_t)(array - type)) : type, "",
                                array ? array : "" };
}

static const char *trimmed_lower(const void *ctx, const char *s)
{
    struct text t = text_init(ctx, TEXT_LINE);
    bool quoted = false;
    for (; *s; s++) {
        bool gap = *s == ' ' && (t.len == 0 || t.data[t.len - 1] == ' ' || s[1] == 0 ||
                                 s[1] == '(' || s[1] == ',' || t.data[t.len - 1] == ',');
        quoted ^= *s == '"';
        if (!gap || quoted) {
            text_addc(&t, (char)(!quoted && *s >= 'A' && *s <= 'Z' ? *s + 32 : *s));
        }
    }
    return t.data;
}

/* "timestamp(3)" keeps its modifier inside: "timestamp(3) without time zone". */
static const char *joined(const struct work *work, const char *base, const char *modifier,
                          const char *rest)
{
    const char *inner = strstr(base, " with");
    if (*modifier && inner && text_starts(base, "time")) {
        return say(work, "%.*s%s%s%s", (int)(inner - base), base, modifier, inner, rest);
    }
    return say(work, "%s%s%s", base, modifier, rest);
}

const char *type_name(const struct work *work, const struct state *state, const char *written)
{
    SCOPE(tmp);
    const char *clean = trimmed_lower(tmp, written);
    struct type_parts parts = type_parts_of(tmp, clean);
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (text_eq(parts.base, aliases[i][0])) {
            const char *base = aliases[i][1];
            if (*parts.modifier && text_starts(base, "character(")) {
                base = "character";
            }
            return joined(work, base, parts.modifier, parts.rest);
        }
    }
    for (size_t i = 0; i < state->catalog->type_count; i++) {
        const struct type *type = &state->catalog->types[i];
        if (text_eq(type->name, parts.base) || text_eq(ident(work, type->name), parts.base)) {
            return say(work, "%s%s%s", name_sql(work, type->schema, type->name), parts.modifier,
                       parts.rest);
        }
    }
    return mem_text(work->ctx, clean);
}

const char *type_below(const struct work *work, const struct state *state, const char *type)
{
    size_t count = state->catalog->type_count;
    for (size_t i = 0, deep = 0; i < count && deep <= count; i++) {
        const struct type *t = &state->catalog->types[i];
        if (t->kind == 'd' && t->base &&
            (text_eq(type, t->name) ||
             text_eq(type, object_name_join(work->ctx, t->schema, t->name)) ||
             text_eq(type, name_sql(work, t->schema, t->name)))) {
            type = t->base;
            deep++;
            i = (size_t)-1;
        }
    }
    return type;
}

/* numeric(10,2) → 10, 2; -1 without a modifier. */
static int modifier_of(const char *type, int which)
{
    const char *open = strchr(type, '(');
    if (!open) {
        return -1;
    }
    char *end;
    long first = strtol(open + 1, &end, 10);
    if (which == 0) {
        return (int)first;
    }
    return *end == ',' ? (int)strtol(end + 1, NULL, 10) : 0;
}

static bool grows(const char *from, const char *to)
{
    int a = modifier_of(from, 0), b = modifier_of(to, 0);
    return b < 0 || (a >= 0 && b >= a);
}

static bool based(const char *type, const char *base)
{
    return text_starts(type, base) && strchr("( ", type[strlen(base)]) != NULL &&
           !strchr(type, '[');
}

/* Types of one family whose modifier may grow. */
static bool same_family_grows(const char *from, const char *to)
{
    static const char *const growing[] = { "character varying", "bit varying" };
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++) {
        if (based(from, growing[i]) && based(to, growing[i])) {
            return grows(from, to);
        }
    }
    const char *zone_a = strstr(from, " with"), *zone_b = strstr(to, " with");
    return text_starts(from, "timestamp") && text_starts(to, "timestamp") && zone_a && zone_b &&
           text_eq(zone_a, zone_b) && grows(from, to);
}

bool type_in_place(const char *from, const char *to)
{
    bool varchar = based(from, "character varying");
    if (text_eq(from, to) || (varchar && text_eq(to, "text")) ||
        (text_eq(from, "text") && text_eq(to, "character varying"))) {
        return true;
    }
    if (based(from, "numeric") && based(to, "numeric")) {
        return modifier_of(to, 0) < 0 ||
               (grows(from, to) && modifier_of(from, 1) == modifier_of(to, 1));
    }
    return same_family_grows(from, to);
}

static int integer_rank(const char *type)
{
    static const char *const ranks[] = { "smallint", "integer", "bigint" };
    for (int i = 0; i < 3; i++) {
        if (text_eq(type, ranks[i])) {
            return i + 1;
        }
    }
    return 0;
}

static bool integer_fits(int rank, const char *to)
{
    static const int digits[] = { 0, 5, 10, 19 };
    int other = integer_rank(to), precision = modifier_of(to, 0);
    if (other) {
        return other >= rank;
    }
    if (text_starts(to, "numeric")) {
        return precision < 0 || precision - modifier_of(to, 1) >= digits[rank];
    }
    return rank < 3 && text_eq(to, "double precision");
}

/* Pairs that lose nothing; a prefix stands for all its modifiers. */
static const char *const harmless[][2] = {
    { "real", "double precision" },
    { "json", "jsonb" },
    { "date", "timestamp" },
    { "timestamp without", "timestamp with " },
    { "timestamp with ", "timestamp without" },
};

bool type_lossless(const char *from, const char *to)
{
    int rank = integer_rank(from);
    if (type_in_place(from, to) || text_eq(to, "text") || (rank && integer_fits(rank, to))) {
        return true;
    }
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        if (text_starts(from, harmless[i][0]) && text_starts(to, harmless[i][1]) && !rank) {
            return strchr(to, '(') == NULL;
        }
    }
    return false;
}

const char *type_cast(const struct work *work, const struct type_change *change, const char *value)
{
    const char *from = change->from, *to = change->to;
    const struct catalog *catalog = change->state->catalog;
    const char *zone = catalog->time_zone ? catalog->time_zone : "UTC";
    bool a = strstr(from, "without time zone") != NULL, b = strstr(to, "with time zone") != NULL;
    bool c = strstr(from, "with time zone") != NULL, d = strstr(to, "without time zone") != NULL;
    bool stamps = text_starts(from, "timestamp") && text_starts(to, "timestamp");
    if (stamps && ((a && b) || (c && d))) {
        return say(work, "(%s AT TIME ZONE %s)::%s", value, literal(work, zone), to);
    }
    return say(work, "(%s)::%s", value, to);
}

const char *type_cast_guarded(const struct work *work, const struct type_change *change,
                              const char *value, bool *may_raise)
{
    const char *from = change->from, *to = change->to;
    static const char *const bounds[][2] = { { "-32768", "32767" },
                                             { "-2147483648", "2147483647" },
                                             { "'-9223372036854775808'::bigint",
                                               "9223372036854775807" } };
    int rank = integer_rank(to);
    const char *cast = type_cast(work, change, value);
    *may_raise = false;
    if (type_lossless(from, to)) {
        return cast;
    }
    if (rank && (integer_rank(from) || text_starts(from, "numeric"))) {
        return say(work, "CASE WHEN %s BETWEEN %s AND %s THEN %s END", value, bounds[rank - 1][0],
                   bounds[rank - 1][1], cast);
    }
    if (text_starts(to, "character varying(") &&
        (text_eq(from, "text") || text_starts(from, "character varying"))) {
        return say(work, "CASE WHEN pg_catalog.length(%s) <= %d THEN %s END", value,
                   modifier_of(to, 0), cast);
    }
    *may_raise = true;
    return cast;
}
