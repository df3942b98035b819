/*
 * Materialized views over a column that is exchanged. They know it by number and go on reading the
 * old one, which is kept equal: so each is built anew beside, from its own words, when the exchange
 * is done, and takes the place of the old in an instant. For the way back the same stands before
 * the exchange.
 */
#include "controller/family/matview.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/work/around.h"

static const char *beside(const struct work *work, const struct relation *view)
{
    return object_name_fit(work->ctx, say(work, "new %s.%s", view->schema, view->name));
}

static const char *query_of(const struct work *work, const struct relation *view)
{
    size_t length = strlen(view->definition);
    while (length && strchr("; \n", view->definition[length - 1])) {
        length--;
    }
    return mem_textn(work->ctx, view->definition, length);
}

static void build(const struct work *work, const struct relation *view, struct step_texts *out)
{
    const char *name = name_sql(work, "flotilla", beside(work, view));
    step_texts_add(work->ctx, out, pair_schema);
    step_texts_add(work->ctx, out, say(work, "DROP MATERIALIZED VIEW IF EXISTS %s", name));
    step_texts_add(work->ctx, out,
                   say(work, "CREATE MATERIALIZED VIEW %s AS %s", name, query_of(work, view)));
    for (size_t i = 0; i < view->index_count; i++) {
        const struct index *index = &view->indexes[i];
        const char *using = text_from_keyword(index->definition, "USING");
        step_texts_add(work->ctx, out,
                       say(work, "CREATE %sINDEX %s ON %s %s", index->unique ? "UNIQUE " : "",
                           ident(work, index->name), name, using ? using : ""));
    }
}

static bool take_place(struct work *work, const struct state *state, struct relation *view,
                       struct step_texts *out)
{
    struct around around = { 0 };
    const char *old = relation_sql(work, view), *aside = beside(work, view);
    if (!around_readers(work, state, view, &around)) {
        return false;
    }
    around_close(work, state, &around);
    for (size_t i = 0; i < around.drop.count; i++) {
        step_texts_add(work->ctx, out, around.drop.items[i]);
    }
    step_texts_add(work->ctx, out, say(work, "DROP MATERIALIZED VIEW %s", old));
    step_texts_add(work->ctx, out,
                   say(work, "ALTER MATERIALIZED VIEW %s SET SCHEMA %s",
                       name_sql(work, "flotilla", aside), ident(work, view->schema)));
    step_texts_add(work->ctx, out,
                   say(work, "ALTER MATERIALIZED VIEW %s RENAME TO %s",
                       name_sql(work, view->schema, aside), ident(work, view->name)));
    if (view->owner) {
        step_texts_add(
            work->ctx, out,
            say(work, "ALTER MATERIALIZED VIEW %s OWNER TO %s", old, ident(work, view->owner)));
    }
    grants_sql(work, &view->acl, say(work, "ON TABLE %s", old), NULL, out);
    for (size_t i = 0; i < view->column_count; i++) {
        struct column plain = view->columns[i];
        plain.storage = NULL;
        plain.statistics = -1;
        column_dress(work, view, &plain, plain.name, out);
    }
    if (view->comment) {
        step_texts_add(
            work->ctx, out,
            say(work, "COMMENT ON MATERIALIZED VIEW %s IS %s", old, literal(work, view->comment)));
    }
    for (size_t i = 0; i < around.make.count; i++) {
        step_texts_add(work->ctx, out, around.make.items[i]);
    }
    return true;
}

static struct step *one_way(struct work *work, const struct state *state, const char *what,
                            const struct step_texts *list, bool forward)
{
    struct step *step = work_step(
        work, state, PHASE_CONTRACT, forward ? what : say(work, "On the way back: %s", what),
        "It knows its columns by number and reads the old one until it is made anew");
    for (size_t i = 0; i < list->count; i++) {
        if (forward) {
            step_up(work, step, "%s", list->items[i]);
        } else {
            step_down(work, step, "%s", list->items[i]);
        }
    }
    if (forward) {
        step_down_nothing(work, step, "it is built again on the way back, when the names are");
    } else {
        step_up_nothing(work, step, "this step is for the way back");
    }
    step->tags = forward ? TAG_CONTRACT : TAG_NEUTRAL;
    step->full_scan = forward;
    return step;
}

bool matview_again(struct work *work, const struct state *state, struct relation *view,
                   bool forward)
{
    struct step_texts made = { 0 }, placed = { 0 };
    if (!view->definition) {
        return work_refuse(work, "make the rename a change of its own, and this another",
                           "materialized view %s was changed by an earlier intent of this change",
                           relation_key(work, view));
    }
    build(work, view, &made);
    if (!take_place(work, state, view, &placed)) {
        return false;
    }
    const char *filled = say(work, "build materialized view %s anew beside the old", view->name);
    const char *place = say(work, "put the new %s in the place of the old", view->name);
    if (forward) {
        (void)one_way(work, state, filled, &made, true);
        (void)one_way(work, state, place, &placed, true);
    } else {
        (void)one_way(work, state, place, &placed, false);
        (void)one_way(work, state, filled, &made, false);
    }
    work_touch(work, state, relation_key(work, view));
    return true;
}

bool matview_reads(const struct relation *view, const char *column)
{
    for (size_t i = 0; i < view->reads.count && view->kind == 'm'; i++) {
        if (text_eq(view->reads.items[i], column)) {
            return true;
        }
    }
    return false;
}
