/*
 * The spool: what stays on the host about each run, in SPOOL/runs/RUN/:
 *
 *     request   what was asked, JSON, mode 0600
 *     lock      flock()ed by the runner as long as it lives; inherited from whoever started it
 *     events    one JSON object a line, numbered from 1 without gaps, append only
 *     fence     the newest fencing token that commanded it
 *     orders    "pause", "resume" or "cancel": what the runner should do, replaced atomically
 *     log       standard error of the runner
 *
 * Orders are a file and not a conversation: they survive the death of the runner, and a successor
 * that continues a paused run finds it paused. Events reach the disk at step boundaries; a torn
 * last line is cut off by whoever appends next. When the file is over SPOOL_LIMIT progress events
 * are dropped; results never.
 */
#ifndef AGENTS_AGENT_SPOOL_H
#define AGENTS_AGENT_SPOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agents/base/error.h"

enum { SPOOL_LIMIT = 16 * 1024 * 1024 };

struct spool;

/* The id of a run made of its pieces, fit for a file name and different for different pieces. */
const char *spool_run_id(const void *ctx, const char *const *pieces, size_t count);
/* SPOOL/runs/RUN */
const char *spool_run_path(const void *ctx, const char *folder, const char *run);

/* Is there such a run? False also for what cannot be one's name: "..", "a/b", "". */
bool spool_exists(const char *folder, const char *run);

/* Makes the folder of a run (0700). */
bool spool_make(const char *folder, const char *run, struct error *err) MUSTCHECK;
/* Removes a run with everything in its folder. */
void spool_remove(const char *folder, const char *run);
/* Removes what rehearsals that died left behind: runs of that prefix, older than an hour, that
 * nobody holds. */
void spool_sweep(const char *folder, const char *prefix);
/* Takes the run's lock: *fd is -1 when another process has it. */
bool spool_lock(const char *folder, const char *run, int *fd, struct error *err) MUSTCHECK;

/* Remembers the newest token that commanded a run; an older one is refused with ERROR_FENCED. */
bool spool_fence(const char *folder, const char *run, int64_t fence, struct error *err) MUSTCHECK;

bool spool_write_request(const char *folder, const char *run, const json_t *request,
                         struct error *err) MUSTCHECK;
bool spool_read_request(const void *ctx, const char *folder, const char *run, json_t **out,
                        struct error *err) MUSTCHECK;

/* Opens for appending (the runner; one at a time). */
bool spool_open(const void *ctx, const char *folder, const char *run, struct spool **out,
                struct error *err) MUSTCHECK;
/* True when this run has told the event of that step, now or before its last runner died. Only
 * step_done and step_undone are kept in mind. */
bool spool_told(const struct spool *spool, const char *step, const char *event);
/* Appends one event, which is taken over; seq and time are added. `durable`: fsync. */
bool spool_append(struct spool *spool, json_t *event, bool durable, struct error *err) MUSTCHECK;

enum spool_order { ORDER_RUN, ORDER_PAUSE, ORDER_CANCEL };
enum spool_order spool_order(const struct spool *spool);
bool spool_write_order(const char *folder, const char *run, const char *action,
                       struct error *err) MUSTCHECK;

/* Reading, by whoever tails: events with seq over `after`, in order. */
struct spool_reader;
bool spool_reader_open(const void *ctx, const char *folder, const char *run, int64_t after,
                       struct spool_reader **out, struct error *err) MUSTCHECK;
/* The next event, owned by ctx; null when there is none now. */
bool spool_next(struct spool_reader *reader, const void *ctx, json_t **out,
                struct error *err) MUSTCHECK;

/* The event that ends a run ("run_ended"), or null when it has not ended. */
bool spool_end(const void *ctx, const char *folder, const char *run, json_t **out,
               struct error *err) MUSTCHECK;

#endif
