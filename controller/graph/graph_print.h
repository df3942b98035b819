/*
 * A graph, or a part of it such as an impact, as text: for people (a tree), for programs (JSON),
 * for pictures (DOT, Mermaid). Pure; the same input gives the same bytes.
 */
#ifndef CONTROLLER_GRAPH_GRAPH_PRINT_H
#define CONTROLLER_GRAPH_GRAPH_PRINT_H

#include "agents/base/text.h"
#include "controller/graph/graph.h"

struct graph_view {
    const struct graph *graph;
    const struct graph_edge *const *edges; /* what to show */
    size_t count;
    const struct graph_object *object; /* whose impact it is; null: the whole graph */
    bool ascii;                        /* trees without line-drawing characters */
};

/* All edges of the graph; the list is owned by ctx. */
struct graph_view graph_view_all(const void *ctx, const struct graph *graph);
/* What depends on the object. */
struct graph_view graph_view_impact(const void *ctx, const struct graph *graph,
                                    const struct graph_object *object);

/* {nodes: [{id, service, schema, name, kind}], edges: [{from, to, kind, evidence, confidence}]}
 * and, for the whole graph, waves, cycles and problems. A new reference. */
json_t *graph_view_json(const struct graph_view *view);

void graph_view_tree(struct text *out, const struct graph_view *view);
void graph_view_dot(struct text *out, const struct graph_view *view);
void graph_view_mermaid(struct text *out, const struct graph_view *view);

/* "table", "view", "function", "sequence", "service" ...; never null. */
const char *graph_node_kind(const struct graph *graph, const struct graph_object *object);

/* The relations of a view's edges, each once, columns null, sorted. */
size_t graph_view_nodes(const void *ctx, const struct graph_view *view, struct graph_object **out);

#endif
