/*
 * A run of `flotilla lint` over files that were found: each linted in a worker process, rendered
 * there, and printed here in the files' order. What cannot be read or analysed is named on standard
 * error and in the report, and the rest goes on.
 */
#ifndef CONTROLLER_DESK_LINT_RUN_H
#define CONTROLLER_DESK_LINT_RUN_H

#include "controller/desk/lint_variants.h"
#include "controller/lint/config.h"
#include "controller/lint/files.h"
#include "controller/terminal/lint_format.h"
#include "controller/terminal/usage.h"

struct lint_run {
    struct lint_options options;   /* of the command line: they win over a file's configuration */
    struct lint_variants variants; /* more than one: linted for each, said once */
    bool transaction_said;
    int fail_on, down; /* -1: not said */
    const struct flags *flags;
    struct lint_files files;
    /* what came out */
    struct lint_count count;
    struct lint_view *unread; /* those that were not */
    size_t printed;
    void *ctx;
    struct lint_history *histories; /* of this process */
};

/* The exit code. */
bool lint_run(const void *ctx, struct lint_run *run, int *code, struct error *err) MUSTCHECK;

#endif
