/*
 * A wish becomes intents. A change file says exactly one of `intents`, `sql`, `desired`, `request`;
 * plain DDL (from a file, or under `sql:`) is read statement by statement: what means a typed
 * intent becomes one, the rest stays SQL with the way back that can be told from it.
 *
 * Every error of a file is reported in one run, each as file:line:column.
 */
#ifndef CONTROLLER_CHANGE_CHANGE_H
#define CONTROLLER_CHANGE_CHANGE_H

#include "agents/base/error.h"
#include "agents/pg/catalog.h"
#include "controller/intent/intent.h"

/* Largest change file, DDL included. */
enum { CHANGE_FILE_BYTES = 8 * 1024 * 1024 };

struct change_text {
    const char *service;
    const char *name; /* the file, or "change.yaml" for inline SQL: for messages */
    const char *sql;
};

/* What a change file says. `intents` are ready; DDL still needs the catalogs of its services
 * (change_add_sql), because what a statement means depends on what is there. */
struct change {
    struct intents *intents;
    struct change_text *texts;
    size_t text_count;
};

/* Reads a change file ("-": standard input). author: used when the file names none. On failure
 * *problems (may be null) has every error, one a line. */
bool change_read(const void *ctx, const char *path, const char *author, struct change **out,
                 const char **problems, struct error *err) MUSTCHECK;

/* A change of one DDL file. */
bool change_of_sql(const void *ctx, const char *path, const char *service, const char *author,
                   struct change **out, struct error *err) MUSTCHECK;

/* Reads one text's statements into intents at the end of change->intents. */
bool change_add_sql(const void *ctx, struct change *change, const struct change_text *text,
                    const struct catalog *catalog, struct error *err) MUSTCHECK;

#endif
