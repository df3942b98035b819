/*
 * What the files that find edges share; nobody else includes it. Each finder is one source of
 * edges and adds them through graph_add(), which keeps every edge once, with the best confidence.
 */
#ifndef CONTROLLER_GRAPH_GRAPH_BUILD_H
#define CONTROLLER_GRAPH_GRAPH_BUILD_H

#include "controller/graph/graph.h"

struct builder {
    struct graph *graph; /* owns what is added */
    const struct fleet *fleet;
    void *tmp;
    struct known_edge *known;
};

/* Adds from -> to. Texts of the objects are lent by the catalogs or the fleet, which outlive the
 * graph; evidence is copied. */
void graph_add(struct builder *b, struct graph_edge edge);

/* After the last edge. */
void graph_add_end(struct builder *b);

void graph_problem(struct builder *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The piece of a "schema.table.column" text of a catalog; texts are owned by the graph. */
struct graph_object graph_read_object(const struct builder *b, const char *service,
                                      const char *text);

/* A function whose body is looked at, and one thing found in it. */
struct body {
    struct builder *b;
    const struct service_catalog *item;
    const struct function *function;
};

struct body_edge {
    const struct relation *relation;
    const char *column; /* null: the relation as such */
    const char *how;    /* "reads it" */
    int confidence;
};

void graph_add_body(const struct body *body, const struct body_edge *edge);

/* What the grammar finds in a body. False when it cannot parse or not see all of it: then the words
 * of the body have to be looked at too. */
bool graph_find_parsed(const struct body *body);

void graph_find_in_catalog(struct builder *b, const struct service_catalog *item);
void graph_find_bodies(struct builder *b, const struct service_catalog *item);
void graph_find_foreign_tables(struct builder *b, const struct service_catalog *item);
void graph_find_subscriptions(struct builder *b, const struct service_catalog *item);
void graph_find_declared(struct builder *b);
void graph_find_suggestions(struct builder *b);

/* Fills nodes and the index; after the last edge. */
void graph_finish(struct graph *graph);

#endif
