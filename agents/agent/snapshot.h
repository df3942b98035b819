/*
 * Snapshots: rows copied aside before something destructive, on this host only.
 *
 * A snapshot is a folder DIR/DATABASE/NAME with `rows` (see snapshot_file.h) and `manifest`, which
 * is written last and says what is in it, how many rows, and a checksum that the server computed
 * over the same rows in the same transaction. It counts only after it was loaded again elsewhere
 * and compared; the manifest says when.
 */
#ifndef AGENTS_AGENT_SNAPSHOT_H
#define AGENTS_AGENT_SNAPSHOT_H

#include <jansson.h>

#include "agents/agent/work.h"

enum snapshot_role { SNAPSHOT_KEY, SNAPSHOT_VALUE, SNAPSHOT_CURRENT };

struct snapshot_column {
    const char
        *name; /* KEY and VALUE: of the column; CURRENT: of the column whose change it tells */
    const char *type; /* format_type; CURRENT: text */
    const char *read; /* SQL that reads it from the table, as text */
    const char *side; /* its name in a side table */
    enum snapshot_role role;
};

struct snapshot {
    const char *folder;
    const char *rollout, *step, *schema, *name;
    bool whole; /* the whole table */
    struct snapshot_column *columns;
    size_t column_count;
    int64_t rows, bytes;
    const char *checksum; /* of the server */
    const char *digest;   /* of the file */
    const char *taken, *verified;
};

/* Where the snapshots of a database lie, and the one of a step among them. */
const char *snapshot_shelf(const void *ctx, const char *dir, const char *database);
const char *snapshot_folder(const void *ctx, const char *dir, const char *database,
                            const char *rollout, const char *step);
const char *snapshot_rows_path(const void *ctx, const struct snapshot *snapshot);

/* What is said of one, but for its columns: a new reference. */
json_t *snapshot_json(const struct snapshot *snapshot);
bool snapshot_manifest_write(const struct snapshot *snapshot, struct error *err) MUSTCHECK;
bool snapshot_manifest_read(const void *ctx, const char *folder, struct snapshot **out,
                            struct error *err) MUSTCHECK;

/* Copies the rows that work->step asks for. A half-made one of an earlier try is replaced. */
bool snapshot_take(const void *ctx, struct work *work, struct snapshot **out,
                   struct error *err) MUSTCHECK;

/* Compares the file with its digest, loads it into the scratch database (without one: beside the
 * journal) as text, and compares count and checksum. Writes the manifest anew with the time. */
struct snapshot_bench {
    const char *scratch;       /* conninfo; may be null */
    struct connection *target; /* where to go when there is none, or it cannot be reached */
};
bool snapshot_verify(struct snapshot *snapshot, const struct snapshot_bench *bench,
                     struct error *err) MUSTCHECK;

/* The expression whose sum over all rows is the checksum; `side`: over a side table's columns. It
 * does not depend on the rows' order. Over text: hash_record_extended fails on json, point and
 * others, and calls 1.0 and 1.00 equal. */
const char *snapshot_checksum_sql(const void *ctx, const struct snapshot *snapshot, bool side);
/* Count and checksum of a relation that holds the side columns. */
bool snapshot_compare(const struct snapshot *snapshot, struct connection *db, const char *relation,
                      struct error *err) MUSTCHECK;

/* Removes the snapshots of a database whose rollouts ended longer ago than keep_ms. Best effort. */
void snapshot_prune(struct connection *db, const char *dir, const char *database, int64_t keep_ms);

/* Puts the rows back on the way back: merged by key, journalled like a backfill. */
bool snapshot_restore(const void *ctx, struct work *work, json_t **measured,
                      struct error *err) MUSTCHECK;

#endif
