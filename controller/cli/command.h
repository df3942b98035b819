/*
 * Commands: one file each in this folder, `int command_NAME(int argc, char **argv)`, and one line
 * in commands.c. argv[0] is "flotilla NAME". A command declares what it takes (usage.h) and has its
 * command line read, does its work through the stages' functions, prints results on standard output
 * and errors on standard error, and returns an exit code of the list below.
 */
#ifndef CONTROLLER_CLI_COMMAND_H
#define CONTROLLER_CLI_COMMAND_H

#include "agents/base/error.h"
#include "controller/cli/usage.h"

/* What scripts read: docs, "Commands as scripts call them". */
enum exit_code {
    EXIT_DONE = 0,   /* done, clean, nothing to do */
    EXIT_FAILED = 1, /* refused, failed, could not run, usage */
    EXIT_FOUND = 2,  /* looked and found something */
    EXIT_GATE = 3,   /* stopped at a gate, which was named */
};

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary; /* one line for `flotilla help` */
};

extern const struct command commands[]; /* ends with a null name; in the order of use */

/* Prints the error as "flotilla NAME: ..." with detail and hint; returns EXIT_FAILED. */
int command_failed(const char *argv0, const struct error *err);

#endif
