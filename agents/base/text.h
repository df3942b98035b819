/*
 * Text builder with a mandatory cap, and the few questions that are asked of strings everywhere.
 *
 * A builder past its cap drops what does not fit and remembers it (`text_full`): a caller that
 * needs the whole says so in an error instead of running out of memory on hostile input.
 */
#ifndef AGENTS_BASE_TEXT_H
#define AGENTS_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"

struct text {
    const void *ctx;
    char *data; /* always terminated; never null after text_init */
    size_t len;
    size_t cap; /* largest len allowed */
    bool full;
};

/* Caps that stand for a kind of content, so that limits are one list. */
enum {
    TEXT_LINE = 8 * 1024,
    TEXT_SQL = 1024 * 1024,
    TEXT_FILE = 64 * 1024 * 1024,
};

/* An empty builder whose data is owned by ctx. */
struct text text_init(const void *ctx, size_t cap);
void text_add(struct text *t, const char *s);
void text_addn(struct text *t, const char *s, size_t n);
void text_addc(struct text *t, char c);
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_addv(struct text *t, const char *fmt, va_list ap);

/* Equal, where null equals only null. */
bool text_eq(const char *a, const char *b);
/* a < b by bytes, null first: for qsort comparators. */
int text_cmp(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
bool text_empty(const char *s); /* null or "" */

/* Valid UTF-8 without overlong forms and surrogates, no NUL in the n bytes. */
bool text_is_utf8(const char *s, size_t n);
/* How many of the n bytes come before the first that is not such text. */
size_t text_utf8_prefix(const char *s, size_t n);

/* s with control characters, escapes and invalid bytes replaced, safe to print on a terminal. */
const char *text_printable(const void *ctx, const char *s);

/* Damerau-Levenshtein distance, capped at `most` + 1: for "did you mean". */
unsigned text_distance(const char *a, const char *b, unsigned most);

/* The nearest of names within a third of the length, or null. */
const char *text_nearest(const char *s, const char *const *names, size_t count);

/* s as an SQL identifier, quoted always ("order", "a""b"). */
const char *text_quote_ident(const void *ctx, const char *s);
/* s as an SQL string literal; E'' form when it holds a backslash. */
const char *text_quote_literal(const void *ctx, const char *s);

/* "1,234,567" */
const char *text_count(const void *ctx, long long n);
/* "41 ms", "3.2 s", "12 min" of milliseconds. */
const char *text_duration(const void *ctx, long long ms);
/* "12 MB" of bytes. */
const char *text_bytes(const void *ctx, long long bytes);

#endif
