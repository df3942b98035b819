/*
 * An enum made anew with the labels that the model has: what PostgreSQL needs to lose a label. In
 * one transaction the old type steps aside, every column of the type is changed to the new one
 * (which writes the tables anew), and what compares or shows such a column is dropped before and
 * made again after.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/around.h"

struct rebuild {
    struct work *work;
    const struct state *state;
    const struct type *type;
    const char *aside;
    struct around around;
    struct step_texts locks, drop, alter, make;
};

static void out(const struct rebuild *r, struct step_texts *list, const char *sql)
{
    step_texts_add(r->work->ctx, list, sql);
}

/* Indexes with a condition or an expression, and checks, compare with the type they were made for.
 */
static void comparisons(struct rebuild *r, struct relation *relation, const char *column)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, relation);
    for (size_t i = 0; i < relation->index_count; i++) {
        const struct index *index = &relation->indexes[i];
        if (!index->constraint && (index->has_expressions || index->predicate) &&
            index_has_column(index, column)) {
            out(r, &r->drop,
                say(work, "DROP INDEX IF EXISTS %s",
                    name_sql(work, relation->schema, index->name)));
            out(r, &r->make, index->definition);
            index_dress(work, relation, index, &r->make);
        }
    }
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *c = &relation->constraints[i];
        if (c->kind == 'c' && !c->inherited && texts_have(&c->columns, column)) {
            out(r, &r->drop,
                say(work, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", table,
                    ident(work, c->name)));
            out(r, &r->make,
                say(work, "ALTER TABLE %s ADD CONSTRAINT %s %s", table, ident(work, c->name),
                    c->definition));
            if (c->comment) {
                out(r, &r->make, constraint_comment(work, relation, c));
            }
        }
    }
}

static bool column_changes(struct rebuild *r, struct relation *relation, struct column *column)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, relation), *name = ident(work, column->name);
    const char *array = strchr(column->type, '[');
    const char *suffix = array ? array : "";
    const char *new_type = name_sql(work, r->type->schema, r->type->name);
    if (!around_column(work, r->state, relation, column->name, &r->around)) {
        return false;
    }
    comparisons(r, relation, column->name);
    out(r, &r->locks, table);
    const char *head = say(work, "ALTER TABLE %s ALTER COLUMN %s", table, name);
    if (column->default_expr && !column->generated) {
        out(r, &r->drop, say(work, "%s DROP DEFAULT", head));
        out(r, &r->make, say(work, "%s SET DEFAULT %s", head, column->default_expr));
    }
    out(r, &r->alter,
        say(work, "%s TYPE %s%s USING %s::text%s::%s%s", head, new_type, suffix, name, suffix,
            new_type, suffix));
    return true;
}

static bool columns_change(struct rebuild *r)
{
    const struct catalog *catalog = r->state->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        if (!strchr("rpf", relation->kind) || relation->parent) {
            continue;
        }
        for (size_t k = 0; k < relation->column_count; k++) {
            if (type_is(r->work, relation->columns[k].type, r->type) &&
                !column_changes(r, relation, &relation->columns[k])) {
                return false;
            }
        }
    }
    return true;
}

/* Functions that take or give the type know it by number. */
static void functions_change(struct rebuild *r)
{
    struct work *work = r->work;
    for (size_t i = 0; i < r->state->catalog->function_count; i++) {
        const struct function *f = &r->state->catalog->functions[i];
        if (!f->definition || (!type_mentioned(work, f->arguments, r->type) &&
                               !type_mentioned(work, f->result, r->type))) {
            continue;
        }
        const char *kind = f->kind == 'p' ? "PROCEDURE" : "FUNCTION";
        /* by name: its arguments have the type that stepped aside */
        out(r, &r->drop,
            say(work, "DROP %s %s(%s)", kind, name_sql(work, f->schema, f->name),
                f->arguments ? f->arguments : ""));
        out(r, &r->make, f->definition);
    }
}

static const char *labels_sql(const struct rebuild *r)
{
    struct text t = text_init(r->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < r->type->labels.count; i++) {
        text_addf(&t, "%s%s", i ? ", " : "", literal(r->work, r->type->labels.items[i]));
    }
    return t.data;
}

static void append(const struct rebuild *r, struct step_texts *to, const struct step_texts *from)
{
    for (size_t i = 0; i < from->count; i++) {
        out(r, to, from->items[i]);
    }
}

static const char *lock_sql(const struct rebuild *r)
{
    struct text t = text_init(r->work->ctx, TEXT_SQL);
    for (size_t i = 0; i < r->locks.count; i++) {
        bool again = false;
        for (size_t k = 0; k < i; k++) {
            again = again || text_eq(r->locks.items[k], r->locks.items[i]);
        }
        text_addf(&t, "%s%s",
                  again   ? ""
                  : t.len ? ", "
                          : "LOCK TABLE ",
                  again ? "" : r->locks.items[i]);
    }
    return say(r->work, "%s IN ACCESS EXCLUSIVE MODE", t.data);
}

static void one_block(const struct rebuild *r, const struct step_texts *all,
                      struct step_texts *down)
{
    struct text t = text_init(r->work->ctx, TEXT_SQL);
    text_add(&t, "BEGIN\n");
    for (size_t i = 0; i < all->count; i++) {
        const char *sql = all->items[i];
        size_t length = strlen(sql);
        while (length && strchr("; \n", sql[length - 1])) {
            length--;
        }
        text_addf(&t, "EXECUTE %s;\n", literal(r->work, mem_textn(r->work->ctx, sql, length)));
    }
    text_add(&t, "END");
    out(r, down, say(r->work, "DO %s", literal(r->work, t.data)));
}

void type_rebuild(struct work *work, const struct state *state, const struct type *type,
                  struct step_texts *down, const char **why)
{
    struct rebuild r = { .work = work, .state = state, .type = type };
    struct step_texts all = { 0 };
    const char *name = name_sql(work, type->schema, type->name);
    size_t findings = work->result->finding_count, refusals = work->result->refusals;
    r.aside = object_name_fit(work->ctx, say(work, "%s flotilla", type->name));
    if (!columns_change(&r)) {
        /* the statement itself is fine: it only has no way back */
        *why = work->result->findings[work->result->finding_count - 1].message;
        work->result->finding_count = findings;
        work->result->refusals = refusals;
        return;
    }
    functions_change(&r);
    around_close(work, state, &r.around);
    if (r.locks.count) {
        out(&r, &all, lock_sql(&r));
    }
    append(&r, &all, &r.around.drop);
    append(&r, &all, &r.drop);
    out(&r, &all, say(work, "ALTER TYPE %s RENAME TO %s", name, ident(work, r.aside)));
    out(&r, &all, say(work, "CREATE TYPE %s AS ENUM (%s)", name, labels_sql(&r)));
    if (type->owner) {
        out(&r, &all, say(work, "ALTER TYPE %s OWNER TO %s", name, ident(work, type->owner)));
    }
    grants_sql(work, &type->acl, say(work, "ON TYPE %s", name), NULL, &all);
    append(&r, &all, &r.alter);
    append(&r, &all, &r.make);
    append(&r, &all, &r.around.make);
    out(&r, &all, say(work, "DROP TYPE %s", name_sql(work, type->schema, r.aside)));
    one_block(&r, &all, down);
}
