/*
 * allowed_signers, the list of trusted keys, looked at before a signature is needed: who could give
 * one that counts, and which lines nobody can use. ssh-keygen alone decides whether a signature
 * holds; this reads the same file by the rules of ssh-keygen(1), "ALLOWED SIGNERS".
 *
 *     signers_read(ctx, path, &signers, &err)      signers_know(signers, "ana@example.org")
 */
#ifndef AGENTS_PART_SIGNERS_H
#define AGENTS_PART_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>

#include "agents/base/error.h"

struct signers;

/* Fails when the file cannot be read. Lines that make no sense are problems, not failures. */
bool signers_read(const void *ctx, const char *path, struct signers **out,
                  struct error *err) MUSTCHECK;

/* Keys that may sign for flotilla. */
size_t signers_keys(const struct signers *signers);

/* One of them is this person's (a name, not a pattern). */
bool signers_know(const struct signers *signers, const char *name);

/* What is wrong with the file's lines, each with "FILE:LINE: "; null behind the last one. */
const char *signers_problem(const struct signers *signers, size_t index);

#endif
