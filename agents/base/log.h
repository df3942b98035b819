/*
 * How an error reaches the operator of a program: on standard error, by main functions, cli/ and
 * the agent's loops; libraries return errors instead. What happened to a rollout is an event, not a
 * line here.
 */
#ifndef AGENTS_BASE_LOG_H
#define AGENTS_BASE_LOG_H

#include "agents/base/error.h"

/* "PROGRAM: message", then detail and hint on lines of their own: how every command reports. */
void log_error(const char *program, const struct error *err);

#endif
