/*
 * What the files of a migration tool leave behind, for those that come after them: tables with
 * their columns and constraints, types, indexes. Nothing that an earlier file made is new: it may
 * have rows by now. It is hearsay, not a catalog: nobody is told that something does not exist.
 *
 * A worker process has its own, and follows the files that other workers look at.
 */
#ifndef CONTROLLER_DESK_LINT_HISTORY_H
#define CONTROLLER_DESK_LINT_HISTORY_H

#include "controller/desk/lint_run.h"
#include "controller/lint/layout.h"

/* A judge that has followed all files of the run before `index` that the same tool keeps in the
 * same place; null: there is none, or a catalog knows better. The file's own way up is to be linted
 * with it, and with nothing else. It lives as long as the run's `ctx`. */
struct judge *lint_history_before(struct lint_run *run, size_t index,
                                  const struct lint_layout *layout,
                                  const struct lint_options *options);

/* The file was linted with it. */
void lint_history_linted(struct lint_run *run, size_t index);

#endif
