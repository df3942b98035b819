#include "controller/graph/graph_print.h"

#include <stdlib.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"

struct graph_view graph_view_all(const void *ctx, const struct graph *graph)
{
    const struct graph_edge **edges = mem_array(ctx, const struct graph_edge *, graph->edge_count);

    for (size_t i = 0; i < graph->edge_count; i++)
        edges[i] = &graph->edges[i];
    return (struct graph_view){ .graph = graph, .edges = edges, .count = graph->edge_count };
}

struct graph_view graph_view_impact(const void *ctx, const struct graph *graph,
                                    const struct graph_object *object)
{
    const struct graph_edge **edges = NULL;
    size_t count = graph_impact(ctx, graph, object, &edges);

    return (struct graph_view){ .graph = graph, .edges = edges, .count = count, .object = object };
}

const char *graph_node_kind(const struct graph *graph, const struct graph_object *object)
{
    const struct catalog *c = graph_catalog(graph, object->service);

    if (!object->name)
        return "service";
    if (object->function)
        return "function";
    const struct relation *r = c ? catalog_relation(c, object->schema, object->name) : NULL;
    for (size_t i = 0; c && !r && i < c->sequence_count; i++)
        if (text_eq(c->sequences[i].schema, object->schema) &&
            text_eq(c->sequences[i].name, object->name))
            return "sequence";
    switch (r ? r->kind : 0) {
    case 'p': return "partitioned table";
    case 'v': return "view";
    case 'm': return "materialized view";
    case 'f': return "foreign table";
    default: return "table";
    }
}

static int compare_node(const void *a, const void *b)
{
    const struct graph_object *x = a, *y = b;
    int order = text_cmp(x->service, y->service);

    order = order ? order : text_cmp(x->schema, y->schema);
    order = order ? order : text_cmp(x->name, y->name);
    return order ? order : (int)x->function - (int)y->function;
}

size_t graph_view_nodes(const void *ctx, const struct graph_view *view, struct graph_object **out)
{
    size_t most = view->count * 2 + 1, n = 0, count = 0;
    struct graph_object *all = mem_array(ctx, struct graph_object, most);

    for (size_t i = 0; i < view->count; i++) {
        all[n++] = view->edges[i]->from;
        all[n++] = view->edges[i]->to;
    }
    if (view->object)
        all[n++] = *view->object;
    qsort(all, n, sizeof *all, compare_node);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_node(&all[i], &all[count - 1]) != 0) {
            all[count] = all[i];
            all[count++].column = NULL;
        }
    *out = all;
    return count;
}

static json_t *nodes_json(const struct graph_view *view)
{
    SCOPE(tmp);
    struct graph_object *nodes = NULL;
    size_t count = graph_view_nodes(tmp, view, &nodes);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *node = json_object();

        json_set_text(node, "id", graph_object_text(tmp, view->graph, &nodes[i]));
        json_set_text(node, "service", nodes[i].service);
        json_set_text(node, "schema", nodes[i].schema);
        json_set_text(node, "name", nodes[i].name);
        json_set_text(node, "kind", graph_node_kind(view->graph, &nodes[i]));
        json_array_append_new(list, node);
    }
    return list;
}

static json_t *edges_json(const struct graph_view *view)
{
    SCOPE(tmp);
    json_t *list = json_array();

    for (size_t i = 0; i < view->count; i++) {
        const struct graph_edge *e = view->edges[i];
        json_t *edge = json_object();

        json_set_text(edge, "from", graph_object_text(tmp, view->graph, &e->from));
        json_set_text(edge, "to", graph_object_text(tmp, view->graph, &e->to));
        json_set_text(edge, "kind", edge_kind_name(e->kind));
        json_set_text(edge, "evidence", e->evidence);
        json_set_int(edge, "confidence", e->confidence);
        json_array_append_new(list, edge);
    }
    return list;
}

json_t *graph_view_json(const struct graph_view *view)
{
    SCOPE(tmp);
    const struct graph *g = view->graph;
    json_t *json = json_object();

    if (view->object)
        json_set_text(json, "object", graph_object_text(tmp, g, view->object));
    json_object_set_new(json, "nodes", nodes_json(view));
    json_object_set_new(json, "edges", edges_json(view));
    if (view->object)
        return json;
    struct graph_waves waves;
    json_t *list = json_array();

    graph_waves(tmp, g, &waves);
    for (size_t i = 0; i < waves.count; i++)
        json_array_append_new(list, json_from_texts(waves.waves[i], waves.sizes[i]));
    json_object_set_new(json, "waves", list);
    json_object_set_new(json, "cycles", json_from_texts(waves.cycles, waves.cycle_count));
    json_object_set_new(json, "problems", json_from_texts(g->problems, g->problem_count));
    return json;
}
