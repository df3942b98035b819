#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"
#include "controller/sql/query.h"

enum {
    PARSED = 90, /* names are resolved by the reader's search path, not by the function's caller */
    SHARED = 60, /* a column without a table's name, and several tables have it */
};

struct parsed {
    const struct body *body;
    void *tmp;
    const struct relation **tables;
    bool *with_columns; /* per table: some column of it was found */
    size_t count;
};

static size_t table_at(const struct parsed *p, const struct relation *r)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->tables[i] == r)
            return i;
    return p->count;
}

static const struct relation *add_table(struct parsed *p, const char *schema, const char *name)
{
    const struct relation *r = catalog_relation(p->body->item->catalog, schema, name);

    if (!r || table_at(p, r) < p->count)
        return r;
    p->tables = mem_room(p->tmp, p->tables, const struct relation *, p->count + 1);
    p->with_columns = mem_room(p->tmp, p->with_columns, bool, p->count + 1);
    p->with_columns[p->count] = false;
    p->tables[p->count++] = r;
    return r;
}

static void add_column(struct parsed *p, const struct relation *r, const char *name,
                       const char *how, int confidence)
{
    const struct column *column = relation_column(r, name);
    size_t at = table_at(p, r);

    if (!column)
        return;
    if (at < p->count)
        p->with_columns[at] = true;
    graph_add_body(p->body, &(struct body_edge){ r, column->name, how, confidence });
}

/* A column written without its table: whichever of the body's tables has it. */
static void add_loose(struct parsed *p, const char *name)
{
    size_t owners = 0;

    for (size_t i = 0; i < p->count; i++)
        owners += relation_column(p->tables[i], name) != NULL;
    for (size_t i = 0; i < p->count; i++)
        add_column(p, p->tables[i], name, "reads it", owners == 1 ? PARSED : SHARED);
}

static void add_reads(struct parsed *p, const struct sql_query *q)
{
    for (size_t i = 0; i < q->read_count; i++)
        if (q->reads[i].name)
            add_table(p, q->reads[i].schema, q->reads[i].name);
    for (size_t i = 0; i < q->read_count; i++) {
        const struct sql_object *read = &q->reads[i];

        if (!read->column)
            continue;
        const struct relation *r = read->name ? add_table(p, read->schema, read->name) : NULL;
        if (r)
            add_column(p, r, read->column, "reads it", PARSED);
        else if (!read->name)
            add_loose(p, read->column);
    }
}

static void add_writes(struct parsed *p, const struct sql_query *q)
{
    for (size_t i = 0; i < q->write_count; i++) {
        const struct sql_write *w = &q->writes[i];
        const struct relation *r = add_table(p, w->relation.schema, w->relation.name);

        if (!r)
            continue;
        for (size_t j = 0; j < w->columns.count; j++)
            add_column(p, r, w->columns.items[j], "writes it", PARSED);
        for (size_t j = 0; j < w->filter.count; j++)
            add_column(p, r, w->filter.items[j], "reads it", PARSED);
        /* INSERT without a list writes every column by its place. */
        if (w->kind == SQL_INSERT && w->columns.count == 0)
            graph_add_body(p->body, &(struct body_edge){ r, NULL, "writes it", PARSED });
    }
}

bool graph_find_parsed(const struct body *body)
{
    SCOPE(tmp);
    const struct function *f = body->function;
    struct parsed p = { .body = body, .tmp = tmp };
    struct sql_query *q = NULL;
    struct error err;
    bool opaque = false;

    if (!text_eq(f->language, "plpgsql") && !text_eq(f->language, "sql"))
        return false;
    if (!sql_body_reads(tmp, f->language, f->body, &q, &opaque, &err))
        return false;
    add_writes(&p, q);
    add_reads(&p, q);
    for (size_t i = 0; i < p.count; i++)
        if (!p.with_columns[i] || q->star)
            graph_add_body(body, &(struct body_edge){ p.tables[i], NULL, "reads it", PARSED });
    return !opaque;
}
