/*
 * Work on many files in several processes, so that one that the parser cannot survive, or that
 * takes for ever, costs a message and not the run. Results come back as bytes.
 *
 * The caller must not have threads of its own at that moment; `work` runs in a child, on a stack
 * that is deep enough for the parser, and what it changes there is lost. Children share standard
 * input.
 */
#ifndef CONTROLLER_LINT_CREW_H
#define CONTROLLER_LINT_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

struct crew_task {
    size_t count;
    size_t workers;     /* so many are worth their fork; never more than cores or items */
    int64_t timeout_ms; /* of one item */
    void *data;
    /* The result of item `index`, owned by ctx. */
    const void *(*work)(const void *ctx, void *data, size_t index, size_t *length);
    /* In the parent, in the order of the items. `problem` says why there are no bytes. */
    void (*done)(void *data, size_t index, const void *bytes, size_t length, const char *problem);
};

bool crew_run(const struct crew_task *task, struct error *err) MUSTCHECK;

#endif
