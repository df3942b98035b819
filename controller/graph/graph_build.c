#include "controller/graph/graph_build.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_service(const struct graph *g, const char *name)
{
    for (size_t i = 0; i < g->service_count; i++)
        if (text_eq(g->services[i], name))
            return true;
    return false;
}

static void add_service(struct graph *g, const char *name)
{
    g->services = mem_room(g, g->services, const char *, g->service_count + 1);
    g->services[g->service_count++] = name;
}

/* Only the first catalog of a service counts; later ones are its other instances. */
static void set_services(struct builder *b, const struct service_catalog *catalogs, size_t count)
{
    struct graph *g = b->graph;
    struct service_catalog *kept = mem_array(g, struct service_catalog, count);

    for (size_t i = 0; i < count; i++)
        if (!has_service(g, catalogs[i].service)) {
            add_service(g, catalogs[i].service);
            kept[g->catalog_count++] = catalogs[i];
        }
    g->catalogs = kept;
    for (size_t i = 0; b->fleet && i < b->fleet->service_count; i++)
        if (!has_service(g, b->fleet->services[i].name))
            add_service(g, b->fleet->services[i].name);
    if (g->service_count)
        qsort(g->services, g->service_count, sizeof *g->services, compare_texts);
}

bool graph_build(const void *ctx, const struct fleet *fleet, const struct service_catalog *catalogs,
                 size_t catalog_count, bool suggest, struct graph **out, struct error *err)
{
    SCOPE(tmp);
    struct builder b = { .fleet = fleet, .tmp = tmp };

    if (catalog_count == 0 && !fleet)
        return fail(err, ERROR_INTERNAL, "a graph needs a catalog or a manifest");
    b.graph = mem_new(ctx, struct graph);
    set_services(&b, catalogs, catalog_count);
    for (size_t i = 0; i < b.graph->catalog_count; i++) {
        const struct service_catalog *item = &b.graph->catalogs[i];

        graph_find_in_catalog(&b, item);
        graph_find_bodies(&b, item);
        graph_find_foreign_tables(&b, item);
        graph_find_subscriptions(&b, item);
    }
    if (fleet)
        graph_find_declared(&b);
    if (suggest)
        graph_find_suggestions(&b);
    graph_add_end(&b);
    graph_finish(b.graph);
    *out = b.graph;
    return true;
}
