/*
 * YAML files: read into a small tree whose nodes know their line and column, then asked for typed
 * fields by readers that collect every error of a file instead of stopping at the first.
 *
 *     struct yaml_problems problems = yaml_problems_for(tmp, path);
 *     struct yaml_node *root = yaml_load(tmp, path, YAML_FILE_BYTES, &problems);
 *     if (root && yaml_is_map(&problems, root)) {
 *         yaml_known(&problems, root, keys, count);
 *         yaml_text(&problems, yaml_must(&problems, root, "name"), &name);     must be there
 *         yaml_bool(&problems, yaml_key(root, "enabled"), &enabled);           may be there
 *     }
 *     return yaml_problems_none(&problems, err);
 *
 * Rule of the typed readers: a null node (an absent key) is no error, returns false and leaves the
 * output as it was; a node of the wrong kind is reported and returns false.
 *
 * Plain scalars have the types of YAML 1.2's core schema: true and false are booleans, yes, no, on
 * and off are text. Tags and merge keys are refused. A tree is safe to walk: at most
 * YAML_DEPTH_LIMIT levels and YAML_VISIT_LIMIT visits, aliases included (an alias shares the
 * children of its anchor). One document a file, UTF-8 without NUL. A key that
 * is there twice is a problem, and the tree is there all the same, so that the others are found.
 */
#ifndef AGENTS_BASE_YAML_H
#define AGENTS_BASE_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

enum {
    YAML_FILE_BYTES = 8 * 1024 * 1024, /* the usual cap of a file: 20,000 services fit */
    YAML_DEPTH_LIMIT = 64,
    YAML_NODE_LIMIT = 500 * 1000,
    YAML_VISIT_LIMIT = 1000 * 1000,
    YAML_PROBLEM_LIMIT = 200, /* more errors than that are counted, not kept */
};

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_type type;
    int line, column; /* from 1; of an alias: where the alias stands */
    const char *name; /* the key it stands under, "item 2" in a list, "the file" at the top */
    const char *text; /* scalars: as written, after quotes and escapes; never null for them */
    bool block;       /* text behind | or >: it begins on the next line */
    size_t count;     /* lists and maps */
    struct yaml_node **keys;  /* maps: scalars, in the file's order */
    struct yaml_node **items; /* list elements, or the values that belong to keys */
    size_t weight;            /* visits that walking it takes */
    int height;               /* levels below it */
};

struct yaml_problem {
    int line, column;
    const char *text;
};

/* Every error of one file. */
struct yaml_problems {
    const void *ctx;
    const char *file;
    struct yaml_problem *items;
    size_t count;
    size_t dropped; /* beyond YAML_PROBLEM_LIMIT */
};

/* An empty list for a file of that name; what is added is owned by ctx. */
struct yaml_problems yaml_problems_for(const void *ctx, const char *file);

/* Adds "what, what to write instead" at the node (null: at 1:1). The same text at the same place
 * is kept once. */
void yaml_complain(struct yaml_problems *problems, const struct yaml_node *node, const char *fmt,
                   ...) PRINTF_LIKE(3, 4);
void yaml_complain_at(struct yaml_problems *problems, int line, int column, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* How many of `count` names to search for the nearest, for the problem that is added next: all, or
 * none where the file has so many names and problems already that it would take its time. */
size_t yaml_worth_searching(const struct yaml_problems *problems, size_t count);

/* The list as text, in the file's order, "file:line:column: what, hint" a line. */
const char *yaml_problems_text(const void *ctx, struct yaml_problems *problems);

/* True when there are none; else err is ERROR_INVALID with the first one and the number of the
 * others. */
bool yaml_problems_none(struct yaml_problems *problems, struct error *err) MUSTCHECK;

/* Reads and parses; null with problems added when it cannot be read, is over `most` bytes, or is
 * not one YAML document within the limits above. A tree may come with problems (a key twice): it is
 * for finding more of them. The tree is owned by ctx. */
struct yaml_node *yaml_load(const void *ctx, const char *path, size_t most,
                            struct yaml_problems *problems) MUSTCHECK;
/* The same of bytes in memory. */
struct yaml_node *yaml_parse(const void *ctx, const char *data, size_t len,
                             struct yaml_problems *problems) MUSTCHECK;

/* Tells files apart without reading them whole: which of the keys comes first at the top of a
 * mapping; `count` when none does, or not soon enough, or the file does not get that far. */
size_t yaml_first_of(const char *data, size_t len, const char *const *keys, size_t count);

/* What a node is, in words: "a list", "the number 5", "the text \"yes\"". */
const char *yaml_what(const void *ctx, const struct yaml_node *node);

/* The value of a key of a map; null when absent (or when `map` is no map). */
struct yaml_node *yaml_key(const struct yaml_node *map, const char *key);
/* The same, and a problem at the map when it is absent. */
struct yaml_node *yaml_must(struct yaml_problems *problems, const struct yaml_node *map,
                            const char *key);
/* A problem for every key that is not in the list, with the nearest that is. */
void yaml_known(struct yaml_problems *problems, const struct yaml_node *map,
                const char *const *keys, size_t count);

bool yaml_is_map(struct yaml_problems *problems, const struct yaml_node *node);
bool yaml_is_list(struct yaml_problems *problems, const struct yaml_node *node);
/* Text that is not empty; numbers and booleans must be quoted to be text. */
bool yaml_text(struct yaml_problems *problems, const struct yaml_node *node, const char **out);
/* Text that may be empty. */
bool yaml_text_any(struct yaml_problems *problems, const struct yaml_node *node, const char **out);
bool yaml_bool(struct yaml_problems *problems, const struct yaml_node *node, bool *out);
bool yaml_int(struct yaml_problems *problems, const struct yaml_node *node, int64_t least,
              int64_t most, int64_t *out);
/* "200ms", "14d": milliseconds. */
bool yaml_duration(struct yaml_problems *problems, const struct yaml_node *node, int64_t *ms);
/* One of the words; *out is its index. */
bool yaml_one_of(struct yaml_problems *problems, const struct yaml_node *node,
                 const char *const *words, size_t count, int *out);
/* A list of texts, none empty; the array is owned by ctx, the texts by the tree's. */
bool yaml_texts(const void *ctx, struct yaml_problems *problems, const struct yaml_node *node,
                const char ***out, size_t *count);

/* The same value as JSON, owned by ctx. Null with a problem for a number that JSON or 64 bits
 * cannot hold. */
json_t *yaml_to_json(const void *ctx, struct yaml_problems *problems,
                     const struct yaml_node *node) MUSTCHECK;

/* The node at a JSON Pointer (RFC 6901: "/intents/0/rename_column/to"), or the last one on the way
 * to it that exists: where an error about that path is reported. Never null for a node. */
const struct yaml_node *yaml_at(const struct yaml_node *root, const char *pointer);
/* The same, but the key that the node stands under rather than its value. */
const struct yaml_node *yaml_at_key(const struct yaml_node *root, const char *pointer);

#endif
