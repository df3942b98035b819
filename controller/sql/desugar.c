#include "controller/sql/desugar.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/token.h"

struct rewriter {
    const void *ctx;
    struct tokens t;
    struct text out;
    struct sugar *sugar;
    const char **behind; /* text to put behind a token, by its index */
    enum sugar_kind *behind_kind;
    bool table; /* CREATE or ALTER … TABLE */
};

static void mark(struct rewriter *r, enum sugar_kind kind, const char *name)
{
    struct sugar *s = r->sugar;
    s->marks = mem_room(s, s->marks, struct sugar_mark, s->count + 1);
    s->marks[s->count++] = (struct sugar_mark){ kind, r->out.len + 1, name };
}

static void needs(struct rewriter *r, int version)
{
    r->sugar->version = version > r->sugar->version ? version : r->sugar->version;
}

/* Writes text instead of n tokens. */
static size_t instead(struct rewriter *r, int version, const char *text, size_t n)
{
    needs(r, version);
    text_addc(&r->out, ' ');
    text_add(&r->out, text);
    text_addc(&r->out, ' ');
    return n;
}

static const char *name_at(struct rewriter *r, size_t at)
{
    return tokens_text(r->ctx, &r->t, at, at + 1);
}

static const char *plain_name(struct rewriter *r, size_t at)
{
    const char *s = name_at(r, at);
    size_t n = s ? strlen(s) : 0;
    return n > 1 && s[0] == '"' ? mem_textn(r->ctx, s + 1, n - 2) : s;
}

/* Fixed phrases. `where`: 't' only in table DDL, 'a' anywhere. */
static const struct phrase {
    const char *words;
    const char *instead;
    int version;
    int mark; /* of enum sugar_kind; -1 none */
    char where;
} phrases[] = {
    { "NOT ENFORCED", "", 18, SUGAR_NOT_ENFORCED, 't' },
    { "ENFORCED", "", 18, SUGAR_ENFORCED, 't' },
    { "NOT NULL NO INHERIT", "NOT NULL", 18, -1, 't' },
    { "VIRTUAL", "STORED", 18, SUGAR_VIRTUAL, 't' },
    { "SET EXPRESSION AS", "SET DEFAULT", 17, SUGAR_EXPRESSION, 't' },
    { "SET STATISTICS DEFAULT", "SET STATISTICS -1", 17, -1, 't' },
    { "SET ACCESS METHOD DEFAULT", "SET ACCESS METHOD heap", 17, -1, 't' },
    { "WITHOUT OVERLAPS", "", 18, -1, 't' },
    { "PERIOD", "", 18, -1, 't' },
    { "STORAGE PLAIN", "", 16, -1, 't' },
    { "STORAGE MAIN", "", 16, -1, 't' },
    { "STORAGE EXTERNAL", "", 16, -1, 't' },
    { "STORAGE EXTENDED", "", 16, -1, 't' },
    { "NOT MATCHED BY SOURCE", "MATCHED", 17, -1, 'a' },
    { "NOT MATCHED BY TARGET", "NOT MATCHED", 17, -1, 'a' },
    { "AT LOCAL", "AT TIME ZONE 'UTC'", 17, -1, 'a' },
    { "ON LARGE OBJECTS", "ON TABLES", 18, -1, 'a' },
    { "IS JSON", "IS NOT NULL", 16, -1, 'a' },
    { "IS NOT JSON", "IS NOT NULL", 16, -1, 'a' },
    { "CREATE STATISTICS ON", "CREATE STATISTICS unnamed ON", 16, -1, 'a' },
    { "REVOKE INHERIT OPTION FOR", "REVOKE ADMIN OPTION FOR", 16, -1, 'a' },
    { "REVOKE SET OPTION FOR", "REVOKE ADMIN OPTION FOR", 16, -1, 'a' },
};

static size_t word_count(const char *words)
{
    size_t n = 1;
    for (; *words != '\0'; words++) {
        n += *words == ' ';
    }
    return n;
}

