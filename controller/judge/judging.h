/*
 * One statement being judged. Files judge_*.c read the statement and take locks by the table of
 * locks.h with what judging.c offers; judge_follow() then moves the judge behind it. The rules and
 * the check of plans look into a judge through this header too; nobody else does.
 */
#ifndef CONTROLLER_JUDGE_JUDGING_H
#define CONTROLLER_JUDGE_JUDGING_H

#include "controller/judge/judge.h"
#include "controller/judge/locks.h"
#include "controller/world/world.h"

struct judge {
    struct world *world;
    int version;
    bool transaction;  /* BEGIN was seen and not ended */
    bool assumed;      /* the runner's transaction is open */
    bool runner;       /* the runner opens one around the whole */
    bool hearsay;      /* what exists is only told by files */
    bool utc;          /* the session's time zone is UTC */
    int nesting;       /* statements in bodies in statements … */
    judge_ask_fn *ask; /* null: nobody */
    void *ask_data;
    int budget;    /* relations and bodies still to be looked at for this statement */
    unsigned walk; /* number of the last walk along relations, and how deep it is now */
    int walking;
    struct sql_texts prepared; /* names, and in prepared_statements the statement */
    const struct statement **prepared_statements;
};

struct judging {
    const void *ctx;
    struct judge *judge;
    struct world *world;
    const struct statement *s;
    struct verdict *v;
};

/* Says in the verdict what it takes for granted for want of a catalog. */
void judge_assumes(struct judging *g);

/* Takes a lock; the strongest of a relation stays. Null table: nothing. */
void lock_take(struct judging *g, const struct world_table *table, enum lock_mode mode,
               const char *flags);
/* The same on an index; schema null: as the world finds names. */
void index_take(struct judging *g, const char *schema, const char *name, enum lock_mode mode);
/* On the index that the statement names, where it is known or there is no catalog. */
void index_named(struct judging *g, struct sql_name name, enum lock_mode mode);
/* On every index of the table and of what is below it. */
void indexes_take(struct judging *g, const struct world_table *table, enum lock_mode mode);
/* Takes what the row says on target and other (either may be null), and its flags. */
void effect_take(struct judging *g, enum effect effect, const struct world_table *target,
                 const struct world_table *other);
/* The same on all partitions and children below the target. */
void effect_below(struct judging *g, enum effect effect, const struct world_table *target,
                  const struct world_table *other);
/* The same whether the statement says ONLY or not. Null target: nothing. */
void effect_family(struct judging *g, enum effect effect, const struct world_table *target);
/* The same on partitions, but not on tables that only inherit: each of those has its own indexes,
 * keys and triggers. */
void effect_partitions(struct judging *g, enum effect effect, const struct world_table *target,
                       const struct world_table *other);
/* Before and after following a relation to others: false when this walk came by already or the
 * statement's budget is used up. */
bool walk_enter(struct judging *g, const struct world_table *table);
void walk_leave(struct judging *g);
void tag_add(struct judging *g, unsigned tags);
/* Why the server will refuse it; the first reason stays. */
void will_fail(struct judging *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
void not_seen(struct judging *g, const char *fmt, ...) PRINTF_LIKE(2, 3);
void needs_version(struct judging *g, int version);

/* The lock on a relation that the statement makes. */
void fresh_take(struct judging *g, const char *schema, const char *name);
/* The verdict of a statement inside of this one joins it. */
void nested_judge(struct judging *g, const struct statement *inner);

/* A table by name, or a reason why it fails (unless `missing_ok`). */
struct world_table *table_of(struct judging *g, struct sql_name name, bool missing_ok);
bool is_child_of(const struct judging *g, const struct world_table *child,
                 const struct world_table *parent);
/* The volatility of a default, as far as it decides about a rewrite: user functions looked up. */
bool default_rewrites(struct judging *g, const struct sql_expression *e);

typedef void judge_fn(struct judging *g);
judge_fn judge_alter_table, judge_alter_domain, judge_alter_type;
judge_fn judge_create_table, judge_create_as, judge_create_index, judge_create_view;
judge_fn judge_drop, judge_rename, judge_owner, judge_comment, judge_grant, judge_trigger;
judge_fn judge_query, judge_copy, judge_call, judge_body, judge_execute;
judge_fn judge_maintenance, judge_truncate, judge_lock, judge_refresh, judge_sequence;
judge_fn judge_refusal;                /* adds why the server will refuse it */
judge_fn judge_unparsed, judge_unread; /* and a body that could not be read */
judge_fn judge_published, judge_enum, judge_owned, judge_schema_wide;

/* How far the server goes with a query: it looks names up (views, rules, policies, functions that
 * are made), looks into views (PREPARE), plans it with all children (EXPLAIN, cursors), runs it. */
enum query_use { QUERY_NAMED, QUERY_REWRITTEN, QUERY_PLANNED, QUERY_RUN };
/* Locks by the facts of a query. */
void query_locks(struct judging *g, const struct sql_query *query, enum query_use use);
/* Reads of a relation, and of what a view or its children are made of. */
void read_below(struct judging *g, const struct world_table *table, enum effect effect,
                enum query_use use);
/* The lock on a composite type, and on the tables made OF it. */
void composite_take(struct judging *g, struct sql_name name, bool tables);
/* The statement drops or empties this one too. */
bool is_target(const struct judging *g, const struct world_table *table);
/* The sequence that belongs to the column; null column: to any of the table. Null: none. */
struct world_table *sequence_of(struct judging *g, const struct world_table *table,
                                const char *column);
/* "schema.name" of a list. */
struct sql_name name_split(const void *ctx, const char *joined);
/* Dropping: everything that goes along. */
void drop_relation(struct judging *g, const struct world_table *table, bool cascade);

/* The statement has run: the world, the session and the transaction are as it leaves them. */
void judge_follow(struct judge *judge, const struct statement *s);

#endif
