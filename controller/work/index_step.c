#include "controller/work/index_step.h"

#include "controller/work/sync.h"

#include "agents/base/text.h"
#include "controller/work/model.h"

bool index_has_mapped(const struct index *index, const struct column_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (index_has_column(index, maps->items[i].column)) {
            return true;
        }
    }
    return false;
}

const char *index_like(const struct work *work, const struct relation *relation,
                       const struct index *index, const char *name, const struct column_maps *maps)
{
    const char *using = text_from_keyword(index->definition, "USING");
    return say(work, "CREATE %sINDEX CONCURRENTLY %s ON %s %s", index->unique ? "UNIQUE " : "",
               ident(work, name), relation_sql(work, relation),
               columns_mapped(work->ctx, using ? using : "", maps));
}

struct step *index_build(struct work *work, const struct place *place, const char *name,
                         const char *statement)
{
    const struct relation *relation = place->relation;
    struct step *step = work_step(work, place->state, place->phase,
                                  say(work, "Build index %s on %s", name, relation->name),
                                  "CONCURRENTLY lets reads and writes go on while it is built");
    step->kind = STEP_CONCURRENTLY;
    step->transaction = false;
    step->full_scan = true;
    step_up(work, step, "%s", statement);
    step_down(work, step, "DROP INDEX CONCURRENTLY IF EXISTS %s",
              name_sql(work, relation->schema, name));
    step_probe(work, step, "SELECT %s", probe_index(work, relation->schema, name));
    step_lock(work, step, relation, "SHARE UPDATE EXCLUSIVE");
    step_estimate(step, relation, RATE_BUILD);
    return step;
}

struct step *index_remove(struct work *work, const struct place *place, const char *name,
                          const char *statement)
{
    const struct relation *relation = place->relation;
    struct step *step = work_step(work, place->state, place->phase,
                                  say(work, "Drop index %s of %s", name, relation->name),
                                  "CONCURRENTLY waits for the queries that use it instead of "
                                  "blocking them");
    step->kind = STEP_CONCURRENTLY;
    step->transaction = false;
    step->tags = TAG_CONTRACT;
    step_up(work, step, "DROP INDEX CONCURRENTLY IF EXISTS %s",
            name_sql(work, relation->schema, name));
    step_down(work, step, "%s", statement);
    step_probe(work, step, "SELECT pg_catalog.to_regclass(%s) IS NULL",
               literal(work, name_sql(work, relation->schema, name)));
    step_lock(work, step, relation, "SHARE UPDATE EXCLUSIVE");
    step->estimate.ms = 50;
    return step;
}

void index_dress(const struct work *work, const struct relation *relation,
                 const struct index *index, struct step_texts *out)
{
    if (index->comment) {
        step_texts_add(work->ctx, out,
                       say(work, "COMMENT ON INDEX %s IS %s",
                           name_sql(work, relation->schema, index->name),
                           literal(work, index->comment)));
    }
    extras_made(work, relation, say(work, "index %s", index->name), out);
}
