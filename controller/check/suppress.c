/* Comments that take findings back: ours, and squawk's with its rule names. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/linting.h"

/* squawk's rules (its documentation, version 2) and ours for the same thing. */
static const struct {
    const char *theirs, *ours;
} squawk[] = {
    { "adding-field-with-default", "add-column-volatile-default" },
    { "adding-foreign-key-constraint", "fk-validating" },
    { "adding-not-nullable-field", "not-null-scan" },
    { "adding-required-field", "add-column-required" },
    { "adding-serial-primary-key-field", "pk-blocking" },
    { "ban-char-field", "type-char" },
    { "ban-concurrent-index-creation-in-transaction", "txn-forbidden" },
    { "ban-create-domain-with-constraint", "domain-constraint-create" },
    { "ban-alter-domain-with-add-constraint", "domain-constraint-scan" },
    { "ban-drop-column", "drop-column" },
    { "ban-drop-database", "drop-database" },
    { "ban-drop-not-null", "drop-not-null" },
    { "ban-drop-table", "drop-table" },
    { "ban-truncate-cascade", "truncate-cascade" },
    { "changing-column-type", "column-type-rewrite" },
    { "constraint-missing-not-valid", "check-validating" },
    { "constraint-missing-not-valid", "fk-validating" },
    { "disallowed-unique-constraint", "unique-blocking" },
    { "prefer-bigint-over-int", "type-int-key" },
    { "prefer-bigint-over-smallint", "type-smallint" },
    { "prefer-identity", "type-serial" },
    { "prefer-robust-stmts", "robust-if-exists" },
    { "prefer-text-field", "type-varchar-limit" },
    { "prefer-timestamptz", "type-timestamp" },
    { "renaming-column", "rename-column" },
    { "renaming-table", "rename-table" },
    { "require-concurrent-index-creation", "index-create-blocking" },
    { "require-concurrent-index-deletion", "index-drop-blocking" },
    { "require-timeout-settings", "missing-lock-timeout" },
    { "transaction-nesting", "txn-nesting" },
};

static bool theirs_is(const char *name, size_t n, const char *rule)
{
    for (size_t i = 0; i < sizeof squawk / sizeof *squawk; i++) {
        if (text_eq(squawk[i].ours, rule) && strlen(squawk[i].theirs) == n &&
            memcmp(squawk[i].theirs, name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* The list "a, b reason": names up to the first that has no comma behind it. */
static bool listed(const char *list, const char *rule, bool is_squawk)
{
    const char *p = list + strspn(list, " :\t");
    if (*p == '\0') {
        return is_squawk; /* squawk's without names means all */
    }
    for (;;) {
        size_t n = strcspn(p, " ,\t\r\n");
        bool same = strlen(rule) == n && memcmp(p, rule, n) == 0;
        if (same || (n == 3 && memcmp(p, "all", 3) == 0) || (is_squawk && theirs_is(p, n, rule))) {
            return true;
        }
        p += n + strspn(p + n, " \t");
        if (*p != ',') {
            return false;
        }
        p += strspn(p, ", \t");
    }
}

static bool takes_back(const char *comment, const char *rule, bool whole_file)
{
    const char *ours = whole_file ? "flotilla: ignore-file" : "flotilla: ignore ";
    const char *theirs = whole_file ? "squawk-ignore-file" : "squawk-ignore";
    size_t n = strlen(ours), m = strlen(theirs);
    if (strncmp(comment, ours, n) == 0) {
        return listed(comment + n, rule, false);
    }
    bool longer = !whole_file && text_starts(comment, "squawk-ignore-file");
    return strncmp(comment, theirs, m) == 0 && !longer && listed(comment + m, rule, true);
}

static int line_before(const struct script *script, const struct statement *s)
{
    int line = s->line - 1;
    for (size_t i = script->comment_count; i > 0; i--) { /* a block of comments counts as one */
        const struct sql_comment *c = &script->comments[i - 1];
        if (c->own_line && c->line == line) {
            line--;
        }
    }
    return line + 1;
}

bool suppressed(const struct script *script, const struct statement *s, const char *rule)
{
    int first = script->comment_count > 0 ? line_before(script, s) : 0;
    for (size_t i = 0; i < script->comment_count; i++) {
        const struct sql_comment *c = &script->comments[i];
        if (takes_back(c->text, rule, true)) {
            return true;
        }
        if (c->line >= first && c->line <= s->end_line && takes_back(c->text, rule, false)) {
            return true;
        }
    }
    return false;
}

bool suppresses(const struct script *script)
{
    for (size_t i = 0; i < script->comment_count; i++) {
        if (text_starts(script->comments[i].text, "flotilla: ignore") ||
            text_starts(script->comments[i].text, "squawk-ignore")) {
            return true;
        }
    }
    return false;
}
