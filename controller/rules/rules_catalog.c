/* What only the catalog of the database shows. */
#include "controller/rules/rules.h"

/* clang-format off */
const struct rule rules_catalog[] = {
    { "name-collision", "catalog", SEVERITY_ERROR, true,
      "a name that is taken",
      "The catalog, or the script itself, has an object of that name: the statement fails, in the "
      "middle of what was to be done.",
      "Another name, or IF NOT EXISTS where the same definition is meant.",
      "CREATE TABLE t (id bigint PRIMARY KEY); CREATE TABLE t (id bigint PRIMARY KEY);" },
    { "extension-unavailable", "catalog", SEVERITY_ERROR, true,
      "an extension that this server does not have",
      "CREATE EXTENSION reads files that a package puts on the server's host: pg_available_extensions"
      " does not list it.",
      "Install the package on every host first, replicas too.",
      "CREATE EXTENSION nowhere;" },
    { "dependents-elsewhere", "catalog", SEVERITY_ERROR, true,
      "another service reads what is dropped, renamed or changed",
      "A foreign table, a subscription or a declared reader in another database does not stop this "
      "statement; it fails afterwards, over there.",
      "Draft it as a change of the fleet, or move the readers first.",
      "DROP TABLE users;" },
    { "published-table-change", "catalog", SEVERITY_WARNING, true,
      "the table is published: subscribers have to follow in order",
      "Logical replication carries rows, not DDL, and maps by name: a subscriber that lacks a column "
      "stops and keeps the publisher's WAL.",
      "Add and widen on the subscriber first, drop on the publisher first, rename by add and copy.",
      "ALTER TABLE t ADD COLUMN x int;" },
    { "replica-identity-missing", "catalog", SEVERITY_WARNING, true,
      "a published table without a replica identity",
      "Without a primary key (or REPLICA IDENTITY) the server refuses every UPDATE and DELETE on a "
      "published table.",
      "Add a primary key, or REPLICA IDENTITY USING INDEX, first.",
      "CREATE TABLE t (a int); CREATE PUBLICATION p FOR TABLE t;" },
    { "privileges-lost", "catalog", SEVERITY_WARNING, true,
      "dropped and made again: what was granted is gone",
      "A new object has the default privileges of its owner only; readers get permission denied "
      "from COMMIT on.",
      "CREATE OR REPLACE where it can, or GRANT again in the same transaction.",
      "DROP VIEW v; CREATE VIEW v AS SELECT 1;" },
    { "policy-inert", "catalog", SEVERITY_WARNING, true,
      "a policy on a table whose row security is off",
      "Policies count only after ALTER TABLE … ENABLE ROW LEVEL SECURITY: until then everybody "
      "sees every row.",
      "ALTER TABLE … ENABLE ROW LEVEL SECURITY in the same transaction.",
      "CREATE TABLE t (id bigint PRIMARY KEY); CREATE POLICY p ON t USING (id > 0);" },
    { "rows-violate", "catalog", SEVERITY_ERROR, true,
      "rows that are there now violate the new constraint",
      "The statement reads all rows under its lock and then fails; NOT VALID only puts that off to "
      "VALIDATE, and refuses every UPDATE of such a row until then.",
      "Mend the rows first, in batches.",
      "ALTER TABLE t ALTER COLUMN a SET NOT NULL;" },
};
/* clang-format on */

const size_t rules_catalog_count = sizeof rules_catalog / sizeof *rules_catalog;
