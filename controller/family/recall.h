/*
 * What sessions remember of a column's type. plpgsql keeps compiled functions per session, with the
 * type of NEW.column, OLD.column and of variables declared by %TYPE as it was when they first ran.
 * After an exchange of columns such a session fails (42804) or overflows, until it reconnects. A
 * function whose row in pg_proc was written anew is compiled again by everybody at the next call.
 * (Tried on PostgreSQL 15.)
 */
#ifndef CONTROLLER_FAMILY_RECALL_H
#define CONTROLLER_FAMILY_RECALL_H

#include "controller/work/work.h"

/* Adds a statement to both ways of the step for each plpgsql function that is a trigger of the
 * relation or names it: it changes nothing but makes sessions compile it again. */
void recall_functions(struct work *work, const struct state *state, const struct relation *relation,
                      struct step *step);

#endif
