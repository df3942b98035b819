#include "controller/judge/known_block.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/token.h"

/* '?' stands for any literal, the same at each place. */
static const struct {
    const char *text, *what;
} blocks[] = {
    { "DECLARE r record; BEGIN FOR r IN SELECT DISTINCT a.grantee FROM pg_catalog.pg_class c, "
      "pg_catalog.aclexplode(c.relacl) a WHERE c.oid = pg_catalog.to_regclass('?') LOOP EXECUTE "
      "pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s', '?', CASE r.grantee WHEN 0 THEN "
      "'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.grantee)) END); END "
      "LOOP; END",
      "it takes back every right on one relation, and nothing else" },
};

static bool is_hole(const struct tokens *k, size_t i)
{
    return k->items[i].kind == TOKEN_STRING && k->items[i].end - k->items[i].start == 3 &&
           k->text[k->items[i].start + 1] == '?';
}

static bool same_token(const struct tokens *a, size_t i, const struct tokens *b, size_t k)
{
    size_t n = a->items[i].end - a->items[i].start;
    return n == b->items[k].end - b->items[k].start &&
           memcmp(a->text + a->items[i].start, b->text + b->items[k].start, n) == 0;
}

/* E'' and U&'' could spell anything: a hole takes '…' alone, and a name that needs no look. */
static bool is_plain(const struct tokens *k, size_t i)
{
    const char *s = k->text + k->items[i].start;
    size_t n = k->items[i].end - k->items[i].start;
    return k->items[i].kind == TOKEN_STRING && *s == '\'' && !memchr(s, ';', n) &&
           !memchr(s, '\\', n) && s[1] == '"';
}

static bool matches(const char *text, const char *form)
{
    SCOPE(tmp);
    struct tokens a = tokens_of(tmp, text, 0, strlen(text));
    struct tokens b = tokens_of(tmp, form, 0, strlen(form));
    size_t hole = SIZE_MAX;
    size_t count = a.count && tokens_punct(&a, a.count - 1, ';') ? a.count - 1 : a.count;
    if (count != b.count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_hole(&b, i)) {
            if (!same_token(&a, i, &b, i)) {
                return false;
            }
        } else if (!is_plain(&a, i) || (hole != SIZE_MAX && !same_token(&a, i, &a, hole))) {
            return false;
        } else {
            hole = i;
        }
    }
    return true;
}

const char *known_block(const char *text)
{
    for (size_t i = 0; text && i < sizeof blocks / sizeof *blocks; i++) {
        if (matches(text, blocks[i].text)) {
            return blocks[i].what;
        }
    }
    return NULL;
}
