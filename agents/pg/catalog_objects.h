/*
 * The objects of a catalog, as plain data: relations with their columns, constraints, indexes and
 * triggers, types, functions, sequences, and the rest. agents/pg/catalog.h holds them together,
 * says how they are read and who owns them (the catalog does), and is what other files include.
 */
#ifndef AGENTS_PG_CATALOG_OBJECTS_H
#define AGENTS_PG_CATALOG_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/pg/catalog_extra.h"
#include "agents/pg/catalog_replication.h"

struct column {
    const char *name;
    int number;       /* attnum */
    const char *type; /* format_type with typmod: "character varying(50)", "public.mood" */
    bool not_null;
    const char *default_expr; /* null: none. For generated columns the generating expression */
    char identity;            /* 0, 'a' always, 'd' by default */
    char generated;           /* 0, 's' stored, 'v' virtual (18+) */
    const char *collation;    /* null: the type's own; "schema.name" otherwise */
    const char *options;      /* of a foreign table's column: "column_name=email" joined by "," */
    const char *storage;      /* null: the type's own; else PLAIN EXTERNAL EXTENDED MAIN */
    int statistics;           /* -1 default target */
    const char *compression;  /* null: the server's default; else pglz, lz4 */
    const char *attributes;   /* of the planner: "n_distinct=-0.5" joined by ", "; null: none */
    struct catalog_texts acl; /* aclitem texts of column grants */
    const char *comment;
    bool inherited; /* the definition comes from a parent only */
};

struct constraint {
    const char *name;
    char kind; /* pg_constraint.contype: c f p u x t, n (18+) */
    struct catalog_texts columns;
    const char *definition; /* pg_get_constraintdef */
    bool validated;
    bool deferrable;
    bool deferred;
    const char *ref_schema; /* foreign keys */
    const char *ref_table;
    struct catalog_texts ref_columns;
    char on_delete, on_update; /* a r c n d */
    const char *index;         /* p u x: the index's name; f: the referenced index */
    bool inherited;            /* conislocal = false */
    const char *comment;
};

struct index {
    const char *name;
    const char *definition; /* pg_get_indexdef */
    const char *method;
    struct catalog_texts columns; /* key and included columns in order; "" for an expression */
    int key_count;                /* how many of columns are key columns */
    bool unique, primary, valid, ready;
    bool nulls_not_distinct, has_expressions;
    bool clustered;         /* CLUSTER without a name uses it */
    const char *predicate;  /* null: not partial */
    const char *constraint; /* null, or the constraint that owns it */
    const char *comment;
    int64_t bytes;
};

struct trigger {
    const char *name;
    const char *definition; /* pg_get_triggerdef */
    char enabled;           /* tgenabled: O D R A */
    const char *function;   /* "schema.name" */
};

struct policy {
    const char *name;
    char command; /* pg_policy.polcmd: r a w d * */
    bool permissive;
    struct catalog_texts roles;
    const char *using_expr;
    const char *check_expr;
};

struct relation {
    const char *schema;
    const char *name;
    char kind;        /* pg_class.relkind: r table, p partitioned, v view, m matview, f foreign */
    char persistence; /* p u t */
    const char *owner;
    struct catalog_texts acl;
    struct column *columns;
    size_t column_count;
    struct constraint *constraints;
    size_t constraint_count;
    struct index *indexes;
    size_t index_count;
    struct trigger *triggers; /* users' own; internal ones are left out */
    size_t trigger_count;
    struct policy *policies;
    size_t policy_count;
    struct extra *extras; /* of its parts, by name */
    size_t extra_count;
    struct catalog_texts rules; /* pg_get_ruledef, without the views' own _RETURN */
    /* pg_get_statisticsobjdef, its columns in the order of their names, not of their numbers */
    struct catalog_texts statistics;
    const char *definition;       /* views: pg_get_viewdef */
    struct catalog_texts options; /* reloptions, "name=value" */
    const char *partition_key;    /* pg_get_partkeydef */
    const char *partition_bound;  /* pg_get_expr(relpartbound) */
    const char *parent;           /* "schema.name" of the partitioned or inherited parent */
    const char *of_type;          /* "schema.name" of CREATE TABLE … OF; null */
    const char *tablespace;       /* null: the database's */
    const char *access_method;    /* null: heap */
    bool row_security, force_row_security;
    char replica_identity; /* d n f i */
    const char *server;    /* foreign tables */
    const char *foreign_schema, *foreign_table;
    const char *comment;
    int64_t rows;  /* estimate; -1 unknown */
    int64_t bytes; /* heap + indexes + toast, from relpages */
    /* Views: "schema.table.column" of every column they read, "schema.table.*" when they read a
     * table but none of its columns; pieces quoted where object names quote them. */
    struct catalog_texts reads;
    bool incomplete; /* some of it could not be read: see `unreadable` */
};

struct type {
    const char *schema, *name;
    char kind; /* e enum, d domain, c composite, r range */
    const char *owner;
    struct catalog_texts labels;      /* enum labels in order */
    const char *base;                 /* domain: base type; range: subtype */
    bool not_null;                    /* domain */
    const char *default_expr;         /* domain */
    struct catalog_texts constraints; /* domain: "name definition" */
    struct catalog_texts attributes;  /* composite: "name type" */
    struct catalog_texts acl;
};

struct function {
    const char *schema, *name;
    const char *arguments; /* pg_get_function_identity_arguments */
    const char *result;
    const char *language;
    char kind; /* f p a w */
    char volatility;
    bool security_definer;
    const char *body;       /* prosrc; for SQL-standard bodies the text of the body */
    const char *definition; /* pg_get_functiondef; null for aggregates and internal languages */
    struct catalog_texts config;
    const char *owner;
    struct catalog_texts acl;
    struct catalog_texts reads; /* SQL-standard bodies only, as for views */
};

struct sequence {
    const char *schema, *name;
    const char *type;
    int64_t start, increment, min, max, cache;
    bool cycle;
    const char *owned_table; /* "schema.table", null: owned by nobody */
    const char *owned_column;
    bool identity; /* belongs to an identity column */
    const char *comment;
    const char *owner;
    struct catalog_texts acl;
};

struct schema {
    const char *name, *owner;
    struct catalog_texts acl;
};

struct extension {
    const char *name, *version, *schema;
};

struct foreign_server {
    const char *name, *wrapper, *owner;
    const char *host, *port, *database; /* address only; never users, passwords, other options */
};

/* A table in which a migration tool keeps its own history (flyway_schema_history, ...). */
struct migration_history {
    const char *tool, *schema, *table;
};

/* What could not be read and why (locked by pid 812, permission denied): part of every report. */
struct unreadable {
    const char *object, *reason;
};

#endif
