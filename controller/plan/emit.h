/*
 * JSON values as readable YAML in one spelling: keys in the order of the value, two spaces, texts
 * plain where nothing could read them as anything else, `|-` blocks for several lines, double
 * quotes otherwise. What comes out reads back through base/yaml.h to the same value.
 */
#ifndef CONTROLLER_PLAN_EMIT_H
#define CONTROLLER_PLAN_EMIT_H

#include <jansson.h>

/* value is an object; the text is owned by ctx. */
const char *yaml_from_json(const void *ctx, const json_t *value);

#endif
