/*
 * A child process that speaks the protocol on its standard input and output: a local agent, or the
 * ssh program. Private to controller/session.
 */
#ifndef CONTROLLER_SESSION_CHILD_H
#define CONTROLLER_SESSION_CHILD_H

#include "controller/session/carrier.h"

/* Starts it; freeing the carrier closes its pipes and ends it. */
bool child_start(const void *ctx, const char *const *argv, struct carrier **out,
                 struct error *err) MUSTCHECK;

#endif
