/*
 * Who has ever been called so: names of indexes and functions to what had them, so that a lookup
 * does not walk over everything there is. Entries are never taken out: whoever asks looks whether
 * the name still holds.
 */
#ifndef CONTROLLER_WORLD_NAMES_H
#define CONTROLLER_WORLD_NAMES_H

#include <stddef.h>

struct names;

/* Empty; owned by ctx. */
struct names *names_new(const void *ctx);
/* The name is kept as it is, not copied; null names are left out. */
void names_add(struct names *names, const char *name, void *thing);
/* All that were added under the name, in that order; each once when added in a row. */
void *const *names_of(const struct names *names, const char *name, size_t *count);

#endif
