/*
 * What publications say about a column: a list of columns and a condition on rows follow it by its
 * number, so an exchange has to say them anew.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/around.h"
#include "controller/work/column_map.h"

static const char *filter_of(const struct publication *p, const char *entry)
{
    for (size_t i = 0; i < p->filtered.count && i < p->filters.count; i++) {
        if (text_eq(p->filtered.items[i], entry)) {
            return p->filters.items[i];
        }
    }
    return NULL;
}

const char *published_sql(const struct work *work, const struct publication *p, size_t at)
{
    const char *entry = p->tables.items[at], *filter = filter_of(p, entry);
    struct object_name name;
    struct error ignored;
    if (!object_name_parse(work->ctx, entry, &name, &ignored)) {
        return entry;
    }
    struct text t = text_init(work->ctx, TEXT_SQL);
    text_add(&t, name_sql(work, name.schema ? name.schema : "public", name.name));
    for (size_t i = 0; i < name.column_count; i++) {
        text_addf(&t, "%s%s", i ? ", " : " (", ident(work, name.columns[i]));
    }
    text_add(&t, name.column_count ? ")" : "");
    if (filter) {
        text_addf(&t, " WHERE (%s)", filter);
    }
    return t.data;
}

static bool names(const struct work *work, const struct publication *p, size_t at,
                  const struct relation *relation, const char *column)
{
    const char *entry = p->tables.items[at], *filter = filter_of(p, entry);
    struct object_name name;
    struct error ignored;
    if (!object_name_parse(work->ctx, entry, &name, &ignored) ||
        !text_eq(name.name, relation->name) ||
        !text_eq(name.schema ? name.schema : "public", relation->schema)) {
        return false;
    }
    for (size_t i = 0; i < name.column_count; i++) {
        if (text_eq(name.columns[i], column)) {
            return true;
        }
    }
    return filter && column_mentioned(filter, column);
}

static bool has(const struct step_texts *list, const char *sql)
{
    for (size_t i = 0; i < list->count; i++) {
        if (text_eq(list->items[i], sql)) {
            return true;
        }
    }
    return false;
}

void published_around(const struct work *work, const struct state *state,
                      const struct relation *relation, const char *column, struct around *around)
{
    for (size_t i = 0; i < state->catalog->publication_count; i++) {
        const struct publication *p = &state->catalog->publications[i];
        for (size_t k = 0; k < p->tables.count; k++) {
            const char *head = say(work, "ALTER PUBLICATION %s", ident(work, p->name));
            const char *off = say(work, "%s DROP TABLE %s", head, relation_sql(work, relation));
            if (names(work, p, k, relation, column) && !has(&around->drop, off)) {
                step_texts_add(work->ctx, &around->drop, off);
                step_texts_add(work->ctx, &around->make,
                               say(work, "%s ADD TABLE %s", head, published_sql(work, p, k)));
            }
        }
    }
}
