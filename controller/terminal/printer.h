/*
 * Printing events as they happen, the same for start, watch and logs: ndjson prints all of them,
 * text the ones worth a line, progress at most once a second for each instance.
 */
#ifndef CONTROLLER_TERMINAL_PRINTER_H
#define CONTROLLER_TERMINAL_PRINTER_H

#include <jansson.h>

#include "controller/terminal/command.h"

struct printer;

/* flags are borrowed. */
struct printer *printer_new(const void *ctx, const struct flags *flags);

/* Prints one event on standard output and flushes it. */
void printer_event(struct printer *printer, const json_t *event);

/* The number of the last event that was printed, or passed over; 0 at first. */
int64_t printer_seen(const struct printer *printer);

#endif
