/*
 * What a script has done to schemas, by their names: the last word on each counts. Those that no
 * statement made, renamed or dropped are as the catalog has them.
 */
#ifndef CONTROLLER_WORLD_SCHEMAS_H
#define CONTROLLER_WORLD_SCHEMAS_H

#include <stdbool.h>
#include <stddef.h>

struct world;

enum schema_state {
    SCHEMA_UNTOUCHED,
    SCHEMA_FRESH, /* made by this very script: nothing of anybody's is in it */
    SCHEMA_THERE, /* renamed to that name, or made by a script before */
    SCHEMA_GONE,
};

struct schemas {
    struct schema_noted *items;
    size_t count;
};

/* The name is copied; owned by ctx, as the list is. */
void schemas_note(const void *ctx, struct schemas *schemas, const char *name,
                  enum schema_state state);
enum schema_state schemas_state(const struct schemas *schemas, const char *name);

/* The script has run: what it made is there like any other. */
void schemas_settle(struct schemas *schemas);

/* What the script did to a schema: made it, gave it another name, dropped it. */
void world_note_schema(struct world *world, const char *schema, enum schema_state state);
bool world_schema_fresh(const struct world *world, const char *schema);

/* A schema of the catalog, or one that a script made, and none has dropped since. */
bool world_has_schema(const struct world *world, const char *name);
/* The same without those that only earlier scripts made: whether one of that name is surely in the
 * way of another. */
bool world_schema_taken(const struct world *world, const char *name);

#endif
