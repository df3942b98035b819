/*
 * What would happen: the dry runs of start and rollback, from the plan and what was measured.
 */
#ifndef CONTROLLER_CLI_FORECAST_H
#define CONTROLLER_CLI_FORECAST_H

#include <stdio.h>

#include "controller/cli/place.h"

/* Phases, services, steps with locks and expected time, disk for snapshots, gates. */
void forecast_forward(FILE *to, const struct plan *plan);

/* What a rollback to `back_to` (-1: all the way) would undo, in order. */
void forecast_back(FILE *to, const struct place *place, int back_to);

#endif
