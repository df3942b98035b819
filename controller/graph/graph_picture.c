#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "controller/graph/graph_print.h"

/* Pictures show relations, not columns: the edges between two of them become one arrow a kind,
 * with the columns on it. */
enum { LABEL_LINES = 4 };

struct arrow {
    size_t from, to; /* numbers of nodes */
    enum edge_kind kind;
    struct text label;
    size_t columns;
    UT_hash_handle hh;
};

struct numbered {
    size_t number;
    UT_hash_handle hh;
};

struct picture {
    void *tmp;
    const struct graph_view *view;
    struct graph_object *nodes;
    size_t node_count;
    struct numbered *numbers;
    struct arrow *arrows;
};

static const char *node_id(const struct picture *p, const struct graph_object *object)
{
    struct graph_object whole = *object;

    whole.column = NULL;
    return mem_printf(p->tmp, "%s%s", graph_object_text(p->tmp, p->view->graph, &whole),
                      object->function ? "()" : "");
}

static size_t number_of(const struct picture *p, const struct graph_object *object)
{
    struct numbered *node = NULL;
    const char *id = node_id(p, object);

    HASH_FIND_STR(p->numbers, id, node);
    return node ? node->number : 0;
}

static void add_label(struct arrow *arrow, const struct graph_edge *e)
{
    if (!e->from.column && !e->to.column)
        return;
    arrow->columns++;
    if (arrow->columns <= LABEL_LINES)
        text_addf(&arrow->label, "%s%s%s%s", arrow->label.len ? "\n" : "",
                  e->from.column ? e->from.column : "", e->from.column ? " → " : "",
                  e->to.column ? e->to.column : "*");
    else if (arrow->columns == LABEL_LINES + 1)
        text_add(&arrow->label, "\n…");
}

static void add_arrow(struct picture *p, const struct graph_edge *e)
{
    struct arrow *arrow = NULL;
    size_t from = number_of(p, &e->from), to = number_of(p, &e->to);
    const char *key = mem_printf(p->tmp, "%zu %zu %d", from, to, (int)e->kind);

    HASH_FIND_STR(p->arrows, key, arrow);
    if (!arrow) {
        arrow = mem_new(p->tmp, struct arrow);
        *arrow = (struct arrow){ .from = from, .to = to, .kind = e->kind };
        arrow->label = text_init(p->tmp, TEXT_LINE);
        HASH_ADD_KEYPTR(hh, p->arrows, key, strlen(key), arrow);
    }
    add_label(arrow, e);
}

static void picture_make(struct picture *p)
{
    p->node_count = graph_view_nodes(p->tmp, p->view, &p->nodes);
    for (size_t i = 0; i < p->node_count; i++) {
        struct numbered *node = mem_new(p->tmp, struct numbered);
        const char *id = node_id(p, &p->nodes[i]);

        node->number = i;
        HASH_ADD_KEYPTR(hh, p->numbers, id, strlen(id), node);
    }
    for (size_t i = 0; i < p->view->count; i++)
        add_arrow(p, p->view->edges[i]);
}

static void picture_end(struct picture *p)
{
    HASH_CLEAR(hh, p->numbers);
    HASH_CLEAR(hh, p->arrows);
}

static bool starts_service(const struct picture *p, size_t i)
{
    return i == 0 || !text_eq(p->nodes[i].service, p->nodes[i - 1].service);
}

static bool ends_service(const struct picture *p, size_t i)
{
    return i + 1 == p->node_count || !text_eq(p->nodes[i].service, p->nodes[i + 1].service);
}

static const char *node_label(const struct picture *p, size_t i)
{
    const struct graph_object *node = &p->nodes[i];

    if (!node->name)
        return "(the service)";
    return mem_printf(
        p->tmp, "%s%s",
        object_name_join(p->tmp, text_eq(node->schema, "public") ? NULL : node->schema, node->name),
        node->function ? "()" : "");
}

/* --- DOT ----------------------------------------------------------------------------------------
 */

static const char *dot_text(const void *ctx, const char *s)
{
    struct text out = text_init(ctx, TEXT_LINE);

    text_addc(&out, '"');
    for (const char *p = text_printable(ctx, s); *p; p++) {
        if (*p == '"' || *p == '\\')
            text_addc(&out, '\\');
        text_addc(&out, *p);
    }
    text_addc(&out, '"');
    return out.data;
}

