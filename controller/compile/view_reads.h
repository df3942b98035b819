/*
 * What a view that this change makes reads: every column of its relations, because which of them a
 * bare name means is not looked into.
 */
#ifndef CONTROLLER_COMPILE_VIEW_READS_H
#define CONTROLLER_COMPILE_VIEW_READS_H

#include "controller/compile/work.h"
#include "controller/sql/query.h"

struct catalog_texts view_reads(const struct work *work, const struct state *state,
                                const struct sql_query *query);

#endif
