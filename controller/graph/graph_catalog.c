#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/graph/graph_build.h"

static struct graph_object object_of(const struct service_catalog *item, const struct relation *r,
                                     const char *column)
{
    return (struct graph_object){
        .service = item->service, .schema = r->schema, .name = r->name, .column = column
    };
}

static void add_foreign_keys(struct builder *b, const struct service_catalog *item,
                             const struct relation *r)
{
    for (size_t i = 0; i < r->constraint_count; i++) {
        const struct constraint *k = &r->constraints[i];

        if (k->kind != 'f' || !k->ref_table || (k->inherited && r->partition_bound))
            continue;
        for (size_t j = 0; j < k->columns.count && j < k->ref_columns.count; j++)
            graph_add(b,
                      (struct graph_edge){ .from = object_of(item, r, k->columns.items[j]),
                                           .to = { .service = item->service,
                                                   .schema = k->ref_schema,
                                                   .name = k->ref_table,
                                                   .column = k->ref_columns.items[j] },
                                           .kind = EDGE_FOREIGN_KEY,
                                           .evidence = mem_printf(b->tmp, "constraint %s", k->name),
                                           .confidence = 100 });
    }
}

static void add_view(struct builder *b, const struct service_catalog *item,
                     const struct relation *r)
{
    const char *evidence = mem_printf(b->tmp, "definition of %s %s",
                                      r->kind == 'm' ? "materialized view" : "view", r->name);

    for (size_t i = 0; i < r->reads.count; i++)
        graph_add(b,
                  (struct graph_edge){ .from = object_of(item, r, NULL),
                                       .to = graph_read_object(b, item->service, r->reads.items[i]),
                                       .kind = EDGE_VIEW,
                                       .evidence = evidence,
                                       .confidence = 100 });
}

static void add_triggers(struct builder *b, const struct service_catalog *item,
                         const struct relation *r)
{
    for (size_t i = 0; i < r->trigger_count; i++) {
        if (!r->triggers[i].function)
            continue;
        struct graph_object function = graph_read_object(b, item->service, r->triggers[i].function);

        function.function = true;
        graph_add(b, (struct graph_edge){ .from = object_of(item, r, NULL),
                                          .to = function,
                                          .kind = EDGE_TRIGGER,
                                          .evidence =
                                              mem_printf(b->tmp, "trigger %s", r->triggers[i].name),
                                          .confidence = 100 });
    }
}

static void add_parent(struct builder *b, const struct service_catalog *item,
                       const struct relation *r)
{
    if (r->parent)
        graph_add(b,
                  (struct graph_edge){ .from = object_of(item, r, NULL),
                                       .to = graph_read_object(b, item->service, r->parent),
                                       .kind = EDGE_PARTITION,
                                       .evidence = r->partition_bound ? "partition" : "inheritance",
                                       .confidence = 100 });
}

static const struct sequence *sequence_of(const struct catalog *c, const struct graph_object *o)
{
    for (size_t i = 0; i < c->sequence_count; i++)
        if (text_eq(c->sequences[i].schema, o->schema) && text_eq(c->sequences[i].name, o->name))
            return &c->sequences[i];
    return NULL;
}

/* A serial column's own sequence goes with it: only sequences of others make an edge. */
static void add_sequence(struct builder *b, const struct service_catalog *item,
                         const struct relation *r, const struct column *column)
{
    const char *call = column->default_expr ? strstr(column->default_expr, "nextval('") : NULL;

    if (!call)
        return;
    call += strlen("nextval('");
    const char *name = mem_textn(b->tmp, call, strcspn(call, "'"));
    struct graph_object to = graph_read_object(b, item->service, name);
    const struct sequence *sequence = sequence_of(item->catalog, &to);
    const char *table = object_name_join(b->tmp, r->schema, r->name);

    if (!sequence ||
        (text_eq(sequence->owned_table, table) && text_eq(sequence->owned_column, column->name)))
        return;
    graph_add(b, (struct graph_edge){ .from = object_of(item, r, column->name),
                                      .to = to,
                                      .kind = EDGE_SEQUENCE,
                                      .evidence = mem_printf(b->tmp, "default of %s", column->name),
                                      .confidence = 100 });
}

void graph_find_in_catalog(struct builder *b, const struct service_catalog *item)
{
    const struct catalog *c = item->catalog;

    for (size_t i = 0; i < c->relation_count; i++) {
        const struct relation *r = &c->relations[i];

        add_foreign_keys(b, item, r);
        add_view(b, item, r);
        add_triggers(b, item, r);
        add_parent(b, item, r);
        for (size_t j = 0; j < r->column_count; j++)
            add_sequence(b, item, r, &r->columns[j]);
    }
}