/* Lines of a label stand apart as \n, which dot_text would make visible as two characters. */
static const char *dot_lines(const void *ctx, const char *s)
{
    struct text out = text_init(ctx, TEXT_LINE);

    text_addc(&out, '"');
    while (*s) {
        size_t n = strcspn(s, "\n");
        const char *quoted = dot_text(ctx, mem_textn(ctx, s, n));

        text_addn(&out, quoted + 1, strlen(quoted) - 2);
        s += n;
        if (*s) {
            text_add(&out, "\\n");
            s++;
        }
    }
    text_addc(&out, '"');
    return out.data;
}

static const char *dot_shape(const struct picture *p, size_t i)
{
    const char *kind = graph_node_kind(p->view->graph, &p->nodes[i]);

    if (text_eq(kind, "function"))
        return "shape=component";
    if (text_ends(kind, "view"))
        return "shape=box, style=rounded";
    if (text_eq(kind, "foreign table"))
        return "shape=box, style=dashed";
    if (text_eq(kind, "sequence") || text_eq(kind, "service"))
        return "shape=ellipse";
    return "shape=box";
}

void graph_view_dot(struct text *out, const struct graph_view *view)
{
    SCOPE(tmp);
    struct picture p = { .tmp = tmp, .view = view };

    picture_make(&p);
    text_add(out, "digraph fleet {\n  rankdir=LR;\n  node [fontname=\"sans-serif\", fontsize=10];\n"
                  "  edge [fontname=\"sans-serif\", fontsize=8];\n");
    for (size_t i = 0; i < p.node_count; i++) {
        if (starts_service(&p, i))
            text_addf(out, "  subgraph %s {\n    label=%s;\n    color=gray;\n",
                      dot_text(tmp, mem_printf(tmp, "cluster_%s", p.nodes[i].service)),
                      dot_text(tmp, p.nodes[i].service));
        text_addf(out, "    n%zu [label=%s, %s];\n", i, dot_text(tmp, node_label(&p, i)),
                  dot_shape(&p, i));
        if (ends_service(&p, i))
            text_add(out, "  }\n");
    }
    for (const struct arrow *a = p.arrows; a; a = a->hh.next)
        text_addf(out, "  n%zu -> n%zu [label=%s, tooltip=\"%s\"%s];\n", a->from, a->to,
                  dot_lines(tmp, a->label.data), edge_kind_name(a->kind),
                  a->kind == EDGE_SUGGESTED ? ", style=dotted" : "");
    text_add(out, "}\n");
    picture_end(&p);
}

/* --- Mermaid ------------------------------------------------------------------------------------
 */

/* Inside double quotes Mermaid takes anything but the quote, which has its entity. */
static const char *mermaid_text(const void *ctx, const char *s)
{
    struct text out = text_init(ctx, TEXT_LINE);

    for (; *s; s++) {
        if (*s == '"')
            text_add(&out, "#quot;");
        else if (*s == '#')
            text_add(&out, "#35;");
        else if (*s == '<')
            text_add(&out, "#lt;");
        else if (*s == '\n')
            text_add(&out, "<br/>");
        else
            text_addc(&out, *s);
    }
    return out.data;
}

void graph_view_mermaid(struct text *out, const struct graph_view *view)
{
    SCOPE(tmp);
    struct picture p = { .tmp = tmp, .view = view };
    size_t services = 0;

    picture_make(&p);
    text_add(out, "flowchart LR\n");
    for (size_t i = 0; i < p.node_count; i++) {
        if (starts_service(&p, i))
            text_addf(out, "  subgraph s%zu[\"%s\"]\n", services++,
                      mermaid_text(tmp, p.nodes[i].service));
        text_addf(out, "    n%zu[\"%s\"]\n", i, mermaid_text(tmp, node_label(&p, i)));
        if (ends_service(&p, i))
            text_add(out, "  end\n");
    }
    for (const struct arrow *a = p.arrows; a; a = a->hh.next)
        text_addf(out, "  n%zu %s|\"%s\"| n%zu\n", a->from,
                  a->kind == EDGE_SUGGESTED ? "-.->" : "-->",
                  a->label.len ? mermaid_text(tmp, a->label.data) : edge_kind_name(a->kind), a->to);
    picture_end(&p);
}
