/*
 * One statement of a script, as facts: what it is, what it touches, and the structure of the
 * DDL kinds that checks and the compiler look into. Nothing of the parser's own types shows here.
 *
 * A statement that could not be parsed has kind SQL_STMT_UNPARSED and says why in `error`; nothing
 * else of it can be relied on. Parts that do not apply are null.
 */
#ifndef CONTROLLER_SQL_STATEMENT_H
#define CONTROLLER_SQL_STATEMENT_H

#include "controller/sql/object.h"
#include "controller/sql/query.h"
#include "controller/sql/table.h"

#define SQL_STATEMENTS(X)                             \
    X(UNPARSED, "unparsed")                           \
    X(PSQL, "psql_command")                           \
    X(OTHER, "other")                                 \
    X(ALTER_TABLE, "alter_table")                     \
    X(CREATE_TABLE, "create_table")                   \
    X(CREATE_TABLE_AS, "create_table_as")             \
    X(CREATE_INDEX, "create_index")                   \
    X(DROP, "drop")                                   \
    X(RENAME, "rename")                               \
    X(SET_SCHEMA, "set_schema")                       \
    X(OWNER, "owner")                                 \
    X(CREATE_VIEW, "create_view")                     \
    X(CREATE_MATVIEW, "create_materialized_view")     \
    X(REFRESH_MATVIEW, "refresh_materialized_view")   \
    X(CREATE_FUNCTION, "create_function")             \
    X(ALTER_FUNCTION, "alter_function")               \
    X(DO, "do")                                       \
    X(CREATE_TRIGGER, "create_trigger")               \
    X(CREATE_EVENT_TRIGGER, "create_event_trigger")   \
    X(CREATE_RULE, "create_rule")                     \
    X(CREATE_POLICY, "create_policy")                 \
    X(ALTER_POLICY, "alter_policy")                   \
    X(CREATE_ENUM, "create_enum")                     \
    X(CREATE_TYPE, "create_type")                     \
    X(ALTER_ENUM, "alter_enum")                       \
    X(ALTER_TYPE, "alter_type")                       \
    X(CREATE_DOMAIN, "create_domain")                 \
    X(ALTER_DOMAIN, "alter_domain")                   \
    X(CREATE_SEQUENCE, "create_sequence")             \
    X(ALTER_SEQUENCE, "alter_sequence")               \
    X(CREATE_SCHEMA, "create_schema")                 \
    X(CREATE_EXTENSION, "create_extension")           \
    X(ALTER_EXTENSION, "alter_extension")             \
    X(COMMENT, "comment")                             \
    X(GRANT, "grant")                                 \
    X(REVOKE, "revoke")                               \
    X(DEFAULT_PRIVILEGES, "alter_default_privileges") \
    X(TRUNCATE, "truncate")                           \
    X(LOCK, "lock")                                   \
    X(VACUUM, "vacuum")                               \
    X(ANALYZE, "analyze")                             \
    X(CLUSTER, "cluster")                             \
    X(REINDEX, "reindex")                             \
    X(SELECT, "select")                               \
    X(INSERT, "insert")                               \
    X(UPDATE, "update")                               \
    X(DELETE, "delete")                               \
    X(MERGE, "merge")                                 \
    X(COPY, "copy")                                   \
    X(SET, "set")                                     \
    X(RESET, "reset")                                 \
    X(SHOW, "show")                                   \
    X(TRANSACTION, "transaction")                     \
    X(EXPLAIN, "explain")                             \
    X(PREPARE, "prepare")                             \
    X(EXECUTE, "execute")                             \
    X(CALL, "call")                                   \
    X(DISCARD, "discard")                             \
    X(CHECKPOINT, "checkpoint")                       \
    X(CREATE_STATISTICS, "create_statistics")         \
    X(CREATE_PUBLICATION, "create_publication")       \
    X(ALTER_PUBLICATION, "alter_publication")         \
    X(CREATE_SUBSCRIPTION, "create_subscription")     \
    X(ALTER_SUBSCRIPTION, "alter_subscription")       \
    X(DROP_OWNED, "drop_owned")                       \
    X(REASSIGN_OWNED, "reassign_owned")               \
    X(MOVE_ALL, "alter_all_in_tablespace")            \
    X(ROLE, "role")                                   \
    X(DATABASE, "database")                           \
    X(TABLESPACE, "tablespace")                       \
    X(ALTER_SYSTEM, "alter_system")                   \
    X(FOREIGN_DATA, "foreign_data")

