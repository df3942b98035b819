/*
 * The rows of the rule table, one list a theme: a new rule is a row of one of them. Constant data,
 * private to rules/: everybody else asks rule.h.
 */
#ifndef CONTROLLER_RULES_RULES_H
#define CONTROLLER_RULES_RULES_H

#include "controller/rules/rule.h"

extern const struct rule rules_table[];
extern const size_t rules_table_count;
extern const struct rule rules_session[];
extern const size_t rules_session_count;
extern const struct rule rules_client[];
extern const size_t rules_client_count;
extern const struct rule rules_catalog[];
extern const size_t rules_catalog_count;
extern const struct rule rules_style[];
extern const size_t rules_style_count;

#endif
