/*
 * What a query reads and writes: SELECT and DML, data-modifying CTEs included, also inside EXPLAIN,
 * PREPARE, COPY (query), views. CTE names and aliases are resolved; names without a schema stay
 * without one.
 */
#ifndef CONTROLLER_SQL_QUERY_H
#define CONTROLLER_SQL_QUERY_H

#include "agents/base/error.h"
#include "controller/sql/object.h"

enum sql_write_kind { SQL_INSERT, SQL_UPDATE, SQL_DELETE, SQL_MERGE };

struct sql_write {
    enum sql_write_kind kind;
    struct sql_name relation;
    struct sql_texts columns;  /* assigned; empty for INSERT without a list */
    bool from_query;           /* INSERT … SELECT (not VALUES) */
    bool where;                /* has a WHERE (MERGE: always true) */
    bool bounded;              /* few rows: a key compared with constants by = or IN, a range
                                  from both sides, LIMIT, VALUES (bound.h); a MERGE that does
                                  nothing */
    struct sql_texts equal;    /* columns that must equal constants */
    bool inserts;              /* MERGE with WHEN … INSERT */
    bool deletes;              /* DELETE, or MERGE with WHEN … DELETE */
    bool only;                 /* ONLY t */
    bool conflict;             /* INSERT … ON CONFLICT */
    const char *duplicate;     /* a column set twice, or null */
    struct sql_texts compared; /* columns that the WHERE compares with constants by = < > IN … */
    struct sql_texts filter;   /* columns in the WHERE */
    struct sql_texts is_null;  /* columns c with `c IS NULL` in the WHERE */
    size_t rows;               /* INSERT … VALUES: how many */
};

struct sql_query {
    struct sql_object *reads; /* relations (column null) and columns, role SQL_READ, each once */
    size_t read_count;
    struct sql_write *writes;
    size_t write_count;
    struct sql_texts functions; /* called, "schema.name" or "name", each once */
    struct sql_texts sequences; /* literal arguments of nextval, setval, currval */
    struct sql_texts
        row_locks; /* relations under FOR UPDATE / SHARE …, as "schema.name" or "name" */
    struct sql_texts compared; /* the outermost SELECT's WHERE, as in sql_write */
    bool star;                 /* SELECT * or RETURNING * or t.* */
    bool limited;              /* the outermost has LIMIT */
    bool bounded;              /* the outermost makes few rows, as in sql_write */
    bool from;                 /* reads any relation or function in FROM */
    bool where;                /* the outermost SELECT has a WHERE */
};

/* Facts of every statement of `text` joined (usually one). Other statements than queries count
 * through the queries in them. */
bool sql_query_reads(const void *ctx, const char *text, struct sql_query **out,
                     struct error *err) MUSTCHECK;

/* The same for a function's body: LANGUAGE sql by the parser, plpgsql by its own parser (static
 * statements and constant EXECUTE). *opaque (may be null) is set when part of it cannot be seen:
 * computed EXECUTE, another language. */
bool sql_body_reads(const void *ctx, const char *language, const char *body, struct sql_query **out,
                    bool *opaque, struct error *err) MUSTCHECK;

#endif