/* IS JSON [OBJECT …] [WITH | WITHOUT UNIQUE [KEYS]]: how many words. */
static size_t json_kind(const struct tokens *t, size_t at)
{
    static const char *const kinds[] = { "OBJECT", "ARRAY", "SCALAR", "VALUE" };
    size_t n = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        n = tokens_are(t, at, kinds[k]) ? 1 : n;
    }
    if (tokens_are(t, at + n, "WITH UNIQUE") || tokens_are(t, at + n, "WITHOUT UNIQUE")) {
        n += tokens_are(t, at + n + 2, "KEYS") ? 3 : 2;
    }
    return n;
}

static size_t phrase_at(struct rewriter *r, size_t i)
{
    for (size_t p = 0; p < sizeof phrases / sizeof *phrases; p++) {
        if ((phrases[p].where == 't' && !r->table) || !tokens_are(&r->t, i, phrases[p].words)) {
            continue;
        }
        if (phrases[p].mark >= 0) {
            mark(r, (enum sugar_kind)phrases[p].mark, NULL);
        }
        size_t n = word_count(phrases[p].words);
        n += tokens_are(&r->t, i, "IS") ? json_kind(&r->t, i + n) : 0;
        return instead(r, phrases[p].version, phrases[p].instead, n);
    }
    return 0;
}

static size_t not_null_at(struct rewriter *r, size_t i, bool named)
{
    const struct tokens *t = &r->t;
    size_t column = named ? i + 5 : i + 3, end = column + 1;
    const char *name = name_at(r, column);
    end += tokens_are(t, end, "NO INHERIT") ? 2 : 0;
    mark(r, SUGAR_NOT_NULL, named ? plain_name(r, i + 2) : NULL);
    if (tokens_are(t, end, "NOT VALID")) {
        mark(r, SUGAR_NOT_VALID, NULL);
        end += 2;
    }
    return instead(r, 18, mem_printf(r->ctx, "ALTER %s SET NOT NULL", name ? name : ""), end - i);
}

/* ADD [CONSTRAINT n] NOT NULL c [NO INHERIT] [NOT VALID]; ALTER CONSTRAINT c [NO] INHERIT;
 * SPLIT and MERGE PARTITION. */
static size_t alter_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    bool named = tokens_are(t, i, "ADD CONSTRAINT") && tokens_are(t, i + 3, "NOT NULL");
    if (named || tokens_are(t, i, "ADD NOT NULL")) {
        return not_null_at(r, i, named);
    }
    if (tokens_are(t, i, "ALTER CONSTRAINT") &&
        (tokens_are(t, i + 3, "INHERIT") || tokens_are(t, i + 3, "NO INHERIT"))) {
        const char *name = name_at(r, i + 2);
        return instead(r, 18, mem_printf(r->ctx, "ALTER CONSTRAINT %s", name),
                       tokens_are(t, i + 3, "NO") ? 5 : 4);
    }
    if (tokens_are(t, i, "SPLIT PARTITION") || tokens_are(t, i, "MERGE PARTITIONS")) {
        const char *name = name_at(r, tokens_are(t, i, "SPLIT") ? i + 2 : t->count - 1);
        mark(r, SUGAR_SPLIT_PARTITION, NULL);
        return instead(r, 19, mem_printf(r->ctx, "DETACH PARTITION %s", name), t->count - i);
    }
    return 0;
}

static bool query_starts(const struct tokens *t, size_t at)
{
    return tokens_are(t, at, "SELECT") || tokens_are(t, at, "VALUES") || tokens_are(t, at, "WITH");
}

/* The comma at `at` stands in a list of FROM. */
static bool in_from(const struct tokens *t, size_t at)
{
    static const char *const ends[] = { "SELECT", "WHERE", "GROUP",  "ORDER",    "VALUES",
                                        "SET",    "BY",    "HAVING", "RETURNING" };
    int depth = 0;
    for (; at > 0 && depth >= 0; at--) {
        depth += tokens_punct(t, at - 1, ')') ? 1 : tokens_punct(t, at - 1, '(') ? -1 : 0;
        if (depth == 0 && tokens_are(t, at - 1, "FROM")) {
            return true;
        }
        for (size_t k = 0; depth == 0 && k < sizeof ends / sizeof *ends; k++) {
            if (tokens_are(t, at - 1, ends[k])) {
                return false;
            }
        }
    }
    return false;
}

