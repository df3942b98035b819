#include "controller/sql/split.h"

#include <ctype.h>
#include <string.h>

#include "agents/base/mem.h"
#include "controller/sql/token.h"

struct splitter {
    const void *ctx;
    struct lexer lexer;
    struct spans out;
    bool comments;
    struct span span; /* the one being read */
    bool open;        /* it has a token */
    int line;         /* of `counted` */
    size_t counted;
    size_t words; /* in this statement */
    bool routine; /* CREATE [OR REPLACE] FUNCTION or PROCEDURE */
    bool create, copy, from, from_stdin;
    bool after_begin;
    int atomic; /* depth of BEGIN ATOMIC / CASE */
    size_t parens;
    size_t chain[SQL_PARENS_MAX + 1]; /* nestable tokens since the last comma, per open bracket */
    size_t chained;                   /* sum of chain[0..parens] */
};

static int line_at(struct splitter *s, size_t offset)
{
    while (s->counted < offset) {
        const char *from = s->lexer.text + s->counted;
        const char *nl = memchr(from, '\n', offset - s->counted);
        if (!nl) {
            s->counted = offset;
            break;
        }
        s->line++;
        s->counted = (size_t)(nl - s->lexer.text) + 1;
    }
    return s->line;
}

static void span_reset(struct splitter *s)
{
    s->span = (struct span){ 0 };
    s->open = s->routine = s->create = s->copy = s->from = s->from_stdin = s->after_begin = false;
    s->words = s->parens = s->chained = s->chain[0] = 0;
    s->atomic = 0;
}

static void span_add(struct splitter *s)
{
    if (s->open) {
        s->out.items = mem_room(s->ctx, s->out.items, struct span, s->out.count + 1);
        if (s->span.end - s->span.start > SQL_STATEMENT_MAX) {
            s->span.refused = "it is longer than 4 MB";
        }
        s->out.items[s->out.count++] = s->span;
    }
    span_reset(s);
}

static void comment_add(struct splitter *s, struct token t)
{
    if (!s->comments) {
        return;
    }
    const char *text = s->lexer.text;
    size_t a = t.start + 2, b = t.end, bol = t.start;
    if (text[t.start] == '/') {
        b -= 2;
    }
    while (a < b && (isspace((unsigned char)text[a]) || text[a] == '-' || text[a] == '*')) {
        a++;
    }
    while (b > a && isspace((unsigned char)text[b - 1])) {
        b--;
    }
    while (bol > 0 && (text[bol - 1] == ' ' || text[bol - 1] == '\t')) {
        bol--;
    }
    struct spans *o = &s->out;
    o->comments = mem_room(s->ctx, o->comments, struct sql_comment, o->comment_count + 1);
    o->comments[o->comment_count++] = (struct sql_comment){
        .line = line_at(s, t.start),
        .own_line = bol == 0 || text[bol - 1] == '\n',
        .text = mem_textn(s->ctx, text + a, b - a),
    };
}

/* BEGIN ATOMIC and CASE keep semicolons inside until their END. */
static void routine_word(struct splitter *s, struct token t)
{
    const char *text = s->lexer.text;
    if (s->atomic == 0) {
        s->atomic = s->after_begin && token_is(text, t, "ATOMIC") ? 1 : 0;
    } else if (token_is(text, t, "CASE")) {
        s->atomic++;
    } else if (token_is(text, t, "END")) {
        s->atomic--;
    }
    s->after_begin = token_is(text, t, "BEGIN");
}

/* What keywords say about where the statement ends. */
static void word_seen(struct splitter *s, struct token t)
{
    const char *text = s->lexer.text;
    s->words++;
    if (s->words == 1) {
        s->create = token_is(text, t, "CREATE");
        s->copy = token_is(text, t, "COPY");
    } else if (s->create && s->words <= 4 && !s->routine) {
        s->routine = token_is(text, t, "FUNCTION") || token_is(text, t, "PROCEDURE");
    } else if (s->copy) {
        s->from_stdin = s->from_stdin || (s->from && token_is(text, t, "STDIN"));
        s->from = s->parens == 0 && token_is(text, t, "FROM");
    }
    if (s->routine) {
        routine_word(s, t);
    }
}

static void bracket_seen(struct splitter *s, char c)
{
    if (c == '(' || c == '[') {
        if (s->parens < SQL_PARENS_MAX) {
            s->chain[++s->parens] = 0;
        } else {
            s->span.refused = "it nests too deep";
        }
    } else if ((c == ')' || c == ']') && s->parens > 0) {
        s->chained -= s->chain[s->parens--];
    } else if (c == ',') {
        s->chained -= s->chain[s->parens];
        s->chain[s->parens] = 0;
    }
}

static void nesting_seen(struct splitter *s, struct token t)
{
    if (t.kind == TOKEN_WORD || t.kind == TOKEN_OPERATOR) {
        s->chain[s->parens]++;
        if (++s->chained > SQL_CHAIN_MAX) {
            s->span.refused = "its expression is too long a chain";
        }
    } else if (t.kind == TOKEN_PUNCT) {
        bracket_seen(s, s->lexer.text[t.start]);
    }
}

/* Skips inline rows up to the line "\."; without that line there is no inline data. */
static void copy_data(struct splitter *s)
{
    const char *text = s->lexer.text, *all = text + s->lexer.length;
    const char *line = memchr(text + s->lexer.pos, '\n', s->lexer.length - s->lexer.pos);
    size_t rows = 0;
    while (line && line + 1 < all) {
        const char *start = line + 1;
        line = memchr(start, '\n', (size_t)(all - start));
        const char *end = line ? line : all;
        if (end > start && end[-1] == '\r') {
            end--;
        }
        if (end - start == 2 && start[0] == '\\' && start[1] == '.') {
            s->span.data_lines = rows;
            s->lexer.pos = (size_t)((line ? line : all) - text);
            return;
        }
        rows++;
    }
}

static void psql_line(struct splitter *s, struct token t)
{
    span_add(s);
    s->open = true;
    s->span = (struct span){ .start = t.start, .end = t.end, .psql = true, .closed = true };
    s->span.line = s->span.end_line = line_at(s, t.start);
    span_add(s);
}

static void token_seen(struct splitter *s, struct token t)
{
    if (token_punct(s->lexer.text, t, ';') && s->parens == 0 && s->atomic == 0) {
        if (s->open) {
            s->span.closed = true;
            if (s->from_stdin) {
                copy_data(s);
            }
            span_add(s);
        }
        return;
    }
    if (!s->open) {
        s->open = true;
        s->span.start = t.start;
        s->span.line = line_at(s, t.start);
    }
    s->span.end = t.end;
    s->span.end_line = line_at(s, t.start);
    s->span.broken = s->span.broken || t.kind == TOKEN_BROKEN;
    if (t.kind == TOKEN_WORD) {
        word_seen(s, t);
    }
    nesting_seen(s, t);
}

struct spans sql_split(const void *ctx, const char *text, size_t length, bool comments)
{
    SCOPE(tmp);
    struct splitter *s = mem_new(tmp, struct splitter);
    s->ctx = ctx;
    s->lexer = (struct lexer){ text, length, 0 };
    s->comments = comments;
    s->line = 1;
    span_reset(s);
    for (;;) {
        struct token t = token_next(&s->lexer);
        if (t.kind == TOKEN_END) {
            break;
        }
        if (t.kind == TOKEN_COMMENT) {
            comment_add(s, t);
        } else if (t.kind == TOKEN_PSQL) {
            psql_line(s, t);
        } else {
            token_seen(s, t);
        }
    }
    span_add(s);
    return s->out;
}
