/*
 * The instances a command is about: of one environment, of all services or of --service.
 */
#ifndef CONTROLLER_DESK_TARGETS_H
#define CONTROLLER_DESK_TARGETS_H

#include "controller/manifest/fleet.h"
#include "controller/terminal/command.h"

struct targets {
    struct fleet *fleet;
    const char *environment;
    const struct instance **items; /* in the manifest's order */
    size_t count;
};

/* Loads the manifest and picks by --env and --service. ERROR_NOT_FOUND for an unknown service names
 * the nearest; a service without instances in the environment is an error as well. */
bool targets_load(const void *ctx, const struct flags *flags, struct targets *out,
                  struct error *err) MUSTCHECK;

/* "db1.example.org", "local" */
const char *target_host(const struct instance *target);

#endif
