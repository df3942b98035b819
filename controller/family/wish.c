/*
 * What a server would refuse whatever the plan is: said in the wish's own words before a family
 * begins, rather than by a rule about a step or by a rehearsal.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/sql/expression.h"

/* --- names ---------------------------------------------------------------------------------- */

static bool name_is_system(const char *name)
{
    static const char *const own[] = { "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax" };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (text_eq(name, own[i])) {
            return true;
        }
    }
    return false;
}

static bool name_is_free(struct work *work, const char *name)
{
    return !name_is_system(name) ||
           work_refuse(work, "choose another name",
                       "every table of PostgreSQL has a column %s of its own", name);
}

static bool names_fit(struct work *work)
{
    const struct intent *it = work->intent;
    return (it->operation != INTENT_ADD_COLUMN || name_is_free(work, it->column)) &&
           (it->operation != INTENT_RENAME_COLUMN || name_is_free(work, it->to));
}

/* --- expressions ---------------------------------------------------------------------------- */

struct wording {
    const char *text; /* null: not said */
    const char *what; /* "the check" */
    bool row;         /* may read columns of the row */
    bool queries;     /* may hold a query */
};

static bool reads_row(struct work *work, const struct relation *relation,
                      const struct wording *part, const struct sql_texts *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        const char *name = columns->items[i];
        if (!part->row) {
            return work_refuse(work,
                               "write a value that needs no row; `backfill:` may read columns",
                               "%s reads the column %s: a default cannot", part->what, name);
        }
        /* the table's own name is its whole row */
        if (!relation_column(relation, name) && !text_eq(name, work->intent->column) &&
            !text_eq(name, relation->name) && !text_eq(name, "*") && !name_is_system(name)) {
            return work_refuse(work, "look at `flotilla inspect` for its columns",
                               "%s reads %s, which is no column of %s", part->what, name,
                               relation_key(work, relation));
        }
    }
    return true;
}

static bool part_fits(struct work *work, const struct relation *relation,
                      const struct wording *part)
{
    SCOPE(tmp);
    struct error ignored;
    struct sql_expression *e;
    if (!part->text || !sql_expression_check(tmp, part->text, &e, &ignored)) {
        return true;
    }
    if (e->aggregate || (e->subselect && !part->queries)) {
        return work_refuse(work, "write an expression over one row",
                           "%s holds %s, which the server refuses there", part->what,
                           e->subselect ? "a query" : "an aggregate or a window function");
    }
    return e->subselect || reads_row(work, relation, part, &e->columns);
}

static bool parts_fit(struct work *work, const struct relation *relation,
                      const struct wording *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!part_fits(work, relation, &parts[i])) {
            return false;
        }
    }
    return true;
}

static bool expressions_fit(struct work *work, const struct relation *relation)
{
    const struct intent *it = work->intent;
    const struct wording parts[] = {
        { it->check, "the check", true, false },
        { it->operation == INTENT_ADD_CHECK ? it->expression : NULL, "the check", true, false },
        { it->where, "where", true, it->operation == INTENT_DATA_BACKFILL },
        { it->default_expr, "the default", false, false },
        { it->backfill, "backfill", true, true },
        { it->using_expr, "using", true, false },
        { it->using_back, "using_back", true, false },
    };
    bool fine = parts_fit(work, relation, parts, sizeof parts / sizeof *parts);
    for (size_t i = 0; i < it->expressions.count && fine; i++) {
        const struct wording part = { it->expressions.items[i], "the expression", true, false };
        fine = part_fits(work, relation, &part);
    }
    return fine;
}

/* --- nulls ---------------------------------------------------------------------------------- */

static bool is_null(const char *expression)
{
    SCOPE(tmp);
    struct error ignored;
    struct sql_expression *e;
    return expression && sql_expression_check(tmp, expression, &e, &ignored) && e->null;
}

static bool in_primary_key(const struct relation *relation, const char *column)
{
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (c->kind == 'p' && texts_have(&c->columns, column)) {
            return true;
        }
    }
    return false;
}

