/*
 * The database as the script sees it: the catalog (if there is one) with the statements so far
 * applied. Tables that neither the catalog nor the script knows are made up on first mention when
 * there is no catalog (`known` = false: nothing is known of their columns).
 *
 * It is a picture, not an opinion: what a statement costs is the judge's, what to think of it the
 * rules'.
 */
#ifndef CONTROLLER_WORLD_WORLD_H
#define CONTROLLER_WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/pg/catalog.h"
#include "controller/sql/script.h"

struct world_column {
    const char *name, *type;
    unsigned id; /* stays through renames; of no other column of this world */
    bool not_null, has_default, fresh;
    char generated, identity;
    bool inherited; /* it comes from a parent */
    const char *collation;
    struct sql_texts sequences; /* that its default takes numbers from */
    struct sql_texts uses;      /* generated: the columns in its expression */
    const char *generate;       /* a catalog's generated column: its expression */
};

struct world_constraint {
    const char *name;
    char kind;
    struct sql_texts columns;  /* a check: the columns in its expression */
    struct sql_texts not_null; /* a check: columns that it proves not null */
    const char *text;          /* definition */
    bool validated, fresh;
    bool prepared; /* columns and not_null of a check are filled in */
    struct sql_name ref;
    struct sql_texts ref_columns;
    const char *index;
    char on_delete;
};

struct world_index {
    const char *schema, *name;
    const char *text;         /* definition of a catalog's index */
    struct sql_texts columns; /* keys in order; "" for an expression */
    struct sql_texts uses;    /* columns in expressions and predicate */
    bool unique, valid, expression, partial, fresh, prepared, clustered;
    const char *constraint;
};

struct world_trigger {
    const char *name;
    struct sql_texts columns; /* UPDATE OF */
    const char *function;
};

struct world_policy {
    const char *name;
    struct sql_texts columns; /* in its expressions */
};

struct world_table {
    const char *schema, *name;
    unsigned id; /* stays through renames */
    char kind;   /* relkind: r p v m f S; c composite type */
    bool known;  /* its columns are known */
    bool fresh;  /* made by this script */
    bool gone, unlogged, temporary, foreign_rows, rows_told /* by a person */;
    int64_t rows, bytes; /* -1 unknown */
    struct world_column *columns;
    size_t column_count;
    struct world_constraint *constraints;
    size_t constraint_count;
    struct sql_texts
        validated_unseen; /* constraints validated here whose definition is not known */
    struct world_index *indexes;
    size_t index_count;
    struct world_trigger *triggers;
    size_t trigger_count;
    struct sql_name *parents; /* partitioned or inherited from */
    size_t parent_count;
    bool is_default;          /* the default partition */
    const char *bound;        /* partition */
    const char *partition_by; /* "RANGE (k)" */
    struct world_policy *policies;
    size_t policy_count;
    struct sql_texts rules, statistics;
    const char *tablespace, *access_method; /* null: the usual one */
    const char *server;                     /* foreign table */
    struct sql_object *reads;               /* view: relations and columns */
    size_t read_count;
    struct sql_name owner_table; /* sequence: OWNED BY */
    const char *owner_column;
    struct sql_name of_type;
    const char *role; /* owner */
    char replica_identity;
    bool row_security;
    bool child;      /* it has, or had, a parent */
    unsigned walk;   /* the last walk that came by: circles end there */
    const char *key; /* "schema.name" */
};

struct world_type {
    const char *schema, *name;
    char kind; /* e d c */
    const char *base;
    bool known; /* from a catalog */
    bool constrained, fresh, gone;
    struct sql_texts added;     /* enum values added in the open transaction */
    bool made_here;             /* created in the open transaction */
    struct sql_texts checks;    /* constraint names */
    struct sql_texts not_valid; /* those not validated */
    const char *extension;
};

struct world_function {
    const char *schema, *name, *language;
    enum sql_volatility volatility;
    bool fresh, replaced_body;
    const char *definition; /* of a catalog's function; read when it is first asked for */
    struct script *body;    /* what it runs, as far as it can be seen; null: unknown */
    const char *opaque;     /* why some of it cannot be seen; null */
    bool commits;
    bool fenced; /* SECURITY DEFINER or SET: never inlined */
};

struct world; /* see world_private parts in world.c */

struct world *world_new(const void *ctx, const struct catalog *catalog);
void world_settle(struct world *world);
/* What has taken the name of something that was there before is in use like that. */
void world_settle_remade(struct world *world);
/* The next number for a column or table. */
unsigned world_id(struct world *world);
void world_assume_rows(struct world *world, const char *table, int64_t rows);
bool world_has_catalog(const struct world *world);
const struct catalog *world_catalog(const struct world *world);
/* Where things without a schema are looked for and made. */
const char *world_schema(const struct world *world);
void world_set_schema(struct world *world, const char *schema);
const void *world_context(const struct world *world);
/* The table of that name. Null: there is none (catalog known, or dropped by the script). Without a
 * catalog one is made up. */
struct world_table *world_table(struct world *world, struct sql_name name);
/* The same, but never made up. */
struct world_table *world_find(struct world *world, struct sql_name name);
struct world_table *world_make(struct world *world, struct sql_name name, char kind);
/* All tables that are known, in no order: `for (i = 0; (t = world_at(w, i)); i++)`. */
struct world_table *world_at(struct world *world, size_t i);
/* Those of them that have, or had, a parent, in the same way. */
struct world_table *world_child_at(struct world *world, size_t i);
/* Whoever gives a table a parent, or an index a name, says so. */
void world_note_child(struct world *world, struct world_table *table);
void world_note_index(struct world *world, struct world_table *table,
                      const struct world_index *index);
void world_rename(struct world *world, struct world_table *table, struct sql_name to);
/* The same with everything that follows in the server: keys, checks, indexes, views that read it.
 */
void world_rename_table(struct world *world, struct world_table *table, struct sql_name to);
void world_rename_schema(struct world *world, const char *from, const char *to);
void world_rename_column(struct world *world, struct world_table *table, const char *from,
                         const char *to);

struct world_type *world_type(struct world *world, struct sql_name name);
struct world_type *world_make_type(struct world *world, struct sql_name name, char kind);
struct world_type *world_type_at(struct world *world, size_t i);
/* The domain, or one that it is made of, has a constraint. */
bool world_type_constrained(struct world *world, const struct world_type *type);
struct world_function *world_function(struct world *world, struct sql_name name);
struct world_function *world_make_function(struct world *world, struct sql_name name);

/* Its body: parsed when first asked. */
void function_prepare(struct world *world, struct world_function *function);

/* The table that has the index of that name; *index is it. */
struct world_table *world_index(struct world *world, struct sql_name name,
                                struct world_index **index);

struct world_column *table_column(const struct world_table *table, const char *name);
struct world_constraint *table_constraint(const struct world_table *table, const char *name);
bool table_has_policy(const struct world_table *table, const char *name);
bool table_policy_uses(const struct world_table *table, const char *column);
struct world_constraint *table_primary(const struct world_table *table);
const char *table_key(const void *ctx, const struct world_table *table); /* "schema.name" */
bool table_is(const struct world_table *table, const struct world *world, struct sql_name name);

/* Columns and proofs of a check, columns of an index's expressions: parsed when first asked. */
void constraint_prepare(struct world *world, struct world_constraint *constraint);
void index_prepare(struct world *world, struct world_index *index);

#endif
