/*
 * From the parser's tree to the facts of a statement: inside controller/sql/ only. One table says
 * which function reads which kind of node; each fills `x->out`.
 */
#ifndef CONTROLLER_SQL_EXTRACT_H
#define CONTROLLER_SQL_EXTRACT_H

#include "agents/base/text.h"
#include "controller/sql/ast.h"
#include "controller/sql/desugar.h"
#include "controller/sql/script.h"
#include "controller/sql/token.h"

/* How deep statements in bodies in statements in bodies … are followed. */
enum { EXTRACT_DEPTH = 4 };

struct extract {
    const void *ctx; /* owner of the facts */
    const void *tmp; /* as long as the tree */
    struct statement *out;
    const char *text; /* what the tree's locations count in */
    size_t start, end;
    struct tokens tokens; /* of [start, end), when asked for */
    const struct sugar *sugar;
    int depth;
};

void extract_statement(struct extract *x, const PgQuery__Node *node);
const struct tokens *extract_tokens(struct extract *x);
/* The first major version that has what the statement asks for; 0: all that we know. */
int statement_since(const ast_message *statement);

/* Adds a mention. */
void extract_object(struct extract *x, enum sql_object_kind kind, enum sql_role role,
                    struct sql_name name, const char *column);
/* Sets the main object and mentions it. */
void extract_main(struct extract *x, enum sql_object_kind kind, enum sql_role role,
                  struct sql_name name);
enum sql_object_kind extract_kind(PgQuery__ObjectType type);
/* A role's name; "public", "current_user", ... */
const char *extract_role(const void *ctx, const PgQuery__RoleSpec *role);

/* Facts of an expression whose text is known. */
struct sql_expression *extract_expression(const void *ctx, const PgQuery__Node *node,
                                          const char *text);
/* The same with the text of tokens [first, last). */
struct sql_expression *extract_expression_at(struct extract *x, const PgQuery__Node *node,
                                             size_t first, size_t last);
/* Behind the last token of a DEFAULT's expression that starts at `first`, before `last`. */
size_t extract_default_end(const struct tokens *tokens, size_t first, size_t last);
/* The first of the tokens in [first, last) outside of brackets that starts `words`; last: none. */
size_t extract_find(const struct tokens *tokens, size_t first, size_t last, const char *words);
/* Behind the last token of the list item that starts at `first`: a comma or closing bracket. */
size_t extract_item_end(const struct tokens *tokens, size_t first, size_t last);

/* Facts of a query, joined to out->query and mentioned. */
void extract_query(struct extract *x, const void *message); /* a Node or what is in it */
void query_collect(const void *ctx, struct sql_query *query, const void *message);
/* A DML statement's own facts, and what it writes to; null for other messages. */
void write_collect(const void *ctx, struct sql_query *query, const struct sql_texts *batches,
                   const ast_message *m);
const PgQuery__RangeVar *write_target(const ast_message *m);
struct sql_texts where_compared(const void *ctx, const PgQuery__Node *where);
void query_join(const void *ctx, struct sql_query *into, const struct sql_query *from);

/* Tables. `last` bounds the text of the item. */
void extract_column(struct extract *x, const PgQuery__ColumnDef *def, struct sql_column *out,
                    size_t first, size_t last);
void extract_constraint(struct extract *x, const PgQuery__Constraint *c, struct sql_constraint *out,
                        size_t last);
void extract_index_keys(struct extract *x, const PgQuery__IndexStmt *stmt, struct sql_index *out);
void extract_bound(struct extract *x, const PgQuery__PartitionBoundSpec *bound, const char **text,
                   bool *is_default);
struct sql_texts extract_column_names(const void *ctx, size_t n, PgQuery__Node *const *nodes);

/* Bodies. The second look: statements to `statements`, EXECUTE's arguments to `executed`. */
void body_words(const void *ctx, const char *body, struct text *statements,
                struct sql_texts *executed);
void body_read(struct extract *x, struct sql_body *body, const char *create);
bool script_read(const void *ctx, const char *text, size_t length, int depth, struct script **out,
                 struct error *err) MUSTCHECK;

typedef void extract_fn(struct extract *x, const ast_message *message);
struct extract_entry {
    enum sql_statement_kind kind;
    extract_fn *read;
};
/* Entries of the files that read them, found by the node's case; null when not theirs. */
const struct extract_entry *extract_table_entry(PgQuery__Node__NodeCase node);
const struct extract_entry *extract_object_entry(PgQuery__Node__NodeCase node);
const struct extract_entry *extract_code_entry(PgQuery__Node__NodeCase node);
const struct extract_entry *extract_session_entry(PgQuery__Node__NodeCase node);

#endif
