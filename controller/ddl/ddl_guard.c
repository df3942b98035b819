#include "controller/ddl/ddl_guard.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* --- the form -------------------------------------------------------------------------------- */

struct reading {
    const void *ctx;
    struct sql_piece piece; /* the one at hand */
};

static void step(struct reading *r)
{
    r->piece = sql_piece_next(r->ctx, r->piece.start + r->piece.length);
}

static bool is(const struct reading *r, const char *word)
{
    return r->piece.word ? !r->piece.quoted && text_eq(r->piece.name, word)
                         : r->piece.length == strlen(word) && text_starts(r->piece.start, word);
}

static bool take(struct reading *r, const char *word)
{
    bool found = is(r, word);
    if (found) {
        step(r);
    }
    return found;
}

/* A plain literal's value; null: something else. */
static const char *take_literal(struct reading *r)
{
    const char *start = r->piece.start;
    size_t length = r->piece.length;
    if (r->piece.word || length < 2 || *start != '\'' ||
        memchr(start + 1, '\'', length - 2) != NULL) {
        return NULL;
    }
    step(r);
    return mem_textn(r->ctx, start + 1, length - 2);
}

/* What the question compares, by the names that the catalog's views have for it. */
struct question {
    const char *view, *name, *schema, *table, *column;
    bool negated;
};

/* A view, the column that names what is asked for, and those that say where it is. */
static const struct {
    const char *view, *name, *schema, *table;
} known[] = {
    { "table_constraints", "constraint_name", "table_schema", "table_name" },
    { "constraint_column_usage", "constraint_name", "table_schema", "table_name" },
    { "key_column_usage", "constraint_name", NULL, "table_name" },
    { "pg_constraint", "conname", NULL, "conrelid" },
    { "columns", "column_name", "table_schema", "table_name" },
    { "tables", "table_name", "table_schema", NULL },
    { "pg_tables", "tablename", "schemaname", NULL },
    { "pg_indexes", "indexname", "schemaname", "tablename" },
    { "pg_type", "typname", NULL, NULL },
    { "pg_namespace", "nspname", NULL, NULL },
    { "schemata", "schema_name", NULL, NULL },
    { "pg_extension", "extname", NULL, NULL },
};

static bool compared(struct question *q, size_t view, const char *column, const char *value)
{
    const char **place = text_eq(column, known[view].name)                           ? &q->name
                         : known[view].schema && text_eq(column, known[view].schema) ? &q->schema
                         : known[view].table && text_eq(column, known[view].table)   ? &q->table
                                                                                     : NULL;
    if (!place || *place || !value) {
        return false;
    }
    *place = value;
    return true;
}

/* [alias.]column = 'value'[::regclass] [AND …] ")" */
static bool conditions(struct reading *r, struct question *q, size_t view)
{
    do {
        const char *column = r->piece.word ? r->piece.name : NULL;
        step(r);
        if (take(r, ".")) {
            column = r->piece.word ? r->piece.name : NULL;
            step(r);
        }
        if (!column || !take(r, "=") || !compared(q, view, column, take_literal(r))) {
            return false;
        }
        if (take(r, "::") || take(r, ":")) {
            (void)take(r, ":");
            step(r);
        }
    } while (take(r, "and"));
    return take(r, ")");
}

/* SELECT … FROM [schema.]view [[AS] alias]: its place in the list above. */
static bool source(struct reading *r, struct question *q, size_t *view)
{
    while (r->piece.length && !is(r, "from") && !is(r, "(") && !is(r, ")")) {
        step(r);
    }
    if (!take(r, "from")) {
        return false;
    }
    if (take(r, "information_schema") || take(r, "pg_catalog")) {
        (void)take(r, ".");
    }
    q->view = r->piece.word ? r->piece.name : "";
    step(r);
    if (!is(r, "where")) {
        (void)take(r, "as");
        step(r);
    }
    *view = 0;
    while (*view < sizeof known / sizeof *known && !text_eq(q->view, known[*view].view)) {
        ++*view;
    }
    return *view < sizeof known / sizeof *known;
}

