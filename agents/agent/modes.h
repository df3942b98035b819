/*
 * What flotilla-agent can be started as: one function a mode, in one table. A mode parses its own
 * options (argv[0] is its name), reports its errors on standard error and returns an exit code.
 */
#ifndef AGENTS_AGENT_MODES_H
#define AGENTS_AGENT_MODES_H

struct mode_start {
    const char *config_path;
    int argc;
    char **argv;
};

typedef int mode_function(const struct mode_start *start);

struct mode {
    const char *name;
    mode_function *run;
    const char *words; /* what is written after it; null: the mode has options of its own */
};

#define MODES_TEXT "serve, init, check, install, runner, version"

extern const struct mode modes[]; /* ends with a null name */

mode_function mode_serve;
mode_function mode_init;
mode_function mode_check;
mode_function mode_runner;
mode_function mode_install;

#endif
