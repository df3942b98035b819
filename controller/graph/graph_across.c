#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

enum {
    SURE = 100,
    LIKELY = 80,  /* the address fits, the host is spelled otherwise */
    DIVIDED = 50, /* several services fit */
};

static const struct foreign_server *server_of(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (text_eq(c->servers[i].name, name))
            return &c->servers[i];
    return NULL;
}

/* The host of the instance that a catalog was read from; null when it cannot be told. */
static const char *host_of(const struct builder *b, const struct service_catalog *item)
{
    const struct service *service = b->fleet ? fleet_service(b->fleet, item->service) : NULL;

    for (size_t i = 0; service && i < service->instance_count; i++)
        if (!item->instance || text_eq(service->instances[i].name, item->instance))
            return service->instances[i].host;
    return NULL;
}

/* A foreign server without a port means libpq's default. */
static bool same_database(const struct foreign_server *s, const struct catalog *c)
{
    return s->database && text_eq(s->database, c->database) &&
           text_eq(s->port ? s->port : "5432", c->server_port ? c->server_port : "5432");
}

/* Which service a foreign server leads to: by database and port, and by host where several fit. */
struct target {
    const struct service_catalog *items[8];
    size_t count;
    int confidence;
};

static struct target target_of(const struct builder *b, const struct service_catalog *from,
                               const struct foreign_server *s)
{
    struct target all = { .confidence = LIKELY }, exact = { .confidence = SURE };
    size_t most = sizeof all.items / sizeof *all.items;

    for (size_t i = 0; i < b->graph->catalog_count; i++) {
        const struct service_catalog *item = &b->graph->catalogs[i];
        const char *host = host_of(b, item);

        if (item == from || !same_database(s, item->catalog))
            continue;
        if (all.count < most)
            all.items[all.count++] = item;
        if (host && text_eq(host, s->host) && exact.count < most)
            exact.items[exact.count++] = item;
    }
    struct target best = exact.count ? exact : all;
    if (best.count > 1)
        best.confidence = DIVIDED;
    else if (best.count == 1 && !host_of(b, best.items[0]))
        best.confidence = SURE; /* nothing contradicts: a local agent, or no manifest */
    return best;
}

/* "column_name=email" among a foreign column's options. */
static const char *remote_column(const struct builder *b, const struct column *column)
{
    const char *option = column->options ? strstr(column->options, "column_name=") : NULL;

    if (!option)
        return column->name;
    option += strlen("column_name=");
    return mem_textn(b->graph, option, strcspn(option, ","));
}

static void add_foreign_table(struct builder *b, const struct service_catalog *item,
                              const struct relation *r, const struct service_catalog *source,
                              int confidence)
{
    const struct relation *remote =
        catalog_relation(source->catalog, r->foreign_schema, r->foreign_table);
    const char *evidence = mem_printf(b->tmp, "foreign table %s, server %s", r->name, r->server);

    if (!remote) {
        graph_problem(b, "%s: foreign table %s reads %s of service %s, which is not there",
                      item->service, object_name_join(b->tmp, r->schema, r->name),
                      object_name_join(b->tmp, r->foreign_schema, r->foreign_table),
                      source->service);
        return;
    }
    for (size_t i = 0; i < r->column_count; i++) {
        const char *name = remote_column(b, &r->columns[i]);

        if (!relation_column(remote, name)) {
            graph_problem(
                b, "%s: column %s of foreign table %s reads %s of %s:%s, which is not there",
                item->service, r->columns[i].name, r->name, name, source->service, remote->name);
            continue;
        }
        graph_add(b, (struct graph_edge){ .from = { .service = item->service,
                                                    .schema = r->schema,
                                                    .name = r->name,
                                                    .column = r->columns[i].name },
                                          .to = { .service = source->service,
                                                  .schema = remote->schema,
                                                  .name = remote->name,
                                                  .column = name },
                                          .kind = EDGE_FOREIGN_TABLE,
                                          .evidence = evidence,
                                          .confidence = confidence });
    }
}

