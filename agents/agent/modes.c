#include "agents/agent/modes.h"

#include <stddef.h>
#include <stdio.h>

#include "agents/base/version.h"

static int mode_version(const struct mode_start *start)
{
    (void)start;
    puts("flotilla-agent " FLOTILLA_VERSION);
    return 0;
}

const struct mode modes[] = {
    { "serve", mode_serve },     { "check", mode_check }, { "runner", mode_runner },
    { "version", mode_version }, { NULL, NULL },
};
