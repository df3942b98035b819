/*
 * How `flotilla lint` shows its findings. Each file is rendered alone, by the worker that linted
 * it, into a fragment; the main thread prints the fragments in the order of the files between what
 * lint_format_begin and lint_format_end print.
 */
#ifndef CONTROLLER_TERMINAL_LINT_FORMAT_H
#define CONTROLLER_TERMINAL_LINT_FORMAT_H

#include "controller/rules/lint.h"
#include "controller/terminal/command.h"

/* Where the manual of a rule is: in the program and in its repository. */
#define RULE_PAGE "flotilla lint --explain %s, or docs/RULES.md#%s"

/* What was found, by severity; `failing`: at or above what the file may have. */
struct lint_count {
    size_t files, statements, found[SEVERITY_ERROR + 1], failing, unread;
};

/* A file in the report: its findings, or why there are none to be had. */
struct lint_view {
    enum format format;
    bool color;
    const char *path, *tool; /* tool: whose layout the file has; null */
    struct lint_result *result;
    struct sql_texts placeholders; /* words of the tool whose meaning nobody told */
    const char *problem;           /* null: it was looked at */
};

void lint_format_begin(enum format format);
/* The file's fragment, owned by ctx. */
const char *lint_format_file(const void *ctx, const struct lint_view *view);
/* Prints it; `first` of those that are not empty. */
void lint_format_print(enum format format, const char *fragment, bool first);
/* `unread`: those that were not looked at, count->unread of them. */
void lint_format_end(enum format format, const struct lint_count *count,
                     const struct lint_view *unread);

#endif
