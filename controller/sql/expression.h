/*
 * Scalar expressions and type names, as facts. Expressions are kept as the text that was written
 * (never deparsed), with what can be said of them without a catalog.
 */
#ifndef CONTROLLER_SQL_EXPRESSION_H
#define CONTROLLER_SQL_EXPRESSION_H

#include "agents/base/error.h"
#include "controller/sql/object.h"

/* IMMUTABLE and STABLE: every function in it is a known built-in of that class (or there is none).
 * VOLATILE: one known volatile built-in at least. UNKNOWN: a function that only a catalog knows. */
enum sql_volatility {
    SQL_IMMUTABLE,
    SQL_STABLE,
    SQL_UNKNOWN,
    SQL_VOLATILE,
};

struct sql_expression {
    const char *text;
    enum sql_volatility volatility;
    bool constant;              /* a literal, perhaps cast */
    bool null;                  /* the literal NULL, perhaps cast */
    const char *value;          /* the literal's text; null for other expressions */
    bool subselect;             /* holds a query */
    bool aggregate;             /* holds a well-known aggregate or a window function */
    bool parameter;             /* holds $1 */
    struct sql_texts columns;   /* each once; the last name of "t.a", "*" for a star */
    struct sql_texts qualified; /* the same list as written: "t.a" */
    struct sql_texts functions; /* each once, "schema.name" or "name" */
    struct sql_texts unknown;   /* those of `functions` whose volatility is not known */
    struct sql_texts sequences; /* literal arguments of nextval */
    struct sql_texts types;     /* types cast to, normalised */
    struct sql_texts not_null;  /* columns c for which the expression is false when c is null, by
                                   `c IS NOT NULL` joined with AND: proof for SET NOT NULL */
};

/* Exactly one scalar expression, no statement, no second expression behind a comma or semicolon.
 * Parentheses around are fine. */
bool sql_expression_check(const void *ctx, const char *text, struct sql_expression **out,
                          struct error *err) MUSTCHECK;

/* What pg_catalog.format_type prints for a written type: "int8" → "bigint", "varchar(50)" →
 * "character varying(50)", "timestamptz[]" → "timestamp with time zone[]", "mood" → "mood",
 * "app.mood" → "app.mood". serial types stay as written ("bigserial"). */
bool sql_type_normalise(const void *ctx, const char *text, const char **out,
                        struct error *err) MUSTCHECK;

/* Volatility of a built-in function by its name without schema; SQL_UNKNOWN when not one of ours.*/
enum sql_volatility sql_function_volatility(const char *name);

#endif
