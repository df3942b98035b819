/*
 * The catalogs a command works on, from wherever its options say: saved files (`--catalog`), a
 * development database (`--dsn`), or the agents of the fleet, all hosts at once. One face for
 * inspect, graph, draft and lint.
 */
#ifndef CONTROLLER_CLI_CATALOGS_H
#define CONTROLLER_CLI_CATALOGS_H

#include "controller/cli/command.h"
#include "controller/graph/graph.h"

struct catalogs_wanted {
    const struct flags *flags; /* manifest, env, service */
    const char *dsn;           /* null: none */
    const char *const *files;  /* "FILE" or "SERVICE=FILE"; a file may hold a whole fleet's */
    size_t file_count;
    bool all_instances; /* of a service; else only its first in the environment */
};

struct catalogs {
    struct fleet *fleet;     /* null without a manifest */
    const char *environment; /* null without a manifest */
    struct service_catalog *items;
    size_t count;
};

/* With files or a DSN the manifest is optional: read when it was named or is there. The service of
 * a catalog without one is --service, or else the database's name. Everything is owned by ctx.
 * Of errors of several hosts the first is reported with their number. */
bool catalogs_gather(const void *ctx, const struct catalogs_wanted *wanted, struct catalogs *out,
                     struct error *err) MUSTCHECK;

/* argp option --catalog may be given often: collects its values. */
void catalogs_add_file(const void *ctx, struct catalogs_wanted *wanted, const char *value);

/* From the agents, in the order of the manifest: a step of catalogs_gather. */
bool catalogs_from_fleet(const void *ctx, const struct catalogs_wanted *wanted,
                         struct catalogs *out, struct error *err) MUSTCHECK;

#endif