/* FROM (SELECT …) without an alias. */
static void subselect_at(struct rewriter *r, size_t i)
{
    static const char *const next[] = { "WHERE", "GROUP", "ORDER", "LIMIT", "HAVING",
                                        "UNION", "JOIN",  "LEFT",  "INNER", "ON",
                                        "CROSS", "FULL",  "RIGHT", "OFFSET" };
    const struct tokens *t = &r->t;
    bool from = tokens_are(t, i, "FROM") || tokens_are(t, i, "JOIN") ||
                (tokens_punct(t, i, ',') && tokens_punct(t, i + 1, '(') && in_from(t, i));
    if (!from || !tokens_punct(t, i + 1, '(') || !query_starts(t, i + 2)) {
        return;
    }
    size_t close = tokens_close(t, i + 1);
    bool bare = close == t->count || tokens_punct(t, close, ')') || tokens_punct(t, close, ',');
    for (size_t k = 0; k < sizeof next / sizeof *next; k++) {
        bare = bare || tokens_are(t, close, next[k]);
    }
    if (bare) {
        r->behind[close - 1] = " AS unnamed";
        needs(r, 16);
    }
}

/* GENERATED ALWAYS AS (e) without STORED. */
static void behind_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    if (r->table && tokens_are(t, i, "GENERATED ALWAYS AS") && tokens_punct(t, i + 3, '(')) {
        size_t close = tokens_close(t, i + 3);
        if (!tokens_are(t, close, "STORED") && !tokens_are(t, close, "VIRTUAL")) {
            r->behind[close - 1] = " STORED";
            r->behind_kind[close - 1] = SUGAR_VIRTUAL;
        }
        return;
    }
    subselect_at(r, i);
}

static bool ends_argument(const struct tokens *t, size_t at)
{
    static const char *const words[] = { "VALUE",   "ORDER BY", "RETURNING", "NULL ON", "ABSENT ON",
                                         "PASSING", "FORMAT",   "ERROR ON",  "WITH",    "WITHOUT" };
    bool ends = tokens_punct(t, at, ',') || tokens_punct(t, at, ':');
    for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        ends = ends || tokens_are(t, at, words[k]);
    }
    return ends;
}

/* SQL/JSON functions with clauses of their own: name (first argument). */
static size_t json_at(struct rewriter *r, size_t i)
{
    static const struct {
        const char *name;
        int version;
    } functions[] = {
        { "JSON_TABLE", 17 },    { "JSON_VALUE", 17 },     { "JSON_QUERY", 17 },
        { "JSON_EXISTS", 17 },   { "JSON_ARRAY", 16 },     { "JSON_OBJECT", 16 },
        { "JSON_ARRAYAGG", 16 }, { "JSON_OBJECTAGG", 16 },
    };
    const struct tokens *t = &r->t;
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        if (!tokens_are(t, i, functions[f].name) || !tokens_punct(t, i + 1, '(')) {
            continue;
        }
        size_t close = tokens_close(t, i + 1), end = i + 2;
        if (query_starts(t, i + 2)) {
            const char *query = tokens_text(r->ctx, t, i + 2, close - 1);
            return instead(r, functions[f].version,
                           mem_printf(r->ctx, "%s((%s))", name_at(r, i), query ? query : ""),
                           close - i);
        }
        while (end + 1 < close && !ends_argument(t, end)) {
            end = tokens_punct(t, end, '(') ? tokens_close(t, end) : end + 1;
        }
        const char *first = tokens_text(r->ctx, t, i + 2, end < close ? end : close - 1);
        return instead(r, functions[f].version,
                       mem_printf(r->ctx, "%s(%s)", name_at(r, i), first ? first : ""), close - i);
    }
    return 0;
}

/* 0x1F, 0o17, 0b11, 1_000 */
static size_t number_at(struct rewriter *r, size_t i)
{
    const struct token k = r->t.items[i];
    const char *s = r->t.text + k.start;
    size_t n = k.end - k.start;
    bool based = n > 2 && s[0] == '0' && strchr("xXoObB", s[1]);
    if (k.kind != TOKEN_NUMBER || (!based && !memchr(s, '_', n))) {
        return 0;
    }
    struct text digits = text_init(r->ctx, TEXT_LINE);
    for (size_t j = based ? 2 : 0; j < n; j++) {
        if (s[j] != '_') {
            text_addc(&digits, s[j]);
        }
    }
    if (based) {
        int base = (s[1] | 32) == 'x' ? 16 : (s[1] | 32) == 'o' ? 8 : 2;
        return instead(r, 16, mem_printf(r->ctx, "%llu", strtoull(digits.data, NULL, base)), 1);
    }
    return instead(r, 16, digits.data, 1);
}

