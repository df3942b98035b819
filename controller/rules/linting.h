/*
 * A script being linted: for rules/ and check/ only. Rules are functions over the statement, its
 * verdict and this state; they speak through found().
 */
#ifndef CONTROLLER_RULES_LINTING_H
#define CONTROLLER_RULES_LINTING_H

#include "controller/judge/judging.h"
#include "controller/rules/lint.h"

struct linter {
    const void *ctx;
    const struct lint_options *options;
    struct judge *judge;
    struct world *world;
    const struct script *script;
    struct lint_result *result;
    size_t index;              /* of the statement of the script */
    const struct statement *s; /* the one looked at: of the script, or of a body in it */
    const struct verdict *v;   /* its verdict */
    bool nested;
    struct names *makers;              /* null: not asked for yet */
    struct suppressions *suppressions; /* null: the script has none */
    size_t unit;                       /* of the options: the one that comes next */
    bool small;                        /* all that it locks is known to be small */
    bool told;                         /* by a person, not by a catalog */
    /* the session */
    bool lock_timeout, local_lock_timeout, lock_timeout_said;
    bool statement_timeout, local_statement_timeout, statement_timeout_said;
    /* the transaction */
    struct sql_texts strong;    /* relations held by DDL in a mode that stops writers */
    bool wrote;                 /* many rows were changed */
    bool after_said;            /* another lock after the first has been found */
    struct sql_texts not_valid; /* constraints added NOT VALID */
    int begin_line;
    const struct statement *last_alter; /* the statement before, if an ALTER TABLE */
    bool merge_said;                    /* that one could join the one before it */
};

/* A finding of the rule, if it is on; once per rule and statement. The rewrite may be null. */
void found(struct linter *l, const char *rule, const char *rewrite, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* The table existed before the script: null otherwise. */
struct world_table *old_table(struct linter *l, struct sql_name name);
bool in_transaction(const struct linter *l);
/* The script itself made the object. */
bool made_here(struct linter *l, const struct sql_object *object);
/* A later statement of the script makes an object of that kind and name again. */
bool made_later(struct linter *l, enum sql_object_kind kind, struct sql_name name);
/* "schema.name" or "name" quoted for SQL, as the statement wrote it. */
const char *sql_of(const void *ctx, struct sql_name name);
const char *quoted(const void *ctx, const char *name);
const char *quoted_list(const void *ctx, const struct sql_texts *names);
/* A name for something on a table, cut to what fits. */
const char *derived_name(const void *ctx, const char *table, const struct sql_texts *columns,
                         const char *suffix);

void lint_alter(struct linter *l);
void lint_column_added(struct linter *l, const struct world_table *t, const struct sql_alter *a);
void lint_constraint_added(struct linter *l, const struct world_table *t,
                           const struct sql_constraint *k);
void lint_index(struct linter *l);
void lint_create(struct linter *l);
void lint_drop(struct linter *l);
void lint_compat(struct linter *l);
void lint_data(struct linter *l);
void lint_opaque(struct linter *l);
void lint_session(struct linter *l);      /* before the state moves */
void lint_session_step(struct linter *l); /* moves the state */
void lint_session_end(struct linter *l);
void lint_transaction_over(struct linter *l);
void lint_style(struct linter *l);
void lint_catalog(struct linter *l);
void lint_catalog_end(struct linter *l, const struct statement *s);
/* Asks whether rows that are there now violate what statements demand. */
void lint_rows_asked(struct linter *l);
void lint_script_end(struct linter *l);

/* Lints with a judge that knows more than one script. What it returns must not outlive the judge.
 */
bool lint_with(const void *ctx, struct judge *judge, const char *text, size_t length,
               const struct lint_options *options, struct lint_result **out,
               struct error *err) MUSTCHECK;

/* The statement is the first of a transaction of the runner: the state moves. */
void lint_unit_enter(struct linter *l);

bool rule_is_on(const struct lint_options *options, const struct rule *rule);

/* Comments that take findings back; null when there are none. */
struct suppressions *suppressions_read(const void *ctx, const struct script *script);
/* One of them takes the finding back; it is remembered as used. */
bool suppressed(struct suppressions *all, const struct statement *statement,
                const struct rule *rule);
/* Findings about those that name no rule, or take nothing back. */
void suppressions_check(struct linter *l);

#endif
