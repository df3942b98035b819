#include <stdio.h>

#include "agents/base/version.h"
#include "controller/cli/commands.h"

int command_version(int argc, char **argv)
{
    struct flags flags = { 0 };
    static const struct usage usage = { .text = "Print the version of flotilla.\v"
                                                "Example:\n  flotilla version\n" };
    usage_read(&usage, argc, argv, &flags, NULL);
    printf("flotilla %s\n", FLOTILLA_VERSION);
    return EXIT_DONE;
}
