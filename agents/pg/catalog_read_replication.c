#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "agents/pg/catalog_reader.h"

static void add_table(struct catalog *c, struct publication *p, const char *table)
{
    const char **items = mem_room(c, (void *)p->tables.items, const char *, p->tables.count + 1);

    items[p->tables.count++] = table;
    p->tables.items = items;
}

static bool read_publications(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT p.oid, p.pubname, p.puballtables, concat_ws(', ',"
                      " CASE WHEN p.pubinsert THEN 'insert' END,"
                      " CASE WHEN p.pubupdate THEN 'update' END,"
                      " CASE WHEN p.pubdelete THEN 'delete' END,"
                      " CASE WHEN p.pubtruncate THEN 'truncate' END) FROM pg_publication p"
                      " ORDER BY p.oid",
                      &rows, err))
        return false;
    c->publication_count = rows_count(rows);
    c->publications = mem_array(c, struct publication, c->publication_count);
    for (size_t i = 0; i < c->publication_count; i++)
        c->publications[i] = (struct publication){
            .name = reader_text(reader, rows, i, 1),
            .all_tables = rows_bool(rows, i, 2),
            .publish = reader_text(reader, rows, i, 3),
        };
    return true;
}

static const char *published(const struct reader *reader, const struct place *place,
                             const char *numbers)
{
    struct catalog_texts columns = reader_columns(reader, place, numbers);
    struct object_name name = {
        .schema = place->relation->schema,
        .name = place->relation->name,
        .columns = (const char **)(void *)columns.items,
        .column_count = columns.count,
    };

    return object_name_text(reader->catalog, &name);
}

/* Columns in the order of their names: that of their numbers tells only when each was added. */
#define BY_NAME                                                                      \
    "(SELECT string_agg(a.attnum::text, ' ' ORDER BY a.attname) FROM pg_attribute a" \
    " WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs))"

/* A publication of a schema (15+) publishes every table that is in it. */
static bool read_published(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;
    bool v15 = reader->version >= 150000;

    if (!reader_query(reader,
                      v15 ? "SELECT p.pubname, r.prrelid, " BY_NAME " FROM pg_publication p"
                            " JOIN pg_publication_rel r ON r.prpubid = p.oid"
                            " UNION ALL SELECT p.pubname, t.oid, NULL FROM pg_publication p"
                            " JOIN pg_publication_namespace n ON n.pnpubid = p.oid"
                            " JOIN pg_class t ON t.relnamespace = n.pnnspid"
                            " WHERE t.relkind IN ('r', 'p')"
                          : "SELECT p.pubname, r.prrelid, NULL FROM pg_publication p"
                            " JOIN pg_publication_rel r ON r.prpubid = p.oid",
                      &rows, err))
        return false;
    for (size_t i = 0; i < rows_count(rows); i++) {
        const struct place *place = reader_place(reader, reader_oid(rows, i, 1));

        for (size_t j = 0; place && j < c->publication_count; j++)
            if (text_eq(c->publications[j].name, rows_text(rows, i, 0)))
                add_table(c, &c->publications[j], published(reader, place, rows_text(rows, i, 2)));
    }
    return true;
}

/* Conditions on rows (15+): few publications have any. */
static bool read_filters(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (reader->version < 150000)
        return true;
    if (!reader_query(reader,
                      "SELECT r.oid, p.pubname, r.prrelid, " BY_NAME " FROM pg_publication p"
                      " JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE r.prqual IS NOT NULL"
                      " ORDER BY p.pubname, r.prrelid::regclass::text",
                      &rows, err))
        return false;
    for (size_t j = 0; j < c->publication_count; j++) {
        struct publication *p = &c->publications[j];
        const char **tables = mem_array(c, const char *, rows_count(rows));
        const char **filters = mem_array(c, const char *, rows_count(rows));
        size_t count = 0;

        for (size_t i = 0; i < rows_count(rows); i++) {
            const struct place *place = reader_place(reader, reader_oid(rows, i, 2));

            if (!place || !text_eq(p->name, rows_text(rows, i, 1)))
                continue;
            tables[count] = published(reader, place, rows_text(rows, i, 3));
            filters[count] = "";
            reader_slot(reader, SLOT_FILTER,
                        (struct slot){ .oid = reader_oid(rows, i, 0),
                                       .place = place,
                                       .name = p->name,
                                       .target = &filters[count] });
            count++;
        }
        p->filtered = (struct catalog_texts){ tables, count };
        p->filters = (struct catalog_texts){ filters, count };
    }
    return true;
}

/* subconninfo is for superusers only, and nothing of it may be carried away. */
static bool read_subscriptions(struct reader *reader, struct error *err)
{
    struct catalog *c = reader->catalog;
    struct rows *rows = NULL;

    if (!reader_query(reader,
                      "SELECT subname, subpublications, subslotname, subenabled"
                      " FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database"
                      " WHERE datname = current_database())",
                      &rows, err))
        return false;
    c->subscription_count = rows_count(rows);
    c->subscriptions = mem_array(c, struct subscription, c->subscription_count);
    for (size_t i = 0; i < c->subscription_count; i++)
        c->subscriptions[i] = (struct subscription){
            .name = reader_text(reader, rows, i, 0),
            .publications = reader_texts(reader, rows, i, 1),
            .slot = reader_text(reader, rows, i, 2),
            .enabled = rows_bool(rows, i, 3),
        };
    return true;
}

bool catalog_read_replication(struct reader *reader, struct error *err)
{
    return read_publications(reader, err) && read_published(reader, err) &&
           read_filters(reader, err) && read_subscriptions(reader, err);
}
