/* ALTER TABLE (and ALTER INDEX, VIEW, … with sub-commands) and ALTER DOMAIN. */
#ifndef CONTROLLER_SQL_EXTRACT_ALTER_H
#define CONTROLLER_SQL_EXTRACT_ALTER_H

#include "controller/sql/extract.h"

extract_fn extract_alter_table;
extract_fn extract_alter_domain;

#endif
