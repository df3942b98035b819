#include "controller/check/trail_check.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/expression.h"
#include "controller/sql/token.h"

static const char *unquoted(const void *ctx, const struct tokens *k, size_t at)
{
    if (at >= k->count) {
        return NULL;
    }
    const char *s = k->text + k->items[at].start;
    size_t n = k->items[at].end - k->items[at].start;
    struct text name = text_init(ctx, TEXT_LINE);
    if (k->items[at].kind == TOKEN_WORD) {
        return mem_textn(ctx, s, n);
    }
    for (size_t i = 1; k->items[at].kind == TOKEN_QUOTED && i + 1 < n; i++) {
        text_addc(&name, s[i]);
        i += s[i] == '"';
    }
    return name.len ? name.data : NULL;
}

/* The one column that an expression is about. */
static const char *column_of(const void *ctx, const struct tokens *k, size_t first, size_t last)
{
    struct sql_expression *e;
    struct error ignored;
    const char *text = tokens_text(ctx, k, first, last);
    return text && sql_expression_check(ctx, text, &e, &ignored) && e->columns.count == 1 &&
                   !e->subselect
               ? e->columns.items[0]
               : NULL;
}

static size_t comma(const struct tokens *k, size_t first, size_t last)
{
    while (first < last && !tokens_punct(k, first, ',')) {
        first = tokens_punct(k, first, '(') ? tokens_close(k, first) : first + 1;
    }
    return first;
}

/* record_image_ne(ROW(a), ROW(b)) */
static bool by_image(const void *ctx, const struct tokens *k, size_t at, size_t end,
                     struct trail_equality *out)
{
    at += tokens_are(k, at, "PG_CATALOG") && tokens_punct(k, at + 1, '.') ? 2 : 0;
    if (!tokens_are(k, at, "RECORD_IMAGE_NE") || !tokens_punct(k, at + 1, '(') ||
        tokens_close(k, at + 1) != end) {
        return false;
    }
    size_t middle = comma(k, at + 2, end - 1);
    if (!tokens_are(k, at + 2, "ROW") || !tokens_are(k, middle + 1, "ROW")) {
        return false;
    }
    out->left = column_of(ctx, k, at + 4, middle - 1);
    out->right = column_of(ctx, k, middle + 3, end - 2);
    out->expression = tokens_text(ctx, k, middle + 3, end - 2);
    return out->left && out->right;
}

/* a IS DISTINCT FROM b */
static bool by_distinct(const void *ctx, const struct tokens *k, size_t at, size_t end,
                        struct trail_equality *out)
{
    for (size_t i = at; i + 3 < end; i++) {
        if (tokens_are(k, i, "IS DISTINCT FROM")) {
            out->left = column_of(ctx, k, at, i);
            out->right = column_of(ctx, k, i + 3, end);
            out->expression = tokens_text(ctx, k, i + 3, end);
            return out->left && out->right;
        }
    }
    return false;
}

/* AND binds what follows to what was read; an OR would not. */
static bool only_more(const struct tokens *k, size_t at)
{
    bool more = at == k->count || tokens_are(k, at, "AND");
    for (; more && at < k->count; at = tokens_punct(k, at, '(') ? tokens_close(k, at) : at + 1) {
        more = !tokens_are(k, at, "OR") && !tokens_punct(k, at, ',') && !tokens_punct(k, at, ';');
    }
    return more;
}

bool trail_check_equality(const void *ctx, const char *check, struct trail_equality *out)
{
    if (!check) {
        return false;
    }
    struct tokens k = tokens_of(ctx, check, 0, strlen(check));
    if (!tokens_are(&k, 0, "SELECT NOT EXISTS") || !tokens_punct(&k, 3, '(') ||
        !tokens_are(&k, 4, "SELECT")) {
        return false;
    }
    size_t close = tokens_close(&k, 3) - 1;
    size_t at = 5;
    at += tokens_are(&k, at, "FROM") ? 0 : 1; /* SELECT 1 FROM */
    if (!tokens_are(&k, at, "FROM")) {
        return false;
    }
    out->relation = (struct sql_name){ NULL, unquoted(ctx, &k, at + 1) };
    at += 2;
    if (tokens_punct(&k, at, '.')) {
        out->relation = (struct sql_name){ out->relation.name, unquoted(ctx, &k, at + 1) };
        at += 2;
    }
    return out->relation.name && tokens_are(&k, at, "WHERE") && only_more(&k, close + 1) &&
           (by_image(ctx, &k, at + 1, close, out) || by_distinct(ctx, &k, at + 1, close, out));
}
