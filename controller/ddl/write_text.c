#include "controller/ddl/write_text.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/column_map.h"

/* Where each clause begins, behind its keyword; and where the keyword stands. */
struct clause {
    const char *keyword, *start;
};

struct scan {
    const void *ctx;
    const char *end; /* of the statement */
    struct clause verb, target, set, from, where, returning;
    bool update, remove;
};

static bool word_is(const struct sql_piece *piece, const char *word)
{
    return piece->word && !piece->quoted && text_eq(piece->name, word);
}

static void mark(struct clause *clause, const struct sql_piece *piece)
{
    if (!clause->start) {
        *clause = (struct clause){ piece->start, piece->start + piece->length };
    }
}

static void verb(struct scan *s, const struct sql_piece *piece)
{
    s->update = word_is(piece, "update");
    s->remove = word_is(piece, "delete");
    if (s->update || s->remove || word_is(piece, "insert")) {
        mark(&s->verb, piece);
    }
    if (s->update) {
        mark(&s->target, piece);
    }
}

/* The clause that the word begins in the statement that it stands in; null: none. */
static struct clause *clause_of(struct scan *s, const struct sql_piece *piece)
{
    bool from = word_is(piece, "from");
    if (word_is(piece, "returning")) {
        return &s->returning;
    }
    if (word_is(piece, "where") && (s->update || s->remove)) {
        return &s->where;
    }
    if (s->remove) {
        return from ? &s->target : word_is(piece, "using") ? &s->from : NULL;
    }
    if (s->update) {
        return word_is(piece, "set") ? &s->set : from ? &s->from : NULL;
    }
    return NULL;
}

static void keyword(struct scan *s, const struct sql_piece *piece)
{
    if (!s->verb.start) {
        verb(s, piece);
        return;
    }
    struct clause *clause = clause_of(s, piece);
    if (clause) {
        mark(clause, piece);
    }
}

static void clauses(struct scan *s, const char *sql)
{
    int depth = 0;
    struct sql_piece before = { 0 };
    for (struct sql_piece piece = sql_piece_next(s->ctx, sql); piece.length > 0;
         piece = sql_piece_next(s->ctx, piece.start + piece.length)) {
        depth += *piece.start == '(' || *piece.start == '['   ? 1
                 : *piece.start == ')' || *piece.start == ']' ? -1
                                                              : 0;
        /* IS DISTINCT FROM is an operator */
        if (depth == 0 && !(word_is(&before, "distinct") && word_is(&piece, "from"))) {
            keyword(s, &piece);
        }
        if (*piece.start != ';') {
            s->end = piece.start + piece.length;
        }
        before = piece;
    }
}

/* From the first to the last token that begin in the span: what is put behind it must not end up in
 * a comment. */
static const char *spanned(const void *ctx, const char *start, const char *end)
{
    struct sql_piece piece = sql_piece_next(ctx, start);
    const char *last = start = piece.start;
    for (; piece.length > 0 && piece.start < end;
         piece = sql_piece_next(ctx, piece.start + piece.length)) {
        last = piece.start + piece.length;
    }
    return mem_textn(ctx, start, (size_t)(last - start));
}

/* From the clause to the next one that there is. */
static const char *clause_text(const struct scan *s, const struct clause *clause)
{
    const struct clause *const all[] = { &s->set, &s->from, &s->where, &s->returning };
    const char *end = s->end;
    if (!clause->start) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]->keyword && all[i]->keyword >= clause->start && all[i]->keyword < end) {
            end = all[i]->keyword;
        }
    }
    return spanned(s->ctx, clause->start, end);
}

/* "ONLY app.t AS x" → "x"; "app.t" → "app.t". */
static const char *qualifier(const void *ctx, const char *target, bool *alias)
{
    struct sql_piece piece = sql_piece_next(ctx, target);
    if (word_is(&piece, "only")) {
        piece = sql_piece_next(ctx, piece.start + piece.length);
    }
    const char *start = piece.start, *end = piece.start + piece.length;
    while (*end == '.') {
        piece = sql_piece_next(ctx, end + 1);
        end = piece.start + piece.length;
    }
    piece = sql_piece_next(ctx, end);
    if (*piece.start == '*') {
        piece = sql_piece_next(ctx, piece.start + piece.length);
    }
    if (word_is(&piece, "as")) {
        piece = sql_piece_next(ctx, piece.start + piece.length);
    }
    *alias = piece.word;
    return piece.word ? mem_textn(ctx, piece.start, piece.length)
                      : mem_textn(ctx, start, (size_t)(end - start));
}

static bool assign(struct write_text *out, const void *ctx, const char *start, const char *end)
{
    struct sql_piece name = sql_piece_next(ctx, start);
    struct sql_piece equals = sql_piece_next(ctx, name.start + name.length);
    if (!name.word || *equals.start != '=') {
        return false;
    }
    const char *value = spanned(ctx, equals.start + 1, end);
    out->assignments =
        mem_room(ctx, out->assignments, struct assignment, out->assignment_count + 1);
    out->assignments[out->assignment_count++] = (struct assignment){ name.name, value };
    return *value;
}

static bool assignments(struct write_text *out, const void *ctx, const char *set)
{
    int depth = 0;
    const char *start = set;
    struct sql_piece piece = sql_piece_next(ctx, set);
    for (; piece.length > 0; piece = sql_piece_next(ctx, piece.start + piece.length)) {
        depth += *piece.start == '(' || *piece.start == '['   ? 1
                 : *piece.start == ')' || *piece.start == ']' ? -1
                                                              : 0;
        if (depth == 0 && *piece.start == ',' && !piece.word) {
            if (!assign(out, ctx, start, piece.start)) {
                return false;
            }
            start = piece.start + 1;
        }
    }
    return assign(out, ctx, start, piece.start);
}

void write_text_of(const void *ctx, const char *sql, struct write_text *out)
{
    struct scan s = { .ctx = ctx, .end = sql };
    bool alias = false;
    clauses(&s, sql);
    *out = (struct write_text){ .sql = mem_textn(ctx, sql, (size_t)(s.end - sql)), .with = "" };
    out->returning = s.returning.start != NULL;
    out->from = clause_text(&s, &s.from);
    out->where = clause_text(&s, &s.where);
    out->target_sql = clause_text(&s, &s.target);
    if (s.verb.keyword && s.verb.keyword > sql) {
        const char *with = mem_textn(ctx, sql, (size_t)(s.verb.keyword - sql));
        struct sql_piece first = sql_piece_next(ctx, with);
        out->with = word_is(&first, "with") ? with : "";
    }
    if (out->target_sql) {
        out->target = qualifier(ctx, out->target_sql, &alias);
    }
    const char *set = clause_text(&s, &s.set);
    bool each = set && assignments(out, ctx, set);
    out->simple = s.update && each && !alias && !out->from && !out->returning && !*out->with;
}
