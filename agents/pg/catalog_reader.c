#include "agents/pg/catalog_reader.h"

#include <stdlib.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

/* The schemas of users, as every query begins. */
static const char spaces[] =
    "WITH spaces AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT IN "
    "('information_schema', 'flotilla') AND nspname NOT LIKE 'pg\\_%')";

bool reader_query(struct reader *reader, const char *sql, struct rows **out, struct error *err)
{
    SCOPE(tmp);
    const char *whole = mem_printf(tmp, "%s %s", spaces, sql);

    if (!connection_query(reader->tmp, reader->pg, whole, NULL, 0, out, err))
        return fail_in(err, "read the catalog");
    return true;
}

static int compare_oid(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->oid > y->oid) - (x->oid < y->oid);
}

struct place *reader_place(const struct reader *reader, uint32_t oid)
{
    struct place key = { .oid = oid };

    return bsearch(&key, reader->places, reader->place_count, sizeof key, compare_oid);
}

const char *reader_text(const struct reader *reader, const struct rows *rows, size_t row,
                        size_t col)
{
    return mem_text(reader->catalog, rows_text(rows, row, col));
}

struct catalog_texts reader_texts(const struct reader *reader, const struct rows *rows, size_t row,
                                  size_t col)
{
    struct catalog_texts texts = { 0 };

    if (!rows_null(rows, row, col))
        texts.count = rows_texts(reader->catalog, rows, row, col, &texts.items);
    return texts;
}

uint32_t reader_oid(const struct rows *rows, size_t row, size_t col)
{
    return (uint32_t)rows_int(rows, row, col);
}

char reader_char(const struct rows *rows, size_t row, size_t col)
{
    const char *s = rows_text(rows, row, col);

    return s ? *s : 0;
}

static const struct column *column_by_number(const struct relation *relation, int number)
{
    for (size_t i = 0; i < relation->column_count; i++)
        if (relation->columns[i].number == number)
            return &relation->columns[i];
    return NULL;
}

struct catalog_texts reader_columns(const struct reader *reader, const struct place *place,
                                    const char *numbers)
{
    const char **names = NULL;
    size_t count = 0;

    for (const char *p = numbers; p && *p;) {
        char *end = NULL;
        long number = strtol(p, &end, 10);

        if (end == p) {
            p++;
            continue;
        }
        const struct column *column = column_by_number(place->relation, (int)number);
        names = mem_room(reader->catalog, names, const char *, count + 1);
        names[count++] = column ? column->name : "";
        p = end;
    }
    return (struct catalog_texts){ names, count };
}

const char *reader_read_name(const struct reader *reader, const struct place *place, int number)
{
    SCOPE(tmp);
    const struct column *column = column_by_number(place->relation, number);
    const char *table = object_name_join(tmp, place->relation->schema, place->relation->name);

    return mem_printf(reader->catalog, "%s.%s", table,
                      column ? object_name_join(tmp, NULL, column->name) : "*");
}

size_t reader_group(const struct rows *rows, size_t row)
{
    size_t n = 1;

    while (row + n < rows_count(rows) &&
           text_eq(rows_text(rows, row + n, 0), rows_text(rows, row, 0)))
        n++;
    return n;
}

void reader_slot(struct reader *reader, enum slot_kind kind, struct slot slot)
{
    struct slots *slots = &reader->slots[kind];

    slots->items = mem_room(reader->tmp, slots->items, struct slot, slots->count + 1);
    slots->items[slots->count++] = slot;
}

void reader_unreadable(struct reader *reader, const char *object, const char *reason)
{
    struct catalog *c = reader->catalog;

    c->unreadable = mem_room(c, c->unreadable, struct unreadable, c->unreadable_count + 1);
    c->unreadable[c->unreadable_count++] =
        (struct unreadable){ mem_text(c, object), mem_text(c, reason) };
}
