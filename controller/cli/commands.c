#include <stddef.h>

#include "controller/cli/command.h"
#include "controller/cli/commands.h"

const struct command commands[] = {
    { "init", command_init, "write a manifest to start from" },
    { "validate", command_validate, "check manifests, without any connection" },
    { "doctor", command_doctor, "check the way to every host and database" },
    { "agent", command_agent, "install, list and tidy the agents on the hosts" },
    { "version", command_version, "print the version" },
    { NULL, NULL, NULL },
};
