/*
 * change_type: the sequences behind the columns.
 */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/family/retype.h"

const struct sequence *retype_sequence(const struct target *t)
{
    const struct catalog *catalog = t->state->catalog;
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        const struct sequence *sequence = &catalog->sequences[i];
        if (text_eq(sequence->owned_column, t->column->name) && sequence->owned_table &&
            text_eq(sequence->owned_table,
                    object_name_join(catalog, t->relation->schema, t->relation->name))) {
            return sequence;
        }
    }
    return NULL;
}

/* A serial's sequence would go on ending where the old type did. */
void retype_widen_sequences(struct retype *r)
{
    struct work *work = r->work;
    for (size_t i = 0; i < r->count; i++) {
        const struct target *t = &r->targets[i];
        const struct sequence *q = retype_sequence(t);
        bool integer =
            text_eq(t->to, "integer") || text_eq(t->to, "bigint") || text_eq(t->to, "smallint");
        if (t->state != r->state || t->in_place || !q || t->column->identity || !integer ||
            text_eq(q->type, t->to) || !t->lossless) {
            continue;
        }
        const char *name = name_sql(work, q->schema, q->name);
        if (work->intent->exact) {
            work_note(work, "warning", "sequence-type",
                      "sequence %s stays %s, as the statement says: it ends before the column does",
                      q->name, q->type);
            continue;
        }
        struct step *step = work_step(
            work, t->state, PHASE_CONTRACT,
            say(work, "Let sequence %s count up to the end of %s", q->name, t->to),
            "It would go on ending where the old type ends; in a step of its own, because "
            "nextval waits for it");
        step_up(work, step, "ALTER SEQUENCE %s AS %s", name, t->to);
        step_down(work, step, "ALTER SEQUENCE %s AS %s", name, q->type);
        step_probe(work, step,
                   "SELECT EXISTS (SELECT FROM pg_catalog.pg_sequence WHERE seqrelid = "
                   "pg_catalog.to_regclass(%s) AND seqtypid = %s::pg_catalog.regtype)",
                   literal(work, name), literal(work, t->to));
        work_touch(work, t->state,
                   say(work, "sequence %s", object_name_join(work->ctx, q->schema, q->name)));
    }
}
