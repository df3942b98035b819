/*
 * Intents: the typed operations that a change consists of. A wish, whoever writes it (a change
 * file, a DDL file, a program), becomes a list of these, and the compiler knows nothing else.
 *
 * One flat struct serves all operations; which fields an operation may and must have is data
 * (intent_operations), so that reader, JSON and schema cannot disagree. Names are the catalog's own
 * spelling. Expressions, types and definitions are SQL text. Pure: no file, no database.
 */
#ifndef CONTROLLER_INTENT_INTENT_H
#define CONTROLLER_INTENT_INTENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"
#include "agents/base/name.h"

/* Every operation of the vocabulary: enum name, name, its keys beside service and table. A key with
 * "!" must be there. "-table" after the name means that the operation has no table. The list is
 * the whole vocabulary; what the compiler can plan is its own matter. */
#define INTENT_OPERATIONS(X)                                                                                    \
    X(CREATE_TABLE, "create_table",                                                                             \
      "columns! primary_key unique checks foreign_keys indexes "                                                \
      "partition_by definition")                                                                                \
    X(DROP_TABLE, "drop_table", "")                                                                             \
    X(RENAME_TABLE, "rename_table", "to!")                                                                      \
    X(MOVE_TABLE, "move_table", "to_service!")                                                                  \
    X(EXTRACT_TABLE, "extract_table", "columns! to! key! keep_old")                                             \
    X(MERGE_TABLES, "merge_tables", "from! key! mode")                                                          \
    X(PARTITION_TABLE, "partition_table", "by! key! partitions every premake default")                          \
    X(ADD_COLUMN, "add_column",                                                                                 \
      "column! type! nullable default backfill generated identity check references collation identity_options") \
    X(DROP_COLUMN, "drop_column", "column! accept_loss fill")                                                   \
    X(RENAME_COLUMN, "rename_column", "column! to!")                                                            \
    X(SPLIT_COLUMN, "split_column", "column! into! merge_back keep_old")                                        \
    X(MERGE_COLUMNS, "merge_columns", "columns! into! split_back keep_old")                                     \
    X(CHANGE_TYPE, "change_type", "column! to! using using_back on_failure accept_loss")                        \
    X(SET_DEFAULT, "set_default", "column! default!")                                                           \
    X(DROP_DEFAULT, "drop_default", "column!")                                                                  \
    X(SET_NOT_NULL, "set_not_null", "column! backfill")                                                         \
    X(DROP_NOT_NULL, "drop_not_null", "column! fill")                                                           \
    X(ADD_CHECK, "add_check", "name expression! not_valid")                                                     \
    X(ADD_FOREIGN_KEY, "add_foreign_key",                                                                       \
      "name columns! references! on_delete on_update match deferrable deferred orphans not_valid")              \
    X(ADD_UNIQUE, "add_unique",                                                                                 \
      "name columns expressions nulls_not_distinct duplicates accept_loss deferrable deferred")                 \
    X(ADD_EXCLUSION, "add_exclusion", "name using! elements! where")                                            \
    X(ADD_PRIMARY_KEY, "add_primary_key", "name columns!")                                                      \
    X(REPLACE_PRIMARY_KEY, "replace_primary_key", "columns! type")                                              \
    X(DROP_CONSTRAINT, "drop_constraint", "name!")                                                              \
    X(ADD_INDEX, "add_index",                                                                                   \
      "name columns expressions unique method where include opclass order nulls_not_distinct "                  \
      "definition")                                                                                             \
    X(DROP_INDEX, "drop_index", "name!")                                                                        \
    X(REPLACE_INDEX, "replace_index",                                                                           \
      "name! columns expressions unique method where include opclass order nulls_not_distinct")                 \
    X(CREATE_ENUM, "create_enum", "-table type! values!")                                                       \
    X(ADD_ENUM_VALUE, "add_enum_value", "-table type! value! before after")                                     \
    X(RENAME_ENUM_VALUE, "rename_enum_value", "-table type! value! to!")                                        \
    X(REMOVE_ENUM_VALUE, "remove_enum_value", "-table type! value! map_to accept_loss")                         \
    X(ADD_SOFT_DELETE, "add_soft_delete", "column view rewrite_deletes")                                        \
    X(DENORMALISE, "denormalise", "column! type! from via count_of")                                            \
    X(ADD_LINK_TABLE, "add_link_table", "-table name! left! right! from_column")                                \
    X(CREATE_VIEW, "create_view", "-table name! definition!")                                                   \
    X(REPLACE_VIEW, "replace_view", "-table name! definition!")                                                 \
    X(DROP_VIEW, "drop_view", "-table name!")                                                                   \
    X(CREATE_MATERIALIZED_VIEW, "create_materialized_view", "-table name! definition!")                         \
    X(REPLACE_MATERIALIZED_VIEW, "replace_materialized_view", "-table name! definition!")                       \
    X(DROP_MATERIALIZED_VIEW, "drop_materialized_view", "-table name!")                                         \
    X(CREATE_FUNCTION, "create_function", "-table name! definition!")                                           \
    X(REPLACE_FUNCTION, "replace_function", "-table name! definition!")                                         \
    X(DROP_FUNCTION, "drop_function", "-table name!")                                                           \
    X(CREATE_TRIGGER, "create_trigger", "name! definition!")                                                    \
    X(REPLACE_TRIGGER, "replace_trigger", "name! definition!")                                                  \
    X(DROP_TRIGGER, "drop_trigger", "name!")                                                                    \
    X(CREATE_POLICY, "create_policy", "name! definition!")                                                      \
    X(REPLACE_POLICY, "replace_policy", "name! definition!")                                                    \
    X(DROP_POLICY, "drop_policy", "name!")                                                                      \
    X(GRANT, "grant", "privileges! to! columns")                                                                \
    X(REVOKE, "revoke", "privileges! from! columns")                                                            \
    X(CREATE_EXTENSION, "create_extension", "-table name! version")                                             \
    X(COMMENT, "comment", "column text!")                                                                       \
    X(CREATE_SEQUENCE, "create_sequence", "-table name! definition")                                            \
    X(CREATE_DOMAIN, "create_domain", "-table name! type! check default nullable")                              \
    X(ALTER_DOMAIN, "alter_domain", "-table name! definition!")                                                 \
    X(SET_IDENTITY, "set_identity", "column! generated!")                                                       \
    X(DATA_BACKFILL, "data_backfill", "set! where undo")                                                        \
    X(SQL, "sql", "-table up! down irreversible phase transaction accept_loss")

