/* SQL of strangers, cut into the parts that a migration tool would see, through the judge and every
 * rule, with a catalog and without: it ends, the parts are as long as the file and break its lines
 * where it does, statements stand in the file's order, and every finding stands at one of them,
 * with a rewrite that is text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/lint/layout.h"

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
        if (i > 0 &&
            result->statements[i].statement->offset < result->statements[i - 1].statement->offset)
            abort();
        for (size_t k = 0; k < result->statements[i].count; k++) {
            const struct finding *f = &result->statements[i].findings[k];
            const char *sql = f->rewrite_sql ? f->rewrite_sql : "";
            if (f->line < 1 || !f->message || !text_is_utf8(sql, strlen(sql)))
                abort();
        }
    }
}

/* A catalog with a table that the seeds name, a partition, a view, a sequence, a function. */
static const char known[] =
    "{\"server_version\":170000,\"search_path\":\"public\",\"schemas\":[{\"name\":\"public\"}],"
    "\"relations\":[{\"schema\":\"public\",\"name\":\"t\",\"kind\":\"table\",\"columns\":["
    "{\"name\":\"id\",\"type\":\"bigint\",\"not_null\":true,\"identity\":\"always\"},"
    "{\"name\":\"a\",\"type\":\"integer\",\"default_expr\":\"nextval('public.s'::regclass)\"}],"
    "\"constraints\":[{\"name\":\"t_pkey\",\"kind\":\"primary key\",\"columns\":[\"id\"],"
    "\"definition\":\"PRIMARY KEY (id)\",\"validated\":true,\"index\":\"t_pkey\"},{\"name\":\"c\","
    "\"kind\":\"check\",\"columns\":[\"a\"],\"definition\":\"CHECK ((a IS NOT NULL))\",\"validated\":true}],"
    "\"indexes\":[{\"name\":\"t_pkey\",\"definition\":\"CREATE UNIQUE INDEX t_pkey ON public.t (id)\","
    "\"columns\":[\"id\"],\"key_count\":1,\"unique\":true,\"valid\":true,\"ready\":true}],"
    "\"rows\":1000},{\"schema\":\"public\",\"name\":\"pt\",\"kind\":\"partitioned table\","
    "\"partition_key\":\"RANGE (k)\",\"columns\":[{\"name\":\"k\",\"type\":\"integer\"}]},"
    "{\"schema\":\"public\",\"name\":\"pt1\",\"kind\":\"table\",\"parent\":\"public.pt\","
    "\"partition_bound\":\"FOR VALUES FROM (0) TO (1000)\",\"columns\":[{\"name\":\"k\",\"type\":"
    "\"integer\"}]},{\"schema\":\"public\",\"name\":\"v\",\"kind\":\"view\",\"reads\":["
    "\"public.t.a\",\"public.v.a\"]}],\"sequences\":[{\"schema\":\"public\",\"name\":\"s\","
    "\"type\":\"integer\",\"owned_table\":\"public.t\",\"owned_column\":\"a\"}],\"functions\":[{\"schema\":\"public\","
    "\"name\":\"pr\",\"language\":\"sql\",\"kind\":\"procedure\",\"volatility\":\"volatile\","
    "\"definition\":\"CREATE PROCEDURE public.pr() LANGUAGE sql AS 'CALL pr(); DELETE FROM t'\"}]}";

static const struct catalog *catalog(void)
{
    static struct catalog *read;
    SCOPE(tmp);
    struct error err;
    json_t *json = NULL;
    if (!read && !(json_parse(tmp, known, sizeof known - 1, &json, &err) &&
                   catalog_from_json(NULL, json, &read, &err))) {
        fprintf(stderr, "the catalog here is out of date: %s\n", err.message);
        abort();
    }
    return read;
}

static void parts_check(const struct lint_layout *layout, const char *text, size_t length)
{
    for (size_t i = 0; i < layout->count; i++) {
        for (size_t k = 0; k < length; k++)
            if ((layout->parts[i].text[k] == '\n') != (text[k] == '\n'))
                abort();
        for (size_t k = 1; k < layout->parts[i].unit_count; k++)
            if (layout->parts[i].units[k].start < layout->parts[i].units[k - 1].start)
                abort();
    }
}

static void take(void *arg)
{
    SCOPE(tmp);
    const struct input *in = arg;
    struct error err;
    struct lint_result *result;
    const struct lint_options options = {
        .catalog = in->size % 2 ? catalog() : NULL,
        .all = true,
        .version = 15 + (int)(in->size % 4),
        .transaction = in->size % 3 == 0,
    };
    const struct lint_path unknown = { NULL, LINT_UP, WRAP_NONE };
    if (!text_is_utf8((const char *)in->data, in->size))
        return;
    const char *text = mem_textn(tmp, (const char *)in->data, in->size);
    struct lint_layout layout = lint_layout_of(tmp, &unknown, text, in->size);
    parts_check(&layout, text, in->size);
    if (lint_parts(tmp, layout.parts, layout.count, in->size, &options, &result, &err))
        result_check(result);
}

/* On the deep thread once an input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    struct input in = { data, size };
    return sql_deep(take, &in, &err) ? 0 : -1;
}
