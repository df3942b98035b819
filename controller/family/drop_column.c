/*
 * drop_column. Rows stop needing it first (NOT NULL is relaxed), then it is renamed away, which is
 * undone in an instant, then everything that would silently go along is taken off one by one with
 * its definition kept, then its values are kept aside, then it goes. Nothing is ever dropped by
 * CASCADE: what reads the column is named and the change refused.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/retype.h"
#include "controller/work/owner.h"
#include "controller/work/row_step.h"

struct dropping {
    struct relation *relation;
    struct column *column;
    const char *tomb; /* its name while it waits to be dropped */
};

/* --- who still reads it ---------------------------------------------------------------------- */

static bool no_view_reads(struct work *work, const struct dropping *d)
{
    const char *path = column_key(work, d->relation, d->column->name);
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        if (texts_have(&catalog->relations[i].reads, path)) {
            return work_refuse(work, "replace that view first, without the column",
                               "%s %s reads %s",
                               catalog->relations[i].kind == 'm' ? "materialized view" : "view",
                               relation_key(work, &catalog->relations[i]),
                               column_words(work, d->relation, d->column->name));
        }
    }
    return true;
}

static bool nothing_on_table(struct work *work, const struct dropping *d)
{
    const struct relation *relation = d->relation;
    const char *name = d->column->name, *what = NULL;
    for (size_t i = 0; i < relation->policy_count; i++) {
        const struct policy *policy = &relation->policies[i];
        if (column_mentioned(policy->using_expr, name) ||
            column_mentioned(policy->check_expr, name)) {
            what = say(work, "policy %s", policy->name);
        }
    }
    for (size_t i = 0; i < relation->trigger_count; i++) {
        if (column_mentioned(relation->triggers[i].definition, name)) {
            what = say(work, "trigger %s", relation->triggers[i].name);
        }
    }
    for (size_t i = 0; i < relation->column_count; i++) {
        const struct column *other = &relation->columns[i];
        if (other->generated && other != d->column && column_mentioned(other->default_expr, name)) {
            what = say(work, "generated column %s", other->name);
        }
    }
    if (relation->partition_key && column_mentioned(relation->partition_key, name)) {
        what = "the partition key";
    }
    return !what || work_refuse(work, "drop that first", "%s uses %s", what,
                                column_words(work, relation, name));
}

static bool no_key_rests(struct work *work, const struct dropping *d)
{
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *other = &catalog->relations[i];
        for (size_t k = 0; k < other->constraint_count; k++) {
            const struct constraint *key = &other->constraints[k];
            if (key->kind == 'f' && text_eq(key->ref_table, d->relation->name) &&
                text_eq(key->ref_schema, d->relation->schema) &&
                texts_have(&key->ref_columns, d->column->name)) {
                return work_refuse(work, "drop that foreign key first",
                                   "foreign key %s of %s references %s", key->name,
                                   relation_key(work, other),
                                   column_words(work, d->relation, d->column->name));
            }
        }
    }
    return true;
}

static bool nobody_elsewhere(struct work *work, const struct dropping *d)
{
    const struct graph *graph = work->input->graph;
    for (size_t i = 0; graph && i < graph->edge_count; i++) {
        const struct graph_edge *edge = &graph->edges[i];
        bool reads = edge->kind == EDGE_REFERENCE || edge->kind == EDGE_CONSUME ||
                     edge->kind == EDGE_FOREIGN_TABLE || edge->kind == EDGE_PUBLICATION;
        if (reads && edge->to.column && text_eq(edge->to.column, d->column->name) &&
            text_eq(edge->to.service, work->home->service) &&
            text_eq(edge->to.name, d->relation->name) &&
            !text_eq(edge->from.service, work->home->service)) {
            return work_refuse(
                work, "let that service stop reading it first; a drop is never passed on",
                "service %s still reads %s:%s (%s: %s)", edge->from.service, work->home->service,
                column_words(work, d->relation, d->column->name), edge_kind_name(edge->kind),
                edge->evidence ? edge->evidence : "");
        }
    }
    return true;
}

static void functions_noted(struct work *work, const struct dropping *d)
{
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->function_count; i++) {
        const struct function *f = &catalog->functions[i];
        if (f->body && column_mentioned(f->body, d->column->name) &&
            column_mentioned(f->body, d->relation->name)) {
            work_note(work, "warning", "function-reads-column",
                      "function %s.%s names %s and %s: it may fail once the column is gone",
                      f->schema, f->name, d->relation->name, d->column->name);
        }
    }
}

/* --- the steps ------------------------------------------------------------------------------- */

