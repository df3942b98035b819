/* What finders hand in: every edge is kept once, with the best confidence. */
#include <stdarg.h>
#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

struct known_edge {
    size_t at;
    UT_hash_handle hh;
};

static const char *edge_key(const void *ctx, const struct graph_edge *e)
{
    const struct graph_object *f = &e->from, *t = &e->to;

    return mem_printf(ctx, "%d\x01%s\x01%s\x01%s\x01%s\x01%s\x01%s\x01%s\x01%s", (int)e->kind,
                      f->service, f->schema ? f->schema : "", f->name ? f->name : "",
                      f->column ? f->column : "", t->service, t->schema ? t->schema : "",
                      t->name ? t->name : "", t->column ? t->column : "");
}

void graph_add(struct builder *b, struct graph_edge edge)
{
    struct graph *g = b->graph;
    const char *key = edge_key(b->tmp, &edge);
    struct known_edge *known = NULL;

    edge.evidence = mem_text(g, edge.evidence);
    HASH_FIND_STR(b->known, key, known);
    if (known) {
        if (g->edges[known->at].confidence < edge.confidence)
            g->edges[known->at] = edge;
        return;
    }
    known = mem_new(b->tmp, struct known_edge);
    known->at = g->edge_count;
    HASH_ADD_KEYPTR(hh, b->known, key, strlen(key), known);
    g->edges = mem_room(g, g->edges, struct graph_edge, g->edge_count + 1);
    g->edges[g->edge_count++] = edge;
}

void graph_add_end(struct builder *b)
{
    HASH_CLEAR(hh, b->known);
}

void graph_problem(struct builder *b, const char *fmt, ...)
{
    va_list ap;
    struct text line = text_init(b->graph, TEXT_LINE);

    va_start(ap, fmt);
    text_addv(&line, fmt, ap);
    va_end(ap);
    b->graph->problems =
        mem_room(b->graph, b->graph->problems, const char *, b->graph->problem_count + 1);
    b->graph->problems[b->graph->problem_count++] = line.data;
}

/* One piece of a dotted name, unquoted. */
static const char *piece(const void *ctx, const char **rest)
{
    struct text out = text_init(ctx, TEXT_LINE);
    const char *s = *rest;
    bool quoted = *s == '"';

    for (s += quoted; *s && (quoted ? *s != '"' || s[1] == '"' : *s != '.'); s++) {
        text_addc(&out, *s);
        if (quoted && *s == '"')
            s++;
    }
    s += quoted && *s;
    *rest = *s == '.' ? s + 1 : s;
    return out.data;
}

struct graph_object graph_read_object(const struct builder *b, const char *service,
                                      const char *text)
{
    struct graph_object object = { .service = service };

    object.schema = piece(b->graph, &text);
    object.name = piece(b->graph, &text);
    object.column = *text && !text_eq(text, "*") ? piece(b->graph, &text) : NULL;
    return object;
}

void graph_add_body(const struct body *body, const struct body_edge *edge)
{
    const struct function *f = body->function;
    const char *evidence = mem_printf(
        body->b->tmp, "%s %s %s", f->kind == 'p' ? "procedure" : "function", f->name, edge->how);

    graph_add(body->b, (struct graph_edge){ .from = { .service = body->item->service,
                                                      .schema = f->schema,
                                                      .name = f->name,
                                                      .function = true },
                                            .to = { .service = body->item->service,
                                                    .schema = edge->relation->schema,
                                                    .name = edge->relation->name,
                                                    .column = edge->column },
                                            .kind = EDGE_FUNCTION,
                                            .evidence = evidence,
                                            .confidence = edge->confidence });
}
