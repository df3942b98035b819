/*
 * Steps that build and drop one index without standing in anybody's way, and the statements for
 * them. Of a partitioned table's index each piece is such a step (family/partitioned.h).
 */
#ifndef CONTROLLER_WORK_INDEX_STEP_H
#define CONTROLLER_WORK_INDEX_STEP_H

#include "controller/work/column_map.h"
#include "controller/work/work.h"

/* CREATE [UNIQUE] INDEX CONCURRENTLY `name` like an existing index, columns exchanged by map. */
const char *index_like(const struct work *work, const struct relation *relation,
                       const struct index *index, const char *name, const struct column_maps *maps);
/* A step that runs such a statement; its way back is DROP INDEX CONCURRENTLY. */
struct step *index_build(struct work *work, const struct place *place, const char *name,
                         const char *statement);
/* A step that drops an index concurrently; its way back is `statement`. */
struct step *index_remove(struct work *work, const struct place *place, const char *name,
                          const char *statement);

/* The index mentions a column of the map. */
bool index_has_mapped(const struct index *index, const struct column_maps *maps);
/* What an index that is made anew has lost: comment, targets of statistics, marks. */
void index_dress(const struct work *work, const struct relation *relation,
                 const struct index *index, struct step_texts *out);

#endif
