/*
 * Whose new objects are. The agent's role makes them, and is none of the application's: what is new
 * goes to the role that owns what is there already.
 */
#ifndef CONTROLLER_WORK_OWNER_H
#define CONTROLLER_WORK_OWNER_H

#include "controller/sql/script.h"
#include "controller/work/work.h"

/* "TABLE", "MATERIALIZED VIEW", …: what the statement creates, as ALTER and DROP call it; null for
 * a statement that creates nothing with an owner. */
const char *created_keyword(const struct statement *s);
/* The role that owns most of a schema's relations, else most of all; null when there are none. */
const char *owner_of_new(const struct catalog *catalog, const char *schema);
/* ALTER … OWNER TO; null without an owner. */
const char *owner_statement(const struct work *work, const char *keyword, const char *name,
                            const char *owner);
/* The one that belongs behind a statement that makes an object; null behind others. */
const char *owner_after(const struct work *work, const char *sql);

#endif
