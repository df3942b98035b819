/*
 * The dependency graph over the whole fleet: who reads or references whose columns, found in the
 * catalogs (foreign keys, views, function bodies, foreign tables, publications) and declared in
 * the manifest (references, consumes). Pure: catalogs and fleet in, graph out.
 *
 * An edge goes from the dependent to what it depends on. Every edge says where it came from.
 */
#ifndef CONTROLLER_GRAPH_GRAPH_H
#define CONTROLLER_GRAPH_GRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"
#include "agents/base/name.h"
#include "agents/pg/catalog.h"
#include "controller/manifest/fleet.h"

/* One catalog stands for a service: its first instance in the environment (shards are compared
 * where a change touches them). */
struct service_catalog {
    const char *service;
    const char *instance;
    const struct catalog *catalog;
};

#define EDGE_KINDS(X)                 \
    X(FOREIGN_KEY, "foreign_key")     \
    X(VIEW, "view")                   \
    X(FUNCTION, "function")           \
    X(TRIGGER, "trigger")             \
    X(FOREIGN_TABLE, "foreign_table") \
    X(PUBLICATION, "publication")     \
    X(REFERENCE, "reference")         \
    X(CONSUME, "consume")             \
    X(SEQUENCE, "sequence")           \
    X(PARTITION, "partition")         \
    X(SUGGESTED, "suggested")

enum edge_kind {
#define X(id, name) EDGE_##id,
    EDGE_KINDS(X)
#undef X
};

/* Relations, sequences, and functions (by name, without arguments). A service as such, which
 * `consumes:` makes a dependent, has neither schema nor name. */
struct graph_object {
    const char *service;
    const char *schema;
    const char *name;
    const char *column; /* null: the whole relation (or function) */
    bool function;
};

struct graph_edge {
    struct graph_object from; /* the dependent */
    struct graph_object to;
    enum edge_kind kind;
    const char *evidence; /* "constraint orders_user_id_fkey", "fleet.yaml:31" */
    int confidence;       /* percent; 100 for what the catalog or the manifest states */
};

struct graph {
    struct graph_edge *edges;
    size_t edge_count;
    struct graph_object *nodes; /* whatever has an edge, each once, columns null */
    size_t node_count;
    const char **services; /* all of them, sorted */
    size_t service_count;
    const char **problems; /* what the manifest names and the catalogs do not have, a line each */
    size_t problem_count;
    const struct service_catalog *catalogs; /* lent by the caller of graph_build, one a service */
    size_t catalog_count;
    struct graph_index *index; /* private: edges by what they depend on */
};

const char *edge_kind_name(enum edge_kind kind);

/* fleet may be null (one catalog without a manifest). With `suggest`, guesses by name and type are
 * added as EDGE_SUGGESTED. */
bool graph_build(const void *ctx, const struct fleet *fleet, const struct service_catalog *catalogs,
                 size_t catalog_count, bool suggest, struct graph **out,
                 struct error *err) MUSTCHECK;

/* An object as people write it: "orders:orders(user_id)", with a schema where it is not the first
 * of that database's search path. */
const char *graph_object_text(const void *ctx, const struct graph *graph,
                              const struct graph_object *object);

/* The object that a text names, checked against the catalogs; the error lists near matches. */
bool graph_object_find(const void *ctx, const struct graph *graph, const char *text,
                       struct graph_object *out, struct error *err) MUSTCHECK;

/* The catalog of a service; null when there is none. */
const struct catalog *graph_catalog(const struct graph *graph, const char *service);

/* Edges whose `to` is the object: a column also matches edges to its whole relation; an object
 * without column matches edges to any of its columns. Returns the count. */
size_t graph_dependents(const void *ctx, const struct graph *graph,
                        const struct graph_object *object, const struct graph_edge ***out);

/* Everything that depends on the object, directly or through others, nearest first, each edge once.
 * A table is not followed beyond a trigger (its columns do not change with the function). */
size_t graph_impact(const void *ctx, const struct graph *graph, const struct graph_object *object,
                    const struct graph_edge ***out);

/* Services in dependency order (what others depend on first). Services in a cycle share a wave and
 * the cycles are named as paths "a -> b -> a". */
struct graph_waves {
    const char ***waves; /* waves[i] is a list of service names ... */
    size_t *sizes;       /* ... of sizes[i] */
    size_t count;
    const char **cycles;
    size_t cycle_count;
};
void graph_waves(const void *ctx, const struct graph *graph, struct graph_waves *out);

#endif
