/*
 * The file of a snapshot: rows in COPY's text format, compressed with zstd. The only user of zstd.
 */
#ifndef AGENTS_AGENT_SNAPSHOT_FILE_H
#define AGENTS_AGENT_SNAPSHOT_FILE_H

#include "agents/pg/connection.h"

struct snapshot_writer;
struct snapshot_reader;

/* Creates the file (0600) beside `path`; snapshot_writer_end() puts it there, durable. What is not
 * ended is removed with its context. */
bool snapshot_writer_open(const void *ctx, const char *path, struct snapshot_writer **out,
                          struct error *err) MUSTCHECK;
/* Fits connection_copy_out(). */
bool snapshot_writer_take(void *writer, const char *chunk, size_t len, struct error *err) MUSTCHECK;
bool snapshot_writer_end(struct snapshot_writer *writer, int64_t *bytes,
                         struct error *err) MUSTCHECK;

bool snapshot_reader_open(const void *ctx, const char *path, struct snapshot_reader **out,
                          struct error *err) MUSTCHECK;
/* Fits connection_copy_in(). */
bool snapshot_reader_give(void *reader, const char **chunk, size_t *len,
                          struct error *err) MUSTCHECK;

#endif
