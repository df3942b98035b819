/*
 * The rights that a plan's steps need of the role that carries them out, there and back, for the
 * agent to look up in the real database: a clone belongs to the role of rehearsals, where every one
 * of them is there.
 */
#ifndef CONTROLLER_DESK_PLAN_NEEDS_H
#define CONTROLLER_DESK_PLAN_NEEDS_H

#include <jansson.h>

#include "agents/part/part.h"

/* Appends {step, need, what, schema?, name?, to?} for each, to an array. What cannot be parsed
 * needs nothing: it is found elsewhere. */
void plan_needs(const struct part *part, json_t *list);

#endif
