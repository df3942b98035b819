#include <stddef.h>

#include "controller/cli/command.h"
#include "controller/cli/commands.h"

const struct command commands[] = {
    { "init", command_init, "write a manifest to start from" },
    { "validate", command_validate, "check manifests, without any connection" },
    { "version", command_version, "print the version" },
    { NULL, NULL, NULL },
};
