/*
 * The parts of the rule table, cut to fit the limit on a file's length. Constant data, private to
 * check/: everybody else asks rule.h.
 */
#ifndef CONTROLLER_CHECK_RULES_H
#define CONTROLLER_CHECK_RULES_H

#include "controller/check/rule.h"

extern const struct rule rules_1[], rules_2[], rules_3[], rules_4[];
extern const size_t rules_1_count, rules_2_count, rules_3_count, rules_4_count;

#endif
