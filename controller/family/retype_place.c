/*
 * change_type where a type grows and PostgreSQL rewrites nothing (varchar(50) to text), and what
 * foreign tables elsewhere need when the column they read changes.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/matview.h"
#include "controller/family/retype.h"

/* Indexes with expressions or a condition are built again, checks are read again: not in place. */
static bool quiet(const struct retype *r, const struct target *t)
{
    const struct catalog *catalog = t->state->catalog;
    const char *key = column_key(r->work, t->relation, t->column->name);
    for (size_t i = 0; i < catalog->relation_count; i++) {
        if (matview_reads(&catalog->relations[i], key)) {
            return false;
        }
    }
    if (around_has_function(t->state, t->relation, t->column->name)) {
        return false;
    }
    for (size_t i = 0; i < t->relation->index_count; i++) {
        const struct index *index = &t->relation->indexes[i];
        if ((index->has_expressions || index->predicate) &&
            index_has_column(index, t->column->name)) {
            return false;
        }
    }
    return true;
}

static void checks_around(struct retype *r, const struct target *t, struct step_texts *drop,
                          struct step_texts *add)
{
    struct work *work = r->work;
    const char *table = relation_sql(work, t->relation);
    for (size_t i = 0; i < t->relation->constraint_count; i++) {
        const struct constraint *c = &t->relation->constraints[i];
        if (c->kind != 'c' || !texts_have(&c->columns, t->column->name)) {
            continue;
        }
        step_texts_add(work->ctx, drop,
                       say(work, "ALTER TABLE %s DROP CONSTRAINT %s", table, ident(work, c->name)));
        step_texts_add(work->ctx, add,
                       say(work, "ALTER TABLE %s ADD CONSTRAINT %s %s%s", table,
                           ident(work, c->name), c->definition,
                           text_ends(c->definition, " NOT VALID") ? "" : " NOT VALID"));
        if (c->comment) {
            step_texts_add(work->ctx, add, constraint_comment(work, t->relation, c));
        }
    }
}

static void validate_again(struct retype *r, const struct target *t)
{
    struct work *work = r->work;
    for (size_t i = 0; i < t->relation->constraint_count; i++) {
        const struct constraint *c = &t->relation->constraints[i];
        if (c->kind != 'c' || !c->validated || !texts_have(&c->columns, t->column->name)) {
            continue;
        }
        const char *sql = say(work, "ALTER TABLE %s VALIDATE CONSTRAINT %s",
                              relation_sql(work, t->relation), ident(work, c->name));
        struct step *step =
            work_step(work, t->state, PHASE_EXPAND, say(work, "Prove %s again", c->name),
                      "It was made anew without a scan under the strong lock");
        step_up(work, step, "%s", sql);
        step_down_nothing(work, step, "it is proven again on the way back before this");
        step_lock(work, step, t->relation, "SHARE UPDATE EXCLUSIVE");
        step->full_scan = true;
    }
}

static void both(const struct work *work, struct step *step, const struct step_texts *list)
{
    for (size_t i = 0; i < list->count; i++) {
        step_up(work, step, "%s", list->items[i]);
        step_down(work, step, "%s", list->items[i]);
    }
}

static void validate_back(struct retype *r, const struct target *t)
{
    struct work *work = r->work;
    for (size_t i = 0; i < t->relation->constraint_count; i++) {
        const struct constraint *c = &t->relation->constraints[i];
        if (c->kind == 'c' && c->validated && texts_have(&c->columns, t->column->name)) {
            struct step *step = work_step(work, t->state, PHASE_EXPAND,
                                          say(work, "On the way back: prove %s again", c->name),
                                          "VALIDATE reads while everybody goes on");
            step_up_nothing(work, step, "this step is for the way back");
            step_down(work, step, "ALTER TABLE %s VALIDATE CONSTRAINT %s",
                      relation_sql(work, t->relation), ident(work, c->name));
        }
    }
}