static bool asks(struct reading *r, struct question *q, size_t *view)
{
    if (!take(r, "begin") || !take(r, "if")) {
        return false;
    }
    q->negated = take(r, "not");
    return take(r, "exists") && take(r, "(") && take(r, "select") && source(r, q, view) &&
           take(r, "where") && conditions(r, q, *view) && take(r, "then");
}

/* Statements of SQL, END IF, END, and nothing else. */
static bool plain_to_the_end(struct reading *r)
{
    static const char *const control[] = { "if",     "else",    "elsif",   "elseif",
                                           "loop",   "for",     "foreach", "while",
                                           "case",   "execute", "raise",   "perform",
                                           "return", "begin",   "declare", "exception" };
    bool start = true;
    for (; r->piece.length; step(r)) {
        if (start && take(r, "end") && take(r, "if")) {
            (void)take(r, ";");
            return take(r, "end") && (take(r, ";") || true) && r->piece.length == 0;
        }
        for (size_t i = 0; start && i < sizeof control / sizeof *control; i++) {
            if (is(r, control[i])) {
                return false;
            }
        }
        start = is(r, ";");
    }
    return false;
}

/* --- the answer ------------------------------------------------------------------------------ */

static bool in_schema(const struct question *q, const char *schema)
{
    return !q->schema || text_eq(q->schema, schema);
}

/* "t" and "s.t", as regclass reads them. */
static bool on_table(const struct ddl *d, const struct question *q, const struct relation *r)
{
    struct object_name name;
    struct error ignored;
    /* the usage view names the table that a foreign key points to */
    if (!q->table || text_eq(q->table, r->name) || text_eq(q->view, "constraint_column_usage")) {
        return true;
    }
    return text_eq(q->view, "pg_constraint") &&
           object_name_parse(d->work->ctx, q->table, &name, &ignored) &&
           text_eq(name.name, r->name) && (!name.schema || text_eq(name.schema, r->schema));
}

static bool relation_answers(const struct question *q, size_t view, struct relation *r)
{
    switch (view) {
    case 0:
    case 1:
    case 2:
    case 3: return relation_constraint(r, q->name) != NULL;
    case 4: return relation_column(r, q->name) != NULL;
    case 5:
    case 6: return text_eq(r->name, q->name);
    case 7: return relation_index(r, q->name) != NULL;
    default: return false;
    }
}

static bool is_there(const struct ddl *d, const struct question *q, size_t view)
{
    const struct catalog *catalog = d->work->home->catalog;
    bool found = false;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *r = &catalog->relations[i];
        found =
            found || (in_schema(q, r->schema) && on_table(d, q, r) && relation_answers(q, view, r));
    }
    for (size_t i = 0; i < catalog->type_count && view == 8; i++) {
        found = found || text_eq(catalog->types[i].name, q->name);
    }
    for (size_t i = 0; i < catalog->schema_count && (view == 9 || view == 10); i++) {
        found = found || text_eq(catalog->schemas[i].name, q->name);
    }
    for (size_t i = 0; i < catalog->extension_count && view == 11; i++) {
        found = found || text_eq(catalog->extensions[i].name, q->name);
    }
    return found;
}

enum guard ddl_guard(const struct ddl *d, const char *body, const char **asked)
{
    struct question q = { 0 };
    struct reading r = { d->work->ctx, sql_piece_next(d->work->ctx, body) };
    size_t view;
    if (!asks(&r, &q, &view) || !q.name || !plain_to_the_end(&r)) {
        return GUARD_OPEN;
    }
    bool there = is_there(d, &q, view);
    *asked = say(d->work, "%s has %s%s%s", q.view, there ? "" : "no ", q.table ? q.table : "",
                 say(d->work, "%s%s", q.table ? "." : "", q.name));
    return there != q.negated ? GUARD_RUNS : GUARD_SKIPS;
}
