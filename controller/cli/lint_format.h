/*
 * How `flotilla lint` shows its findings. Each file is rendered alone, by the thread that linted
 * it, into a fragment; the main thread prints the fragments in the order of the files between what
 * lint_format_begin and lint_format_end print.
 */
#ifndef CONTROLLER_CLI_LINT_FORMAT_H
#define CONTROLLER_CLI_LINT_FORMAT_H

#include "controller/check/lint.h"
#include "controller/cli/command.h"

/* What was found, by severity. */
struct lint_count {
    size_t files, statements, found[SEVERITY_ERROR + 1], unread;
};

void lint_format_begin(enum format format);
/* The file's fragment, owned by ctx. */
const char *lint_format_file(const void *ctx, enum format format, bool color, const char *path,
                             const struct lint_result *result);
/* Prints it; `first` of those that are not empty. */
void lint_format_print(enum format format, const char *fragment, bool first);
void lint_format_end(enum format format, const struct lint_count *count);

/* --explain RULE, --rules (all of them, or as JSON). */
bool lint_explain(const char *rule);
void lint_list_rules(enum format format);

#endif
