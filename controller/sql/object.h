/*
 * Names of objects as SQL text mentions them. Spelling is the catalog's: folded and unquoted by the
 * parser. A schema that was not written is null; who resolves it knows the search path.
 */
#ifndef CONTROLLER_SQL_OBJECT_H
#define CONTROLLER_SQL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

struct sql_texts {
    const char **items;
    size_t count;
};

struct sql_name {
    const char *schema; /* null: not written */
    const char *name;   /* null: no such thing in the statement */
};

#define SQL_OBJECTS(X)                 \
    X(OTHER, "object")                 \
    X(TABLE, "table")                  \
    X(VIEW, "view")                    \
    X(MATVIEW, "materialized view")    \
    X(FOREIGN_TABLE, "foreign table")  \
    X(INDEX, "index")                  \
    X(SEQUENCE, "sequence")            \
    X(COLUMN, "column")                \
    X(CONSTRAINT, "constraint")        \
    X(DOMAIN_CONSTRAINT, "constraint") \
    X(ATTRIBUTE, "attribute")          \
    X(FUNCTION, "function")            \
    X(PROCEDURE, "procedure")          \
    X(ROUTINE, "routine")              \
    X(AGGREGATE, "aggregate")          \
    X(TYPE, "type")                    \
    X(DOMAIN, "domain")                \
    X(SCHEMA, "schema")                \
    X(DATABASE, "database")            \
    X(EXTENSION, "extension")          \
    X(TRIGGER, "trigger")              \
    X(EVENT_TRIGGER, "event trigger")  \
    X(POLICY, "policy")                \
    X(RULE, "rule")                    \
    X(STATISTICS, "statistics")        \
    X(PUBLICATION, "publication")      \
    X(SUBSCRIPTION, "subscription")    \
    X(ROLE, "role")                    \
    X(TABLESPACE, "tablespace")        \
    X(SERVER, "server")                \
    X(WRAPPER, "foreign-data wrapper") \
    X(LANGUAGE, "language")            \
    X(COLLATION, "collation")          \
    X(OPERATOR, "operator")            \
    X(CAST, "cast")                    \
    X(TEXT_SEARCH, "text search object")

enum sql_object_kind {
#define X(id, name) SQL_OBJECT_##id,
    SQL_OBJECTS(X)
#undef X
};

/* TARGET      what the statement alters, drops, renames, comments, ...
 * CREATED     what it makes
 * REFERENCED  named by a foreign key, LIKE, INHERITS, PARTITION OF, OWNED BY, a trigger's function
 * READ        read by a query in it
 * WRITTEN     INSERT, UPDATE, DELETE, MERGE, COPY FROM */
enum sql_role {
    SQL_TARGET,
    SQL_CREATED,
    SQL_REFERENCED,
    SQL_READ,
    SQL_WRITTEN,
};

/* One mention. A trigger, policy, rule or constraint has its relation in schema and name and its
 * own name in `column`. A column that a query reads through no alias among several relations has
 * a null name: only a catalog can tell whose it is. */
struct sql_object {
    enum sql_object_kind kind;
    enum sql_role role;
    const char *schema;
    const char *name;
    const char *column;
    bool only; /* written as ONLY name: without its children */
};

/* "materialized view" */
const char *sql_object_kind_name(enum sql_object_kind kind);

bool sql_name_eq(struct sql_name a, struct sql_name b);
/* What a literal of type regclass names ('"Big".s', 'app.s'), as sql_name_text writes it. */
const char *sql_regclass(const void *ctx, const char *literal);
/* "schema.name", or "name" when no schema was written. */
const char *sql_name_text(const void *ctx, struct sql_name name);
bool sql_texts_have(const struct sql_texts *list, const char *s);
void sql_texts_add(const void *ctx, struct sql_texts *list, const char *s);

#endif
