/* A catalog as text for people: what is in it, how large, what could not be read. */
#ifndef CONTROLLER_TERMINAL_CATALOG_TEXT_H
#define CONTROLLER_TERMINAL_CATALOG_TEXT_H

#include "agents/base/text.h"
#include "controller/graph/graph.h"

void catalog_text(struct text *out, const struct service_catalog *item);

#endif
