/*
 * Our own scanner of SQL text: fast, never fails, knows psql's backslash lines. It exists beside
 * the parser's because splitting, spans of expressions and newer grammar need tokens also where the
 * parser gives up.
 */
#ifndef CONTROLLER_SQL_TOKEN_H
#define CONTROLLER_SQL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* keyword or unquoted identifier */
    TOKEN_QUOTED, /* "identifier", U&"..." */
    TOKEN_STRING, /* '...', E'...', B'...', X'...', N'...', U&'...', $tag$...$tag$ */
    TOKEN_NUMBER,
    TOKEN_PARAM,    /* $1 */
    TOKEN_OPERATOR, /* a run of operator characters, :: and := */
    TOKEN_PUNCT,    /* one of ( ) [ ] , ; . : \ and what is nothing else */
    TOKEN_COMMENT,  /* to the end of the line, or a block, nested */
    TOKEN_PSQL,     /* from a backslash to the end of the line */
    TOKEN_BROKEN,   /* unterminated string, identifier or comment, to the end of the text */
};

struct token {
    enum token_kind kind;
    size_t start, end;
};

struct lexer {
    const char *text;
    size_t length;
    size_t pos;
};

/* The next token; kind TOKEN_END at the end. */
struct token token_next(struct lexer *lexer);

/* The token is that keyword (`word` in upper case). */
bool token_is(const char *text, struct token token, const char *word);
/* The token is that one punctuation character. */
bool token_punct(const char *text, struct token token, char c);

/* All tokens of [start, end) without comments, owned by ctx. */
struct tokens {
    const char *text;
    struct token *items;
    size_t count;
};
struct tokens tokens_of(const void *ctx, const char *text, size_t start, size_t end);

/* tokens[at] and what follows are these keywords ("SET NOT NULL"); past the end is no match. */
bool tokens_are(const struct tokens *tokens, size_t at, const char *words);
bool tokens_punct(const struct tokens *tokens, size_t at, char c);
/* The index behind the bracket that closes the one at `at`; count when it is not closed. */
size_t tokens_close(const struct tokens *tokens, size_t at);
/* The text from tokens[first] to tokens[last - 1], owned by ctx; null when empty. */
const char *tokens_text(const void *ctx, const struct tokens *tokens, size_t first, size_t last);
/* The first token whose start is >= offset; count when none. */
size_t tokens_at(const struct tokens *tokens, size_t offset);

#endif
