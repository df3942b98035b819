/*
 * Facts of table definitions: columns, constraints, indexes, and the sub-commands of ALTER TABLE.
 * Texts are spans of what was written; types are normalised (see expression.h).
 */
#ifndef CONTROLLER_SQL_TABLE_H
#define CONTROLLER_SQL_TABLE_H

#include "controller/sql/expression.h"
#include "controller/sql/object.h"

struct sql_constraint {
    char kind;              /* p primary, u unique, c check, f foreign key, x exclude, n not null */
    const char *name;       /* null: not named */
    const char *definition; /* text from the keyword on ("CHECK (a > 0) NOT VALID"), without name */
    struct sql_texts columns;
    struct sql_texts include;
    struct sql_expression *expression; /* check */
    struct sql_name ref;               /* foreign key */
    struct sql_texts ref_columns;      /* may be empty: the primary key */
    char on_delete, on_update;         /* a r c n d as in pg_constraint */
    char match;                        /* s f p */
    const char *using_index;
    const char *method; /* exclude */
    bool not_valid;
    bool not_enforced; /* 18 */
    bool deferrable, initially_deferred;
    bool nulls_not_distinct;
    bool no_inherit;
    bool is_inline; /* written at a column */
};

struct sql_column {
    const char *name;
    const char *type;      /* normalised: "bigint", "character varying(50)", "bigserial" */
    const char *type_text; /* as written */
    const char *collation; /* "C", "pg_catalog.C"; null */
    bool not_null;         /* NOT NULL or PRIMARY KEY written here */
    bool null;             /* NULL written */
    bool serial;
    struct sql_expression *default_expr;
    char identity;                   /* 0 a d */
    char generated;                  /* 0 s v */
    struct sql_expression *generate; /* the generating expression */
    const char *compression, *storage;
    struct sql_constraint *constraints; /* written at the column: p u c f, is_inline */
    size_t constraint_count;
};

struct sql_index_key {
    const char *column;                /* null: an expression */
    struct sql_expression *expression; /* null: a column */
    const char *opclass, *collation;
    bool descending;
    char nulls; /* 0, 'f' first, 'l' last */
};

struct sql_index {
    const char *name; /* null: not named */
    struct sql_name table;
    const char *method; /* "btree" when not written */
    struct sql_index_key *keys;
    size_t key_count;
    struct sql_texts include;
    struct sql_expression *where;
    const char *with; /* storage parameters as "name=value, ..."; null */
    bool unique, concurrently, if_not_exists, only, nulls_not_distinct;
};

/* Sub-commands; the names are what `--format json` shows. */
#define SQL_ALTERS(X)                             \
    X(OTHER, "other")                             \
    X(ADD_COLUMN, "add_column")                   \
    X(DROP_COLUMN, "drop_column")                 \
    X(SET_DEFAULT, "set_default")                 \
    X(DROP_DEFAULT, "drop_default")               \
    X(SET_NOT_NULL, "set_not_null")               \
    X(DROP_NOT_NULL, "drop_not_null")             \
    X(SET_TYPE, "set_type")                       \
    X(SET_EXPRESSION, "set_expression")           \
    X(DROP_EXPRESSION, "drop_expression")         \
    X(ADD_IDENTITY, "add_identity")               \
    X(SET_IDENTITY, "set_identity")               \
    X(DROP_IDENTITY, "drop_identity")             \
    X(SET_STATISTICS, "set_statistics")           \
    X(SET_STORAGE, "set_storage")                 \
    X(SET_COMPRESSION, "set_compression")         \
    X(SET_COLUMN_OPTIONS, "set_column_options")   \
    X(FOREIGN_OPTIONS, "foreign_options")         \
    X(ADD_CONSTRAINT, "add_constraint")           \
    X(ALTER_CONSTRAINT, "alter_constraint")       \
    X(VALIDATE_CONSTRAINT, "validate_constraint") \
    X(DROP_CONSTRAINT, "drop_constraint")         \
    X(OWNER, "owner")                             \
    X(CLUSTER_ON, "cluster_on")                   \
    X(SET_LOGGED, "set_logged")                   \
    X(SET_UNLOGGED, "set_unlogged")               \
    X(SET_ACCESS_METHOD, "set_access_method")     \
    X(SET_TABLESPACE, "set_tablespace")           \
    X(SET_OPTIONS, "set_options")                 \
    X(ENABLE_TRIGGER, "enable_trigger")           \
    X(DISABLE_TRIGGER, "disable_trigger")         \
    X(RULE_STATE, "rule_state")                   \
    X(INHERIT, "inherit")                         \
    X(NO_INHERIT, "no_inherit")                   \
    X(OF_TYPE, "of_type")                         \
    X(REPLICA_IDENTITY, "replica_identity")       \
    X(ROW_SECURITY, "row_security")               \
    X(ATTACH_PARTITION, "attach_partition")       \
    X(DETACH_PARTITION, "detach_partition")       \
    X(SPLIT_PARTITION, "split_partition")         \
    X(ATTRIBUTE, "attribute")

enum sql_alter_kind {
#define X(id, name) SQL_ALTER_##id,
    SQL_ALTERS(X)
#undef X
};

struct sql_alter {
    enum sql_alter_kind kind;
    const char *column;                /* the column it is about */
    const char *name;                  /* constraint, trigger, index, tablespace, owner, ... */
    struct sql_column *definition;     /* ADD_COLUMN */
    struct sql_constraint *constraint; /* ADD_CONSTRAINT, ALTER_CONSTRAINT */
    const char *type;                  /* SET_TYPE: normalised */
    const char *type_text;             /* SET_TYPE: as written */
    const char *collation;             /* SET_TYPE */
    struct sql_expression *expression; /* SET_DEFAULT, SET_TYPE's USING, SET_EXPRESSION */
    char identity;                     /* ADD_IDENTITY, SET_IDENTITY: a d, 0: other options */
    struct sql_name other;             /* ATTACH, DETACH: the partition; INHERIT: the parent */
    const char *bound;                 /* ATTACH: "FOR VALUES …" or "DEFAULT" */
    bool is_default;                   /* ATTACH: the default partition */
    bool concurrently, finalize;       /* DETACH */
    bool if_exists, if_not_exists;
    bool cascade;
    bool restart;        /* SET_IDENTITY … RESTART */
    char state;          /* triggers, rules, row security: 'e' enable 'd' disable 'a' always
                            'r' replica 'f' force 'n' no force; replica identity: d n f i */
    bool all;            /* triggers: ALL or USER */
    const char *options; /* SET_OPTIONS, SET_COLUMN_OPTIONS, FOREIGN_OPTIONS: as written */
    const char *sql;     /* the sub-command as written */
};

struct sql_table {
    struct sql_column *columns;
    size_t column_count;
    struct sql_constraint *constraints; /* table constraints only */
    size_t constraint_count;
    struct sql_name *like; /* LIKE t … */
    struct sql_like {
        bool defaults, identity; /* INCLUDING … */
    } * like_takes;              /* as many */
    size_t like_count;
    struct sql_name *inherits;
    size_t inherit_count;
    struct sql_name partition_of;
    const char *bound;        /* PARTITION OF: "FOR VALUES …" or "DEFAULT" */
    bool is_default;          /* PARTITION OF … DEFAULT */
    const char *partition_by; /* "RANGE (created_at)"; null */
    struct sql_name of_type;
    const char *server; /* CREATE FOREIGN TABLE */
    char persistence;   /* p u t */
    bool as_query;      /* CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW */
    bool with_data;
};

#endif
