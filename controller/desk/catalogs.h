/*
 * The catalogs a command works on, from wherever its options say: saved files (`--catalog`), a
 * development database (`--dsn`), or the agents of the fleet, all hosts at once. One face for
 * inspect, graph, draft and lint.
 */
#ifndef CONTROLLER_DESK_CATALOGS_H
#define CONTROLLER_DESK_CATALOGS_H

#include "controller/graph/graph.h"
#include "controller/terminal/command.h"

struct catalogs_wanted {
    const struct flags *flags; /* manifest, env, service */
    const char *dsn;           /* null: none */
    const char **files;        /* "FILE" or "SERVICE=FILE"; a file may hold a whole fleet's */
    size_t file_count;
    bool all_instances; /* of a service; else only its first in the environment */
    const char *all_of; /* the one service of which all instances are wanted; null */
};

struct catalogs {
    struct fleet *fleet;     /* null without a manifest */
    const char *environment; /* null without a manifest */
    const char *dsn;         /* they are of this database; null */
    bool live;               /* of the fleet's agents, just now */
    struct service_catalog *items;
    size_t count;
};

/* With files or a DSN the manifest is optional: read when it was named or is there. The service of
 * a catalog without one is --service, or else the database's name. Everything is owned by ctx.
 * Of errors of several hosts the first is reported with their number. */
bool catalogs_gather(const void *ctx, const struct catalogs_wanted *wanted, struct catalogs *out,
                     struct error *err) MUSTCHECK;

/* The options of where catalogs come from, for the list of a command's own. */
enum { CATALOGS_DSN = 0x4000, CATALOGS_FILE };
#define CATALOGS_OPTIONS(group)                                                                    \
    { "catalog",                                                                                   \
      CATALOGS_FILE,                                                                               \
      "[SERVICE=]FILE",                                                                            \
      0,                                                                                           \
      "from what `flotilla inspect --format json` wrote, without any connection",                  \
      (group) },                                                                                   \
    {                                                                                              \
        "dsn", CATALOGS_DSN, "CONNINFO", 0, "from this database (a development database)", (group) \
    }

/* Reads one of them, as an argp parser does; --catalog may be given often. The list is ctx's. */
error_t catalogs_option(const void *ctx, struct catalogs_wanted *wanted, int key, char *arg);

/* From the agents, in the order of the manifest: a step of catalogs_gather. */
bool catalogs_from_fleet(const void *ctx, const struct catalogs_wanted *wanted,
                         struct catalogs *out, struct error *err) MUSTCHECK;

#endif
