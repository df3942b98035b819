/*
 * The SQL inside an intent: expressions, types and statements are parsed before anything is made of
 * them, and each is exactly one. The compiler pastes them into statements of its own, so what
 * passes here cannot end one and begin another.
 */
#ifndef CONTROLLER_CHANGE_CHECK_SQL_H
#define CONTROLLER_CHANGE_CHECK_SQL_H

#include "controller/intent/intent.h"
#include "controller/sql/statement.h"

/* Adds a problem for each that is none. asks: statements that do not parse are let through, a
 * server will be asked. */
void change_check_sql(const struct intent *intent, bool asks, struct intent_problems *problems);

/* An item of up or down that holds several statements becomes as many items. */
void change_split_sql(const void *ctx, struct intent *intent);

/* True but for those backslash lines of psql that would do something (\i, \copy, \gexec …); what
 * pg_dump writes around a dump does nothing. */
bool change_psql_is_idle(const struct statement *s);

#endif
