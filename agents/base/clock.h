/*
 * Time in milliseconds. Wall time is for people and signatures; durations use the monotonic clock.
 * The engine does not call this directly: it gets a clock through its `struct world`.
 */
#ifndef AGENTS_BASE_CLOCK_H
#define AGENTS_BASE_CLOCK_H

#include <stdint.h>

#include "agents/base/error.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
void clock_sleep_ms(int64_t ms);

/* "2026-03-01T12:00:00Z", or with ".123" when the milliseconds are not zero. */
const char *clock_rfc3339(const void *ctx, int64_t wall_ms);
/* The reverse; accepts "Z" and numeric offsets, refuses everything that RFC 3339 does. */
bool clock_parse_rfc3339(const char *s, int64_t *wall_ms, struct error *err) MUSTCHECK;
/* "200ms", "3s", "5m", "2h", "14d": milliseconds. A number without a unit is refused. */
bool clock_parse_duration(const char *s, int64_t *ms, struct error *err) MUSTCHECK;

#endif
