/*
 * A wish becomes intents. A change file says exactly one of `intents`, `sql`, `desired`, `request`;
 * plain DDL (from a file, or under `sql:`) becomes one intent `sql` a statement; the compiler, who
 * has the catalogs, finds out what each of them means.
 *
 * Every error of a file is reported in one run, each as file:line:column.
 */
#ifndef CONTROLLER_CHANGE_CHANGE_H
#define CONTROLLER_CHANGE_CHANGE_H

#include "agents/base/error.h"
#include "controller/intent/intent.h"

/* Largest change file, DDL included. */
enum { CHANGE_FILE_BYTES = 8 * 1024 * 1024 };

struct change_text {
    const char *service;
    const char *name; /* the file, or "change.yaml" for inline SQL: for messages */
    const char *sql;
    int above; /* lines of the file above the SQL's first */
};

/* What a change file says. */
struct change {
    struct intents *intents;
    struct change_text *texts;
    size_t text_count;
};

/* Who reads a change. */
struct change_reader {
    const char *author; /* used when the file names none */
    bool asks; /* SQL that the grammar here does not know is not an error yet: a server will
                  be asked about it (judge_ask) */
};

/* Reads a change file ("-": standard input). On failure *problems (may be null) has every error,
 * one a line. */
bool change_read(const void *ctx, const char *path, const struct change_reader *reader,
                 struct change **out, const char **problems, struct error *err) MUSTCHECK;

/* A change of one DDL file. */
bool change_of_sql(const void *ctx, const char *path, const char *service, const char *author,
                   struct change **out, struct error *err) MUSTCHECK;

/* Reads the texts' statements into intents at the end of change->intents. asks: as of the reader.
 */
bool change_add_texts(const void *ctx, struct change *change, bool asks,
                      struct error *err) MUSTCHECK;

#endif