bool retype_in_place(struct retype *r, struct target *t)
{
    struct work *work = r->work;
    struct around around = { 0 };
    struct step_texts drop = { 0 }, add = { 0 };
    if (!quiet(r, t)) {
        t->in_place = false;
        return true;
    }
    if (!around_column(work, t->state, t->relation, t->column->name, &around)) {
        return false;
    }
    around_close(work, t->state, &around);
    checks_around(r, t, &drop, &add);
    validate_back(r, t);
    const char *table = relation_sql(work, t->relation), *column = ident(work, t->column->name);
    struct step *step =
        work_step(work, t->state, PHASE_EXPAND,
                  say(work, "Make %s %s", column_words(work, t->relation, t->column->name), t->to),
                  "Every value is stored the same way in both types: PostgreSQL "
                  "changes the catalog and rewrites nothing");
    const char *lock = say(work, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", table);
    step_up(work, step, "%s", lock);
    step_down(work, step, "%s", lock);
    both(work, step, &around.drop);
    both(work, step, &drop);
    step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s TYPE %s", table, column, t->to);
    step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s TYPE %s", table, column, t->column->type);
    column_stored(work, t->relation, t->column, t->column->name, &step->down);
    both(work, step, &add);
    both(work, step, &around.make);
    functions_made_again(work, &(struct place){ t->state, t->relation, PHASE_EXPAND }, step);
    step_lock(work, step, t->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step,
               "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
               "pg_catalog.to_regclass(%s) AND attname = %s AND pg_catalog.format_type(atttypid, "
               "atttypmod) = %s)",
               literal(work, table), literal(work, t->column->name), literal(work, t->to));
    step_risk(work, step,
              "the way back reads and perhaps rewrites the table under a strong lock (on a large "
              "one only a raised lock_budget allows it), and fails when a value no longer fits");
    around_risk(work, &around, step);
    validate_again(r, t);
    return true;
}

/* --- foreign tables elsewhere --------------------------------------------------------------- */

static bool reader_retype(struct retype *r, const struct target *t, const struct reader *reader)
{
    struct work *work = r->work;
    struct around around = { 0 };
    const char *table = relation_sql(work, reader->relation);
    const char *column = ident(work, reader->column->name);
    if (!around_column(work, reader->state, reader->relation, reader->column->name, &around)) {
        return false;
    }
    around_close(work, reader->state, &around);
    struct step *step = work_step(
        work, reader->state, t->lossless ? PHASE_EXPAND : PHASE_CONTRACT,
        say(work, "Let foreign table %s read %s as %s", reader->relation->name,
            reader->column->name, t->to),
        say(work,
            "%s:%s will have values of the new type; a reader that declares the old one fails "
            "on them",
            t->state->service, column_words(work, t->relation, t->column->name)));
    both(work, step, &around.drop);
    step_up(work, step, "ALTER FOREIGN TABLE %s ALTER COLUMN %s TYPE %s", table, column, t->to);
    step_down(work, step, "ALTER FOREIGN TABLE %s ALTER COLUMN %s TYPE %s", table, column,
              reader->column->type);
    both(work, step, &around.make);
    step_lock(work, step, reader->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step,
               "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
               "pg_catalog.to_regclass(%s) AND attname = %s AND pg_catalog.format_type(atttypid, "
               "atttypmod) = %s)",
               literal(work, table), literal(work, reader->column->name), literal(work, t->to));
    around_risk(work, &around, step);
    work_touch(work, reader->state, relation_key(work, reader->relation));
    reader->column->type = t->to;
    return true;
}

bool retype_readers(struct retype *r)
{
    struct work *work = r->work;
    struct state *home = work->home;
    bool fine = true;
    for (size_t i = 0; i < r->count; i++) {
        struct reader *readers;
        const struct target *t = &r->targets[i];
        size_t count = foreign_readers(work, t->state, t->relation, t->column->name, &readers);
        for (size_t k = 0; k < count; k++) {
            if (readers[k].column && !text_eq(readers[k].column->type, t->to) &&
                !left_behind(work, &readers[k], t->relation, t->column->name)) {
                work->home = readers[k].state;
                fine = reader_retype(r, t, &readers[k]) && fine;
            }
        }
    }
    work->home = home;
    return fine;
}
