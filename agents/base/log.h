/*
 * Log lines for the operator of a program: "LEVEL module: message", on standard error. Only main
 * functions, cli/ and the agent's loops write them; libraries return errors instead. What happened
 * to a rollout is an event, not a log line.
 */
#ifndef AGENTS_BASE_LOG_H
#define AGENTS_BASE_LOG_H

#include "agents/base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; the start is LOG_LEVEL_WARN. */
void log_level_set(enum log_level level);

/* One line; control characters of the message are made visible. */
void log_line(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "PROGRAM: message", then detail and hint on lines of their own: how every command reports. */
void log_error(const char *program, const struct error *err);

#endif
