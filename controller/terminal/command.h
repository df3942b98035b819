/*
 * How a command ends: its exit code, and its error on standard error.
 */
#ifndef CONTROLLER_TERMINAL_COMMAND_H
#define CONTROLLER_TERMINAL_COMMAND_H

#include "agents/base/error.h"
#include "controller/terminal/usage.h"

/* What scripts read: docs, "Commands as scripts call them". */
enum exit_code {
    EXIT_DONE = 0,   /* done, clean, nothing to do */
    EXIT_FAILED = 1, /* refused, failed, could not run, usage */
    EXIT_FOUND = 2,  /* looked and found something */
    EXIT_GATE = 3,   /* stopped at a gate, which was named */
};

/* Prints the error as "flotilla NAME: ..." with detail and hint; returns EXIT_FAILED. */
int command_failed(const char *argv0, const struct error *err);

#endif