static bool nulls_fit(struct work *work, const struct relation *relation)
{
    const struct intent *it = work->intent;
    const struct column *column = it->column ? relation_column(relation, it->column) : NULL;
    const char *words = it->column ? column_words(work, relation, it->column) : "";
    if (it->operation == INTENT_DROP_NOT_NULL && column && in_primary_key(relation, column->name)) {
        return work_refuse(work, "a primary key's columns are never null: change the key first",
                           "%s is part of the primary key", words);
    }
    if (it->operation == INTENT_DROP_NOT_NULL && column && column->identity) {
        return work_refuse(work, "an identity column is never null: drop the identity first",
                           "%s is an identity column", words);
    }
    if (it->operation != INTENT_SET_NOT_NULL) {
        return true;
    }
    if (relation->kind != 'r' && relation->kind != 'p' && relation->kind != 'f') {
        return work_refuse(work, "name the table behind it", "%s is no table",
                           relation_key(work, relation));
    }
    return !is_null(it->backfill) ||
           work_refuse(work, "write a value for the rows that have none",
                       "backfill is NULL, and %s may not be null any more", words);
}

/* --- unique over partitions ------------------------------------------------------------------- */

static bool unique_fits(struct work *work, const struct relation *relation)
{
    const struct intent *it = work->intent;
    bool unique = it->operation == INTENT_ADD_UNIQUE || it->operation == INTENT_ADD_PRIMARY_KEY ||
                  (it->operation == INTENT_ADD_INDEX && it->unique);
    for (size_t i = 0; unique && relation->kind == 'p' && i < relation->column_count; i++) {
        const char *name = relation->columns[i].name;
        bool there = !column_mentioned(relation->partition_key, name);
        for (size_t k = 0; k < it->columns.count; k++) {
            there = there || text_eq(it->columns.items[k], name);
        }
        if (!there) {
            return work_refuse(work, "add it to the columns",
                               "%s is partitioned by %s: what is unique over all partitions has to "
                               "have that column",
                               relation_key(work, relation), name);
        }
    }
    return true;
}

/* --- rows that a subscription writes --------------------------------------------------------- */

static bool takes_away(const struct intent *it)
{
    return it->operation == INTENT_DROP_COLUMN || it->operation == INTENT_RENAME_COLUMN ||
           it->operation == INTENT_SET_NOT_NULL || it->operation == INTENT_DROP_TABLE;
}

static bool publisher_has_no_null(const struct work *work, const struct graph_object *end)
{
    for (size_t i = 0; i < work->state_count; i++) {
        const struct state *state = &work->states[i];
        const struct relation *relation =
            text_eq(state->service, end->service)
                ? catalog_relation(state->catalog, end->schema, end->name)
                : NULL;
        const struct column *column =
            relation && end->column ? relation_column(relation, end->column) : NULL;
        if (column) {
            return column->not_null;
        }
    }
    return false;
}

/* The rows of what the intent takes away come through that edge. */
static bool fills(const struct work *work, const struct graph_edge *edge,
                  const struct relation *relation)
{
    const struct intent *it = work->intent;
    return edge->kind == EDGE_PUBLICATION && text_eq(edge->from.service, work->home->service) &&
           text_eq(edge->from.name, relation->name) &&
           (!edge->from.schema || text_eq(edge->from.schema, relation->schema)) &&
           (!it->column || !edge->from.column || text_eq(edge->from.column, it->column));
}

static bool subscription_goes_on(struct work *work, const struct relation *relation)
{
    const struct intent *it = work->intent;
    const struct graph *graph = work->input->graph;
    bool nulls = it->operation == INTENT_SET_NOT_NULL;
    for (size_t i = 0; graph && takes_away(it) && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        if (fills(work, edge, relation) && !(nulls && publisher_has_no_null(work, &edge->to))) {
            return work_refuse(
                work,
                nulls ? "let the publisher's column be NOT NULL first"
                      : "change the publisher first, or take the table out of the subscription",
                "rows of %s come from service %s (%s): the subscription would stop",
                relation_key(work, relation), edge->to.service,
                edge->evidence ? edge->evidence : "subscription");
        }
    }
    return true;
}

bool wish_fits(struct work *work)
{
    const struct intent *it = work->intent;
    const struct relation *relation =
        it->table.name ? catalog_relation(work->home->catalog, it->table.schema, it->table.name)
                       : NULL;
    return names_fit(work) &&
           (!relation || (expressions_fit(work, relation) && nulls_fit(work, relation) &&
                          unique_fits(work, relation) && subscription_goes_on(work, relation)));
}
