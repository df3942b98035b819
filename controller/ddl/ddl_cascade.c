/*
 * What CASCADE would take along unseen, dropped by intents of their own instead.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static void drop(struct ddl *d, const char *operation, const char *table, const char *name)
{
    json_t *fields = json_object();
    json_set_text(fields, "table", table);
    json_set_text(fields, "name", name);
    ddl_intent(d, operation, fields);
}

static bool reads(const struct relation *view, const char *key, bool whole)
{
    for (size_t i = 0; i < view->reads.count; i++) {
        if (whole ? text_eq(view->reads.items[i], key) : text_starts(view->reads.items[i], key)) {
            return true;
        }
    }
    return false;
}

/* The catalog moves under the feet of the search: it starts anew after each drop. */
static const struct relation *next_view(const struct ddl *d, const char *key, bool whole)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *view = &catalog->relations[i];
        if (strchr("vm", view->kind) && reads(view, key, whole)) {
            return view;
        }
    }
    return NULL;
}

static void drop_views(struct ddl *d, const char *key, bool whole)
{
    struct work *work = d->work;
    const struct relation *view;
    size_t refusals = work->result->refusals;
    while (work->result->refusals == refusals && (view = next_view(d, key, whole)) != NULL) {
        const char *name = mem_text(work->ctx, relation_key(work, view));
        const char *operation = view->kind == 'm' ? "drop_materialized_view" : "drop_view";
        drop_views(d, say(work, "%s.", name), false);
        if (work->result->refusals == refusals) {
            drop(d, operation, NULL, name);
        }
    }
}

static const struct constraint *next_key(const struct ddl *d, const struct relation *relation,
                                         const char *column, const struct relation **on)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        for (size_t k = 0; k < other->constraint_count; k++) {
            const struct constraint *key = &other->constraints[k];
            if (key->kind == 'f' && !key->inherited && (column || other != relation) &&
                text_eq(key->ref_table, relation->name) &&
                text_eq(key->ref_schema, relation->schema) &&
                (!column || texts_have(&key->ref_columns, column))) {
                *on = other;
                return key;
            }
        }
    }
    return NULL;
}

static void drop_keys(struct ddl *d, const struct relation *relation, const char *column)
{
    struct work *work = d->work;
    const struct relation *on = NULL;
    const struct constraint *key;
    size_t refusals = work->result->refusals;
    while (work->result->refusals == refusals &&
           (key = next_key(d, relation, column, &on)) != NULL) {
        drop(d, "drop_constraint", relation_key(work, on), key->name);
    }
}

static bool drop_hanger(struct ddl *d, const struct relation *relation, const char *column)
{
    const char *table = relation_key(d->work, relation);
    for (size_t i = 0; i < relation->policy_count; i++) {
        const struct policy *p = &relation->policies[i];
        if (column_mentioned(p->using_expr, column) || column_mentioned(p->check_expr, column)) {
            drop(d, "drop_policy", table, p->name);
            return true;
        }
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        if (column_mentioned(relation->triggers[i].definition, column)) {
            drop(d, "drop_trigger", table, relation->triggers[i].name);
            return true;
        }
    }
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct column *c = &relation->columns[i];
        if (c->generated && !text_eq(c->name, column) &&
            column_mentioned(c->default_expr, column)) {
            json_t *fields = json_object();
            json_set_text(fields, "table", table);
            json_set_text(fields, "column", c->name);
            ddl_intent(d, "drop_column", fields);
            return true;
        }
    }
    return false;
}

void ddl_cascade_column(struct ddl *d, const struct relation *relation, const char *column)
{
    struct work *work = d->work;
    size_t refusals = work->result->refusals;
    const struct sql_name name = { mem_text(work->ctx, relation->schema),
                                   mem_text(work->ctx, relation->name) };
    drop_keys(d, relation, column);
    relation = ddl_relation(d, &name);
    drop_views(d,
               column ? column_key(work, relation, column)
                      : say(work, "%s.", relation_key(work, relation)),
               column != NULL);
    while (column && work->result->refusals == refusals &&
           drop_hanger(d, ddl_relation(d, &name), column)) {
    }
}

static const struct relation *next_user(const struct ddl *d, const struct type *type,
                                        const char **column)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *r = &catalog->relations[i];
        for (size_t k = 0; k < r->column_count && strchr("rp", r->kind) && !r->partition_bound;
             k++) {
            if (type_is(d->work, r->columns[k].type, type)) {
                *column = r->columns[k].name;
                return r;
            }
        }
    }
    return NULL;
}

void ddl_cascade_type(struct ddl *d, const struct type *type)
{
    struct work *work = d->work;
    const struct relation *relation;
    const char *column = NULL;
    size_t refusals = work->result->refusals;
    while (work->result->refusals == refusals && (relation = next_user(d, type, &column)) != NULL) {
        const char *table = mem_text(work->ctx, relation_key(work, relation));
        ddl_cascade_column(d, relation, column);
        json_t *fields = json_object();
        json_set_text(fields, "table", table);
        json_set_text(fields, "column", column);
        ddl_intent(d, "drop_column", fields);
    }
}

void ddl_cascade_function(struct ddl *d, const struct function *function)
{
    struct work *work = d->work;
    const char *name = say(work, "%s.%s", function->schema, function->name);
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *r = &catalog->relations[i];
        for (size_t k = 0; k < r->trigger_count; k++) {
            if (text_eq(r->triggers[k].function, name)) {
                drop(d, "drop_trigger", relation_key(work, r), r->triggers[k].name);
                ddl_cascade_function(d, function);
                return;
            }
        }
    }
}
