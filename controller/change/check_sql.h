/*
 * The SQL inside an intent: expressions, types and statements are parsed before anything is made of
 * them, and each is exactly one. The compiler pastes them into statements of its own, so what
 * passes here cannot end one and begin another.
 */
#ifndef CONTROLLER_CHANGE_CHECK_SQL_H
#define CONTROLLER_CHANGE_CHECK_SQL_H

#include "controller/intent/intent.h"

/* Adds a problem for each that is none. */
void change_check_sql(const struct intent *intent, struct intent_problems *problems);

#endif
