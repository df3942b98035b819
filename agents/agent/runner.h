/*
 * The runner: carries out one request from its first to its last step, in a process of its own that
 * nobody needs to listen to.
 *
 * It trusts nothing it was handed: it checks the request again, enters the database through the
 * guard, and decides by the journal where to go on. Killed at any moment, a new one with the same
 * request continues. When the server goes away it waits for it and continues in the same way. The
 * last event of a run is "run_ended" {state: done | undone | stopped | failed, error?}.
 */
#ifndef AGENTS_AGENT_RUNNER_H
#define AGENTS_AGENT_RUNNER_H

#include "agents/agent/config.h"

/* The descriptor on which a runner inherits the lock of its run. */
enum { RUNNER_LOCK_FD = 3 };

/* Runs to the end; false only when not even that could be written down. */
bool runner_run(const struct agent_config *config, const char *run, struct error *err) MUSTCHECK;

/* Starts a runner for the request that lies in the spool, detached from this process and its
 * session; `lock` is the run's lock, which it inherits. */
bool runner_start(const struct agent_config *config, const char *program, const char *run, int lock,
                  struct error *err) MUSTCHECK;

#endif
