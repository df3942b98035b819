#include "controller/work/column_map.h"

#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool word_start(unsigned char c)
{
    return isalpha(c) || c == '_' || c >= 0x80;
}

static bool word_more(unsigned char c)
{
    return word_start(c) || isdigit(c) || c == '$';
}

/* The length of a quoted piece whose quote stands at s[0]; doubled quotes belong to it. */
static size_t quoted_length(const char *s, char quote, bool escapes)
{
    size_t i = 1;
    while (s[i]) {
        if (escapes && s[i] == '\\' && s[i + 1]) {
            i += 2;
        } else if (s[i] != quote) {
            i++;
        } else if (s[i + 1] == quote) {
            i += 2;
        } else {
            return i + 1;
        }
    }
    return i;
}

/* $tag$ … $tag$; 0 when it is none. */
static size_t dollar_length(const char *s)
{
    size_t tag = 1;
    while (word_more((unsigned char)s[tag]) && s[tag] != '$') {
        tag++;
    }
    if (s[tag] != '$') {
        return 0;
    }
    SCOPE(tmp);
    const char *end = strstr(s + tag + 1, mem_textn(tmp, s, tag + 1));
    return end ? (size_t)(end - s) + tag + 1 : strlen(s);
}

static size_t comment_length(const char *s)
{
    if (s[0] == '-' && s[1] == '-') {
        return strcspn(s, "\n");
    }
    if (s[0] == '/' && s[1] == '*') {
        const char *end = strstr(s + 2, "*/");
        return end ? (size_t)(end - s) + 2 : strlen(s);
    }
    return 0;
}

static const char *unquoted(const void *ctx, const char *s, size_t length)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 1; i + 1 < length; i++) {
        text_addc(&t, s[i]);
        i += s[i] == '"';
    }
    return t.data;
}

static const char *folded(const void *ctx, const char *s, size_t length)
{
    struct text t = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < length; i++) {
        text_addc(&t, (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 32 : s[i]));
    }
    return t.data;
}

static size_t number_length(const char *s)
{
    size_t i = 0;
    while (isalnum((unsigned char)s[i]) || s[i] == '.') {
        i++;
    }
    return i;
}

static size_t space_length(const char *s)
{
    size_t blank = strspn(s, " \t\r\n");
    return blank ? blank : comment_length(s);
}

static size_t string_length(const char *s)
{
    if (*s == '\'') {
        return quoted_length(s, '\'', false);
    }
    if ((*s == 'E' || *s == 'e') && s[1] == '\'') {
        return 1 + quoted_length(s + 1, '\'', true);
    }
    return *s == '$' ? dollar_length(s) : 0;
}

static size_t word_length(const char *s)
{
    size_t length = 0;
    while (word_start((unsigned char)*s) && word_more((unsigned char)s[length])) {
        length++;
    }
    return length;
}

struct sql_piece sql_piece_next(const void *ctx, const char *at)
{
    size_t skip;
    while ((skip = space_length(at)) > 0) {
        at += skip;
    }
    struct sql_piece piece = { .start = at };
    if (*at == 0) {
        return piece;
    }
    if (*at == '"') {
        piece.length = quoted_length(at, '"', false);
        piece.word = piece.quoted = true;
        piece.name = unquoted(ctx, at, piece.length);
    } else if ((piece.length = string_length(at)) > 0) {
        return piece;
    } else if ((piece.length = word_length(at)) > 0) {
        piece.word = true;
        piece.name = folded(ctx, at, piece.length);
    } else if (isdigit((unsigned char)*at)) {
        piece.length = number_length(at);
    } else {
        piece.length = at[0] == ':' && at[1] == ':' ? 2 : 1;
    }
    return piece;
}

static bool piece_is(const struct sql_piece *piece, const char *text)
{
    return piece->length == strlen(text) && strncmp(piece->start, text, piece->length) == 0;
}

/* Whether a word between these neighbours can be a column of the table. */
static bool stands_for_column(const struct sql_piece *before, const struct sql_piece *after,
                              bool qualified_counts)
{
    if (piece_is(before, "::") ||
        (before->word && !before->quoted &&
         (text_eq(before->name, "collate") || text_eq(before->name, "as")))) {
        return false;
    }
    if (piece_is(before, ".") && !qualified_counts) {
        return false;
    }
    return !piece_is(after, "(") && !piece_is(after, ".");
}

