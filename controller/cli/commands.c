#include <stddef.h>

#include "controller/cli/command.h"
#include "controller/cli/commands.h"

const struct command commands[] = {
    { "init", command_init, "write a manifest to start from" },
    { "validate", command_validate, "check manifests, without any connection" },
    { "doctor", command_doctor, "check the way to every host and database" },
    { "agent", command_agent, "install, list and tidy the agents on the hosts" },
    { "inspect", command_inspect, "show the catalog of a database: sizes, keys, fingerprints" },
    { "version", command_version, "print the version" },
    { NULL, NULL, NULL },
};
