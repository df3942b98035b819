/*
 * JSON values are jansson's `json_t`; this adds what a program that reads strangers' JSON needs:
 * parsing with limits, fields with errors that name the path, ownership by a talloc context, and
 * the canonical form (RFC 8785) that digests are taken over.
 *
 * Reference rule: functions that return `json_t *` to the caller through json_own()ed contexts
 * lend it; use json_auto_t for values you build and hand over with the _new setters of jansson.
 */
#ifndef AGENTS_BASE_JSON_H
#define AGENTS_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"

/* Largest magnitude whose every integer a double holds: RFC 8785, section 3.2.2.3. */
#define JSON_SAFE_INTEGER 9007199254740991LL

/* Parses exactly one value; duplicate keys, trailing bytes, NUL and nesting over 512 are refused.
 * The result is owned by ctx. */
bool json_parse(const void *ctx, const char *data, size_t len, json_t **out,
                struct error *err) MUSTCHECK;

/* Hands the caller's reference to ctx: it is released with ctx. Returns value. */
json_t *json_own(const void *ctx, json_t *value);

/* Canonical text, RFC 8785: keys sorted by UTF-16 code units, shortest escapes, no spaces. Refuses
 * floating-point numbers and integers over JSON_SAFE_INTEGER: nothing we sign has any. */
bool json_canonical(const void *ctx, const json_t *value, const char **out,
                    struct error *err) MUSTCHECK;

/* Compact text in insertion order, for the wire and for files that machines read. */
const char *json_compact(const void *ctx, const json_t *value);
/* Indented text for people. */
const char *json_pretty(const void *ctx, const json_t *value);

/* Fields that must be there; the error says "field \"x\": expected a string". The text lives as
 * long as the object. */
bool json_need_text(const json_t *object, const char *key, const char **out,
                    struct error *err) MUSTCHECK;
bool json_need_int(const json_t *object, const char *key, int64_t *out,
                   struct error *err) MUSTCHECK;
bool json_need_array(const json_t *object, const char *key, json_t **out,
                     struct error *err) MUSTCHECK;
bool json_need_object(const json_t *object, const char *key, json_t **out,
                      struct error *err) MUSTCHECK;

/* Fields that may be absent or null: then *out keeps the value it had. A wrong type is an error. */
bool json_may_text(const json_t *object, const char *key, const char **out,
                   struct error *err) MUSTCHECK;
bool json_may_int(const json_t *object, const char *key, int64_t *out, struct error *err) MUSTCHECK;
bool json_may_bool(const json_t *object, const char *key, bool *out, struct error *err) MUSTCHECK;

/* Unchecked conveniences for values that we wrote ourselves or that were checked before. */
const char *json_text_of(const json_t *object, const char *key); /* null when absent */
int64_t json_int_of(const json_t *object, const char *key);      /* 0 when absent */
bool json_true_of(const json_t *object, const char *key);

/* Setters that leave the key out when there is nothing to say (null text). */
void json_set_text(json_t *object, const char *key, const char *value);
void json_set_int(json_t *object, const char *key, int64_t value);
void json_set_bool(json_t *object, const char *key, bool value);

/* A list of texts to and from an array of strings; the texts are copied to ctx. */
json_t *json_from_texts(const char *const *texts, size_t count);
bool json_to_texts(const void *ctx, const json_t *array, const char *const **out, size_t *count,
                   struct error *err) MUSTCHECK;

#endif
