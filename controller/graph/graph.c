#include "controller/graph/graph.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

static const char *const kind_names[] = {
#define X(id, name) name,
    EDGE_KINDS(X)
#undef X
};

const char *edge_kind_name(enum edge_kind kind)
{
    return kind_names[kind];
}

/* Edges by the relation they depend on. */
struct bucket {
    const char *key;
    size_t *edges;
    size_t count;
    UT_hash_handle hh;
};

struct graph_index {
    struct bucket *buckets;
};

static int index_free(struct graph_index *index)
{
    HASH_CLEAR(hh, index->buckets); /* the buckets themselves are talloc's */
    return 0;
}

/* Bytes that no name of an object holds keep the pieces apart. */
static const char *relation_key(const void *ctx, const struct graph_object *o)
{
    return mem_printf(ctx, "%s\x01%s\x01%s%s", o->service, o->schema ? o->schema : "",
                      o->name ? o->name : "", o->function ? "\x01()" : "");
}

static const char *object_key(const void *ctx, const struct graph_object *o)
{
    return mem_printf(ctx, "%s\x02%s", relation_key(ctx, o), o->column ? o->column : "");
}

static struct bucket *bucket_of(const struct graph *graph, const char *key)
{
    struct bucket *bucket = NULL;

    HASH_FIND_STR(graph->index->buckets, key, bucket);
    return bucket;
}

static void index_edge(struct graph *graph, size_t i)
{
    const char *key = relation_key(graph->index, &graph->edges[i].to);
    struct bucket *bucket = bucket_of(graph, key);

    if (!bucket) {
        bucket = mem_new(graph->index, struct bucket);
        bucket->key = key;
        HASH_ADD_KEYPTR(hh, graph->index->buckets, key, strlen(key), bucket);
    }
    bucket->edges = mem_room(graph->index, bucket->edges, size_t, bucket->count + 1);
    bucket->edges[bucket->count++] = i;
}

static int compare_object(const struct graph_object *a, const struct graph_object *b)
{
    int order = text_cmp(a->service, b->service);

    order = order ? order : text_cmp(a->schema, b->schema);
    order = order ? order : text_cmp(a->name, b->name);
    order = order ? order : (int)a->function - (int)b->function;
    return order ? order : text_cmp(a->column, b->column);
}

static int compare_node(const void *a, const void *b)
{
    return compare_object(a, b);
}

static int compare_edge(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;
    int order = compare_object(&x->to, &y->to);

    order = order ? order : compare_object(&x->from, &y->from);
    order = order ? order : (int)x->kind - (int)y->kind;
    return order ? order : text_cmp(x->evidence, y->evidence);
}

void graph_finish(struct graph *graph)
{
    size_t n = 0;

    if (graph->edge_count)
        qsort(graph->edges, graph->edge_count, sizeof *graph->edges, compare_edge);
    graph->index = mem_new(graph, struct graph_index);
    talloc_set_destructor(graph->index, index_free);
    graph->nodes = mem_array(graph, struct graph_object, graph->edge_count * 2);
    for (size_t i = 0; i < graph->edge_count; i++) {
        index_edge(graph, i);
        graph->nodes[n] = graph->edges[i].from;
        graph->nodes[n++].column = NULL;
        graph->nodes[n] = graph->edges[i].to;
        graph->nodes[n++].column = NULL;
    }
    if (n)
        qsort(graph->nodes, n, sizeof *graph->nodes, compare_node);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_object(&graph->nodes[i], &graph->nodes[graph->node_count - 1]) != 0)
            graph->nodes[graph->node_count++] = graph->nodes[i];
}

static bool concerns(const struct graph_edge *edge, const struct graph_object *object)
{
    return !object->column || !edge->to.column || text_eq(edge->to.column, object->column);
}

size_t graph_dependents(const void *ctx, const struct graph *graph,
                        const struct graph_object *object, const struct graph_edge ***out)
{
    SCOPE(tmp);
    const struct bucket *bucket = bucket_of(graph, relation_key(tmp, object));
    size_t most = bucket ? bucket->count : 0, count = 0;
    const struct graph_edge **edges = mem_array(ctx, const struct graph_edge *, most);

    for (size_t i = 0; i < most; i++) {
        const struct graph_edge *edge = &graph->edges[bucket->edges[i]];
        if (concerns(edge, object))
            edges[count++] = edge;
    }
    *out = edges;
    return count;
}

/* --- impact ----------------------------------------------------------------------------------- */

struct seen {
    UT_hash_handle hh;
};

struct walk {
    const struct graph *graph;
    void *tmp;
    struct graph_object *queue;
    size_t head, tail;
    struct seen *objects, *edges;
    const struct graph_edge **found;
    size_t count;
};

/* True the first time. */
static bool see(struct walk *w, struct seen **set, const char *key)
{
    struct seen *known = NULL;

    HASH_FIND_STR(*set, key, known);
    if (known)
        return false;
    known = mem_new(w->tmp, struct seen);
    HASH_ADD_KEYPTR(hh, *set, key, strlen(key), known);
    return true;
}

static void walk_to(struct walk *w, struct graph_object object)
{
    if (!see(w, &w->objects, object_key(w->tmp, &object)))
        return;
    w->queue = mem_room(w->tmp, w->queue, struct graph_object, w->tail + 1);
    w->queue[w->tail++] = object;
}

static void walk_edge(const void *ctx, struct walk *w, const struct graph_object *at,
                      const struct graph_edge *edge)
{
    struct graph_object next = edge->from;

    if (see(w, &w->edges, mem_printf(w->tmp, "%p", (const void *)edge))) {
        w->found = mem_room(ctx, w->found, const struct graph_edge *, w->count + 1);
        w->found[w->count++] = edge;
    }
    if (edge->kind == EDGE_TRIGGER || !next.name)
        return;
    if (edge->kind == EDGE_PARTITION && !next.column)
        next.column = at->column; /* a partition has the columns of its parent */
    walk_to(w, next);
}

size_t graph_impact(const void *ctx, const struct graph *graph, const struct graph_object *object,
                    const struct graph_edge ***out)
{
    SCOPE(tmp);
    struct walk w = { .graph = graph, .tmp = tmp };

    w.found = mem_array(ctx, const struct graph_edge *, 0);
    walk_to(&w, *object);
    while (w.head < w.tail) {
        struct graph_object at = w.queue[w.head++];
        const struct graph_edge **edges = NULL;
        size_t count = graph_dependents(tmp, graph, &at, &edges);

        for (size_t i = 0; i < count; i++)
            walk_edge(ctx, &w, &at, edges[i]);
    }
    HASH_CLEAR(hh, w.objects);
    HASH_CLEAR(hh, w.edges);
    *out = w.found;
    return w.count;
}
