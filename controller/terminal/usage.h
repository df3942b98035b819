/*
 * What a command takes, declared as data and read by usage_read(): its arguments, options of its
 * own, and which of the shared flags mean something to it. --help shows those; the others are
 * accepted all the same, so that a script can hand one set of flags to every command.
 */
#ifndef CONTROLLER_TERMINAL_USAGE_H
#define CONTROLLER_TERMINAL_USAGE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

#define FORMAT_BIT(format) (1u << FORMAT_##format)

/* The flags that commands share. Zero-initialise. */
struct flags {
    const char *manifest; /* default fleet.yaml */
    const char *env;
    const char *service;
    const char *state; /* default: .flotilla beside the manifest */
    enum format format;
    bool color;       /* standard output is a terminal, no --no-color, no NO_COLOR */
    int64_t timeout;  /* milliseconds; 0: the command's own default */
    unsigned formats; /* that the command prints */
};

/* Which shared flags a command's --help shows; --format and --no-color stand by themselves. */
enum {
    SHOW_MANIFEST = 1,
    SHOW_ENV = 2,
    SHOW_SERVICE = 4,
    SHOW_STATE = 8,
    SHOW_TIMEOUT = 16,
    SHOW_COLOR = 32,
    SHOW_FLEET = SHOW_MANIFEST | SHOW_ENV,
    SHOW_ROLLOUT = SHOW_MANIFEST | SHOW_ENV | SHOW_STATE | SHOW_COLOR | SHOW_TIMEOUT,
};

struct argument {
    const char *name;    /* "PLAN" */
    size_t offset;       /* of a const char * in the command's own options; twice the same one is an
                          * error of whoever calls */
    const char *missing; /* what to say without it; null: it may be left out */
};

struct usage {
    const char *takes;                 /* "PLAN", "[ROLLOUT]"; null: no arguments */
    const char *text;                  /* what it does, \v, exit codes and examples */
    const struct argument *arguments;  /* in their order, ends with a null name; null: none, or
                                        * `parse` takes ARGP_KEY_ARG itself */
    const struct argp_option *options; /* its own; may be null */
    argp_parser_t parse;               /* of those; may be null; state->input is the command's */
    unsigned shows;                    /* SHOW_ bits */
    unsigned formats;                  /* FORMAT_BITs besides text */
};

/* Reads the command line, or ends the program with a message and EXIT_FAILED (--help: 0). `options`
 * is what the arguments' offsets and `parse` mean. */
void usage_read(const struct usage *usage, int argc, char **argv, struct flags *flags,
                void *options);

/* The value of an option that names a phase, as enum phase; another word ends the program. */
int usage_phase(const char *option, const char *word, struct argp_state *state);

/* Ends the program when the flags ask for lines of JSON where the option prints one document. */
void usage_one_document(const char *option, const struct flags *flags, struct argp_state *state);

/* The shared flags as a child of the command's argp, with a struct flags as its input. */
const struct argp *flags_argp(unsigned shows, unsigned formats);

#endif
