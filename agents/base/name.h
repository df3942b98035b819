/*
 * Names of database objects as people write them (docs: the change file). A name is the catalog's
 * own spelling, never folded; `schema.table` when it is not in the first schema of the search path;
 * a piece that holds a dot, colon, bracket or comma is written in double quotes. Across services:
 * `service:schema.table(column, column)`.
 */
#ifndef AGENTS_BASE_NAME_H
#define AGENTS_BASE_NAME_H

#include <stddef.h>

#include "agents/base/error.h"

struct object_name {
    const char *service; /* null: the service one is in */
    const char *schema;  /* null: not given */
    const char *name;
    const char **columns; /* null: none given */
    size_t column_count;
};

/* Parses the whole of s; everything is owned by ctx. */
bool object_name_parse(const void *ctx, const char *s, struct object_name *out,
                       struct error *err) MUSTCHECK;

/* Writes it back in the same form, quoting pieces only where they need it. */
const char *object_name_text(const void *ctx, const struct object_name *name);

/* "schema.name" with quotes where a piece needs them; schema may be null. */
const char *object_name_join(const void *ctx, const char *schema, const char *name);

/* schema.name quoted for SQL, always: "\"public\".\"order\"". */
const char *object_name_sql(const void *ctx, const char *schema, const char *name);

/* A name that PostgreSQL will not cut: over 63 bytes it is shortened at a character and ends in
 * "_" and eight hex digits of the whole name's digest. */
const char *object_name_fit(const void *ctx, const char *name);

#endif
