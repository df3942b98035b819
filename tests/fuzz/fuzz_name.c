/* Names of objects as people write them: what parses is written back as the same name, what does
 * not is printable, and no name leaves its quotes in SQL. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct object_name *a, const struct object_name *b)
{
    bool equal = text_eq(a->service, b->service) && text_eq(a->schema, b->schema) &&
                 text_eq(a->name, b->name) && a->column_count == b->column_count;
    for (size_t i = 0; equal && i < a->column_count; i++)
        equal = text_eq(a->columns[i], b->columns[i]);
    return equal;
}

/* A quoted identifier: quotes at both ends, and inside only in pairs. */
static bool stays_quoted(const char *s)
{
    size_t n = strlen(s);
    if (n < 2 || s[0] != '"' || s[n - 1] != '"')
        return false;
    for (size_t i = 1; i < n - 1; i++)
        if (s[i] == '"' && s[++i] != '"')
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPE(tmp);
    struct error err;
    struct object_name name = { 0 };
    struct object_name again = { 0 };
    const char *s = mem_textn(tmp, (const char *)data, size);
    if (!stays_quoted(text_quote_ident(tmp, s)))
        abort();
    if (!object_name_parse(tmp, s, &name, &err))
        return 0;
    if (!object_name_parse(tmp, object_name_text(tmp, &name), &again, &err) ||
        !same(&name, &again) || strlen(object_name_fit(tmp, name.name)) > 63)
        abort();
    return 0;
}
