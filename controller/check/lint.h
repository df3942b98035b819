/*
 * The linter: a script through the judge and the rules, statement by statement, each in the state
 * that the ones before it left. Pure; what it returns is data, printed by cli/.
 *
 * Suppressed findings are left out: `-- flotilla: ignore RULE[, RULE] reason` on a statement's own
 * lines or the line before, `-- flotilla: ignore-file RULE` anywhere; squawk's own ignore comments
 * with its rule names are understood too.
 */
#ifndef CONTROLLER_CHECK_LINT_H
#define CONTROLLER_CHECK_LINT_H

#include "controller/check/judge.h"
#include "controller/check/rule.h"

struct finding {
    const struct rule *rule;
    enum severity severity;
    const char *message;
    const char *hint;        /* what to do instead */
    const char *rewrite_sql; /* the safe form as SQL; null: there is none to print */
    int line;                /* in the script */
};

struct lint_statement {
    const struct statement *statement;
    const struct verdict *verdict;
    struct finding *findings;
    size_t count;
};

struct lint_result {
    const struct script *script;
    struct lint_statement *statements;
    size_t count;
};

struct lint_rows {
    const char *table;
    int64_t rows;
};

struct lint_options {
    const struct catalog *catalog; /* may be null */
    int version;                   /* 0: the catalog's, else 15 */
    const struct lint_rows *rows;
    size_t row_count;
    bool transaction;             /* the runner puts a transaction around each script */
    bool all;                     /* every rule, or, with `only` empty, the default ones */
    const struct sql_texts *only; /* null or empty: no choice by name */
    int64_t small;                /* tables with fewer rows than this: findings of size are notes;
                                     0: 10,000 */
};

bool lint_script(const void *ctx, const char *text, size_t length,
                 const struct lint_options *options, struct lint_result **out,
                 struct error *err) MUSTCHECK;

#endif
