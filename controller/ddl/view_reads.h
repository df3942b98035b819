/*
 * What a view that this change makes reads: every column of its relations, because which of them a
 * bare name means is not looked into.
 */
#ifndef CONTROLLER_DDL_VIEW_READS_H
#define CONTROLLER_DDL_VIEW_READS_H

#include "controller/sql/query.h"
#include "controller/work/work.h"

struct catalog_texts view_reads(const struct work *work, const struct state *state,
                                const struct sql_query *query);

#endif
