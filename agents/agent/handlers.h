/*
 * What the agent does for each operation of wire/ops.h: one function each, in one table. To add an
 * operation: its line in ops.h, a handle_NAME() in the file that does the work, its declaration
 * here, its line in handlers.c. An operation without a line is answered ERROR_UNSUPPORTED and is
 * not among the capabilities of the agent's hello.
 *
 * `args` is an object that a stranger wrote: check every field (json_need_text and its kin).
 * Databases come by name and are looked up with agent_config_database. A handler returns its result
 * as a new reference. Long ones send events with reply_event and end when it says that nobody
 * listens any more; work that must outlive the asker is for the runner.
 */
#ifndef AGENTS_AGENT_HANDLERS_H
#define AGENTS_AGENT_HANDLERS_H

#include "agents/agent/config.h"
#include "agents/wire/server.h"

struct agent {
    const struct agent_config *config;
    const char *program; /* path of this very executable, to start the runner with */
};

typedef bool handler_function(struct agent *agent, const json_t *args, struct reply *reply,
                              json_t **result, struct error *err) MUSTCHECK;

struct handler {
    enum operation op;
    handler_function *function;
};

extern const struct handler agent_handlers[];
extern const size_t agent_handler_count;

/* Which operations have a handler: for hello_own. */
void agent_capabilities(bool can[OP_COUNT_OF]);

/* struct server's handle function; self is the struct agent. */
bool agent_handle(void *self, enum operation op, const json_t *args, struct reply *reply,
                  json_t **result, struct error *err) MUSTCHECK;

/* The database that args name in "database". */
bool agent_args_database(const struct agent *agent, const json_t *args,
                         const struct agent_database **out, struct error *err) MUSTCHECK;

/* {} → {version, time_ms, databases: [names], release_signers: true|false} */
handler_function handle_hello;

/* {database} → {checks: [{check, level, what, fix}]}; doctor.h */
handler_function handle_doctor;

/* {database, rollout, fence, part, approvals: [], direction?: "forward" | "back", attempt?,
 * acks?: [{service, note}], until_step?, lock_budget_ms?} → {run, state}. Checks the request
 * against this host's own lists and starts a runner; the same request again finds the running one
 * (state "running"), or its end (done, undone, stopped, failed), or continues after a crash. */
handler_function handle_run;

/* {run, after?: seq} → events in order, each once, until the run ends → {seq, state, error?}.
 * ERROR_CONNECT when the runner was killed: ask for `run` again, then attach after the last seq. */
handler_function handle_attach;

/* {run, action: "pause" | "resume" | "cancel", fence?} → {run, action} */
handler_function handle_control;

/* {database, rollout?} → {fence, parts: [{rollout, phase, …, steps: [], cursors: []}]} */
handler_function handle_state;

/* {database, parts: [whole parts in the order of phases]} → {steps: [{id, ok, ms, hold_ms, rows,
 * locks, rewrite, back_ms?, error?}], equal, way_back, differences: [], notes: [], ms, error?}. On
 * a clone: up, down, up, with the very code of `run`. Needs no signature. */
handler_function handle_rehearse;

/* {database, relation, predicate} → {count}. In a read-only transaction of at most a minute. */
handler_function handle_count;

/* {database, action?: "list" | "verify", rollout?} → {snapshots: [{rollout, step, schema, name,
 * columns, rows, bytes, checksum, digest, taken, verified, ok?, error?}]} */
handler_function handle_snapshot;

/* {database, given_up?, dry_run?} → {removed: [], kept?: []}. Takes our schema out of a database,
 * and what was dropped by being put aside once its rollout ended longer ago than
 * policy.snapshots.keep; while anything is kept, so is the journal. ERROR_BUSY while it is needed.
 */
handler_function handle_clean;

/* {database, hash?} → {hash, unchanged: false, fingerprint, catalog}, or {hash, unchanged: true}
 * when the given hash still holds */
handler_function handle_inspect;

/* {database} → {runs: [{run, last, rollout, phase, state, log: [lines], events: [lines]}]}, newest
 * first; what the spool still has */
handler_function handle_logs;

/* {database, questions: [{sql, language?}]} → {version, answers: [{verdict: "known" | "refused" |
 * "unsaid", why?}]}. Parsed in a scratch database by the server's grammar, never run: pg/syntax.h.
 * Needs no signature. */
handler_function handle_syntax;

#endif