enum sql_statement_kind {
#define X(id, name) SQL_STMT_##id,
    SQL_STATEMENTS(X)
#undef X
};

struct script;

/* Why a statement could not be parsed. */
struct sql_problem {
    const char *message;
    size_t offset; /* in the script */
    int line;
};

/* Functions, procedures and DO blocks. */
struct sql_body {
    const char *language;  /* lower case; "plpgsql" when a DO block names none */
    const char *text;      /* as between the quotes; null for BEGIN ATOMIC bodies */
    struct script *script; /* the static statements in it, constant EXECUTE included; null: none */
    struct sql_texts dynamic; /* EXECUTE of computed text: the expressions as written */
    const char *opaque;       /* why it cannot be seen at all; null: it was read */
    bool security_definer;
    bool sets_search_path; /* SET search_path on the function */
    bool commits;          /* transaction control inside */
    enum sql_volatility volatility;
    bool procedure;
    const char *returns; /* normalised type; null */
};

enum sql_transaction {
    SQL_TRANSACTION_NONE,
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_SAVEPOINT, /* and RELEASE, ROLLBACK TO */
    SQL_PREPARE,   /* PREPARE TRANSACTION */
    SQL_FINISH,    /* COMMIT or ROLLBACK PREPARED */
};

struct sql_grant {
    struct sql_texts privileges; /* empty: ALL */
    struct sql_texts grantees;   /* "public" for PUBLIC */
    bool all_in_schema, roles, with_option;
};

struct statement {
    size_t index; /* from 1 */
    int line;     /* from 1: of its first token */
    int end_line;
    size_t offset; /* bytes in the script: of its first token */
    size_t length; /* to its last token, without the semicolon */
    const char *sql;
    enum sql_statement_kind kind;
    const struct sql_problem *problem; /* null: parsed */
    int min_version; /* major version whose grammar it needs; 0: nothing special */

    struct sql_object *objects;
    size_t object_count;

    /* The main object: table of ALTER TABLE, CREATE TABLE, view, type, function, ... Null name:
     * none or several (DROP, TRUNCATE, GRANT: see objects with role SQL_TARGET). */
    struct sql_name name;
    enum sql_object_kind object; /* kind of the main object, or what DROP, RENAME, COMMENT name */
    const char *sub_name;  /* column, constraint, trigger, policy, rule, enum value, attribute */
    const char *new_name;  /* RENAME, SET SCHEMA, ALTER TYPE … RENAME VALUE, OWNER TO */
    const char *neighbour; /* ADD VALUE … BEFORE / AFTER */
    bool value_after;
    const char *text; /* COMMENT's text (null: removes it); LOCK's mode; REINDEX's kind; role, … */

    bool concurrently, if_exists, if_not_exists, or_replace, cascade;
    bool temporary, full, only, restart_identity, add_value, drops, analyze;
    bool nowait; /* LOCK … NOWAIT */
    bool cursor; /* DECLARE: nothing is read yet */

    struct sql_alter *alters; /* ALTER TABLE; ALTER DOMAIN: constraint in alters[0] */
    size_t alter_count;
    struct sql_table *table; /* CREATE TABLE, … AS, foreign table, composite type */
    struct sql_index *create_index;
    struct sql_query *query; /* SELECT, DML, views, CTAS, COPY (query), EXPLAIN, trigger WHEN, … */
    const char *query_text;  /* views and CTAS: the query as written */
    struct sql_body *body;   /* CREATE FUNCTION, DO */
    struct sql_grant *grant;
    struct sql_texts values; /* enum labels; SET's values; publication and vacuum options */
    const char *setting;     /* SET, RESET, ALTER SYSTEM: name; "" for RESET ALL */
    bool local;              /* SET LOCAL */
    enum sql_transaction transaction;
    bool from, program;        /* COPY FROM; PROGRAM */
    const char *file;          /* COPY's file or program; null: STDIN, STDOUT */
    size_t data_lines;         /* COPY … FROM STDIN: inline rows that follow */
    struct sql_type_def *type; /* CREATE DOMAIN */
};

/* CREATE DOMAIN. */
struct sql_type_def {
    const char *base; /* normalised */
    bool not_null;
    struct sql_expression *default_expr;
    struct sql_constraint *constraints; /* checks */
    size_t constraint_count;
};

const char *sql_statement_name(enum sql_statement_kind kind);

#endif
