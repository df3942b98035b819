/*
 * flotilla-agent: the host side. `serve` talks to one controller over standard input and output,
 * as sshd's forced command starts it; what the controller asked sshd to run (SSH_ORIGINAL_COMMAND)
 * is never looked at.
 */
#include <argp.h>
#include <signal.h>
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
    "  version    print the version\n",
    NULL,
    NULL,
    NULL,
};

int main(int argc, char **argv)
{
    SCOPE(tmp);
    file_hold_standard();
    struct mode_start start = { .config_path = AGENT_CONFIG_DEFAULT };
    argp_program_version = "flotilla-agent " FLOTILLA_VERSION;
    argp_err_exit_status = EXIT_FAILURE;
    signal(SIGPIPE, SIG_IGN);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &start);
    const struct mode *mode = mode_find(start.argv[0]);
    if (!mode) {
        fprintf(stderr, "flotilla-agent: there is no mode \"%s\"\n  hint: there are %s\n",
                text_printable(tmp, start.argv[0]), MODES_TEXT);
        return EXIT_FAILURE;
    }
    return mode->run(&start);
}
