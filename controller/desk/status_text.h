/*
 * Where a rollout stands, for people and for scripts. Facts come from the rollout and the store
 * only, so that watch, status and a script read the same.
 */
#ifndef CONTROLLER_DESK_STATUS_TEXT_H
#define CONTROLLER_DESK_STATUS_TEXT_H

#include <jansson.h>
#include <stdio.h>

#include "controller/desk/place.h"

/* One line an instance with glyphs, then gate, errors, next command. */
void status_print(FILE *to, const struct place *place);

/* The same in about so many lines: what is at work or wrong one by one, the rest of a phase by
 * numbers, as far as the room asks for it. */
void status_print_within(FILE *to, const struct place *place, size_t lines);

/* {rollout, plan, title, status, direction, phase, gate, hint, tasks: [...]}: a new reference. */
json_t *status_json(const struct place *place);

#endif
