/*
 * Other programs, run by argument vector: no shell ever sees a value of ours.
 */
#ifndef AGENTS_BASE_PROCESS_H
#define AGENTS_BASE_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agents/base/error.h"

struct process_result {
    int status;      /* exit code, or 128 + signal */
    const char *out; /* at most 1 MiB each, NUL-terminated */
    const char *err;
};

/* Runs argv[0] (looked up in PATH) to its end, feeding `input` (may be null); over timeout_ms it is
 * killed with its group and the call fails with ERROR_TIMEOUT. A program that ran and exited with
 * any status is a success of this function. */
bool process_run(const void *ctx, const char *const *argv, const char *input, int64_t timeout_ms,
                 struct process_result *out, struct error *err) MUSTCHECK;

/* A child with pipes on its standard input and output; its standard error is ours unless err_fd is
 * given, which receives the read end of a pipe on it. The child dies with the calling thread's
 * process (PR_SET_PDEATHSIG). The caller closes the descriptors and waits. */
bool process_spawn(const char *const *argv, int *in_fd, int *out_fd, int *err_fd, pid_t *pid,
                   struct error *err) MUSTCHECK;

#endif
