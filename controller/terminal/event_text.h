/*
 * An event of a rollout as people read it. Facts come from the event alone, so that whoever starts,
 * watches or reads a log sees the same.
 */
#ifndef CONTROLLER_TERMINAL_EVENT_TEXT_H
#define CONTROLLER_TERMINAL_EVENT_TEXT_H

#include <jansson.h>
#include <stdbool.h>

/* One line ("" when it is not worth one), owned by ctx. */
const char *event_line(const void *ctx, const json_t *event, bool color);

#endif
