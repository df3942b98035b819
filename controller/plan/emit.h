/*
 * JSON values as YAML for people: one spelling for each value, block style where it is long, flow
 * style where it is short, literal blocks for text of several lines (SQL), quotes around whatever
 * could be read as something else, escapes for what does not show or steers a terminal.
 */
#ifndef CONTROLLER_PLAN_EMIT_H
#define CONTROLLER_PLAN_EMIT_H

#include <jansson.h>

#include "agents/base/text.h"

/* Adds the object as a document, its keys in insertion order. */
void emit_document(struct text *t, const json_t *object);

#endif
