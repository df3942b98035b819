/*
 * NOT NULL: values first, then a check NOT VALID (new rows), VALIDATE (old rows, under a weak
 * lock), SET NOT NULL (which takes the check as its proof and scans nothing), and the check goes.
 * Until contract a trigger gives old writers, who still leave the column empty, the backfill's
 * value.
 */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/family/fill.h"
#include "controller/family/leftover.h"
#include "controller/work/row_step.h"

static void check_not_valid(struct work *work, const struct place *place, const char *column,
                            const char *check)
{
    const struct relation *relation = place->relation;
    const struct state *state = place->state;
    enum phase phase = place->phase;
    const char *table = relation_sql(work, relation);
    struct step *step = work_step(
        work, state, phase,
        say(work, "Let nobody write a null into %s any more", column_words(work, relation, column)),
        "NOT VALID looks at new rows only, so it needs no scan");
    step_up(work, step, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID", table,
            ident(work, check), ident(work, column));
    step_down(work, step, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", table, ident(work, check));
    step_probe(work, step, "SELECT %s", probe_constraint(work, relation, check, false));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    step->tags = TAG_ADDITIVE | TAG_CONTRACT;
    struct step *proof =
        work_step(work, state, phase,
                  say(work, "Prove that %s has no null", column_words(work, relation, column)),
                  "VALIDATE reads the table while everybody goes on reading and writing");
    step_up(work, proof, "ALTER TABLE %s VALIDATE CONSTRAINT %s", table, ident(work, check));
    step_down_nothing(work, proof, "the check goes away with its own step");
    step_probe(work, proof, "SELECT %s", probe_constraint(work, relation, check, true));
    step_lock(work, proof, relation, "SHARE UPDATE EXCLUSIVE");
    step_estimate(proof, relation, RATE_SCAN);
    proof->full_scan = true;
}

void not_null_proven(struct work *work, struct state *state, struct relation *relation,
                     const char *column, enum phase phase)
{
    const char *table = relation_sql(work, relation), *quoted = ident(work, column);
    const char *check = free_name(work, state, relation, say(work, "%s_not_null", column));
    check_not_valid(work, &(struct place){ state, relation, phase }, column, check);
    struct step *step = work_step(
        work, state, phase, say(work, "Set %s NOT NULL", column_words(work, relation, column)),
        "The validated check is the proof: no scan; the check itself is not needed then");
    step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, quoted);
    step_up(work, step, "ALTER TABLE %s DROP CONSTRAINT %s", table, ident(work, check));
    step_down(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", table, quoted);
    step_probe(work, step,
               "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = "
               "pg_catalog.to_regclass(%s) AND attname = %s AND attnotnull) AND NOT %s",
               literal(work, table), literal(work, column),
               probe_constraint(work, relation, check, false));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    step->tags = TAG_ADDITIVE | TAG_CONTRACT;
}

/* --- the coalescing trigger ----------------------------------------------------------------- */

static struct pair coalescing(struct work *work, struct relation *relation, const char *column,
                              const char *value)
{
    struct pair pair = {
        .state = work->home,
        .relation = relation,
        .source = column,
        .copy = column,
        .forward = say(work, "COALESCE(%s, %s)", ident(work, column), value),
    };
    pair_name(work, &pair);
    return pair;
}

static void install(struct work *work, const struct pair *pair)
{
    struct step *step =
        work_step(work, work->home, PHASE_EXPAND,
                  say(work, "Give old writers of %s a value instead of null",
                      column_words(work, pair->relation, pair->copy)),
                  "Clients that leave the column empty go on working until they are deployed anew");
    step_up(work, step, "%s", pair_schema);
    pair_create(work, pair, &step->up);
    pair_remove(work, pair, &step->down);
    step_lock(work, step, pair->relation, "SHARE ROW EXCLUSIVE");
    step_probe(work, step, "SELECT %s", probe_trigger(work, pair->relation, pair->trigger));
}

static void uninstall(struct work *work, const struct pair *pair)
{
    acknowledge(work, work->home, pair->relation, pair->copy);
    struct step *step = work_step(work, work->home, PHASE_CONTRACT,
                                  say(work, "Drop the trigger that filled %s",
                                      column_words(work, pair->relation, pair->copy)),
                                  "From here on a null is an error, as was asked for");
    pair_remove(work, pair, &step->up);
    pair_create(work, pair, &step->down);
    step_lock(work, step, pair->relation, "ACCESS EXCLUSIVE");
    step_probe(work, step, "SELECT NOT %s", probe_trigger(work, pair->relation, pair->trigger));
    step->tags = TAG_CONTRACT;
}

/* Which rows were null is data: kept, so that the way back can make them null again. */
static void keep_nulls(struct work *work, const struct pair *pair)
{
    const struct relation *relation = pair->relation;
    struct step_texts key = snapshot_key(work, relation);
    if (key.count == 0) {
        work_note(work, "warning", "no-key",
                  "%s has no key: after a rollback the rows that were null keep the value",
                  relation_key(work, relation));
        return;
    }
    struct step *step =
        step_aside(work, &(struct place){ work->home, relation, PHASE_EXPAND }, &key,
                   say(work, "Keep %s aside (by hand: \\copy the key and the column to a file)",
                       column_words(work, relation, pair->copy)),
                   "The way back makes the same rows null again");
    step_aside_column(work, step, pair->copy,
                      step_aside_becomes(work, step, pair->relation, pair->copy, pair->forward),
                      "");
}

/* A default that is the same for every row, whenever it is asked for, says what a null means. */
static bool default_fills(const struct column *column)
{
    const char *value = column->default_expr;
    return value && !column->generated && !column->identity && !strchr(value, '(') &&
           !text_starts(value, "NULL") && strncmp(value, "CURRENT", 7) != 0;
}

/* Without a value for them nulls stop the change before anything is made; how many there are is
 * for the owner to know and to decide. */
static void prove_none(struct work *work, const struct relation *relation, const char *column)
{
    struct step *step =
        step_proof(work, &(struct place){ work->home, relation, PHASE_EXPAND },
                   say(work, "Prove that %s has no null", column_words(work, relation, column)),
                   say(work,
                       "There is no backfill and no default to fill nulls with; count them with "
                       "SELECT count(*) FROM %s WHERE %s IS NULL",
                       relation_sql(work, relation), ident(work, column)));
    step->check = say(work, "SELECT NOT EXISTS (SELECT FROM %s WHERE %s IS NULL)",
                      relation_sql(work, relation), ident(work, column));
}

bool compile_set_not_null(struct work *work)
{
    struct relation *relation;
    struct column *column;
    const struct intent *it = work->intent;
    if (!find_table(work, &relation) || !find_column(work, relation, it->column, &column)) {
        return false;
    }
    if (column->not_null) {
        work_note(work, "info", "nothing-to-do", "%s is NOT NULL already",
                  column_words(work, relation, it->column));
        return true;
    }
    const char *value =
        it->backfill || it->exact || !default_fills(column) ? it->backfill : column->default_expr;
    struct pair pair;
    if (value && !table_can_sync(work, relation)) {
        return false;
    }
    if (value) {
        pair = coalescing(work, relation, it->column, value);
        keep_nulls(work, &pair);
        install(work, &pair);
        fill_nulls(work, relation, it->column, value);
    } else {
        if (!it->exact && work->floor == PHASE_EXPAND) {
            prove_none(work, relation, it->column);
        }
        work_note(work, "info", "no-backfill",
                  "without backfill: the change stops, and is undone, when %s has a null",
                  column_words(work, relation, it->column));
    }
    not_null_proven(work, work->home, relation, it->column, PHASE_MIGRATE);
    if (value) {
        uninstall(work, &pair);
    }
    column->not_null = true;
    work_touch(work, work->home, relation_key(work, relation));
    return true;
}

/* Backwards: what is empty is filled, nobody may leave it empty any more, what came meanwhile is
 * filled, that is proven, and the proof makes it NOT NULL. */
void relax_with_proof(struct work *work, const struct place *place, const char *column,
                      const char *fill)
{
    const struct relation *relation = place->relation;
    const char *table = relation_sql(work, relation), *quoted = ident(work, column);
    const char *check = free_name(work, place->state, relation, say(work, "%s_not_null", column));
    struct step *step = work_step(work, place->state, place->phase,
                                  say(work, "Let %s be null", column_words(work, relation, column)),
                                  "Only the catalog changes");
    step_up(work, step, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", table, quoted);
    step_down(work, step, "%s", leftover_not_null(work, relation, column, check));
    step_lock(work, step, relation, "ACCESS EXCLUSIVE");
    if (!fill) {
        step_risk(work, step,
                  "rows that are null by the time of a way back stay so: %s then comes back "
                  "without NOT NULL, with the check %s (NOT VALID), until they have a value "
                  "(`fill` of the intent gives them one)",
                  column, check);
    }
    struct step *back =
        work_step(work, place->state, place->phase, "On the way back: prove that there is no null",
                  "SET NOT NULL then needs no scan under its strong lock");
    step_up_nothing(work, back, "this step is for the way back");
    step_down(work, back, "%s", leftover_not_null_proof(work, relation, check));
    if (fill) {
        fill_nulls_back(work, place, column, fill);
    }
    struct step *guard = work_step(work, place->state, place->phase,
                                   "On the way back: let nobody write a null any more",
                                   "NOT VALID needs no scan; the proof is the step before");
    step_up_nothing(work, guard, "this step is for the way back");
    step_down(work, guard, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID",
              table, ident(work, check), quoted);
    back->tags = guard->tags = TAG_NEUTRAL;
    if (fill) {
        fill_nulls_back(work, place, column, fill);
    }
}

bool compile_drop_not_null(struct work *work)
{
    struct relation *relation;
    struct column *column;
    if (!find_table(work, &relation) ||
        !find_column(work, relation, work->intent->column, &column)) {
        return false;
    }
    if (!column->not_null) {
        work_note(work, "info", "nothing-to-do", "%s may be null already",
                  column_words(work, relation, column->name));
        return true;
    }
    relax_with_proof(work, &(struct place){ work->home, relation, PHASE_EXPAND }, column->name,
                     work->intent->fill      ? work->intent->fill
                     : default_fills(column) ? column->default_expr
                                             : NULL);
    column->not_null = false;
    work_touch(work, work->home, relation_key(work, relation));
    return true;
}
