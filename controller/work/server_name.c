/*
 * The names that the server chooses for indexes nobody named.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"
#include "controller/work/server_name.h"

enum { NAME_ROOM = 63 }; /* NAMEDATALEN - 1 */

/* A cut at a character, as pg_mbcliplen does it for UTF-8. */
static size_t clipped(const char *s, size_t most)
{
    size_t length = strlen(s) < most ? strlen(s) : most;
    while (length > 0 && s[length] && ((unsigned char)s[length] & 0xC0) == 0x80) {
        length--;
    }
    return length;
}

/* As makeObjectName() of PostgreSQL: the longer of the two names gives way. */
static const char *joined_name(const struct work *work, const char *first, const char *second,
                               const char *label)
{
    size_t room = NAME_ROOM - strlen(label) - 2, a = strlen(first), b = strlen(second);
    while (a + b > room) {
        if (a > b) {
            a--;
        } else {
            b--;
        }
    }
    return say(work, "%.*s_%.*s_%s", (int)clipped(first, a), first, (int)clipped(second, b), second,
               label);
}

static const char *alone_name(const struct work *work, const char *first, const char *label)
{
    size_t room = NAME_ROOM - strlen(label) - 1;
    return say(work, "%.*s_%s", (int)clipped(first, room), first, label);
}

const char *server_index_name(const struct work *work, const struct relation *relation,
                              const char *columns)
{
    const char *name = joined_name(work, relation->name, columns, "idx");
    for (int n = 1; !text_eq(free_name(work, work->home, relation, name), name); n++) {
        name = joined_name(work, relation->name, columns, say(work, "idx%d", n));
    }
    return name;
}

const char *constraint_server_name(const struct work *work, const struct relation *relation,
                                   char kind, const char *const *columns, size_t count)
{
    const char *label = kind == 'p'   ? "pkey"
                        : kind == 'u' ? "key"
                        : kind == 'f' ? "fkey"
                        : kind == 'x' ? "excl"
                                      : "check";
    struct text joined = text_init(work->ctx, TEXT_LINE);
    /* a check has the name of its column when there is one only */
    for (size_t i = 0; i < count && kind != 'p' && (kind != 'c' || count == 1); i++) {
        text_addf(&joined, "%s%s", i ? "_" : "", columns[i]);
    }
    for (int n = 0;; n++) {
        const char *end = n ? say(work, "%s%d", label, n) : label;
        const char *name = joined.len ? joined_name(work, relation->name, joined.data, end)
                                      : alone_name(work, relation->name, end);
        if (text_eq(free_name(work, work->home, relation, name), name)) {
            return name;
        }
    }
}

/* The server's own name of a type, as a column's label has it. */
static const char *cast_label(const struct work *work, const char *type)
{
    static const char *const own[][2] = {
        { "integer", "int4" },     { "int", "int4" },        { "bigint", "int8" },
        { "smallint", "int2" },    { "boolean", "bool" },    { "varchar", "varchar" },
        { "real", "float4" },      { "decimal", "numeric" }, { "timestamp", "timestamp" },
        { "character", "bpchar" }, { "double", "float8" },
    };
    struct sql_piece piece = sql_piece_next(work->ctx, type);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (piece.word && text_eq(piece.name, own[i][0])) {
            return own[i][1];
        }
    }
    return piece.word ? piece.name : "expr";
}

/* Behind the bracket that closes the one before `at`. */
static const char *behind_call(const struct work *work, const char *at)
{
    int depth = 1;
    for (struct sql_piece p = sql_piece_next(work->ctx, at); p.length > 0;
         p = sql_piece_next(work->ctx, p.start + p.length)) {
        depth += p.word ? 0 : *p.start == '(' ? 1 : *p.start == ')' ? -1 : 0;
        if (depth == 0) {
            return p.start + p.length;
        }
    }
    return "";
}

const char *expression_label(const struct work *work, const char *expression)
{
    struct sql_piece first = sql_piece_next(work->ctx, expression);
    struct sql_piece next = sql_piece_next(work->ctx, first.start + first.length);
    const char *label = NULL;
    while (first.word && *next.start == '.') { /* a function's schema */
        first = sql_piece_next(work->ctx, next.start + 1);
        next = sql_piece_next(work->ctx, first.start + first.length);
    }
    const char *rest = expression + strlen(expression);
    if (first.word && *next.start == '(') {
        label = first.name;
        rest = behind_call(work, next.start + 1);
    } else if (!first.word && *first.start == '(') {
        rest = behind_call(work, first.start + 1);
    }
    struct sql_piece after = sql_piece_next(work->ctx, rest);
    if (after.length == 2 && *after.start == ':') {
        return label ? label : cast_label(work, after.start + after.length);
    }
    return label && after.length == 0 ? label : "expr";
}