enum intent_operation {
#define X(id, name, keys) INTENT_##id,
    INTENT_OPERATIONS(X)
#undef X
        INTENT_COUNT
};

struct intent_texts {
    const char **items;
    size_t count;
};

struct intent {
    enum intent_operation operation;
    const char *service;
    struct object_name table;  /* name null for operations without one */
    struct object_name target; /* references: table and columns */
    const char *column, *to, *type, *default_expr, *backfill, *using_expr, *using_back;
    const char *on_failure, *name, *expression, *on_delete, *on_update, *match, *orphans,
        *duplicates;
    const char *method, *where, *definition, *check, *identity, *generated, *collation, *text;
    const char *irreversible, *phase, *note, *value, *before, *after, *order;
    const char *identity_options; /* "START WITH 7 …" */
    const char *fill;             /* what a way back gives to rows that have no value by then */
    struct intent_texts columns, expressions, include, opclass, up, down, propagate_to;
    json_t *set;    /* data_backfill: {column: expression} */
    json_t *fields; /* the intent as it was read: {operation: {…}} */
    bool nullable;  /* default true */
    bool unique, deferrable, deferred, nulls_not_distinct, accept_loss, not_valid, transaction;
    bool propagate; /* default true */
    /* Of DDL rather than of a wish: the end is exactly what the statement makes, so a change of
     * type does not widen the sequence behind it, names are the server's choice, ... */
    bool exact;
    const char *written; /* "0001.sql:7": the statement of a DDL file that says it word for word */
    const char *place;   /* "change.yaml:4:5", "0001.sql:7": for findings */
};

struct intents {
    const char *title, *author, *note;
    struct intent *items;
    size_t count;
};

/* The operation's name ("rename_column"). */
const char *intent_name(enum intent_operation operation);
/* False when there is no such operation; *near is then the closest name, or null. */
bool intent_from_name(const char *name, enum intent_operation *out, const char **near);
/* Whether the operation may have a key, and must have it. */
bool intent_takes(enum intent_operation operation, const char *key, bool *required);
/* The keys that the operation knows (service, table, note, propagate too), owned by ctx. */
size_t intent_keys(const void *ctx, enum intent_operation operation, const char *const **out);

/* What is wrong with an intent, and where: a JSON Pointer from the intent. */
struct intent_problem {
    const char *pointer;
    bool key; /* the key is wrong, not its value */
    struct error error;
};
struct intent_problems {
    const void *ctx;
    struct intent_problem *items;
    size_t count;
};
/* Adds one. */
void intent_complain(struct intent_problems *problems, const char *pointer,
                     const struct error *err);

/* One intent from its JSON {operation: {key: value, …}}; false with every problem. */
bool intent_from_json(const void *ctx, const json_t *json, struct intent *out,
                      struct intent_problems *problems) MUSTCHECK;

/* The change as understood, for the plan file: {title, note, intents: […]}. */
json_t *intents_to_json(const struct intents *intents);

#endif
