/*
 * The answer of the PL/pgSQL parser, which is JSON text: read in one pass into an array of nodes,
 * with strings unescaped where they stand. The general reader of JSON does the same with an
 * allocation for every value, which is a fifth of the work on scripts full of functions.
 */
#ifndef CONTROLLER_SQL_BODY_TREE_H
#define CONTROLLER_SQL_BODY_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct body_node {
    const char *key;  /* in an object; null in a list and at the top */
    const char *text; /* of a string; null for anything else */
    size_t child;     /* the first of an object or list; 0: none */
    size_t next;      /* the next beside it; 0: none */
};

struct body_tree {
    struct body_node *nodes; /* the top is number 0 */
    size_t count;
};

/* Changes the text, which the nodes then point into. False when it is not JSON, or nests too deep;
 * the array is owned by ctx. */
bool body_tree_read(const void *ctx, char *json, struct body_tree *out);

/* The child with the key: its number, 0 when there is none. */
size_t body_tree_child(const struct body_tree *tree, size_t node, const char *key);

#endif
