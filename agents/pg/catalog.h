/*
 * The catalog: what introspection found in one database, as plain data.
 *
 * catalog_read() fills it on the host; it travels as JSON (catalog_to_json / catalog_from_json);
 * `flotilla inspect --format json` prints that JSON and `--catalog FILE` reads it again. Everything
 * hangs on one talloc context. Lists are sorted by name, so that equal catalogs are equal bytes.
 *
 * Names are the catalog's own spelling, unquoted. Text such as `type` and `definition` is what
 * PostgreSQL's own format functions print with search_path = pg_catalog, so it is qualified and can
 * be run again. Statistics (rows, bytes) are never part of a fingerprint. No value of any user's
 * row is in here: no most-common values, no sequence positions, no connection strings.
 */
#ifndef AGENTS_PG_CATALOG_H
#define AGENTS_PG_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"
#include "agents/pg/catalog_objects.h"

struct catalog {
    const char *database;
    int server_version; /* 150018 */
    const char
        *server_port; /* as the server listens; with `database` it answers struct foreign_server */
    const char *search_path; /* of the role that reads */
    const char *time_zone;
    struct schema *schemas;
    size_t schema_count;
    struct relation *relations;
    size_t relation_count;
    struct type *types;
    size_t type_count;
    struct function *functions;
    size_t function_count;
    struct sequence *sequences;
    size_t sequence_count;
    struct extension *extensions;
    size_t extension_count;
    struct catalog_texts available_extensions; /* names that CREATE EXTENSION finds on the host */
    struct foreign_server *servers;
    size_t server_count;
    struct publication *publications;
    size_t publication_count;
    struct subscription *subscriptions;
    size_t subscription_count;
    struct event_trigger *event_triggers;
    size_t event_trigger_count;
    struct migration_history *histories;
    size_t history_count;
    struct unreadable *unreadable;
    size_t unreadable_count;
};

/* To and from JSON. From JSON everything is checked: unknown fields are ignored, wrong types and
 * unterminated references are errors with their path. */
json_t *catalog_to_json(const struct catalog *catalog);
bool catalog_from_json(const void *ctx, const json_t *json, struct catalog **out,
                       struct error *err) MUSTCHECK;

/* The JSON of one object, as it stands in the catalog's JSON: what a fingerprint is over (without
 * rows, bytes). */
json_t *catalog_relation_json(const struct relation *relation, bool with_statistics);

/* Fingerprint of the whole catalog without statistics and without the schema `flotilla`. */
const char *catalog_fingerprint(const void *ctx, const struct catalog *catalog);

/* Those of all objects, by their keys: what the fingerprint of the whole is made of. */
json_t *catalog_fingerprints(const struct catalog *catalog);

/* Fingerprint of one object by its key: "public.orders" for relations, "type public.mood",
 * "function public.f(integer)", "sequence public.s". Null when there is no such object. */
const char *catalog_object_fingerprint(const void *ctx, const struct catalog *catalog,
                                       const char *key);

/* What differs between two catalogs, one line an object: "public.orders: column status added".
 * Statistics and the schema `flotilla` do not count. */
struct catalog_texts catalog_diff(const void *ctx, const struct catalog *before,
                                  const struct catalog *after);

/* Lookups; null when absent. schema null: the first schema of the search path that has it. */
struct relation *catalog_relation(const struct catalog *catalog, const char *schema,
                                  const char *name);
/* The next schema of a search path, unquoted, owned by ctx; null at its end. */
const char *catalog_path_next(const void *ctx, const char **rest);
/* The first schema of the search path that exists: names are written without it. */
const char *catalog_default_schema(const void *ctx, const struct catalog *catalog);
struct column *relation_column(const struct relation *relation, const char *name);
struct constraint *relation_constraint(const struct relation *relation, const char *name);
struct index *relation_index(const struct relation *relation, const char *name);
struct constraint *relation_primary_key(const struct relation *relation);

/* A deep copy, for simulation of steps. Its lists are talloc arrays that mem_room can grow;
 * catalog_sort() puts a changed one in order again. */
struct catalog *catalog_copy(const void *ctx, const struct catalog *catalog);

/* Puts relations, their parts and all other lists into the order that catalog_read gives them. */
void catalog_sort(struct catalog *catalog);

#endif