/* GRANT role TO u WITH INHERIT TRUE, … */
static size_t grant_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    bool option = tokens_are(t, i, "WITH INHERIT") || tokens_are(t, i, "WITH SET") ||
                  (tokens_are(t, i, "WITH ADMIN") && !tokens_are(t, i + 2, "OPTION"));
    return option ? instead(r, 16, "", t->count - i) : 0;
}

static bool ends_database(const struct tokens *t, size_t i)
{
    return i + 1 == t->count && (tokens_are(t, i, "DATABASE") || tokens_are(t, i, "SYSTEM"));
}

/* The DML that the RETURNING at `at` belongs to is a MERGE. */
static bool of_merge(const struct tokens *t, size_t at)
{
    while (at > 0) {
        at--;
        if (tokens_are(t, at, "MERGE INTO")) {
            return true;
        }
        if (tokens_are(t, at, "INSERT INTO") || tokens_are(t, at, "DELETE FROM") ||
            (tokens_are(t, at, "UPDATE") && !tokens_are(t, at - 1, "THEN"))) {
            return false;
        }
    }
    return false;
}

/* Up to the bracket that closes what is around, or the end. */
static size_t list_end(const struct tokens *t, size_t at)
{
    while (at < t->count && !tokens_punct(t, at, ')')) {
        at = tokens_punct(t, at, '(') ? tokens_close(t, at) : at + 1;
    }
    return at;
}

static bool bare_option(const struct tokens *t, size_t i)
{
    bool name = tokens_are(t, i, "HASHES") || tokens_are(t, i, "MERGES");
    return name && (tokens_punct(t, i + 1, ',') || tokens_punct(t, i + 1, ')'));
}

static bool begins_item(const struct tokens *t, size_t i)
{
    return i > 0 && (tokens_punct(t, i - 1, '(') || tokens_punct(t, i - 1, ','));
}

/* CREATE TABLE t (…, [CONSTRAINT n] NOT NULL a [NO INHERIT]): a check says the same. */
static size_t table_not_null_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    size_t at = tokens_are(t, i, "CONSTRAINT") ? i + 2 : i;
    if (!tokens_are(t, at, "NOT NULL") || at + 2 >= t->count) {
        return 0;
    }
    const char *named = at > i ? mem_printf(r->ctx, "CONSTRAINT %s ", name_at(r, i + 1)) : "";
    const char *column = name_at(r, at + 2);
    size_t end = at + 3 + (tokens_are(t, at + 3, "NO INHERIT") ? 2 : 0);
    return instead(r, 18,
                   mem_printf(r->ctx, "%sCHECK (%s IS NOT NULL)", named, column ? column : ""),
                   end - i);
}

static size_t maintenance_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    bool vacuum = tokens_are(t, 0, "VACUUM") || tokens_are(t, 0, "ANALYZE");
    if (vacuum && tokens_are(t, i, "ONLY")) {
        mark(r, SUGAR_ONLY, NULL);
        return instead(r, 18, "", 1);
    }
    if (tokens_are(t, 0, "CREATE STATISTICS") && i == 1 && tokens_punct(t, 2, '(')) {
        return instead(r, 16, "STATISTICS unnamed", 1);
    }
    if (!tokens_are(t, 0, "REINDEX")) {
        return 0;
    }
    bool concurrently =
        tokens_are(t, i, "DATABASE CONCURRENTLY") || tokens_are(t, i, "SYSTEM CONCURRENTLY");
    if (concurrently && i + 2 == t->count) {
        return instead(r, 16, "DATABASE CONCURRENTLY unnamed", 2);
    }
    return ends_database(t, i) ? instead(r, 16, "DATABASE unnamed", 1) : 0;
}

