#include "controller/work/row_step.h"

#include <string.h>

#include "agents/base/text.h"
#include "controller/sql/expression.h"

static void risk_triggers(const struct work *work, struct step *step,
                          const struct relation *relation)
{
    for (size_t i = 0; i < relation->trigger_count; i++) {
        const struct trigger *trigger = &relation->triggers[i];
        if (trigger->definition && strstr(trigger->definition, "UPDATE") &&
            trigger->enabled != 'D') {
            step_risk(work, step, "the table's own trigger %s (%s) fires for every row",
                      trigger->name, trigger->function);
        }
    }
}

struct step *step_batches_back(struct work *work, const struct place *leaf, const char *what,
                               const char *why)
{
    struct step *step = work_step(work, leaf->state, leaf->phase, what, why);
    step->kind = STEP_BACKFILL;
    step->transaction = false;
    step->tags = TAG_NEUTRAL;
    step->batch.relation = relation_key(work, leaf->relation);
    step->batch.by = "ctid";
    step_lock(work, step, leaf->relation, "ROW EXCLUSIVE");
    return step;
}

struct step *step_batches(struct work *work, const struct place *leaf, const char *what,
                          const char *why)
{
    struct step *step = step_batches_back(work, leaf, what, why);
    step->tags = TAG_BACKFILL;
    step->full_scan = true;
    step_estimate(step, leaf->relation, RATE_BACKFILL);
    risk_triggers(work, step, leaf->relation);
    return step;
}

static struct step *step_reading(struct work *work, const struct place *place, const char *what,
                                 const char *why)
{
    struct step *step = work_step(work, place->state, place->phase, what, why);
    step->transaction = false;
    step->tags = TAG_NEUTRAL;
    step->full_scan = true;
    step_lock(work, step, place->relation, "ACCESS SHARE");
    step_estimate(step, place->relation, RATE_SCAN);
    return step;
}

struct step *step_aside(struct work *work, const struct place *place, const struct step_texts *key,
                        const char *what, const char *why)
{
    struct step *step = step_reading(work, place, what, why);
    step->kind = STEP_SNAPSHOT;
    step->snapshot.of = relation_key(work, place->relation);
    step->snapshot.key = *key;
    return step;
}

void step_aside_column(const struct work *work, struct step *step, const char *column,
                       const char *current, const char *inverse)
{
    step_texts_add(work->ctx, &step->snapshot.columns, column);
    step_texts_add(work->ctx, &step->snapshot.current, current);
    step_texts_add(work->ctx, &step->snapshot.inverse, inverse);
}

struct step_texts snapshot_key(const struct work *work, const struct relation *relation)
{
    struct step_texts key = { 0 };
    const struct constraint *primary = relation_primary_key(relation);
    const struct catalog_texts *columns = primary ? &primary->columns : NULL;
    for (size_t i = 0; i < relation->index_count && !columns; i++) {
        const struct index *index = &relation->indexes[i];
        bool fits = index->unique && index->valid && !index->predicate && !index->has_expressions;
        for (size_t k = 0; fits && k < (size_t)index->key_count; k++) {
            const struct column *column = relation_column(relation, index->columns.items[k]);
            fits = column && column->not_null;
        }
        if (fits && (size_t)index->key_count == index->columns.count) {
            columns = &index->columns;
        }
    }
    for (size_t i = 0; columns && i < columns->count; i++) {
        step_texts_add(work->ctx, &key, columns->items[i]);
    }
    return key;
}

struct step *step_proof(struct work *work, const struct place *place, const char *what,
                        const char *why)
{
    struct step *step = step_reading(work, place, what, why);
    step->kind = STEP_VERIFY;
    return step;
}

/* A row trigger before an update has the last word about what is written. */
static bool trigger_decides(const struct relation *relation)
{
    for (size_t i = 0; i < relation->trigger_count; i++) {
        const struct trigger *t = &relation->triggers[i];
        if (t->enabled != 'D' && t->definition && strstr(t->definition, " BEFORE ") &&
            strstr(t->definition, "UPDATE") && strstr(t->definition, " FOR EACH ROW")) {
            return true;
        }
    }
    return false;
}

const char *step_aside_becomes(struct work *work, struct step *step, struct relation *relation,
                               const char *column, const char *expression)
{
    struct sql_expression *e = NULL;
    struct error ignored;
    if (sql_expression_check(work->ctx, expression, &e, &ignored) &&
        e->volatility == SQL_IMMUTABLE && !e->subselect && !trigger_decides(relation)) {
        return say(work, "(%s)::%s", expression, relation_column(relation, column)->type);
    }
    step_risk(work, step,
              "what clients write into %s of rows that are changed here is written over by a way "
              "back: what such a row gets cannot be said beforehand",
              column);
    return "";
}
