/*
 * Names that the server chooses when a statement names nothing, so that a plan can name what such a
 * statement will make. Rules of PostgreSQL: ChooseIndexName and ChooseConstraintName, cut to 63
 * bytes, numbered when taken.
 */
#ifndef CONTROLLER_WORK_SERVER_NAME_H
#define CONTROLLER_WORK_SERVER_NAME_H

#include "controller/work/work.h"

/* The name that the server gives an index without one; columns: their names joined by "_". */
const char *server_index_name(const struct work *work, const struct relation *relation,
                              const char *columns);
/* The same for a constraint of kind c f p u x. */
const char *constraint_server_name(const struct work *work, const struct relation *relation,
                                   char kind, const char *const *columns, size_t count);
/* What the server calls a column of an index that is this expression. */
const char *expression_label(const struct work *work, const char *expression);

#endif
