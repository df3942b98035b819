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
    { "serve", mode_serve },
    { "init", mode_init },
    { "check", mode_check },
    { "install", mode_install },
    { "runner", mode_runner },
    { "version", mode_version },
    { NULL, NULL },
};
/* clang-format on */
