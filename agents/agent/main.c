/*
 * flotilla-agent: the host side. `serve` talks to one controller over standard input and output,
 * as sshd's forced command starts it; what the controller asked sshd to run (SSH_ORIGINAL_COMMAND)
 * is never looked at.
 */
#include <argp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agents/agent/handlers.h"
#include "agents/agent/modes.h"
#include "agents/base/file.h"
#include "agents/base/log.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "agents/base/version.h"

static const struct mode *mode_find(const char *name)
{
    for (const struct mode *m = modes; m->name; m++)
        if (text_eq(m->name, name))
            return m;
    return NULL;
}

static const struct argp_option options[] = {
    { "config", 'c', "PATH", 0, "the agent's file (default: " AGENT_CONFIG_DEFAULT ")", 0 },
    { 0 },
};

/* Options of the mode itself are the mode's own: parsing stops at its name. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct mode_start *start = state->input;
    switch (key) {
    case 'c': start->config_path = arg; return 0;
    case ARGP_KEY_ARG:
        start->argc = state->argc - state->next + 1;
        start->argv = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!start->argv)
            argp_error(state, "a mode is missing: %s", MODES_TEXT);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    options,
    parse,
    "MODE [OPTIONS]",
    "The host side of flotilla: holds the credentials, does the work on this host's databases.\v"
    "Modes:\n"
    "  serve      talk to a controller over standard input and output\n"
    "  init       write an agent.yaml to start from, and the SQL script of its roles\n"
    "  check      try everything in agent.yaml and say what is wrong with it\n"
    "  runner     carry out one run (started by serve)\n"
    "  install    put an uploaded agent into place\n"
    "  version    print the version\n\n"
    "Exit codes: 0 done, 1 not.\n\n"
    "Examples:\n"
    "  flotilla-agent init --database users\n"
    "  flotilla-agent --config /etc/flotilla/agent.yaml check\n",
    NULL,
    NULL,
    NULL,
};

/* A mode without options of its own: told or asked more than it takes, it does nothing. */
static bool words_fit(const struct mode *mode, const struct mode_start *start, int *code)
{
    int most = *mode->words ? 2 : 1;
    const char *second = start->argc > 1 ? start->argv[1] : "";
    bool asked = text_eq(second, "--help") || text_eq(second, "-?") || text_eq(second, "--usage");
    if (!asked && start->argc <= most)
        return true;
    *code = asked ? EXIT_SUCCESS : EXIT_FAILURE;
    fprintf(asked ? stdout : stderr,
            "Usage: flotilla-agent [--config=PATH] %s%s%s\n`flotilla-agent --help` says what the "
            "modes do.\n",
            mode->name, *mode->words ? " " : "", mode->words);
    return false;
}

int main(int argc, char **argv)
{
    SCOPE(tmp);
    file_hold_standard();
    struct mode_start start = { .config_path = AGENT_CONFIG_DEFAULT };
    argp_program_version = "flotilla-agent " FLOTILLA_VERSION;
    argp_err_exit_status = EXIT_FAILURE;
    setenv("ARGP_HELP_FMT", "no-dup-args-note,rmargin=100", 0);
    signal(SIGPIPE, SIG_IGN);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &start);
    const struct mode *mode = mode_find(start.argv[0]);
    if (!mode) {
        fprintf(stderr, "flotilla-agent: there is no mode \"%s\"\n  hint: there are %s\n",
                text_printable(tmp, start.argv[0]), MODES_TEXT);
        return EXIT_FAILURE;
    }
    int code = EXIT_SUCCESS;
    if (mode->words && !words_fit(mode, &start, &code))
        return code;
    /* What a mode says about its usage names the program too. */
    start.argv[0] = (char *)(uintptr_t)mem_printf(tmp, "flotilla-agent %s", mode->name);
    return mode->run(&start);
}
