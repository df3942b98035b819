/*
 * The table of rules as text, for `flotilla lint --explain` and `--list-rules`, and docs/RULES.md,
 * which is what `--list-rules --format markdown` prints.
 */
#ifndef CONTROLLER_TERMINAL_LINT_RULES_H
#define CONTROLLER_TERMINAL_LINT_RULES_H

#include <stdbool.h>

#include "controller/terminal/usage.h"

/* False: there is no such rule. */
bool lint_explain(const char *rule);
void lint_list_rules(enum format format);

#endif
