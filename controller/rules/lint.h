/*
 * The linter: a script through the judge and the rules, statement by statement, each in the state
 * that the ones before it left. Pure; what it returns is data, printed by cli/.
 *
 * Suppressed findings are left out: `-- flotilla: ignore RULE[, RULE] reason` on a statement's own
 * lines or in the comment before it, `-- flotilla: ignore-file RULE[, RULE] reason` for the whole
 * script; squawk's own ignore comments with its rule names are understood too. A suppression that
 * names no rule is a finding itself (suppression-unknown), and so is, for those who ask for it, one
 * that takes nothing back (suppression-unused).
 *
 * A file of a migration tool has parts that run at different times: lint_script for one way,
 * lint_parts for all of them.
 */
#ifndef CONTROLLER_RULES_LINT_H
#define CONTROLLER_RULES_LINT_H

#include "controller/judge/judge.h"
#include "controller/rules/rule.h"

struct finding {
    const struct rule *rule;
    enum severity severity;
    const char *message;
    const char *hint;        /* what to do instead */
    const char *rewrite_sql; /* the safe form as SQL; null: there is none to print */
    int line;                /* in the script */
};

/* Which part of a migration: what it does, what undoes it, what looks whether it worked. */
enum lint_way { LINT_UP, LINT_VERIFY, LINT_DOWN };

struct lint_statement {
    enum lint_way way;
    const struct statement *statement;
    const struct verdict *verdict;
    struct finding *findings;
    size_t count;
};

struct lint_result {
    int version; /* that it was linted for; of several the one that is known least */
    struct lint_statement *statements;
    size_t count;
};

struct lint_rows {
    const char *table;
    int64_t rows;
};

/* What a configuration says of one rule. */
enum lint_level { LEVEL_OFF, LEVEL_ON, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

struct lint_rule_level {
    const struct rule *rule;
    enum lint_level level;
};

/* How a runner sends statements. */
enum lint_wrap {
    WRAP_NONE,    /* one by one */
    WRAP_ALL,     /* in a transaction of its own */
    WRAP_SEVERAL, /* in one message: several statements are a transaction, a single one is none */
    WRAP_MIXED,   /* in a transaction, unless none of them could run in one (Flyway) */
};

/* A transaction of the runner begins at this byte of the script. */
struct lint_unit {
    size_t start;
    enum lint_wrap wrap;
};

/* What to make of findings in parts that are not LINT_UP. */
enum lint_down {
    DOWN_NOTE, /* what destroys or breaks is the point of undoing: silent; locks and scans are
                  notes; what will fail stays what it is */
    DOWN_FULL, /* as if it went up */
    DOWN_SKIP, /* none */
};

/* Somebody in another service who reads something of this database. */
struct lint_outside {
    const char *schema, *name;
    const char *column; /* null: the whole */
    const char *reader; /* "billing: foreign table public.users" */
};

struct lint_options {
    const struct catalog *catalog; /* may be null */
    int version;                   /* 0: the catalog's, else 15 */
    const struct lint_rows *rows;
    size_t row_count;
    const struct lint_outside *outside;
    size_t outside_count;
    /* The answer to a question of lint_probe.h; -1: none. Null: there is nobody to ask. */
    int64_t (*count)(void *data, const char *sql);
    void *count_data;
    judge_ask_fn *ask; /* as judge_ask */
    void *ask_data;
    bool transaction;              /* the runner puts a transaction around each script */
    const struct lint_unit *units; /* instead of `transaction`, in the order of their bytes */
    size_t unit_count;
    const struct lint_rule_level *levels; /* win over `all` */
    size_t level_count;
    bool chosen;  /* `all` and `only` were asked for: levels turn no rule on or off */
    bool partial; /* the script is one part of a file */
    enum lint_down down;
    const char *disorder;         /* why the file is out of its order; null */
    bool all;                     /* every rule, or, with `only` empty, the default ones */
    const struct sql_texts *only; /* null or empty: no choice by name */
    struct judge *judge;          /* has followed what ran before the way up; null: a new one */
    int64_t small;                /* tables with fewer rows than this: findings of size are notes;
                                     0: 10,000 */
};

/* A judge as the options want it. */
struct judge *lint_judge(const void *ctx, const struct lint_options *options);

bool lint_script(const void *ctx, const char *text, size_t length,
                 const struct lint_options *options, struct lint_result **out,
                 struct error *err) MUSTCHECK;

/* The same script linted for another database joins the result: what is true of any is said, with
 * `where` in front of what is only true there. Texts of `from` are shared. */
void lint_merge(const void *ctx, struct lint_result *into, const struct lint_result *from,
                const char *where);

/* One way through a file: the file's text with everything else blanked out. */
struct lint_part {
    enum lint_way way;
    const char *text;
    struct lint_unit *units;
    size_t unit_count;
};

/* Parts in the order in which they run; all have `length` bytes. The statements come back in the
 * file's order. */
bool lint_parts(const void *ctx, const struct lint_part *parts, size_t count, size_t length,
                const struct lint_options *options, struct lint_result **out,
                struct error *err) MUSTCHECK;

#endif
