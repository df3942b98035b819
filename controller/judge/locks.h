/*
 * The lock table: what each kind of statement takes, as data. Measured on PostgreSQL 15, 16, 17 and
 * 18 (tests/golden/locks holds the measurements and is compared with this table by a test); 14 is
 * by its documentation and not measured.
 */
#ifndef CONTROLLER_JUDGE_LOCKS_H
#define CONTROLLER_JUDGE_LOCKS_H

#include <stdbool.h>

#include "controller/judge/judge.h"

/* Mode on the relation that a statement is about, mode on the one that it refers to, flags, first
 * and last version measured, source. R rewrites the target, S scans the target, O scans the other
 * relation, N cannot run in a transaction. */
#define EFFECTS(X)                                                                                 \
    X(ADD_COLUMN, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "add_col_nullable")                          \
    X(ADD_COLUMN_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", 15, 18, "add_col_default_random_expr")     \
    X(ADD_COLUMN_SCAN, ACCESS_EXCLUSIVE, NONE, "S", 15, 18, "add_col_check_null")                  \
    X(ADD_COLUMN_REFERENCES, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", 15, 18,                    \
      "add_col_references_null")                                                                   \
    X(ADD_COLUMN_REFERENCES_SCAN, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO", 15, 18,             \
      "add_col_references_default")                                                                \
    X(DROP_COLUMN, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18, "drop_col_fk")                  \
    X(COLUMN_METADATA, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "set_default")                          \
    X(SET_NOT_NULL, ACCESS_EXCLUSIVE, NONE, "S", 15, 18, "set_not_null")                           \
    X(SET_NOT_NULL_PROVEN, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "set_not_null_valid_check")         \
    X(TYPE_FREE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18, "type_varchar50_to_100")          \
    X(TYPE_RECHECK, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "S", 15, 18, "type_varchar_check_to_100")  \
    X(TYPE_REWRITE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "RSO", 15, 18,                             \
      "type_int_to_bigint_fk_child")                                                               \
    X(EXPRESSION_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", 17, 18, "set_expression")                  \
    X(COLUMN_STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "set_statistics")               \
    X(IDENTITY_SEQUENCE, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", 15, 18, "identity_restart")    \
    X(ADD_CHECK, ACCESS_EXCLUSIVE, NONE, "S", 15, 18, "add_check")                                 \
    X(ADD_CHECK_NOT_VALID, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "add_check_notvalid")               \
    X(ADD_FK, SHARE_ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO", 15, 18, "add_fk")                    \
    X(ADD_FK_NOT_VALID, SHARE_ROW_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", 15, 18, "add_fk_notvalid")   \
    X(ADD_UNIQUE, ACCESS_EXCLUSIVE, NONE, "S", 15, 18, "add_unique")                               \
    X(ADD_USING_INDEX, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "add_unique_using_index")               \
    X(ADD_USING_INDEX_NULLABLE, ACCESS_EXCLUSIVE, NONE, "S", 15, 18,                               \
      "add_pk_using_index_nullable")                                                               \
    X(VALIDATE, SHARE_UPDATE_EXCLUSIVE, NONE, "S", 15, 18, "validate_check")                       \
    X(VALIDATE_FK, SHARE_UPDATE_EXCLUSIVE, ROW_SHARE, "SO", 15, 18, "validate_fk")                 \
    X(VALIDATE_NOTHING, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "validate_check")                \
    X(ALTER_CONSTRAINT, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "alter_fk_deferrable")                 \
    X(ENFORCE_FK, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "SO", 18, 18, "alter_fk_enforced")        \
    X(DROP_CONSTRAINT, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18, "drop_fk")                  \
    X(ADD_UNIQUE_PARTITION, SHARE, NONE, "S", 15, 17, "partitions.cases")                          \
    X(TABLE_METADATA, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "owner_to")                              \
    X(TABLE_OPTIONS, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "set_fillfactor")                   \
    X(TABLE_OPTIONS_STRONG, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "set_user_catalog")                \
    X(TABLE_REWRITE, ACCESS_EXCLUSIVE, NONE, "RS", 15, 18, "set_unlogged")                         \
    X(TABLE_MOVE, ACCESS_EXCLUSIVE, NONE, "R", 15, 18, "set_tablespace")                           \
    X(INHERIT, ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, "", 15, 18, "inherit")                    \
    X(NO_INHERIT, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", 15, 18, "no_inherit")                        \
    X(TRIGGER_STATE, SHARE_ROW_EXCLUSIVE, NONE, "", 15, 18, "disable_trigger")                     \
    X(ATTACH, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "O", 15, 18, "attach_partition")           \
    X(ATTACH_PROVEN, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18,                         \
      "attach_partition_check")                                                                    \
    X(DETACH, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18, "detach_partition")                  \
    X(DETACH_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, ACCESS_EXCLUSIVE, "N", 15, 18,                  \
      "detach_partition_concurrently")                                                             \
    X(CREATE, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "create_table")                                  \
    X(CREATE_REFERENCES, ACCESS_EXCLUSIVE, SHARE_ROW_EXCLUSIVE, "", 15, 18, "create_table_fk")     \
    X(CREATE_LIKE, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", 15, 18, "create_table_like")                \
    X(CREATE_INHERITS, ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE, "", 15, 18,                       \
      "create_table_inherits")                                                                     \
    X(CREATE_PARTITION, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18,                            \
      "create_table_partition_of")                                                                 \
    X(CREATE_INDEX, SHARE, NONE, "S", 15, 18, "create_index")                                      \
    X(CREATE_INDEX_NOTHING, SHARE, NONE, "", 15, 18, "create_index_if_not_exists_existing")        \
    X(CREATE_INDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", 15, 18,                       \
      "create_index_concurrently")                                                                 \
    X(CREATE_INDEX_CONCURRENTLY_NOTHING, SHARE_UPDATE_EXCLUSIVE, NONE, "N", 15, 18,                \
      "create_index_concurrently")                                                                 \
    X(DROP_INDEX, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "drop_index")                                \
    X(DROP_INDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "N", 15, 18,                          \
      "drop_index_concurrently")                                                                   \
    X(REINDEX, SHARE, NONE, "S", 15, 18, "reindex_table")                                          \
    X(REINDEX_NOTHING, SHARE, NONE, "", 15, 18, "reindex_table")                                   \
    X(REINDEX_MANY, SHARE, NONE, "SN", 15, 18, "reindex_schema")                                   \
    X(REINDEX_CONCURRENTLY, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", 15, 18,                            \
      "reindex_table_concurrently")                                                                \
    X(DROP, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18, "drop_table_fk_child")                 \
    X(DROP_STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "drop_statistics")                \
    X(RENAME, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "rename_table")                                  \
    X(TRUNCATE, ACCESS_EXCLUSIVE, NONE, "R", 15, 18, "truncate")                                   \
    X(CLUSTER, ACCESS_EXCLUSIVE, NONE, "RS", 15, 18, "cluster")                                    \
    X(CLUSTER_MANY, ACCESS_EXCLUSIVE, NONE, "RSN", 15, 18, "cluster_partitioned")                  \
    X(VACUUM_FULL, ACCESS_EXCLUSIVE, NONE, "RSN", 15, 18, "vacuum_full")                           \
    X(VACUUM, SHARE_UPDATE_EXCLUSIVE, NONE, "SN", 15, 18, "vacuum")                                \
    X(ANALYZE, SHARE_UPDATE_EXCLUSIVE, NONE, "S", 15, 18, "analyze")                               \
    X(CREATE_TRIGGER, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE, "", 15, 18,                               \
      "create_constraint_trigger_from")                                                            \
    X(POLICY, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "create_policy")                                 \
    X(CREATE_RULE, ACCESS_EXCLUSIVE, NONE, "", 15, 18, "create_rule")                              \
    X(CREATE_VIEW, ACCESS_EXCLUSIVE, ACCESS_SHARE, "", 15, 18, "create_view")                      \
    X(CREATE_FROM_QUERY, ACCESS_EXCLUSIVE, ACCESS_SHARE, "O", 15, 18, "create_table_as")           \
    X(REFRESH, ACCESS_EXCLUSIVE, ACCESS_SHARE, "RSO", 15, 18, "refresh_matview")                   \
    X(REFRESH_CONCURRENTLY, EXCLUSIVE, ACCESS_SHARE, "SO", 15, 18, "refresh_matview_concurrently") \
    X(DOMAIN_SCAN, SHARE, NONE, "S", 15, 18, "domain_add_constraint")                              \
    X(COMPOSITE, ACCESS_EXCLUSIVE, ACCESS_EXCLUSIVE, "", 15, 18,                                   \
      "composite_add_attribute_typed_table")                                                       \
    X(ALTER_SEQUENCE, SHARE_ROW_EXCLUSIVE, ACCESS_SHARE, "", 15, 18, "alter_sequence_owned_by")    \
    X(COMMENT, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "comment_table")                          \
    X(COMMENT_CONSTRAINT, ACCESS_SHARE, NONE, "", 15, 18, "comment_constraint")                    \
    X(STATISTICS, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "create_statistics")                   \
    X(PUBLICATION, SHARE_UPDATE_EXCLUSIVE, NONE, "", 15, 18, "create_publication")                 \
    X(WRITE, ROW_EXCLUSIVE, NONE, "", 15, 18, "update_where_pk")                                   \
    X(WRITE_SCAN, ROW_EXCLUSIVE, NONE, "S", 15, 18, "update_all")                                  \
    X(READ, ACCESS_SHARE, NONE, "", 15, 18, "create_view")                                         \
    X(READ_SCAN, ACCESS_SHARE, NONE, "S", 15, 18, "select")                                        \
    X(LOCK_ROWS, ROW_SHARE, NONE, "", 15, 18, "select_for_update")                                 \
    X(SEQUENCE_VALUE, ROW_EXCLUSIVE, NONE, "", 15, 18, "nextval")                                  \
    X(KEY_SHARE, ROW_SHARE, NONE, "", 15, 18, "insert_fk_child")                                   \
    X(ATTACH_INDEX, ACCESS_SHARE, ACCESS_SHARE, "", 15, 18, "alter_index_attach_partition")        \
    X(GRANT, NONE, NONE, "", 15, 17, "grant_table")                                                \
    X(GRANT_18, ACCESS_SHARE, NONE, "", 18, 18, "grant_table")

enum effect {
#define X(id, mode, other, flags, first, last, source) EFFECT_##id,
    EFFECTS(X)
#undef X
        EFFECT_COUNT
};

struct lock_row {
    enum lock_mode mode;  /* on the relation that the statement is about */
    enum lock_mode other; /* on the one that it references, if any */
    const char *flags;
    int first, last;    /* the major versions that it was measured on */
    const char *source; /* id of the measurement in tests/golden/locks/truth.tsv, or a file of cases
                           in tests/truth */
};

const struct lock_row *lock_row(enum effect effect);
bool lock_row_has(enum effect effect, char flag);

/* GRANT and REVOKE lock nothing before PostgreSQL 18. */
enum effect effect_of_grant(int version);

#endif