static void rename_away(struct work *work, const struct dropping *d)
{
    const char *table = relation_sql(work, d->relation);
    struct step *step =
        work_step(work, work->home, PHASE_CONTRACT,
                  say(work, "Take %s out of sight as %s",
                      column_words(work, d->relation, d->column->name), d->tomb),
                  "Whoever still needs it fails now, while the way back is one rename");
    step_up(work, step, "ALTER TABLE %s RENAME COLUMN %s TO %s", table,
            ident(work, d->column->name), ident(work, d->tomb));
    step_down(work, step, "ALTER TABLE %s RENAME COLUMN %s TO %s", table, ident(work, d->tomb),
              ident(work, d->column->name));
    step_probe(work, step, "SELECT %s", probe_column(work, d->relation, d->tomb));
    step_lock(work, step, d->relation, "ACCESS EXCLUSIVE");
    step->tags = TAG_CONTRACT;
}

static void take_off(struct work *work, const struct dropping *d)
{
    struct column_map map = { d->column->name, ident(work, d->tomb) };
    const struct column_maps maps = { &map, 1 };
    for (size_t i = 0; i < d->relation->constraint_count; i++) {
        const struct constraint *c = &d->relation->constraints[i];
        if (texts_have(&c->columns, d->column->name)) {
            constraint_remove(work, &(struct place){ work->home, d->relation, PHASE_CONTRACT }, c,
                              &maps);
        }
    }
    for (size_t i = 0; i < d->relation->index_count; i++) {
        const struct index *index = &d->relation->indexes[i];
        if (!index->constraint && index->valid && index_has_column(index, d->column->name)) {
            index_gone(work, &(struct place){ work->home, d->relation, PHASE_CONTRACT }, index,
                       &maps);
        }
    }
    for (size_t i = 0; i < d->relation->statistics.count; i++) {
        const char *definition = d->relation->statistics.items[i];
        if (column_mentioned(definition, d->column->name)) {
            struct step *step = work_step(work, work->home, PHASE_CONTRACT,
                                          "Drop extended statistics that use the column",
                                          "They would go along with it unseen");
            step_up(work, step, "DROP STATISTICS %s", statistics_name(work, definition));
            step_down(work, step, "%s", columns_mapped(work->ctx, definition, &maps));
            const char *owner = statistics_owner(work, d->relation, definition);
            if (owner) {
                step_down(work, step, "%s", owner);
            }
            extras_made(work, d->relation,
                        say(work, "statistics %s", statistics_name(work, definition)), &step->down);
            step->tags = TAG_CONTRACT;
        }
    }
}

/* Where numbers come from on the way back, between the column's return and its sequence's. */
static const char *numbers(const struct work *work, const struct dropping *d)
{
    return name_sql(work, "flotilla",
                    object_name_fit(work->ctx, say(work, "numbers %s.%s.%s", d->relation->schema,
                                                   d->relation->name, d->column->name)));
}

static const struct sequence *sequence_of(const struct work *work, const struct dropping *d)
{
    return retype_sequence(
        &(struct target){ .state = work->home, .relation = d->relation, .column = d->column });
}

static const char *sequence_options(const struct work *work, const struct sequence *q)
{
    return say(work, "START WITH %lld INCREMENT BY %lld MINVALUE %lld MAXVALUE %lld CACHE %lld%s",
               (long long)q->start, (long long)q->increment, (long long)q->min, (long long)q->max,
               (long long)q->cache, q->cycle ? " CYCLE" : "");
}

static void serial_back(struct work *work, const struct dropping *d, const struct sequence *q,
                        struct step *step)
{
    const char *name = name_sql(work, q->schema, q->name);
    const char *owner = owner_statement(work, "SEQUENCE", name, q->owner);
    step_down(work, step, "CREATE SEQUENCE %s AS %s %s", name, q->type, sequence_options(work, q));
    if (owner) {
        step_down(work, step, "%s", owner);
    }
    step_down(work, step, "ALTER SEQUENCE %s OWNED BY %s.%s", name, relation_sql(work, d->relation),
              ident(work, d->tomb));
    step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s",
              relation_sql(work, d->relation), ident(work, d->tomb), d->column->default_expr);
}

static void identity_back(struct work *work, const struct dropping *d, const struct sequence *q,
                          struct step *step)
{
    const char *table = relation_sql(work, d->relation), *tomb = ident(work, d->tomb);
    step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, tomb);
    step_down(work, step,
              "ALTER TABLE %s ALTER COLUMN %s ADD GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)",
              table, tomb, d->column->identity == 'a' ? "ALWAYS" : "BY DEFAULT",
              name_sql(work, q->schema, q->name), sequence_options(work, q));
}

/* A serial's sequence goes along with its column; the way back goes on counting where the numbers
 * for the time between stand. */
