/*
 * Commands: one file each in this folder, `int command_NAME(int argc, char **argv)`, and one line
 * in commands.c. argv[0] is "flotilla NAME". A command parses its options with argp (add
 * `flags_argp` as a child for the flags that all share), does its work through the stages'
 * functions, prints results on standard output and errors on standard error, and returns an exit
 * code of the list below.
 */
#ifndef CONTROLLER_CLI_COMMAND_H
#define CONTROLLER_CLI_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/base/error.h"

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

enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_NDJSON,
    FORMAT_YAML,
    FORMAT_SARIF,
    FORMAT_GITHUB,
    FORMAT_GITLAB,
    FORMAT_JUNIT,
    FORMAT_MARKDOWN,
    FORMAT_DOT,
    FORMAT_MERMAID,
    FORMAT_SVG,
};

/* The flags that commands share. Zero-initialise, set `formats` (bit 1 << FORMAT_X for each that
 * makes sense; text is always there), hand it to argp as the child's input. */
struct flags {
    unsigned formats;
    const char *manifest; /* default fleet.yaml */
    const char *env;
    const char *service;
    const char *state; /* default: .flotilla beside the manifest */
    enum format format;
    bool color;      /* standard output is a terminal, no --no-color, no NO_COLOR */
    int64_t timeout; /* milliseconds; 0: the command's own default */
    bool defaults_done;
};

/* Use: `{ {&flags_argp, 0, "Shared options:", 9}, {0} }` as argp children, and in the parser's
 * ARGP_KEY_INIT: `state->child_inputs[0] = &options->flags`. */
extern const struct argp flags_argp;

/* Prints the error as "flotilla NAME: ..." with detail and hint; returns EXIT_FAILED. */
int command_failed(const char *argv0, const struct error *err);

#endif
