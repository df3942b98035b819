#include "agents/pg/catalog_read.h"

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

enum {
    READ_TRIES = 3,
};

static bool read_database(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    /* reset_val is the role's own search path, whatever this session has set. */
    if (!reader_query(
            reader,
            "SELECT current_database(), current_setting('server_version_num'),"
            " current_setting('port'), max(reset_val) FILTER (WHERE name = 'search_path'),"
            " max(reset_val) FILTER (WHERE name = 'TimeZone'),"
            " pg_snapshot_xmin(pg_current_snapshot())::xid::text"
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
           catalog_read_database(reader, err) && catalog_read_event_triggers(reader, err) &&
           catalog_read_replication(reader, err) && catalog_read_slots(reader, err);
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
