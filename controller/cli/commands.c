#include <stddef.h>

#include "controller/cli/command.h"
#include "controller/cli/commands.h"

const struct command commands[] = {
    { "version", command_version, "print the version" },
    { NULL, NULL, NULL },
};
