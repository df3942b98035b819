/*
 * What discharges a rule in a plan, written down rule by rule: a plan may do what a migration
 * script should not, when the steps around it carry the proof. A rule that stands here with a kind
 * of evidence is discharged for a step when that evidence is there (plan_check.h looks); a rule
 * that does not stand here is never discharged.
 *
 * Constant data: `flotilla lint --explain`, `flotilla show` and the documentation print it.
 */
#ifndef CONTROLLER_CHECK_DISCHARGE_H
#define CONTROLLER_CHECK_DISCHARGE_H

#include <stddef.h>

/* X(ID, the name for people, the same as an identifier) */
#define EVIDENCE_KINDS(X)                      \
    X(WAIT, "wait", wait)                      \
    X(BUDGET, "budget", budget)                \
    X(BATCHES, "batches", batches)             \
    X(CONCURRENT, "concurrent", concurrent)    \
    X(LEFTOVER, "leftover", leftover)          \
    X(PROVEN, "proven", proven)                \
    X(LATER, "later", later)                   \
    X(EARLIER, "earlier", earlier)             \
    X(BUILT, "built", built)                   \
    X(SHELL, "shell", shell)                   \
    X(INDEXED, "indexed", indexed)             \
    X(AS_BEFORE, "as-before", as_before)       \
    X(SNAPSHOT, "snapshot", snapshot)          \
    X(COPY, "copy", copy)                      \
    X(DERIVED, "derived", derived)             \
    X(WORD, "word", word)                      \
    X(EXCHANGE, "exchange", exchange)          \
    X(TOMBSTONE, "tombstone", tombstone)       \
    X(GOES_ALONG, "goes-along", goes_along)    \
    X(REMADE, "remade", remade)                \
    X(OWN, "own", own)                         \
    X(UNDO, "undo", undo)                      \
    X(REBUILT, "rebuilt", rebuilt)             \
    X(FOLLOWS, "follows", follows)             \
    X(SAME_RIGHTS, "same-rights", same_rights) \
    X(READ, "read", read)                      \
    X(KNOWN, "known", known)

enum evidence {
#define X(id, name, word) EVIDENCE_##id,
    EVIDENCE_KINDS(X)
#undef X
        EVIDENCE_COUNT
};

struct discharge {
    const char *rule;
    enum evidence by;
    const char *why; /* one sentence: when, and why that is enough */
};

/* All rows, in the order of rules; *count of them. */
const struct discharge *discharges_all(size_t *count);
/* The row of a rule and the name of an evidence, as a plan file has it; null: there is none. */
const struct discharge *discharge_named(const char *rule, const char *by);
/* "wait", "snapshot", … */
const char *evidence_name(enum evidence evidence);

#endif