static size_t returning_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    if (!tokens_are(t, i, "RETURNING")) {
        return 0;
    }
    if (of_merge(t, i)) {
        return instead(r, 17, "", list_end(t, i) - i);
    }
    bool renames = tokens_are(t, i + 1, "WITH") && tokens_punct(t, i + 2, '(');
    return renames ? instead(r, 18, "RETURNING", tokens_close(t, i + 2) - i) : 0;
}

/* xmlserialize(… AS text [NO] INDENT) */
static size_t indent_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    if (tokens_are(t, i, "NO INDENT") && tokens_punct(t, i + 2, ')')) {
        return instead(r, 16, "", 2);
    }
    bool plain = tokens_are(t, i, "INDENT") && tokens_punct(t, i + 1, ')') && i > 3;
    return plain ? instead(r, 16, "", 1) : 0;
}

/* What depends on the statement's first words. */
static size_t statement_at(struct rewriter *r, size_t i)
{
    const struct tokens *t = &r->t;
    size_t n = maintenance_at(r, i);
    n = n ? n : returning_at(r, i);
    n = n ? n : indent_at(r, i);
    if (n == 0 && tokens_are(t, 0, "ALTER OPERATOR") && bare_option(t, i)) {
        return instead(r, 17, tokens_are(t, i, "HASHES") ? "HASHES = true" : "MERGES = true", 1);
    }
    if (n == 0 && tokens_are(t, 0, "CREATE") && r->table && begins_item(t, i)) {
        n = table_not_null_at(r, i);
    }
    return n == 0 && tokens_are(t, 0, "GRANT") ? grant_at(r, i) : n;
}

static size_t rewrite_at(struct rewriter *r, size_t i)
{
    if (tokens_punct(&r->t, i, ',')) {
        subselect_at(r, i);
    }
    if (r->t.items[i].kind != TOKEN_WORD) {
        return number_at(r, i);
    }
    behind_at(r, i);
    size_t n = r->table ? alter_at(r, i) : 0;
    n = n ? n : phrase_at(r, i);
    n = n ? n : statement_at(r, i);
    return n ? n : json_at(r, i);
}

static bool table_statement(const struct tokens *t)
{
    for (size_t i = 1; i < 5; i++) {
        if (tokens_are(t, i, "TABLE")) {
            return tokens_are(t, 0, "CREATE") || tokens_are(t, 0, "ALTER");
        }
    }
    return false;
}

struct sugar *sql_desugar(const void *ctx, const char *text, size_t length)
{
    struct sugar *sugar = mem_new(ctx, struct sugar);
    struct rewriter r = { .ctx = sugar, .sugar = sugar };
    r.t = tokens_of(sugar, text, 0, length);
    r.out = text_init(sugar, 2 * length + TEXT_LINE);
    r.behind = mem_array(sugar, const char *, r.t.count);
    r.behind_kind = mem_array(sugar, enum sugar_kind, r.t.count);
    r.table = table_statement(&r.t);
    size_t from = 0; /* text before a token, comments too, stays */
    for (size_t i = 0; i < r.t.count;) {
        text_addn(&r.out, text + from, r.t.items[i].start - from);
        size_t n = rewrite_at(&r, i);
        if (n == 0) {
            text_addn(&r.out, text + r.t.items[i].start, r.t.items[i].end - r.t.items[i].start);
            n = 1;
        }
        i = i + n < r.t.count ? i + n : r.t.count;
        from = r.t.items[i - 1].end;
        if (r.behind[i - 1]) {
            if (r.behind_kind[i - 1] == SUGAR_VIRTUAL && r.behind[i - 1][1] == 'S') {
                mark(&r, SUGAR_VIRTUAL, NULL);
                needs(&r, 18);
            }
            text_add(&r.out, r.behind[i - 1]);
        }
    }
    sugar->text = r.out.data;
    return sugar;
}

const struct sugar_mark *sugar_find(const struct sugar *sugar, enum sugar_kind kind, size_t first,
                                    size_t last)
{
    for (size_t i = 0; sugar && i < sugar->count; i++) {
        const struct sugar_mark *m = &sugar->marks[i];
        if (m->kind == kind && m->offset >= first && m->offset < last) {
            return m;
        }
    }
    return NULL;
}
