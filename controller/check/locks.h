/*
 * The lock table: what each kind of statement takes, as data. Measured on PostgreSQL 15, 16, 17 and
 * 18 (tests/golden/locks holds the measurements and is compared with this table by a test); 14 is
 * by its documentation and not measured.
 */
#ifndef CONTROLLER_CHECK_LOCKS_H
#define CONTROLLER_CHECK_LOCKS_H

#include <stdbool.h>

#include "controller/check/judge.h"

/* R rewrites the target, S scans the target, O scans the other relation, N cannot run in a
 * transaction. The source is the id of the measurement. */
#define EFFECTS(X)                                                                                 \
    X(ADD_COLUMN, ACCESS_EXCLUSIVE, NONE, "", "add_col_nullable")                                  \
    X(ADD_COLUMN_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", "add_col_default_random_expr")             \
    X(ADD_COLUMN_SCAN, ACCESS_EXCLUSIVE, NONE, "S", "add_col_check_null")                          \
    X(ADD_COLUMN_REFERENCES, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", "add_col_references_null") \
    X(ADD_COLUMN_REFERENCES_SCAN, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO",                     \
      "add_col_references_default")                                                                \
    X(DROP_COLUMN, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "drop_col_fk")                          \
    X(COLUMN_METADATA, ACCESS_EXCLUSIVE, NONE, "", "set_default")                                  \
    X(SET_NOT_NULL, ACCESS_EXCLUSIVE, NONE, "S", "set_not_null")                                   \
    X(SET_NOT_NULL_PROVEN, ACCESS_EXCLUSIVE, NONE, "", "set_not_null_valid_check")                 \
    X(TYPE_FREE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "type_varchar50_to_100")                  \
    X(TYPE_RECHECK, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "S", "type_varchar_check_to_100")          \
    X(TYPE_REWRITE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "RSO", "type_int_to_bigint_fk_child")      \
    X(EXPRESSION_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", "set_expression")                          \
    X(COLUMN_STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", "set_statistics")                       \
    X(IDENTITY_SEQUENCE, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", "identity_restart")            \
    X(ADD_CHECK, ACCESS_EXCLUSIVE, NONE, "S", "add_check")                                         \
    X(ADD_CHECK_NOT_VALID, ACCESS_EXCLUSIVE, NONE, "", "add_check_notvalid")                       \
    X(ADD_FK, SHARE_ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO", "add_fk")                            \
    X(ADD_FK_NOT_VALID, SHARE_ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", "add_fk_notvalid")           \
    X(ADD_UNIQUE, ACCESS_EXCLUSIVE, NONE, "S", "add_unique")                                       \
    X(ADD_USING_INDEX, ACCESS_EXCLUSIVE, NONE, "", "add_unique_using_index")                       \
    X(ADD_USING_INDEX_NULLABLE, ACCESS_EXCLUSIVE, NONE, "S", "add_pk_using_index_nullable")        \
    X(VALIDATE, SHARE_UPDATE_EXCLUSIVE, NONE, "S", "validate_check")                               \
    X(VALIDATE_FK, SHARE_UPDATE_EXCLUSIVE, ROW_SHARE, "SO", "validate_fk")                         \
    X(VALIDATE_NOTHING, SHARE_UPDATE_EXCLUSIVE, NONE, "", "validate_check")                        \
    X(ALTER_CONSTRAINT, ACCESS_EXCLUSIVE, NONE, "", "alter_fk_deferrable")                         \
    X(ENFORCE_FK, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO", "alter_fk_enforced")                \
    X(DROP_CONSTRAINT, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "drop_fk")                          \
    X(ADD_UNIQUE_PARTITION, SHARE, NONE, "S", "partitioned_add_unique")                            \
    X(TABLE_METADATA, ACCESS_EXCLUSIVE, NONE, "", "owner_to")                                      \
    X(TABLE_OPTIONS, SHARE_UPDATE_EXCLUSIVE, NONE, "", "set_fillfactor")                           \
    X(TABLE_OPTIONS_STRONG, ACCESS_EXCLUSIVE, NONE, "", "set_user_catalog")                        \
    X(TABLE_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", "set_unlogged")                                 \
    X(TABLE_MOVE, ACCESS_EXCLUSIVE, NONE, "R", "set_tablespace")                                   \
    X(INHERIT, ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, "", "inherit")                            \
    X(NO_INHERIT, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", "no_inherit")                                \
    X(TRIGGER_STATE, SHARE_ROW_EXCLUSIVE, NONE, "", "disable_trigger")                             \
    X(ATTACH, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "O", "attach_partition")                   \
    X(ATTACH_PROVEN, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "attach_partition_check")       \
    X(DETACH, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "detach_partition")                          \
    X(DETACH_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "N",                          \
      "detach_partition_concurrently")                                                             \
    X(CREATE, ACCESS_EXCLUSIVE, NONE, "", "create_table")                                          \
    X(CREATE_REFERENCES, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", "create_table_fk")             \
    X(CREATE_LIKE, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", "create_table_like")                        \
    X(CREATE_INHERITS, ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, "", "create_table_inherits")      \
    X(CREATE_PARTITION, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "create_table_partition_of")       \
    X(CREATE_INDEX, SHARE, NONE, "S", "create_index")                                              \
    X(CREATE_INDEX_NOTHING, SHARE, NONE, "", "create_index_if_not_exists_existing")                \
    X(CREATE_INDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", "create_index_concurrently")  \
    X(CREATE_INDEX_CONCURRENTLY_NOTHING, SHARE_UPDATE_EXCLUSIVE, NONE, "N",                        \
      "create_index_concurrently")                                                                 \
    X(DROP_INDEX, ACCESS_EXCLUSIVE, NONE, "", "drop_index")                                        \
    X(DROP_INDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "N", "drop_index_concurrently")       \
    X(REINDEX, SHARE, NONE, "S", "reindex_table")                                                  \
    X(REINDEX_NOTHING, SHARE, NONE, "", "reindex_table")                                           \
    X(REINDEX_MANY, SHARE, NONE, "SN", "reindex_schema")                                           \
    X(REINDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", "reindex_table_concurrently")      \
    X(DROP, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "drop_table_fk_child")                         \
    X(DROP_STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", "drop_statistics")                        \
    X(RENAME, ACCESS_EXCLUSIVE, NONE, "", "rename_table")                                          \
    X(TRUNCATE, ACCESS_EXCLUSIVE, NONE, "R", "truncate")                                           \
    X(CLUSTER, ACCESS_EXCLUSIVE, NONE, "RS", "cluster")                                            \
    X(CLUSTER_MANY, ACCESS_EXCLUSIVE, NONE, "RSN", "cluster_partitioned")                          \
    X(VACUUM_FULL, ACCESS_EXCLUSIVE, NONE, "RSN", "vacuum_full")                                   \
    X(VACUUM, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", "vacuum")                                        \
    X(ANALYZE, SHARE_UPDATE_EXCLUSIVE, NONE, "S", "analyze")                                       \
    X(CREATE_TRIGGER, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE, "", "create_constraint_trigger_from")     \
    X(POLICY, ACCESS_EXCLUSIVE, NONE, "", "create_policy")                                         \
    X(CREATE_RULE, ACCESS_EXCLUSIVE, NONE, "", "create_rule")                                      \
    X(CREATE_VIEW, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", "create_view")                              \
    X(CREATE_FROM_QUERY, ACCESS_EXCLUSIVE, ACCESS_SHARE, "O", "create_table_as")                   \
    X(REFRESH, ACCESS_EXCLUSIVE, ACCESS_SHARE, "RSO", "refresh_matview")                           \
    X(REFRESH_CONCURRENTLY, EXCLUSIVE, ACCESS_SHARE, "SO", "refresh_matview_concurrently")         \
    X(DOMAIN_SCAN, SHARE, NONE, "S", "domain_add_constraint")                                      \
    X(COMPOSITE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", "composite_add_attribute_typed_table")    \
    X(ALTER_SEQUENCE, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE, "", "alter_sequence_owned_by")            \
    X(COMMENT, SHARE_UPDATE_EXCLUSIVE, NONE, "", "comment_table")                                  \
    X(COMMENT_CONSTRAINT, ACCESS_SHARE, NONE, "", "comment_constraint")                            \
    X(STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", "create_statistics")                           \
    X(PUBLICATION, SHARE_UPDATE_EXCLUSIVE, NONE, "", "create_publication")                         \
    X(WRITE, ROW_EXCLUSIVE, NONE, "", "update_where_pk")                                           \
    X(WRITE_SCAN, ROW_EXCLUSIVE, NONE, "S", "update_all")                                          \
    X(READ, ACCESS_SHARE, NONE, "", "create_view")                                                 \
    X(READ_SCAN, ACCESS_SHARE, NONE, "S", "select")                                                \
    X(LOCK_ROWS, ROW_SHARE, NONE, "", "select_for_update")                                         \
    X(SEQUENCE_VALUE, ROW_EXCLUSIVE, NONE, "", "nextval")                                          \
    X(KEY_SHARE, ROW_SHARE, NONE, "", "insert_fk_child")                                           \
    X(ATTACH_INDEX, ACCESS_SHARE, ACCESS_SHARE, "", "alter_index_attach_partition")

enum effect {
#define X(id, mode, other, flags, source) EFFECT_##id,
    EFFECTS(X)
#undef X
};

struct lock_row {
    enum lock_mode mode;  /* on the relation that the statement is about */
    enum lock_mode other; /* on the one that it references, if any */
    const char *flags;
    int measured_from, measured_to; /* major versions */
    const char *source;             /* id of the measurement */
};

const struct lock_row *lock_row(enum effect effect);
bool lock_row_has(enum effect effect, char flag);

/* GRANT and REVOKE on a table: ACCESS SHARE from PostgreSQL 18 on, none before (grant_table). */
enum lock_mode lock_of_grant(int version);

#endif
