/*
 * Which files a run of `flotilla lint` looks at, in the order in which their tool runs them: the
 * way up first, then what verifies, then the way down from its end.
 */
#ifndef CONTROLLER_LINT_FILES_H
#define CONTROLLER_LINT_FILES_H

#include "agents/base/text.h"
#include "controller/lint/layout.h"

struct lint_file {
    const char *path;  /* "-": standard input */
    const char *shown; /* how it is called in the report */
    struct lint_path place;
    const char *disorder; /* why its tool would not run it where it stands; null */
    const struct lint_config *config;
};

struct lint_files {
    struct lint_file *items;
    size_t count;
    int64_t bytes; /* of all, as far as it can be known before they are read */
};

/* Adds a file, or the *.sql of a folder and its folders; `shown` is for standard input. A folder
 * in it that cannot be read is an error in *problems, a line each, and the rest goes on. */
bool lint_files_add(const void *ctx, struct lint_files *files, const char *path, const char *shown,
                    struct text *problems, struct error *err) MUSTCHECK;

#endif
