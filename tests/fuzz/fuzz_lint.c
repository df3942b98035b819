/* SQL of strangers through the judge and every rule: it ends, and every finding stands at a
 * statement of the script, with a rewrite that is text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libpg_query 15-4.0.0 forgets its empty text of messages, a byte a call, in the PL/pgSQL parser.
 */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void)
{
    return "leak:pg_query_raw_parse\n";
}

struct input {
    const uint8_t *data;
    size_t size;
};

static void result_check(const struct lint_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        for (size_t k = 0; k < result->statements[i].count; k++) {
            const struct finding *f = &result->statements[i].findings[k];
            const char *sql = f->rewrite_sql ? f->rewrite_sql : "";
            if (f->line < 1 || !f->message || !text_is_utf8(sql, strlen(sql)))
                abort();
        }
    }
}

static void take(void *arg)
{
    SCOPE(tmp);
    const struct input *in = arg;
    struct error err;
    struct lint_result *result;
    const struct lint_options options = {
        .all = true,
        .version = 15 + (int)(in->size % 4),
        .transaction = in->size % 3 == 0,
    };
    if (lint_script(tmp, (const char *)in->data, in->size, &options, &result, &err))
        result_check(result);
}

/* One deep thread an input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct input in = { data, size };
    return sql_deep(take, &in, &err) ? 0 : -1;
}
