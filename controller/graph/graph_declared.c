#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

/* The object of a name in the manifest, with its schema. False when the service's catalog is known
 * and does not have it: that is a problem of the manifest's line. */
static bool resolve(struct builder *b, const struct object_name *name, const char *column, int line,
                    struct graph_object *out)
{
    const struct catalog *c = graph_catalog(b->graph, name->service);
    const struct relation *r = c ? catalog_relation(c, name->schema, name->name) : NULL;

    *out = (struct graph_object){ .service = name->service,
                                  .schema = name->schema ? name->schema : "public",
                                  .name = name->name,
                                  .column = column };
    if (!c)
        return true;
    if (!r) {
        graph_problem(b, "%s:%d: service %s has no table %s", b->fleet->path, line, name->service,
                      object_name_join(b->tmp, name->schema, name->name));
        return false;
    }
    out->schema = r->schema;
    if (!column || relation_column(r, column))
        return true;
    graph_problem(b, "%s:%d: table %s of service %s has no column %s", b->fleet->path, line,
                  r->name, name->service, column);
    return false;
}

static void add_reference(struct builder *b, const struct reference *reference)
{
    const struct object_name *from = &reference->from, *to = &reference->to;
    size_t count = from->column_count > to->column_count ? from->column_count : to->column_count;

    for (size_t i = 0; i < (count ? count : 1); i++) {
        struct graph_edge edge = { .kind = EDGE_REFERENCE, .confidence = 100 };
        bool good = resolve(b, from, i < from->column_count ? from->columns[i] : NULL,
                            reference->line, &edge.from);

        good = resolve(b, to, i < to->column_count ? to->columns[i] : NULL, reference->line,
                       &edge.to) &&
               good;
        edge.evidence = mem_printf(b->tmp, "%s:%d", b->fleet->path, reference->line);
        if (good)
            graph_add(b, edge);
    }
}

static void add_consume(struct builder *b, const struct service *service,
                        const struct consume *consume)
{
    const struct object_name *from = &consume->from;

    for (size_t i = 0; i < (from->column_count ? from->column_count : 1); i++) {
        struct graph_edge edge = { .from = { .service = service->name },
                                   .kind = EDGE_CONSUME,
                                   .confidence = 100 };

        edge.evidence = mem_printf(b->tmp, "%s:%d%s%s", b->fleet->path, consume->line,
                                   consume->via ? ", via " : "", consume->via ? consume->via : "");
        if (resolve(b, from, from->column_count ? from->columns[i] : NULL, consume->line, &edge.to))
            graph_add(b, edge);
    }
}

void graph_find_declared(struct builder *b)
{
    for (size_t i = 0; i < b->fleet->service_count; i++) {
        const struct service *service = &b->fleet->services[i];

        for (size_t j = 0; j < service->reference_count; j++)
            add_reference(b, &service->references[j]);
        for (size_t j = 0; j < service->consume_count; j++)
            add_consume(b, service, &service->consumes[j]);
    }
}
