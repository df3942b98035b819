#include "agents/pg/catalog_read.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

enum {
    READ_TRIES = 3,
};

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

static bool read_database(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    /* reset_val is the role's own search path, whatever this session has set. */
    if (!reader_query(
            reader,
            "SELECT current_database(), current_setting('server_version_num'),"
            " current_setting('port'), max(reset_val) FILTER (WHERE name = 'search_path'),"
            " max(reset_val) FILTER (WHERE name = 'TimeZone')"
            " FROM pg_settings WHERE name IN ('search_path', 'TimeZone')",
            &rows, err))
        return false;
    c->database = reader_text(reader, rows, 0, 0);
    c->server_version = reader->version = (int)rows_int(rows, 0, 1);
    c->server_port = reader_text(reader, rows, 0, 2);
    c->search_path = reader_text(reader, rows, 0, 3);
    c->time_zone = reader_text(reader, rows, 0, 4);
    reader->xmin = rows_text(rows, 0, 5);
    if (reader->version >= 140000)
        return true;
    fail(err, ERROR_UNSUPPORTED, "database %s: the server is PostgreSQL %d; 14 to 18 are supported",
         c->database, reader->version / 10000);
    return fail_hint(err, "upgrade the server first");
}

static bool read_all(struct reader *reader, struct error *err)
{
    return catalog_read_relations(reader, err) && catalog_read_parts(reader, err) &&
           catalog_read_types(reader, err) && catalog_read_functions(reader, err) &&
           catalog_read_rest(reader, err) && catalog_read_slots(reader, err);
}

/* One read in its own transaction; *moved: something changed meanwhile. */
static bool read_once(const void *ctx, struct connection *connection, struct catalog **out,
                      bool *moved, struct error *err)
{
    SCOPE(tmp);
    struct reader reader = { .pg = connection, .tmp = tmp };
    const char *before = NULL, *after = NULL;
    struct error ignored;

    reader.catalog = mem_new(tmp, struct catalog);
    if (!connection_script(connection,
                           "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                           "SET LOCAL search_path = pg_catalog; SET LOCAL jit = off;"
                           "SET LOCAL lock_timeout = '5s'",
                           err))
        return false;
    bool good = read_database(&reader, err) &&
                catalog_mark(tmp, connection, reader.xmin, &before, err) && read_all(&reader, err);
    if (!connection_exec(connection, good ? "COMMIT" : "ROLLBACK", good ? err : &ignored) || !good)
        return false;
    if (!catalog_mark(tmp, connection, reader.xmin, &after, err))
        return false;
    catalog_find_histories(&reader);
    *moved = reader.moved || !text_eq(before, after);
    *out = mem_give(ctx, reader.catalog);
    return true;
}

bool catalog_read(const void *ctx, struct connection *connection, struct catalog **out,
                  struct error *err)
{
    SCOPE(tmp);
    struct catalog *catalog = NULL;
    bool moved = true;

    if (connection_state(connection) != CONNECTION_IDLE)
        return fail(err, ERROR_INTERNAL, "the catalog can only be read outside of a transaction");
    for (int i = 0; moved && i < READ_TRIES; i++)
        if (!read_once(tmp, connection, &catalog, &moved, err))
            return false;
    if (moved) {
        struct reader reader = { .catalog = catalog };
        reader_unreadable(&reader, "catalog",
                          "definitions went on changing while they were read: read it again");
    }
    catalog_sort(catalog);
    *out = mem_give(ctx, catalog);
    return true;
}
