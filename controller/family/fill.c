#include "controller/family/fill.h"

#include "controller/work/column_map.h"
#include "controller/work/row_step.h"

static const char *update_of(const struct work *work, const struct relation *leaf,
                             const char *column, const char *value)
{
    bool row = false;
    for (size_t i = 0; i < leaf->column_count && !row; i++) {
        row = column_mentioned(value, leaf->columns[i].name);
    }
    const char *name = ident(work, column);
    return say(work, "UPDATE ONLY %s SET %s = %s WHERE %s IS NULL%s", relation_sql(work, leaf),
               name, value, name, row ? say(work, " AND (%s) IS NOT NULL", value) : "");
}

void fill_column(struct work *work, struct relation *relation, const char *value, bool nullable)
{
    const char *column = work->intent->column;
    struct relation **leaves;
    size_t count = relation_leaves(work, work->home, relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        const struct place leaf = { work->home, leaves[i], PHASE_MIGRATE };
        struct step *step = step_batches(
            work, &leaf,
            say(work, "Fill %s of the rows of %s that are there", column, leaves[i]->name),
            "One UPDATE of the whole table would lock its rows for as long as it "
            "takes");
        step_up(work, step, "%s", update_of(work, leaves[i], column, value));
        step_down_nothing(work, step, "the column goes away with its own step");
        if (nullable) {
            step_risk(work, step, "a row that a client sets to NULL meanwhile is filled as well");
        }
    }
}

void fill_nulls(struct work *work, struct relation *relation, const char *column, const char *value)
{
    struct relation **leaves;
    size_t count = relation_leaves(work, work->home, relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        const struct place leaf = { work->home, leaves[i], PHASE_MIGRATE };
        struct step *step = step_batches(
            work, &leaf, say(work, "Fill the nulls in %s", column_words(work, leaves[i], column)),
            "In small batches; rows that have a value are left alone");
        step_up(work, step, "%s", update_of(work, leaves[i], column, value));
        step_down_nothing(work, step, "which rows were null is kept by the snapshot before");
    }
}

void fill_nulls_back(struct work *work, const struct place *place, const char *column,
                     const char *value)
{
    struct relation **leaves;
    size_t count =
        relation_leaves(work, place->state, (struct relation *)(uintptr_t)place->relation, &leaves);
    for (size_t i = 0; i < count; i++) {
        const struct place leaf = { place->state, leaves[i], place->phase };
        struct step *step =
            step_batches_back(work, &leaf,
                              say(work, "On the way back: give %s a value where it has none",
                                  column_words(work, leaves[i], column)),
                              "Rows written while it was not asked for; in batches");
        step_up_nothing(work, step, "this step is for the way back");
        step_down(work, step, "%s", update_of(work, leaves[i], column, value));
    }
}
