/*
 * Lint findings in the formats of other tools: SARIF 2.1.0, GitHub workflow commands, GitLab code
 * quality, JUnit XML. Used by lint_format.c alone.
 */
#ifndef CONTROLLER_TERMINAL_LINT_REPORT_H
#define CONTROLLER_TERMINAL_LINT_REPORT_H

#include "controller/terminal/lint_format.h"

void lint_report_begin(enum format format);
const char *lint_report_file(const void *ctx, const struct lint_view *view);
void lint_report_end(enum format format, const struct lint_view *unread, size_t count);

#endif
