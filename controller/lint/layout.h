/*
 * The layouts of migration tools, from a file's path and text: which parts go up and which down,
 * and what the tool's runner puts around their statements. docs/LINT.md tells it tool by tool, with
 * the source of each fact.
 */
#ifndef CONTROLLER_LINT_LAYOUT_H
#define CONTROLLER_LINT_LAYOUT_H

#include "controller/rules/lint.h"

/* What the path and the files beside it tell. */
struct lint_path {
    const char *tool; /* null: none that is known */
    enum lint_way way;
    enum lint_wrap wrap;
};

struct lint_path lint_path_of(const char *path);

/* Not even looked for in a folder: what no tool runs. */
bool lint_path_skipped(const char *path);

/* The natural order of names in a folder, as tools run them: numbers by value, versions of Flyway
 * part by part, its repeatable files last. */
int lint_path_order(const char *a, const char *b);

/* The number or version that a name begins with, null when with none: names with equal ones are
 * out of order. */
const char *lint_path_version(const void *ctx, const char *path);

enum { LINT_PARTS_MAX = 2 };

struct lint_layout {
    const char *tool;                       /* null: none that is known */
    struct lint_part parts[LINT_PARTS_MAX]; /* each of as many bytes and lines as the file */
    size_t count;
};

/* Marks in the text win over what the path says. Without a tool there is one part without units.
 * Owned by ctx, or the text itself, which has a NUL behind its last byte. */
struct lint_layout lint_layout_of(const void *ctx, const struct lint_path *place, const char *text,
                                  size_t length);

#endif
