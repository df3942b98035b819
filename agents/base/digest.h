/*
 * Digests and random ids (libsodium). A digest as text is "sha256:" and 64 hex digits everywhere:
 * in plans, fingerprints, journals and the wire.
 */
#ifndef AGENTS_BASE_DIGEST_H
#define AGENTS_BASE_DIGEST_H

#include <jansson.h>
#include <stddef.h>

#include "agents/base/error.h"

enum { DIGEST_TEXT = 72 }; /* "sha256:" + 64 + NUL */

/* Of n bytes; owned by ctx. */
const char *digest_bytes(const void *ctx, const void *data, size_t n);
/* Of a C string. */
const char *digest_text(const void *ctx, const char *s);
/* Of a value's canonical JSON. */
bool digest_json(const void *ctx, const json_t *value, const char **out,
                 struct error *err) MUSTCHECK;
/* Of a file's content, streamed. */
bool digest_file(const void *ctx, const char *path, const char **out, struct error *err) MUSTCHECK;
/* "sha256:" and exactly 64 lower-case hex digits. */
bool digest_is_valid(const char *s);
/* n random bytes as 2n hex digits, from the system's generator. */
const char *digest_random_id(const void *ctx, size_t n);

#endif
