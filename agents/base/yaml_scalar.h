/*
 * What a plain scalar is: the core schema of YAML 1.2 (section 10.3.2). Also asked by writers, that
 * must quote text which would be read as something else.
 */
#ifndef AGENTS_BASE_YAML_SCALAR_H
#define AGENTS_BASE_YAML_SCALAR_H

#include <stdbool.h>

#include "agents/base/yaml.h"

/* YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT or YAML_TEXT. */
enum yaml_type yaml_scalar_type(const char *s);

/* A word that YAML 1.1 reads as a boolean (yes, no, on, off, y, n in three spellings). */
bool yaml_scalar_is_old_boolean(const char *s);

/* The value of a YAML_INT: decimal, 0o17, 0x1F. False when 64 bits cannot hold it. */
bool yaml_scalar_int(const char *s, int64_t *out);

#endif
