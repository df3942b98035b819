#include <stdlib.h>
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph.h"

/* Services as numbers; Tarjan's strongly connected components give the cycles, and components
 * come out with what they depend on first. */
struct node {
    size_t *to; /* services that this one depends on */
    size_t to_count;
    size_t number, low, component, next; /* number 0: not seen; next: of `to` to look at */
    size_t came_from;
    bool open; /* on the stack of its component */
};

struct tarjan {
    const struct graph *graph;
    void *tmp;
    struct node *nodes;
    size_t *open;
    size_t open_count;
    size_t counter, components;
};

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t service_at(const struct graph *g, const char *name)
{
    const char **found =
        bsearch(&name, g->services, g->service_count, sizeof *g->services, compare_texts);

    return found ? (size_t)(found - g->services) : g->service_count;
}

static bool depends(const struct node *node, size_t on)
{
    for (size_t i = 0; i < node->to_count; i++)
        if (node->to[i] == on)
            return true;
    return false;
}

static void link_services(struct tarjan *t)
{
    const struct graph *g = t->graph;

    for (size_t i = 0; i < g->edge_count; i++) {
        const struct graph_edge *edge = &g->edges[i];

        if (edge->kind == EDGE_SUGGESTED || text_eq(edge->from.service, edge->to.service))
            continue;
        size_t from = service_at(g, edge->from.service), to = service_at(g, edge->to.service);
        if (from == g->service_count || to == g->service_count || depends(&t->nodes[from], to))
            continue;
        struct node *node = &t->nodes[from];
        node->to = mem_room(t->tmp, node->to, size_t, node->to_count + 1);
        node->to[node->to_count++] = to;
    }
}

static void open_node(struct tarjan *t, size_t at, size_t came_from)
{
    struct node *node = &t->nodes[at];

    node->number = node->low = ++t->counter;
    node->came_from = came_from;
    node->open = true;
    t->open[t->open_count++] = at;
}

static void close_node(struct tarjan *t, size_t at)
{
    struct node *node = &t->nodes[at];

    if (node->low == node->number) {
        size_t member;

        do {
            member = t->open[--t->open_count];
            t->nodes[member].open = false;
            t->nodes[member].component = t->components;
        } while (member != at);
        t->components++;
    }
    if (node->came_from != at && t->nodes[node->came_from].low > node->low)
        t->nodes[node->came_from].low = node->low;
}

/* Without recursion: a fleet may be a chain of thousands. */
static void visit(struct tarjan *t, size_t root)
{
    size_t at = root;

    open_node(t, root, root);
    while (true) {
        struct node *node = &t->nodes[at];

        if (node->next < node->to_count) {
            size_t to = node->to[node->next++];

            if (!t->nodes[to].number) {
                open_node(t, to, at);
                at = to;
            } else if (t->nodes[to].open && t->nodes[to].number < node->low) {
                node->low = t->nodes[to].number;
            }
            continue;
        }
        close_node(t, at);
        if (at == root)
            return;
        at = node->came_from;
    }
}

/* The shortest way from a service back to itself, inside its component: breadth first. */
static const char *cycle_of(const void *ctx, const struct tarjan *t, size_t start)
{
    size_t n = t->graph->service_count, head = 0, tail = 0;
    size_t *queue = mem_array(t->tmp, size_t, n), *before = mem_array(t->tmp, size_t, n);

    for (size_t i = 0; i < n; i++)
        before[i] = n;
    queue[tail++] = start;
    while (head < tail) {
        size_t at = queue[head++];

        for (size_t i = 0; i < t->nodes[at].to_count; i++) {
            size_t to = t->nodes[at].to[i];

            if (t->nodes[to].component != t->nodes[start].component || before[to] != n)
                continue;
            before[to] = at;
            queue[tail++] = to;
        }
        if (before[start] != n)
            break;
    }
    const char *path = t->graph->services[start];
    for (size_t at = before[start]; at != n && at != start; at = before[at])
        path = mem_printf(t->tmp, "%s -> %s", t->graph->services[at], path);
    return mem_printf(ctx, "%s -> %s", t->graph->services[start], path);
}

static void add_cycle(const void *ctx, struct graph_waves *out, const char *cycle)
{
    out->cycles = mem_room(ctx, out->cycles, const char *, out->cycle_count + 1);
    out->cycles[out->cycle_count++] = cycle;
}

/* A component's wave is one after the latest of those it depends on, which have smaller numbers. */
static size_t *component_waves(const struct tarjan *t)
{
    size_t *waves = mem_array(t->tmp, size_t, t->components);

    for (size_t c = 0; c < t->components; c++)
        for (size_t i = 0; i < t->graph->service_count; i++) {
            const struct node *node = &t->nodes[i];

            for (size_t j = 0; node->component == c && j < node->to_count; j++) {
                size_t other = t->nodes[node->to[j]].component;
                if (other != c && waves[other] + 1 > waves[c])
                    waves[c] = waves[other] + 1;
            }
        }
    return waves;
}

static void fill_waves(const void *ctx, const struct tarjan *t, struct graph_waves *out)
{
    const size_t *waves = component_waves(t);
    const struct graph *g = t->graph;

    for (size_t i = 0; i < t->components; i++)
        if (waves[i] + 1 > out->count)
            out->count = waves[i] + 1;
    out->waves = mem_array(ctx, const char **, out->count);
    out->sizes = mem_array(ctx, size_t, out->count);
    for (size_t i = 0; i < g->service_count; i++) {
        size_t wave = waves[t->nodes[i].component];

        out->waves[wave] = mem_room(ctx, out->waves[wave], const char *, out->sizes[wave] + 1);
        out->waves[wave][out->sizes[wave]++] = g->services[i];
    }
}

void graph_waves(const void *ctx, const struct graph *graph, struct graph_waves *out)
{
    SCOPE(tmp);
    struct tarjan t = { .graph = graph, .tmp = tmp };
    size_t n = graph->service_count;

    *out = (struct graph_waves){ 0 };
    t.nodes = mem_array(tmp, struct node, n);
    t.open = mem_array(tmp, size_t, n);
    link_services(&t);
    for (size_t i = 0; i < n; i++)
        if (!t.nodes[i].number)
            visit(&t, i);
    bool *named = mem_array(tmp, bool, t.components);
    for (size_t i = 0; i < n; i++) {
        size_t component = t.nodes[i].component, members = 0;

        for (size_t j = 0; j < n; j++)
            members += t.nodes[j].component == component;
        if (members > 1 && !named[component])
            add_cycle(ctx, out, cycle_of(ctx, &t, i));
        named[component] = true;
    }
    fill_waves(ctx, &t, out);
}
