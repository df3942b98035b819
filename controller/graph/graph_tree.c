#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "controller/graph/graph_print.h"

enum {
    DEPTH_MOST = 40, /* deeper levels are only counted: nobody reads them in a tree */
};

struct above {
    UT_hash_handle hh;
};

struct tree {
    struct text *out;
    void *tmp;
    const struct graph_view *view;
    struct above *above; /* what was shown with its dependents */
};

static const char *branch(const struct tree *t, bool last)
{
    if (t->view->ascii)
        return last ? "`- " : "|- ";
    return last ? "└─ " : "├─ ";
}

static const char *bar(const struct tree *t, bool last)
{
    if (last)
        return "   ";
    return t->view->ascii ? "|  " : "│  ";
}

static void add_reason(struct tree *t, const struct graph_edge *e)
{
    text_addf(t->out, "  [%s: %s", edge_kind_name(e->kind), text_printable(t->tmp, e->evidence));
    if (e->confidence < 100)
        text_addf(t->out, ", %d %%", e->confidence);
    text_add(t->out, "]");
}

static const char *name_of(struct tree *t, const struct graph_object *o)
{
    return text_printable(t->tmp,
                          mem_printf(t->tmp, "%s%s", graph_object_text(t->tmp, t->view->graph, o),
                                     o->function ? "()" : ""));
}

static bool first_time(struct tree *t, const char *name)
{
    struct above *known = NULL;

    HASH_FIND_STR(t->above, name, known);
    if (known)
        return false;
    known = mem_new(t->tmp, struct above);
    HASH_ADD_KEYPTR(hh, t->above, name, strlen(name), known);
    return true;
}

/* A level with what depends on `at`: the same steps that graph_impact takes. */
static void add_level(struct tree *t, struct graph_object at, const char *indent, int depth)
{
    const struct graph_edge **edges = NULL;
    size_t count = graph_dependents(t->tmp, t->view->graph, &at, &edges);

    if (depth > DEPTH_MOST && count) {
        text_addf(t->out, "%s%s%zu more\n", indent, branch(t, true), count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct graph_edge *e = edges[i];
        struct graph_object next = e->from;
        bool last = i + 1 == count;

        if (e->kind == EDGE_PARTITION && !next.column)
            next.column = at.column;
        const char *name = name_of(t, &next);
        bool ends = e->kind == EDGE_TRIGGER || !next.name;
        bool fresh = ends || first_time(t, name);

        text_addf(t->out, "%s%s%s", indent, branch(t, last), name);
        add_reason(t, e);
        text_add(t->out, fresh ? "\n" : " (see above)\n");
        if (!ends && fresh)
            add_level(t, next, mem_printf(t->tmp, "%s%s", indent, bar(t, last)), depth + 1);
    }
}

static void impact_tree(struct tree *t)
{
    const char *name = name_of(t, t->view->object);

    text_addf(t->out, "%s\n", name);
    first_time(t, name);
    add_level(t, *t->view->object, "", 0);
    if (t->view->count == 0)
        text_add(t->out, "  nothing depends on it\n");
}

static bool same_target(const struct graph_edge *a, const struct graph_edge *b)
{
    return text_eq(a->to.service, b->to.service) && text_eq(a->to.schema, b->to.schema) &&
           text_eq(a->to.name, b->to.name) && text_eq(a->to.column, b->to.column) &&
           a->to.function == b->to.function;
}

/* Edges come sorted by what they depend on. */
static void service_tree(struct tree *t, size_t from, size_t to)
{
    const struct graph_edge *const *edges = t->view->edges;

    text_addf(t->out, "%s\n", text_printable(t->tmp, edges[from]->to.service));
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && same_target(edges[i], edges[end]);)
            end++;
        text_addf(t->out, "%s%s\n", branch(t, end == to),
                  name_of(t, &edges[i]->to) + strlen(edges[i]->to.service) + 1);
        for (size_t j = i; j < end; j++) {
            text_addf(t->out, "%s%s%s", bar(t, end == to), branch(t, j + 1 == end),
                      name_of(t, &edges[j]->from));
            add_reason(t, edges[j]);
            text_addc(t->out, '\n');
        }
    }
}

static void order_text(struct tree *t)
{
    struct graph_waves waves;

    graph_waves(t->tmp, t->view->graph, &waves);
    text_add(t->out, "\norder of services, what others depend on first:\n");
    for (size_t i = 0; i < waves.count; i++) {
        text_addf(t->out, "  %zu.", i + 1);
        for (size_t j = 0; j < waves.sizes[i]; j++)
            text_addf(t->out, " %s", text_printable(t->tmp, waves.waves[i][j]));
        text_addc(t->out, '\n');
    }
    for (size_t i = 0; i < waves.cycle_count; i++)
        text_addf(t->out, "cycle: %s\n", text_printable(t->tmp, waves.cycles[i]));
    for (size_t i = 0; i < t->view->graph->problem_count; i++)
        text_addf(t->out, "problem: %s\n", text_printable(t->tmp, t->view->graph->problems[i]));
}

void graph_view_tree(struct text *out, const struct graph_view *view)
{
    SCOPE(tmp);
    struct tree t = { .out = out, .tmp = tmp, .view = view };

    if (view->object) {
        impact_tree(&t);
        HASH_CLEAR(hh, t.above);
        return;
    }
    for (size_t i = 0, end; i < view->count; i = end) {
        for (end = i + 1; end < view->count &&
                          text_eq(view->edges[end]->to.service, view->edges[i]->to.service);)
            end++;
        service_tree(&t, i, end);
    }
    if (view->count == 0)
        text_add(out, "nothing depends on anything else\n");
    order_text(&t);
}
