#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/pg/catalog_reader.h"

static bool read_sequences(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(
            reader,
            "SELECT s.nspname, c.relname, format_type(q.seqtypid, NULL), q.seqstart,"
            " q.seqincrement, q.seqmin, q.seqmax, q.seqcache, q.seqcycle, d.refobjid,"
            " d.refobjsubid, d.deptype = 'i', pg_get_userbyid(c.relowner),"
            " c.relacl::text[], obj_description(c.oid, 'pg_class') FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid"
            " JOIN spaces s ON s.oid = c.relnamespace"
            " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
            " AND d.objid = c.oid AND d.objsubid = 0"
            " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
            " WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid"
            " AND e.classid = 'pg_class'::regclass AND e.deptype = 'e')",
            &rows, err))
        return false;
    c->sequence_count = rows_count(rows);
    c->sequences = mem_array(c, struct sequence, c->sequence_count);
    for (size_t i = 0; i < c->sequence_count; i++) {
        struct sequence *q = &c->sequences[i];
        const struct place *owner = reader_place(reader, reader_oid(rows, i, 9));

        q->schema = reader_text(reader, rows, i, 0);
        q->name = reader_text(reader, rows, i, 1);
        q->type = reader_text(reader, rows, i, 2);
        q->start = rows_int(rows, i, 3);
        q->increment = rows_int(rows, i, 4);
        q->min = rows_int(rows, i, 5);
        q->max = rows_int(rows, i, 6);
        q->cache = rows_int(rows, i, 7);
        q->cycle = rows_bool(rows, i, 8);
        q->identity = rows_bool(rows, i, 11);
        q->owner = reader_text(reader, rows, i, 12);
        q->acl = reader_texts(reader, rows, i, 13);
        q->comment = reader_text(reader, rows, i, 14);
        if (owner) {
            struct catalog_texts column = reader_columns(reader, owner, rows_text(rows, i, 10));
            q->owned_table = object_name_join(c, owner->relation->schema, owner->relation->name);
            q->owned_column = column.count ? column.items[0] : NULL;
        }
    }
    return true;
}

static bool read_schemas(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT s.nspname, pg_get_userbyid(n.nspowner), n.nspacl::text[]"
                      " FROM spaces s JOIN pg_namespace n USING (oid)",
                      &rows, err))
        return false;
    c->schema_count = rows_count(rows);
    c->schemas = mem_array(c, struct schema, c->schema_count);
    for (size_t i = 0; i < c->schema_count; i++)
        c->schemas[i] = (struct schema){
            .name = reader_text(reader, rows, i, 0),
            .owner = reader_text(reader, rows, i, 1),
            .acl = reader_texts(reader, rows, i, 2),
        };
    return true;
}

static bool read_extensions(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT e.extname, e.extversion, n.nspname FROM pg_extension e"
                      " JOIN pg_namespace n ON n.oid = e.extnamespace",
                      &rows, err))
        return false;
    c->extension_count = rows_count(rows);
    c->extensions = mem_array(c, struct extension, c->extension_count);
    for (size_t i = 0; i < c->extension_count; i++)
        c->extensions[i] = (struct extension){
            .name = reader_text(reader, rows, i, 0),
            .version = reader_text(reader, rows, i, 1),
            .schema = reader_text(reader, rows, i, 2),
        };
    return true;
}

static bool read_available(struct reader *reader, struct error *err)
{
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT array_agg(name ORDER BY name COLLATE \"C\")"
                      " FROM pg_available_extensions",
                      &rows, err))
        return false;
    reader->catalog->available_extensions = reader_texts(reader, rows, 0, 0);
    return true;
}

/* Only the address: other options can hold secrets. */
static bool read_servers(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT v.srvname, w.fdwname, pg_get_userbyid(v.srvowner),"
                      " max(o.option_value) FILTER (WHERE o.option_name = 'host'),"
                      " max(o.option_value) FILTER (WHERE o.option_name = 'hostaddr'),"
                      " max(o.option_value) FILTER (WHERE o.option_name = 'port'),"
                      " max(o.option_value) FILTER (WHERE o.option_name = 'dbname')"
                      " FROM pg_foreign_server v"
                      " JOIN pg_foreign_data_wrapper w ON w.oid = v.srvfdw"
                      " LEFT JOIN LATERAL pg_options_to_table(v.srvoptions) o ON true"
                      " GROUP BY v.oid, v.srvname, w.fdwname, v.srvowner",
                      &rows, err))
        return false;
    c->server_count = rows_count(rows);
    c->servers = mem_array(c, struct foreign_server, c->server_count);
    for (size_t i = 0; i < c->server_count; i++)
        c->servers[i] = (struct foreign_server){
            .name = reader_text(reader, rows, i, 0),
            .wrapper = reader_text(reader, rows, i, 1),
            .owner = reader_text(reader, rows, i, 2),
            .host = reader_text(reader, rows, i, rows_null(rows, i, 3) ? 4 : 3),
            .port = reader_text(reader, rows, i, 5),
            .database = reader_text(reader, rows, i, 6),
        };
    return true;
}

bool catalog_read_database(struct reader *reader, struct error *err)
{
    return read_sequences(reader, err) && read_schemas(reader, err) &&
           read_extensions(reader, err) && read_available(reader, err) && read_servers(reader, err);
}
