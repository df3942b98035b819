/*
 * What would happen: the dry runs of start and rollback, from the plan and what was measured. As
 * data (schemas/forecast.schema.json) and, made of it, as text.
 */
#ifndef CONTROLLER_DESK_FORECAST_H
#define CONTROLLER_DESK_FORECAST_H

#include <jansson.h>
#include <stdio.h>

#include "controller/desk/place.h"

/* Phases and what closes their gates now, parts, steps with locks and expected time, disk for
 * snapshots; owned by ctx. place->store may be null; path is the plan file's. */
bool forecast_forward(const void *ctx, const struct place *place, const char *path, json_t **out,
                      struct error *err) MUSTCHECK;

/* What a rollback to `back_to` (-1: all the way) would undo, in order. */
json_t *forecast_back(const void *ctx, const struct place *place, int back_to);

/* On standard output, as the flags say: JSON, or text for people. */
void forecast_show(const struct flags *flags, const json_t *forecast);

#endif
