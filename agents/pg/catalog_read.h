/*
 * Reads the catalog of a live database: set-based queries of the system catalogs in one REPEATABLE
 * READ, READ ONLY transaction, and PostgreSQL's own format functions for expressions.
 *
 * Never waits behind a locked table: the system catalogs can be read under any lock; format
 * functions cannot, so they skip relations on which somebody holds or wants ACCESS EXCLUSIVE, run
 * under a short lock_timeout, and what they could not read is in the catalog's `unreadable` with
 * the process that holds it. Locks of their own are given back after every batch.
 *
 * Format functions show newer contents than the transaction's snapshot: when the catalogs' hash
 * moved meanwhile, everything is read again, at last with a line in `unreadable` that says so.
 *
 * Left out: system schemas, temporary objects, objects that belong to an extension, and the schema
 * `flotilla`. PostgreSQL 14 to 18.
 */
#ifndef AGENTS_PG_CATALOG_READ_H
#define AGENTS_PG_CATALOG_READ_H

#include "agents/base/error.h"
#include "agents/pg/catalog.h"
#include "agents/pg/connection.h"

/* The connection must be idle and is idle afterwards; its session settings are left alone. */
bool catalog_read(const void *ctx, struct connection *connection, struct catalog **out,
                  struct error *err) MUSTCHECK;

/* Has anything changed? Equal texts from one database mean that no definition changed in between.
 * Different ones may be a false alarm (TRUNCATE, REINDEX, VACUUM FULL). Much cheaper than a read:
 * a sum over (oid, xmin) of the rows of every catalog that matters. Works inside a transaction. */
bool catalog_hash(const void *ctx, struct connection *connection, const char **out,
                  struct error *err) MUSTCHECK;

#endif