static void sequence_goes(struct work *work, const struct dropping *d)
{
    const struct sequence *q = sequence_of(work, d);
    if (!q) {
        return;
    }
    const char *table = relation_sql(work, d->relation), *tomb = ident(work, d->tomb);
    const char *name = name_sql(work, q->schema, q->name);
    struct step *step = work_step(work, work->home, PHASE_CONTRACT,
                                  say(work, "Drop sequence %s, which the column owns", q->name),
                                  "It would go along with the column unseen");
    if (d->column->identity) {
        step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY", table, tomb);
        identity_back(work, d, q, step);
    } else {
        step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, tomb);
        step_up(work, step, "DROP SEQUENCE %s", name);
        serial_back(work, d, q, step);
    }
    step_down(work, step, "SELECT pg_catalog.setval(%s, last_value, is_called) FROM %s",
              literal(work, name), numbers(work, d));
    step_down(work, step, "DROP SEQUENCE %s", numbers(work, d));
    grants_sql(work, &q->acl, say(work, "ON SEQUENCE %s", name), NULL, &step->down);
    if (q->comment) {
        step_down(work, step, "COMMENT ON SEQUENCE %s IS %s", name, literal(work, q->comment));
    }
    step_lock(work, step, d->relation, "ACCESS EXCLUSIVE");
    step->tags = TAG_CONTRACT;
}

/* Backwards: a sequence that goes on behind the largest value that came back, found without a lock
 * that anybody waits for; it numbers what is written from then on, and the sequence takes over. */
static void numbers_back(struct work *work, const struct dropping *d)
{
    const struct sequence *q = sequence_of(work, d);
    const char *table = relation_sql(work, d->relation), *tomb = ident(work, d->tomb);
    if (!q) {
        return;
    }
    struct step *use = work_step(
        work, work->home, PHASE_CONTRACT,
        say(work, "On the way back: number new rows of %s", d->relation->name),
        "Its own sequence comes back in a step of its own and goes on where this one stands");
    step_up_nothing(work, use, "this step is for the way back");
    step_down(work, use, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT pg_catalog.nextval(%s)", table,
              tomb, literal(work, numbers(work, d)));
    step_lock(work, use, d->relation, "ACCESS EXCLUSIVE");
    struct step *find =
        work_step(work, work->home, PHASE_CONTRACT, "On the way back: find where the numbers ended",
                  "It reads the column while everybody goes on");
    step_up_nothing(work, find, "this step is for the way back");
    step_down(work, find, "%s", pair_schema);
    step_down(work, find, "CREATE SEQUENCE %s AS %s %s", numbers(work, d), q->type,
              sequence_options(work, q));
    step_down(work, find,
              "SELECT pg_catalog.setval(%s, COALESCE(pg_catalog.%s(%s), %lld), "
              "pg_catalog.count(%s) > 0) FROM %s",
              literal(work, numbers(work, d)), q->increment < 0 ? "min" : "max", tomb,
              (long long)q->start, tomb, table);
    use->tags = find->tags = TAG_NEUTRAL;
}

/* Whether a snapshot could tell the rows apart once the column is gone. */
static bool rows_have_key(const struct work *work, const struct dropping *d)
{
    struct step_texts key = snapshot_key(work, d->relation);
    bool in_key = false;
    for (size_t i = 0; i < key.count; i++) {
        in_key = in_key || text_eq(key.items[i], d->column->name);
    }
    return key.count > 0 && !in_key;
}

/* What cannot be put back is only dropped when somebody says so. */
static bool loss_accepted(struct work *work, const struct dropping *d)
{
    /* who wrote DROP COLUMN has said so; the finding names what a rollback cannot bring back */
    if (d->column->generated || work->intent->accept_loss || work->intent->exact ||
        d->relation->rows == 0 || rows_have_key(work, d)) {
        return true;
    }
    return work_refuse(work,
                       "give the table a primary key first, or write accept_loss: true with a note",
                       "%s has no other key than this column: after a rollback its rows could not "
                       "be told apart, and the values of %s would not come back",
                       relation_key(work, d->relation), d->column->name);
}

/* What a row gets that was written without the column; null: nothing. */
static const char *fill_of(const struct work *work, const struct dropping *d)
{
    if (work->intent->fill) {
        return work->intent->fill;
    }
    return owns_sequence(work, d->relation, d->column)
               ? say(work, "pg_catalog.nextval(%s)", literal(work, numbers(work, d)))
               : d->column->default_expr;
}

