/*
 * data_backfill: new values for rows, in batches; the old ones are kept first.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/families.h"
#include "controller/work/row_step.h"

/* What gives the same when it is done to its own result. */
static bool repeatable(const char *expression, const char *column)
{
    static const char *const functions[] = { "lower", "upper",    "trim",  "btrim", "ltrim",
                                             "rtrim", "coalesce", "round", "trunc", "abs",
                                             "floor", "ceil",     "nullif" };
    SCOPE(tmp);
    if (!column_mentioned(expression, column)) {
        return true;
    }
    for (struct sql_piece piece = sql_piece_next(tmp, expression); piece.length > 0;) {
        struct sql_piece after = sql_piece_next(tmp, piece.start + piece.length);
        bool called = piece.word && *after.start == '(', known = false;
        for (size_t i = 0; i < sizeof functions / sizeof *functions && called; i++) {
            known = known || text_eq(functions[i], piece.name);
        }
        if ((called && !known) || (!piece.word && strchr("+-*/|%^", *piece.start))) {
            return false;
        }
        piece = after;
    }
    return true;
}

static bool can_repeat(struct work *work)
{
    const char *name, *other;
    json_t *value, *unused;
    json_object_foreach(work->intent->set, name, value) {
        json_object_foreach(work->intent->set, other, unused) {
            if (!repeatable(json_string_value(value), other)) {
                return work_refuse(work,
                                   "add a new column for the new values, fill it from the old one, "
                                   "then drop that",
                                   "%s = %s gives something else when it is done twice: after a "
                                   "crash in the middle nobody could tell the rows apart",
                                   name, json_string_value(value));
            }
        }
    }
    return true;
}

static bool known_columns(struct work *work, struct relation *relation)
{
    const char *name;
    json_t *value;
    struct column *column;
    json_object_foreach(work->intent->set, name, value) {
        if (!find_column(work, relation, name, &column)) {
            return false;
        }
        if (!json_is_string(value)) {
            return work_refuse(work, "write set: { column: \"expression\" }",
                               "set: %s has no expression", name);
        }
    }
    return true;
}

/* The expression as the column's own type: images of different types cannot be compared. */
static const char *value_of(const struct work *work, struct relation *relation, const char *column,
                            const json_t *expression)
{
    return say(work, "(%s)::%s", json_string_value(expression),
               relation_column(relation, column)->type);
}

static void keep(struct work *work, struct relation *relation)
{
    struct step_texts key = snapshot_key(work, relation);
    const char *name;
    json_t *value;
    if (key.count == 0) {
        work_note(work, "warning", "no-key",
                  "%s has no key: after a rollback the old values do not come back",
                  relation_key(work, relation));
        return;
    }
    struct step *step =
        step_aside(work, &(struct place){ work->home, relation, PHASE_EXPAND }, &key,
                   say(work, "Keep the old values of %s aside (by hand: \\copy them to a file)",
                       relation->name),
                   "The way back puts them back where nobody changed the row since");
    json_object_foreach(work->intent->set, name, value) {
        const char *now = value_of(work, relation, name, value);
        const char *becomes = work->intent->where ? say(work, "CASE WHEN %s THEN %s ELSE %s END",
                                                        work->intent->where, now, ident(work, name))
                                                  : now;
        step_aside_column(work, step, name, step_aside_becomes(work, step, relation, name, becomes),
                          "");
    }
}

/* "SET a = x, b = y WHERE … AND (some value differs)": what is right already is skipped. */
static const char *update_of(const struct work *work, struct relation *leaf)
{
    const struct intent *it = work->intent;
    struct text set = text_init(work->ctx, TEXT_SQL), old = text_init(work->ctx, TEXT_SQL);
    struct text new = text_init(work->ctx, TEXT_SQL);
    const char *name, *comma = "";
    json_t *value;
    json_object_foreach(it->set, name, value) {
        const char *cast = value_of(work, leaf, name, value);
        text_addf(&set, "%s%s = %s", comma, ident(work, name), cast);
        text_addf(&old, "%s%s", comma, ident(work, name));
        text_addf(&new, "%s%s", comma, cast);
        comma = ", ";
    }
    return say(work,
               "UPDATE ONLY %s SET %s WHERE %s%s%spg_catalog.record_image_ne(ROW(%s), ROW(%s))",
               relation_sql(work, leaf), set.data, it->where ? "(" : "", it->where ? it->where : "",
               it->where ? ") AND " : "", old.data, new.data);
}

bool compile_data_backfill(struct work *work)
{
    struct relation *relation, **leaves;
    if (!find_table(work, &relation) || !known_columns(work, relation) || !can_repeat(work)) {
        return false;
    }
    keep(work, relation);
    size_t count = relation_leaves(work, work->home, relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        struct step *step =
            step_batches(work, &(struct place){ work->home, leaves[i], PHASE_MIGRATE },
                         say(work, "Write the new values into %s", leaves[i]->name),
                         "In small batches; rows that are right already are skipped");
        step->tags |= TAG_DESTRUCTIVE;
        step_up(work, step, "%s", update_of(work, leaves[i]));
        step_down_nothing(work, step, "the snapshot before puts the old values back");
    }
    work_touch(work, work->home, relation_key(work, relation));
    return true;
}
