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

/* One line a mode. */
/* clang-format off */
const struct mode modes[] = {
    { "serve", mode_serve, "" },
    { "init", mode_init, NULL },
    { "check", mode_check, "" },
    { "install", mode_install, NULL },
    { "runner", mode_runner, "RUN" },
    { "version", mode_version, "" },
    { NULL, NULL, NULL },
};
/* clang-format on */
