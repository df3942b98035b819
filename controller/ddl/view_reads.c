/* What a view that this change makes reads, as the catalog would say it. */
#include "controller/ddl/view_reads.h"

#include "agents/base/mem.h"

static void add(const struct work *work, struct catalog_texts *list, const char *read)
{
    const char **items = mem_array(work->ctx, const char *, list->count + 1);
    for (size_t i = 0; i < list->count; i++) {
        items[i] = list->items[i];
    }
    items[list->count] = read;
    *list = (struct catalog_texts){ items, list->count + 1 };
}

struct catalog_texts view_reads(const struct work *work, const struct state *state,
                                const struct sql_query *query)
{
    struct catalog_texts all = { 0 };
    for (size_t i = 0; query && i < query->read_count; i++) {
        const struct sql_object *o = &query->reads[i];
        struct relation *relation =
            o->name ? catalog_relation(state->catalog, o->schema, o->name) : NULL;
        for (size_t k = 0; relation && !o->column && k < relation->column_count; k++) {
            add(work, &all, column_key(work, relation, relation->columns[k].name));
        }
    }
    return all;
}
