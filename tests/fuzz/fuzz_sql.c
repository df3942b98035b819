/* SQL of strangers: splitting, statements, queries, bodies, expressions and types end with a result
 * or an error, and every statement lies inside of its script. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/sql/expression.h"
#include "controller/sql/query.h"
#include "controller/sql/script.h"

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

static void take(void *arg)
{
    SCOPE(tmp);
    const struct input *in = arg;
    struct error err;
    struct script *script = NULL;
    struct sql_query *query = NULL;
    struct sql_expression *expression = NULL;
    const char *type = NULL;
    bool opaque = false;
    const char *s = mem_textn(tmp, (const char *)in->data, in->size);
    const char *language = in->size % 2 ? "sql" : "plpgsql";
    bool good = sql_parse(tmp, (const char *)in->data, in->size, &script, &err);
    good |= sql_query_reads(tmp, s, &query, &err);
    good |= sql_expression_check(tmp, s, &expression, &err);
    good |= sql_body_reads(tmp, language, s, &query, &opaque, &err);
    good |= sql_type_normalise(tmp, s, &type, &err);
    if (!good && !text_is_utf8(err.message, strlen(err.message)))
        abort();
}

/* On the deep thread once an input, not for each of its calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct input in = { data, size };
    return sql_deep(take, &in, &err) ? 0 : -1;
}
