#include "controller/sql/token.h"

#include <stdint.h>
#include <string.h>

#include "agents/base/mem.h"

enum { C_SPACE = 1, C_WORD = 2, C_FIRST = 4, C_DIGIT = 8, C_OPERATOR = 16 };

static unsigned class_of(char c)
{
    unsigned char u = (unsigned char)c;
    if (u >= 0x80 || c == '_' || (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z')) {
        return C_WORD | C_FIRST;
    }
    if (u >= '0' && u <= '9') {
        return C_WORD | C_DIGIT;
    }
    if (u == ' ' || (u >= '\t' && u <= '\r')) {
        return C_SPACE;
    }
    if (c == '$') {
        return C_WORD;
    }
    return c != '\0' && strchr("+-*/<>=~!@#%^&|`?", c) ? C_OPERATOR : 0;
}

/* One table for the whole process: a compile-time constant would be 256 lines of noise. */
static uint8_t classes[256];

__attribute__((constructor)) static void classes_fill(void)
{
    for (int i = 0; i < 256; i++) {
        classes[i] = (uint8_t)class_of((char)i);
    }
}

static unsigned class_at(const struct lexer *l, size_t at)
{
    return at < l->length ? classes[(unsigned char)l->text[at]] : 0;
}

static char char_at(const struct lexer *l, size_t at)
{
    return at < l->length ? l->text[at] : '\0';
}

static struct token token_end(struct lexer *l, enum token_kind kind, size_t start, size_t end)
{
    l->pos = end;
    return (struct token){ kind, start, end };
}

static struct token broken(struct lexer *l, size_t start)
{
    return token_end(l, TOKEN_BROKEN, start, l->length);
}

/* From the opening quote at `quote` to behind the closing one; doubled quotes stay inside. */
static struct token quoted(struct lexer *l, size_t start, size_t quote, bool escapes)
{
    char q = l->text[quote];
    for (size_t i = quote + 1; i < l->length; i++) {
        if (escapes && l->text[i] == '\\') {
            i++;
        } else if (l->text[i] == q) {
            if (char_at(l, i + 1) != q) {
                return token_end(l, q == '"' ? TOKEN_QUOTED : TOKEN_STRING, start, i + 1);
            }
            i++;
        }
    }
    return broken(l, start);
}

/* $tag$ ... $tag$; false when the dollar opens none. */
static bool dollar_quoted(struct lexer *l, size_t start, struct token *out)
{
    size_t i = start + 1;
    if (class_at(l, i) & C_DIGIT) {
        return false;
    }
    while ((class_at(l, i) & C_WORD) && char_at(l, i) != '$') {
        i++;
    }
    if (char_at(l, i) != '$') {
        return false;
    }
    size_t tag = i + 1 - start;
    const char *close = memmem(l->text + i + 1, l->length - i - 1, l->text + start, tag);
    *out = close ? token_end(l, TOKEN_STRING, start, (size_t)(close - l->text) + tag)
                 : broken(l, start);
    return true;
}

static struct token line_end(struct lexer *l, enum token_kind kind, size_t start)
{
    const char *end = memchr(l->text + start, '\n', l->length - start);
    size_t stop = end ? (size_t)(end - l->text) : l->length;
    if (stop > start && l->text[stop - 1] == '\r') {
        stop--;
    }
    return token_end(l, kind, start, stop);
}

static struct token block_comment(struct lexer *l, size_t start)
{
    int depth = 1;
    for (size_t i = start + 2; i + 1 < l->length; i++) {
        if (l->text[i] == '*' && l->text[i + 1] == '/') {
            i++;
            if (--depth == 0) {
                return token_end(l, TOKEN_COMMENT, start, i + 1);
            }
        } else if (l->text[i] == '/' && l->text[i + 1] == '*') {
            i++;
            depth++;
        }
    }
    return broken(l, start);
}

static struct token number(struct lexer *l, size_t start)
{
    size_t i = start;
    while (class_at(l, i) & C_WORD && char_at(l, i) != '$') {
        char c = l->text[i++];
        bool hex = i - start > 1 && (l->text[start + 1] | 32) == 'x';
        if ((c | 32) == 'e' && !hex && (char_at(l, i) == '+' || char_at(l, i) == '-')) {
            i++;
        }
        if (char_at(l, i) == '.' && char_at(l, i + 1) != '.') {
            i++;
        }
    }
    return token_end(l, TOKEN_NUMBER, start, i > start ? i : start + 1);
}

static struct token operator_run(struct lexer *l, size_t start)
{
    size_t i = start;
    while (class_at(l, i) & C_OPERATOR) {
        char c = l->text[i], next = char_at(l, i + 1);
        if (i > start && ((c == '-' && next == '-') || (c == '/' && next == '*'))) {
            break;
        }
        i++;
    }
    return token_end(l, TOKEN_OPERATOR, start, i);
}

static struct token word(struct lexer *l, size_t start)
{
    char c = (char)(l->text[start] | 32), next = char_at(l, start + 1);
    if (next == '\'' && (c == 'e' || c == 'b' || c == 'x' || c == 'n')) {
        return quoted(l, start, start + 1, c == 'e');
    }
    if (c == 'u' && next == '&' &&
        (char_at(l, start + 2) == '\'' || char_at(l, start + 2) == '"')) {
        return quoted(l, start, start + 2, false);
    }
    size_t i = start + 1;
    while (class_at(l, i) & C_WORD) {
        i++;
    }
    return token_end(l, TOKEN_WORD, start, i);
}

static struct token punctuation(struct lexer *l, size_t at)
{
    char c = l->text[at], next = char_at(l, at + 1);
    struct token out;
    if (c == '\'' || c == '"') {
        return quoted(l, at, at, false);
    }
    if (c == '$' && dollar_quoted(l, at, &out)) {
        return out;
    }
    if (c == '$' && (class_at(l, at + 1) & C_DIGIT)) {
        struct token digits = number(l, at + 1);
        return token_end(l, TOKEN_PARAM, at, digits.end);
    }
    if (c == ':' && (next == ':' || next == '=')) {
        return token_end(l, TOKEN_OPERATOR, at, at + 2);
    }
    if (c == '\\') {
        return line_end(l, TOKEN_PSQL, at);
    }
    if (c == '.' && (class_at(l, at + 1) & C_DIGIT)) {
        return number(l, at);
    }
    return token_end(l, TOKEN_PUNCT, at, at + 1);
}

struct token token_next(struct lexer *l)
{
    size_t at = l->pos;
    while (class_at(l, at) & C_SPACE) {
        at++;
    }
    if (at >= l->length) {
        return token_end(l, TOKEN_END, l->length, l->length);
    }
    char c = l->text[at], next = char_at(l, at + 1);
    unsigned k = class_at(l, at);
    if (k & C_FIRST) {
        return word(l, at);
    }
    if (k & C_DIGIT) {
        return number(l, at);
    }
    if (c == '-' && next == '-') {
        return line_end(l, TOKEN_COMMENT, at);
    }
    if (c == '/' && next == '*') {
        return block_comment(l, at);
    }
    return k & C_OPERATOR ? operator_run(l, at) : punctuation(l, at);
}

bool token_is(const char *text, struct token token, const char *word_upper)
{
    if (token.kind != TOKEN_WORD) {
        return false;
    }
    size_t n = token.end - token.start;
    const char *s = text + token.start;
    for (size_t i = 0; i < n; i++) {
        char c = s[i] >= 'a' && s[i] <= 'z' ? (char)(s[i] - 32) : s[i];
        if (c != word_upper[i]) {
            return false;
        }
    }
    return word_upper[n] == '\0';
}

bool token_punct(const char *text, struct token token, char c)
{
    return token.kind == TOKEN_PUNCT && text[token.start] == c;
}

struct tokens tokens_of(const void *ctx, const char *text, size_t start, size_t end)
{
    struct tokens out = { text, NULL, 0 };
    struct lexer lexer = { text, end, start };
    for (;;) {
        struct token t = token_next(&lexer);
        if (t.kind == TOKEN_END) {
            return out;
        }
        if (t.kind != TOKEN_COMMENT) {
            out.items = mem_room(ctx, out.items, struct token, out.count + 1);
            out.items[out.count++] = t;
        }
    }
}

bool tokens_are(const struct tokens *tokens, size_t at, const char *words)
{
    while (*words != '\0') {
        char one[32];
        size_t n = strcspn(words, " ");
        if (at >= tokens->count || n >= sizeof one) {
            return false;
        }
        memcpy(one, words, n);
        one[n] = '\0';
        if (!token_is(tokens->text, tokens->items[at++], one)) {
            return false;
        }
        words += n + (words[n] == ' ');
    }
    return true;
}

bool tokens_punct(const struct tokens *tokens, size_t at, char c)
{
    return at < tokens->count && token_punct(tokens->text, tokens->items[at], c);
}

size_t tokens_close(const struct tokens *tokens, size_t at)
{
    int depth = 0;
    for (; at < tokens->count; at++) {
        if (tokens_punct(tokens, at, '(') || tokens_punct(tokens, at, '[')) {
            depth++;
        } else if (tokens_punct(tokens, at, ')') || tokens_punct(tokens, at, ']')) {
            if (--depth <= 0) {
                return at + 1;
            }
        }
    }
    return tokens->count;
}

const char *tokens_text(const void *ctx, const struct tokens *tokens, size_t first, size_t last)
{
    if (first >= last || last > tokens->count) {
        return NULL;
    }
    size_t start = tokens->items[first].start;
    return mem_textn(ctx, tokens->text + start, tokens->items[last - 1].end - start);
}

size_t tokens_at(const struct tokens *tokens, size_t offset)
{
    size_t i = 0;
    while (i < tokens->count && tokens->items[i].start < offset) {
        i++;
    }
    return i;
}
