/*
 * What the files that read the catalog share (catalog_read*.c); nobody else includes it.
 *
 * The lists of parts are read first, raw. Every text that a format function must give becomes a
 * `slot`; catalog_read_slots() fills all slots in batches and keeps away from locked relations.
 */
#ifndef AGENTS_PG_CATALOG_READER_H
#define AGENTS_PG_CATALOG_READER_H

#include <stdint.h>

#include "agents/pg/catalog.h"
#include "agents/pg/connection.h"

struct oids {
    uint32_t *items;
    size_t count;
};

/* A relation of the catalog by its oid. */
struct place {
    uint32_t oid;
    struct relation *relation;
    struct place *parent; /* partitioned or inherited from; null */
    bool rows_known;      /* of a partitioned table: it was analyzed itself */
    struct oids reads;    /* relations that its view definition reads */
};

#define SLOT_KINDS(X)                                                                             \
    X(GENERATION, "generated column",                                                             \
      "pg_get_expr(d.adbin, d.adrelid) FROM ids JOIN pg_attrdef d ON d.oid = o")                  \
    X(CONSTRAINT, "constraint", "pg_get_constraintdef(o) FROM ids")                               \
    X(INDEX, "index", "pg_get_indexdef(o) FROM ids")                                              \
    X(PREDICATE, "predicate of index",                                                            \
      "pg_get_expr(d.indpred, d.indrelid) FROM ids JOIN pg_index d ON d.indexrelid = o")          \
    X(TRIGGER, "trigger", "pg_get_triggerdef(o) FROM ids")                                        \
    X(USING, "policy",                                                                            \
      "pg_get_expr(d.polqual, d.polrelid) FROM ids JOIN pg_policy d ON d.oid = o")                \
    X(CHECK, "policy",                                                                            \
      "pg_get_expr(d.polwithcheck, d.polrelid) FROM ids JOIN pg_policy d ON d.oid = o")           \
    X(RULE, "rule", "pg_get_ruledef(o) FROM ids")                                                 \
    X(STATISTICS, "statistics",                                                                   \
      "coalesce(replace(pg_get_statisticsobjdef(o), ' ON ' || c.at, ' ON ' || c.name),"           \
      " pg_get_statisticsobjdef(o)) FROM ids JOIN pg_statistic_ext d ON d.oid = o"                \
      " CROSS JOIN LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS at," \
      " string_agg(quote_ident(attname), ', ' ORDER BY attname COLLATE \"C\") AS name"            \
      " FROM pg_attribute WHERE attrelid = d.stxrelid AND attnum = ANY (d.stxkeys)) c")           \
    X(VIEW, "definition of", "pg_get_viewdef(o) FROM ids")                                        \
    X(PARTITION_KEY, "partition key of", "pg_get_partkeydef(o) FROM ids")                         \
    X(FILTER, "publication",                                                                      \
      "pg_get_expr(d.prqual, d.prrelid) FROM ids JOIN pg_publication_rel d ON d.oid = o")         \
    X(FUNCTION, "function", "pg_get_functiondef(o) FROM ids")                                     \
    X(BODY, "function", "pg_get_function_sqlbody(o) FROM ids")

enum slot_kind {
#define X(id, label, sql) SLOT_##id,
    SLOT_KINDS(X)
#undef X
        SLOT_KIND_COUNT
};

struct slot {
    uint32_t oid;
    const struct place *place; /* the relation that it belongs to; null for functions */
    const char *name;          /* of the part: "status" */
    const char **target;
    struct oids reads; /* functions: relations that the body reads */
};

struct slots {
    struct slot *items;
    size_t count;
};

struct reader {
    struct connection *pg;
    struct catalog *catalog; /* owns what is read */
    void *tmp;
    int version;
    const char *xmin;     /* of the transaction's snapshot */
    struct place *places; /* by oid */
    size_t place_count;
    struct slots slots[SLOT_KIND_COUNT];
    bool moved; /* something was dropped while we read */
};

/* Runs a query whose text may name the schemas of users as `spaces(oid, nspname)`. */
bool reader_query(struct reader *reader, const char *sql, struct rows **out,
                  struct error *err) MUSTCHECK;

struct place *reader_place(const struct reader *reader, uint32_t oid);
/* Pieces of a row, owned by the catalog. */
const char *reader_text(const struct reader *reader, const struct rows *rows, size_t row,
                        size_t col);
struct catalog_texts reader_texts(const struct reader *reader, const struct rows *rows, size_t row,
                                  size_t col);
uint32_t reader_oid(const struct rows *rows, size_t row, size_t col);
char reader_char(const struct rows *rows, size_t row, size_t col); /* 0: null or empty */
/* Column names of a relation for a list of attribute numbers ("{1,3}" or "1 3"); 0 becomes "". */
struct catalog_texts reader_columns(const struct reader *reader, const struct place *place,
                                    const char *numbers);
/* "schema.table.column" of a column a view or function reads. */
const char *reader_read_name(const struct reader *reader, const struct place *place, int number);

/* How many rows from `row` on have the same value in column 0. */
size_t reader_group(const struct rows *rows, size_t row);

void reader_slot(struct reader *reader, enum slot_kind kind, struct slot slot);
void reader_unreadable(struct reader *reader, const char *object, const char *reason);

/* Equal before and after a read: nothing changed meanwhile. `xmin` is that of the snapshot that the
 * read works with. */
bool catalog_mark(const void *ctx, struct connection *connection, const char *xmin,
                  const char **out, struct error *err) MUSTCHECK;
bool catalog_read_relations(struct reader *reader, struct error *err) MUSTCHECK;
extern const char catalog_extras_sql[]; /* relation, name, sql of each struct extra */
bool catalog_read_event_triggers(struct reader *reader, struct error *err) MUSTCHECK;
bool catalog_read_parts(struct reader *reader, struct error *err) MUSTCHECK;
bool catalog_read_types(struct reader *reader, struct error *err) MUSTCHECK;
bool catalog_read_functions(struct reader *reader, struct error *err) MUSTCHECK;
/* Sequences, schemas, extensions, foreign servers. */
bool catalog_read_database(struct reader *reader, struct error *err) MUSTCHECK;
/* Publications and subscriptions. */
bool catalog_read_replication(struct reader *reader, struct error *err) MUSTCHECK;
bool catalog_read_slots(struct reader *reader, struct error *err) MUSTCHECK;
void catalog_find_histories(struct reader *reader);

#endif
