#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/pg/connection_private.h"

struct rows {
    PGresult *result;
};

static int rows_clear(struct rows *rows)
{
    PQclear(rows->result);
    return 0;
}

struct rows *rows_own(const void *ctx, PGresult *result)
{
    if (!result)
        return NULL;
    struct rows *rows = mem_new(ctx, struct rows);

    rows->result = result;
    talloc_set_destructor(rows, rows_clear);
    return rows;
}

size_t rows_count(const struct rows *rows)
{
    return (size_t)PQntuples(rows->result);
}

size_t rows_columns(const struct rows *rows)
{
    return (size_t)PQnfields(rows->result);
}

int64_t rows_affected(const struct rows *rows)
{
    return strtoll(PQcmdTuples(rows->result), NULL, 10);
}

bool rows_null(const struct rows *rows, size_t row, size_t col)
{
    return PQgetisnull(rows->result, (int)row, (int)col);
}

const char *rows_text(const struct rows *rows, size_t row, size_t col)
{
    if (PQgetisnull(rows->result, (int)row, (int)col))
        return NULL;
    return PQgetvalue(rows->result, (int)row, (int)col);
}

int64_t rows_int(const struct rows *rows, size_t row, size_t col)
{
    const char *s = rows_text(rows, row, col);

    return s ? strtoll(s, NULL, 10) : 0;
}

bool rows_bool(const struct rows *rows, size_t row, size_t col)
{
    const char *s = rows_text(rows, row, col);

    return s && *s == 't';
}

/* One element of an array's text form; *next stands behind it. */
static const char *array_element(const void *ctx, const char *s, const char **next)
{
    struct text t = text_init(ctx, TEXT_SQL);

    if (*s != '"') {
        size_t n = strcspn(s, ",}");

        *next = s + n;
        if (n == 4 && strncmp(s, "NULL", 4) == 0)
            return "";
        return mem_textn(ctx, s, n);
    }
    for (s++; *s && *s != '"'; s++) {
        if (*s == '\\' && s[1])
            s++;
        text_addc(&t, *s);
    }
    *next = *s ? s + 1 : s;
    return t.data;
}

size_t rows_texts(const void *ctx, const struct rows *rows, size_t row, size_t col,
                  const char *const **out)
{
    const char *s = rows_text(rows, row, col);
    const char **list = NULL;
    size_t count = 0;

    if (s && *s == '{' && s[1] != '}') {
        while (*s == '{' || *s == ',') {
            list = mem_room(ctx, list, const char *, count + 1);
            list[count++] = array_element(ctx, s + 1, &s);
        }
    }
    *out = list ? list : mem_array(ctx, const char *, 0);
    return count;
}
