/*
 * .flotilla-lint.yaml: what a repository wants of `flotilla lint`. It is looked for beside a linted
 * file and upward, to the folder where the repository begins (or /). Flags of the command line win
 * over it. Its keys: schemas/lint-config.schema.json, docs/LINT.md.
 */
#ifndef CONTROLLER_LINT_CONFIG_H
#define CONTROLLER_LINT_CONFIG_H

#include "controller/lint/placeholder.h"
#include "controller/rules/lint.h"

#define LINT_CONFIG_NAME ".flotilla-lint.yaml"

struct lint_config {
    const char *path, *folder;
    bool all; /* rule-set: all */
    struct lint_rule_level *levels;
    size_t level_count;
    const char **exclude;
    size_t exclude_count;
    int version; /* 0: not said */
    struct lint_rows *rows;
    size_t row_count;
    struct lint_placeholder *placeholders;
    size_t placeholder_count;
    int64_t small;                      /* 0: not said */
    bool transaction_said, transaction; /* assume-transaction */
    int fail_on;                        /* a severity, LINT_NEVER; -1: not said */
    int down;                           /* enum lint_down; -1: not said */
};

enum { LINT_NEVER = SEVERITY_ERROR + 1 };

/* All configurations of a run; each file is read once. */
struct lint_configs {
    struct lint_config **items;
    size_t count;
    const char *folder; /* the last that was asked for, and what it got */
    const struct lint_config *found;
};

/* "file:line:col: what" for every mistake, in the error's detail. */
bool lint_config_load(const void *ctx, const char *path, struct lint_config **out,
                      struct error *err) MUSTCHECK;

/* The one that holds for a file, null when there is none. Owned by ctx. */
bool lint_config_for(const void *ctx, struct lint_configs *all, const char *path,
                     const struct lint_config **out, struct error *err) MUSTCHECK;

/* One of its patterns has the path. */
bool lint_config_excludes(const struct lint_config *config, const char *path);

bool lint_down_from_name(const char *name, int *out);
bool lint_fail_from_name(const char *name, int *out);

#endif
