/*
 * Errors: one fixed-size value that says what happened, where, and what to do next.
 *
 * Every fallible function ends with a `struct error *err` parameter, returns bool, and leaves its
 * outputs untouched when it returns false. The struct lives on the caller's stack, needs no free,
 * and crosses threads and the wire by value. A function fails with `return fail(err, CODE, ...)`
 * and adds its own place on the way up with `return fail_in(err, "host %s", name)`.
 *
 * `message` is one line for people. `detail` may carry more (a server's DETAIL is redacted before
 * it gets here: rows never leave a host). `hint` says what to do next; every error that reaches a
 * user has one.
 */
#ifndef AGENTS_BASE_ERROR_H
#define AGENTS_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

#define MUSTCHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* One list: enum names, names on the wire and in events, and a default hint ("" = none). */
#define ERROR_CODES(X)                                                                            \
    X(NONE, "none", "")                                                                           \
    X(INVALID, "invalid", "")                                                                     \
    X(USAGE, "usage", "run the command with --help")                                              \
    X(NOT_FOUND, "not_found", "")                                                                 \
    X(EXISTS, "exists", "")                                                                       \
    X(IO, "io", "")                                                                               \
    X(NO_SPACE, "no_space", "free disk space there, then run `flotilla resume`")                  \
    X(CONNECT, "connect", "run `flotilla doctor` to check the path host by host")                 \
    X(HOST_KEY, "host_key", "check the host's key with its administrator before you trust it")    \
    X(AUTH, "auth", "run `flotilla doctor` to check the login")                                   \
    X(PROTOCOL, "protocol", "install the same version on both sides: `flotilla agent push`")      \
    X(VERSION, "version", "install the same version on both sides: `flotilla agent push`")        \
    X(TIMEOUT, "timeout", "")                                                                     \
    X(DATABASE, "database", "")                                                                   \
    X(LOCK_TIMEOUT, "lock_timeout", "")                                                           \
    X(LOCK_BUDGET, "lock_budget", "")                                                             \
    X(RIGHTS, "rights", "run `flotilla-agent init` on the host for the SQL script of its rights") \
    X(DRIFT, "drift", "look at the change, then draft the plan again: `flotilla draft`")          \
    X(UNSIGNED, "unsigned", "ask the owners for their signature: `flotilla approve`")             \
    X(TAMPERED, "tampered", "draft the plan again and have it signed again")                      \
    X(JOURNAL, "journal",                                                                         \
      "put the schema flotilla back from a backup of that database, or end the rollout without "  \
      "undoing it: `flotilla abort --give-up`")                                                   \
    X(REFUSED, "refused", "")                                                                     \
    X(FENCED, "fenced", "another controller drives this rollout: see `flotilla status`")          \
    X(BUSY, "busy", "")                                                                           \
    X(VERIFY, "verify", "")                                                                       \
    X(UNSUPPORTED, "unsupported", "")                                                             \
    X(CANCELLED, "cancelled", "")                                                                 \
    X(INTERNAL, "internal", "this is a defect of flotilla: please report it")

enum error_code {
#define X(id, name, hint) ERROR_##id,
    ERROR_CODES(X)
#undef X
};

struct error {
    enum error_code code;
    char sqlstate[6];   /* five characters, or empty */
    char message[1024]; /* one line, no trailing newline */
    char detail[512];
    char hint[512];
};

/* Sets the error and returns false. The default hint of the code is filled in. */
bool fail(struct error *err, enum error_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Prefixes "context: " to the message and returns false. */
bool fail_in(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Replaces the hint and returns false. */
bool fail_hint(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Replaces the detail and returns false. */
bool fail_detail(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* fail() with errno's text appended: "MESSAGE: No such file or directory". ENOSPC and EDQUOT
 * become ERROR_NO_SPACE, everything else ERROR_IO (ENOENT: ERROR_NOT_FOUND). */
bool fail_errno(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The code's name as it stands on the wire ("lock_timeout"); never null. */
const char *error_code_name(enum error_code code);

/* The code of a name; ERROR_INTERNAL for a name that is not in the list. */
enum error_code error_code_from_name(const char *name);

#endif