void graph_find_foreign_tables(struct builder *b, const struct service_catalog *item)
{
    const struct catalog *c = item->catalog;

    for (size_t i = 0; i < c->relation_count; i++) {
        const struct relation *r = &c->relations[i];
        const struct foreign_server *server =
            r->server && r->foreign_table ? server_of(c, r->server) : NULL;

        if (!server || !text_eq(server->wrapper, "postgres_fdw"))
            continue;
        struct target target = target_of(b, item, server);
        if (target.count == 0)
            graph_problem(b,
                          "%s: foreign table %s reads database %s at %s:%s, which is no service "
                          "of this fleet",
                          item->service, object_name_join(b->tmp, r->schema, r->name),
                          server->database ? server->database : "(default)",
                          server->host ? server->host : "localhost",
                          server->port ? server->port : "5432");
        for (size_t j = 0; j < target.count; j++)
            add_foreign_table(b, item, r, target.items[j], target.confidence);
    }
}

/* --- logical replication ------------------------------------------------------------------------
 */

static const struct publication *publication_of(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->publication_count; i++)
        if (text_eq(c->publications[i].name, name))
            return &c->publications[i];
    return NULL;
}

static void add_replicated(struct builder *b, const struct service_catalog *to,
                           const struct service_catalog *from, const struct object_name *table,
                           struct graph_edge edge)
{
    const struct relation *source = catalog_relation(from->catalog, table->schema, table->name);
    const struct relation *copy = catalog_relation(to->catalog, table->schema, table->name);

    for (size_t i = 0; source && copy && i < source->column_count; i++) {
        const struct column *column = relation_column(copy, source->columns[i].name);
        bool listed = table->column_count == 0;

        for (size_t j = 0; j < table->column_count; j++)
            listed = listed || text_eq(table->columns[j], source->columns[i].name);
        if (!column || !listed)
            continue;
        edge.from = (struct graph_object){ .service = to->service,
                                           .schema = copy->schema,
                                           .name = copy->name,
                                           .column = column->name };
        edge.to = (struct graph_object){ .service = from->service,
                                         .schema = source->schema,
                                         .name = source->name,
                                         .column = source->columns[i].name };
        graph_add(b, edge);
    }
}

static void add_publication(struct builder *b, const struct service_catalog *to,
                            const struct service_catalog *from, const struct publication *p,
                            struct graph_edge edge)
{
    const struct catalog *c = from->catalog;
    struct object_name table;
    struct error err;

    for (size_t i = 0; !p->all_tables && i < p->tables.count; i++)
        if (object_name_parse(b->tmp, p->tables.items[i], &table, &err))
            add_replicated(b, to, from, &table, edge);
    for (size_t i = 0; p->all_tables && i < c->relation_count; i++) {
        table =
            (struct object_name){ .schema = c->relations[i].schema, .name = c->relations[i].name };
        if (strchr("rp", c->relations[i].kind) && !c->relations[i].partition_bound)
            add_replicated(b, to, from, &table, edge);
    }
}

/* Where a subscription gets its rows from is known to superusers only: the publication's name must
 * do, and where several services have one of that name none is certain. */
static void add_subscription(struct builder *b, const struct service_catalog *item,
                             const struct subscription *s, const char *publication)
{
    size_t sources = 0;

    for (size_t i = 0; i < b->graph->catalog_count; i++)
        sources += &b->graph->catalogs[i] != item &&
                   publication_of(b->graph->catalogs[i].catalog, publication) != NULL;
    if (sources == 0)
        graph_problem(b,
                      "%s: subscription %s wants publication %s, which no service of this fleet "
                      "has",
                      item->service, s->name, publication);
    for (size_t i = 0; i < b->graph->catalog_count; i++) {
        const struct service_catalog *from = &b->graph->catalogs[i];
        const struct publication *p =
            from == item ? NULL : publication_of(from->catalog, publication);

        if (p)
            add_publication(b, item, from, p,
                            (struct graph_edge){
                                .kind = EDGE_PUBLICATION,
                                .evidence = mem_printf(b->tmp, "subscription %s of publication %s",
                                                       s->name, p->name),
                                .confidence = sources == 1 ? SURE : DIVIDED });
    }
}

void graph_find_subscriptions(struct builder *b, const struct service_catalog *item)
{
    const struct catalog *c = item->catalog;

    for (size_t i = 0; i < c->subscription_count; i++)
        for (size_t j = 0; j < c->subscriptions[i].publications.count; j++)
            add_subscription(b, item, &c->subscriptions[i],
                             c->subscriptions[i].publications.items[j]);
}