static void keep_values(struct work *work, const struct dropping *d)
{
    struct step_texts key = snapshot_key(work, d->relation);
    if (d->column->generated) {
        return;
    }
    if (!rows_have_key(work, d) && owns_sequence(work, d->relation, d->column)) {
        work_note(work, "warning", "no-key",
                  "%s has no other key than %s: after a rollback its rows have new numbers",
                  relation_key(work, d->relation), d->column->name);
        return;
    }
    if (!rows_have_key(work, d)) {
        work_note(work, "warning", "no-key",
                  "%s has no other key than this column: after a rollback its rows cannot be told "
                  "apart, and the values of %s do not come back",
                  relation_key(work, d->relation), d->column->name);
        return;
    }
    struct step *step = step_aside(
        work, &(struct place){ work->home, d->relation, PHASE_CONTRACT }, &key,
        say(work, "Keep %s of %s aside (by hand: \\copy the key and the column to a file)", d->tomb,
            d->relation->name),
        "What is dropped can be put back; nobody writes it any more");
    const char *fill = fill_of(work, d);
    step_aside_column(work, step, d->tomb, "",
                      fill && !owns_sequence(work, d->relation, d->column) ? fill : "");
}

static void drop_it(struct work *work, const struct dropping *d)
{
    const char *table = relation_sql(work, d->relation), *tomb = ident(work, d->tomb);
    const struct column *c = d->column;
    struct step *step =
        work_step(work, work->home, PHASE_CONTRACT,
                  say(work, "Drop %s", column_words(work, d->relation, c->name)),
                  "Nobody missed it while it was out of sight, and its values are kept");
    step_up(work, step, "ALTER TABLE %s DROP COLUMN %s", table, tomb);
    step_down(work, step, "ALTER TABLE %s ADD COLUMN %s %s%s%s", table, tomb, c->type,
              collate(work, c->collation),
              c->generated ? say(work, " GENERATED ALWAYS AS (%s) STORED", c->default_expr) : "");
    if (c->default_expr && !c->generated && !owns_sequence(work, d->relation, c)) {
        step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", table, tomb,
                  c->default_expr);
    }
    column_dress(work, d->relation, c, d->tomb, &step->down);
    step_probe(work, step, "SELECT NOT %s", probe_column(work, d->relation, d->tomb));
    step_lock(work, step, d->relation, "ACCESS EXCLUSIVE");
    step->tags = TAG_CONTRACT | TAG_DESTRUCTIVE;
    if (c->generated) {
        step_risk(work, step,
                  "the way back computes the column anew, which rewrites the table "
                  "under a strong lock: on a large table only a raised lock_budget allows it");
    }
}

bool owns_sequence(const struct work *work, struct relation *relation, const struct column *column)
{
    const struct target as_target = { .state = work->home,
                                      .relation = relation,
                                      .column = (struct column *)(uintptr_t)column };
    return retype_sequence(&as_target) != NULL;
}

static bool can_drop(struct work *work, struct dropping *d)
{
    if (d->relation->kind != 'r' && d->relation->kind != 'p') {
        return work_refuse(work, "use replace_view", "%s is no table",
                           relation_key(work, d->relation));
    }
    return no_view_reads(work, d) && nothing_on_table(work, d) && no_key_rests(work, d) &&
           no_published_list(work, work->home, d->relation, d->column->name) &&
           nobody_elsewhere(work, d) && loss_accepted(work, d);
}

static bool in_primary_key(const struct relation *relation, const char *column)
{
    const struct constraint *primary = relation_primary_key(relation);
    return primary && texts_have(&primary->columns, column);
}

bool compile_drop_column(struct work *work)
{
    struct dropping d;
    const struct intent *it = work->intent;
    if (!find_table(work, &d.relation)) {
        return false;
    }
    d.column = relation_column(d.relation, it->column);
    if (!d.column && it->exact) {
        return find_column(work, d.relation, it->column, &d.column);
    }
    if (!d.column) {
        work_note(work, "info", "nothing-to-do", "%s is not there",
                  column_words(work, d.relation, it->column));
        return true;
    }
    if (!can_drop(work, &d)) {
        return false;
    }
    functions_noted(work, &d);
    d.tomb = free_column(work, d.relation, say(work, "%s_dropped", it->column));
    bool early = d.column->not_null && !d.column->default_expr && !d.column->identity &&
                 !in_primary_key(d.relation, it->column);
    const char *fill = fill_of(work, &d);
    if (early) {
        relax_with_proof(work, &(struct place){ work->home, d.relation, PHASE_EXPAND }, it->column,
                         fill);
    }
    acknowledge(work, work->home, d.relation, it->column);
    rename_away(work, &d);
    take_off(work, &d);
    sequence_goes(work, &d);
    if (d.column->not_null && !early && !d.column->generated) {
        relax_with_proof(work, &(struct place){ work->home, d.relation, PHASE_CONTRACT }, d.tomb,
                         fill);
    }
    numbers_back(work, &d);
    keep_values(work, &d);
    drop_it(work, &d);
    work_touch(work, work->home, relation_key(work, d.relation));
    work_busy(work, work->home, d.relation, it->column);
    model_drop_column(work, work->home, d.relation, it->column);
    return true;
}
