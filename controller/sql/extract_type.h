/* Types, domains, sequences, schemas, extensions; servers, publications, roles, databases. */
#ifndef CONTROLLER_SQL_EXTRACT_TYPE_H
#define CONTROLLER_SQL_EXTRACT_TYPE_H

#include "controller/sql/extract.h"

extract_fn type_enum, type_composite, type_range, type_define, type_alter_enum, type_alter;
extract_fn type_domain, type_sequence, type_alter_sequence, type_schema, type_extension;
extract_fn type_alter_extension, type_statistics;

extract_fn server_publication, server_alter_publication, server_subscription;
extract_fn server_alter_subscription, server_drop_subscription, server_role, server_alter_role;
extract_fn server_drop_role, server_create_database, server_alter_database, server_drop_database;
extract_fn server_set_database, server_tablespace, server_drop_tablespace, server_foreign;
extract_fn server_system, server_reassign, server_drop_owned, server_move_all, server_mapping;

#endif