/* Words of types and of AT TIME ZONE, which columns may be called as well: only behind another of
 * their kind are they not columns. */
static bool grammar_word(const struct sql_piece *before, const struct sql_piece *piece,
                         const struct sql_piece *after)
{
    static const char *const followers[] = { "varying", "precision", "with",
                                             "without", "time",      "zone" };
    if (piece->quoted) {
        return false;
    }
    if (text_eq(piece->name, "at")) {
        return after->word && !after->quoted && text_eq(after->name, "time");
    }
    for (size_t i = 0; i < sizeof followers / sizeof *followers; i++) {
        if (text_eq(piece->name, followers[i])) {
            return (before->word && !before->quoted) || *before->start == ')';
        }
    }
    return false;
}

/* Words that name a column only in quotes: PostgreSQL 15's keywords that are reserved, or reserved
 * but for functions and types (src/include/parser/kwlist.h). */
static const char reserved[] =
    " all analyse analyze and any array as asc asymmetric authorization binary both case "
    "cast check collate collation column concurrently constraint create cross "
    "current_catalog current_date current_role current_schema current_time "
    "current_timestamp current_user default deferrable desc distinct do else end except "
    "false fetch for foreign freeze from full grant group having ilike in initially inner "
    "intersect into is isnull join lateral leading left like limit localtime "
    "localtimestamp natural not notnull null offset on only or order outer overlaps "
    "placing primary references returning right select session_user similar some symmetric "
    "table tablesample then to trailing true union unique user using variadic verbose when "
    "where window with ";

static bool is_reserved(const struct sql_piece *piece)
{
    SCOPE(tmp);
    return !piece->quoted && strstr(reserved, mem_printf(tmp, " %s ", piece->name));
}

static const char *mapped_sql(const struct column_maps *maps, const char *name)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (text_eq(maps->items[i].column, name)) {
            return maps->items[i].sql;
        }
    }
    return NULL;
}

const char *columns_mapped(const void *ctx, const char *text, const struct column_maps *maps)
{
    SCOPE(tmp);
    struct text out = text_init(ctx, TEXT_SQL);
    struct sql_piece before = { .start = "" }, earlier = before;
    const char *copied = text;
    for (struct sql_piece piece = sql_piece_next(tmp, text); piece.length > 0;) {
        struct sql_piece after = sql_piece_next(tmp, piece.start + piece.length);
        const char *sql = piece.word && !is_reserved(&piece) ? mapped_sql(maps, piece.name) : NULL;
        bool row = earlier.word && (text_eq(earlier.name, "old") || text_eq(earlier.name, "new"));
        if (sql && !grammar_word(&before, &piece, &after) &&
            stands_for_column(&before, &after, row)) {
            text_addn(&out, copied, (size_t)(piece.start - copied));
            text_add(&out, sql);
            copied = piece.start + piece.length;
        }
        earlier = before;
        before = piece;
        piece = after;
    }
    text_add(&out, copied);
    return out.data;
}

bool column_mentioned(const char *text, const char *column)
{
    SCOPE(tmp);
    struct sql_piece before = { .start = "" };
    if (!text) {
        return false;
    }
    for (struct sql_piece piece = sql_piece_next(tmp, text); piece.length > 0;) {
        struct sql_piece after = sql_piece_next(tmp, piece.start + piece.length);
        if (piece.word && !is_reserved(&piece) && text_eq(piece.name, column) &&
            stands_for_column(&before, &after, true)) {
            return true;
        }
        before = piece;
        piece = after;
    }
    return false;
}

const char *text_from_keyword(const char *text, const char *keyword)
{
    SCOPE(tmp);
    for (struct sql_piece piece = sql_piece_next(tmp, text); piece.length > 0;
         piece = sql_piece_next(tmp, piece.start + piece.length)) {
        if (piece.word && !piece.quoted && piece_is(&piece, keyword)) {
            return piece.start;
        }
    }
    return NULL;
}
