/*
 * What to say about a name that is not there: the nearest one that is, or all of them.
 */
#ifndef CONTROLLER_TERMINAL_NEAR_H
#define CONTROLLER_TERMINAL_NEAR_H

#include "agents/base/error.h"
#include "agents/part/step.h"

/* Adds a name unless it is in the list. */
void near_add(const void *ctx, struct step_texts *names, const char *name);

/* The hint "did you mean ...?", or "there are: ..."; false, as fail_hint(). */
bool near_hint(struct error *err, const char *given, const struct step_texts *names);

#endif
