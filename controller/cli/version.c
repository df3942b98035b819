#include <stdio.h>

#include "agents/base/version.h"
#include "controller/cli/command.h"
#include "controller/cli/commands.h"

int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    printf("flotilla %s\n", FLOTILLA_VERSION);
    return EXIT_DONE;
}
