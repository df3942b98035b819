/*
 * The parser's typed tree, inside controller/sql/ only: parsing with an arena, a walk over any
 * node, small accessors. Trees live as long as their `struct ast`; facts copy what they keep.
 */
#ifndef CONTROLLER_SQL_AST_H
#define CONTROLLER_SQL_AST_H

#include <pg_query/pg_query.pb-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"
#include "controller/sql/object.h"

typedef ProtobufCMessage ast_message;

struct ast {
    PgQuery__ParseResult *tree;
    void *arena; /* talloc: holds all blocks */
};

/* What the parser said; offset in bytes of the text, from 0. */
struct ast_problem {
    const char *message;
    size_t offset;
};

/* Parses NUL-terminated text; false with *problem (message owned by ctx) when it does not. */
bool ast_parse(const void *ctx, const char *text, struct ast **out, struct ast_problem *problem);

/* JSON of the plpgsql parser for a CREATE FUNCTION … LANGUAGE plpgsql AS … or DO statement. Never
 * call it for statements without a body string: it aborts the process. */
bool ast_parse_plpgsql(const void *ctx, const char *text, char **json, struct ast_problem *problem);

/* Visits the message and everything below it; `visit` says whether to go down from it. */
typedef bool (*ast_visit)(const ast_message *message, void *data);
void ast_walk(const ast_message *message, ast_visit visit, void *data);
/* Visits what is directly below a message, not the message. */
void ast_walk_below(const ast_message *message, ast_visit visit, void *data);

/* The message inside a Node; null for null. */
const ast_message *ast_of(const PgQuery__Node *node);
/* The same for a message that may be a Node. */
const ast_message *ast_unwrap(const ast_message *message);
bool ast_is(const ast_message *message, const ProtobufCMessageDescriptor *type);
#define AST_CAST(type, lower, message)                      \
    (ast_is((message), &pg_query__##lower##__descriptor)    \
         ? (const PgQuery__##type *)(const void *)(message) \
         : NULL)

/* null for an empty string */
const char *ast_text(const void *ctx, const char *s);
/* Text of a String node (or a List's last, or TypeName's last name); null for another. */
const char *ast_string(const PgQuery__Node *node);
/* schema and name of a list of String nodes; a catalog in front is dropped. */
struct sql_name ast_names(const void *ctx, size_t n, PgQuery__Node *const *nodes);
/* The same of a Node that holds a List, String, TypeName, ObjectWithArgs or RangeVar. */
struct sql_name ast_name(const void *ctx, const PgQuery__Node *node);
struct sql_name ast_range(const void *ctx, const PgQuery__RangeVar *range);
/* Strings of a list of String nodes. */
struct sql_texts ast_texts(const void *ctx, size_t n, PgQuery__Node *const *nodes);
/* A DefElem of the list by its name; null when absent. */
const PgQuery__DefElem *ast_option(size_t n, PgQuery__Node *const *nodes, const char *name);
/* A DefElem's value as text: string, number, type name, boolean; null: no value. */
const char *ast_option_text(const void *ctx, const PgQuery__DefElem *option);
/* An option such as CONCURRENTLY that is on when given without a value. */
bool ast_option_on(size_t n, PgQuery__Node *const *nodes, const char *name);

/* What pg_catalog.format_type prints. */
const char *ast_type(const void *ctx, const PgQuery__TypeName *type);

#endif
