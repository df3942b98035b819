/* Comments that take findings back: ours, and squawk's with its rule names. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/suppress.h"

enum { NAMES_MAX = 64 }; /* in one comment; more are a mistake or an attack */

/* squawk's rules (as its 2.66.0 names them) and ours for the same thing. */
static const struct {
    const char *theirs, *ours;
} squawk[] = {
    { "adding-field-with-default", "add-column-volatile-default" },
    { "adding-field-with-default", "add-column-autoincrement" },
    { "adding-field-with-default", "add-column-stored-generated" },
    { "adding-foreign-key-constraint", "fk-validating" },
    { "adding-foreign-key-constraint", "fk-parent-lock" },
    { "adding-not-nullable-field", "not-null-scan" },
    { "adding-not-nullable-field", "add-column-required" },
    { "adding-required-field", "add-column-required" },
    { "adding-serial-primary-key-field", "pk-blocking" },
    { "adding-serial-primary-key-field", "add-column-autoincrement" },
    { "ban-alter-domain-with-add-constraint", "domain-constraint-scan" },
    { "ban-char-field", "type-char" },
    { "ban-concurrent-index-creation-in-transaction", "txn-forbidden" },
    { "ban-create-domain-with-constraint", "domain-constraint-create" },
    { "ban-drop-column", "drop-column" },
    { "ban-drop-database", "drop-database" },
    { "ban-drop-not-null", "drop-not-null" },
    { "ban-drop-table", "drop-table" },
    { "ban-duplicate-column-assignments", "duplicate-assignment" },
    { "ban-truncate-cascade", "truncate-cascade" },
    { "ban-uncommitted-transaction", "txn-uncommitted" },
    { "changing-column-type", "column-type-rewrite" },
    { "changing-column-type", "column-type-recheck" },
    { "changing-column-type", "type-narrowing" },
    { "constraint-missing-not-valid", "check-validating" },
    { "constraint-missing-not-valid", "fk-validating" },
    { "constraint-missing-not-valid", "not-valid-validate-same-txn" },
    { "disallowed-unique-constraint", "unique-blocking" },
    { "identifier-too-long", "identifier-too-long" },
    { "prefer-bigint-over-int", "type-int-key" },
    { "prefer-bigint-over-smallint", "type-smallint" },
    { "prefer-identity", "type-serial" },
    { "prefer-repack", "heap-compaction-blocking" },
    { "prefer-robust-stmts", "robust-if-exists" },
    { "prefer-text-field", "type-varchar-limit" },
    { "prefer-timestamp-tz", "type-timestamp" },
    { "prefer-timestamptz", "type-timestamp" },
    { "renaming-column", "rename-column" },
    { "renaming-table", "rename-table" },
    { "require-concurrent-index-creation", "index-create-blocking" },
    { "require-concurrent-index-deletion", "index-drop-blocking" },
    { "require-concurrent-partition-detach", "partition-detach-blocking" },
    { "require-concurrent-reindex", "reindex-blocking" },
    { "require-enum-value-ordering", "enum-value-order" },
    { "require-lock-timeout", "missing-lock-timeout" },
    { "require-statement-timeout", "missing-statement-timeout" },
    { "require-table-schema", "schema-unqualified" },
    { "require-timeout-settings", "missing-lock-timeout" },
    { "require-timeout-settings", "missing-statement-timeout" },
    { "syntax-error", "syntax-error" },
    { "transaction-nesting", "txn-nesting" },
    { "unused-ignore", "suppression-unused" },
};

static bool theirs_are(const char *theirs, const char *ours)
{
    for (size_t i = 0; i < sizeof squawk / sizeof *squawk; i++) {
        if (text_eq(squawk[i].theirs, theirs) && (!ours || text_eq(squawk[i].ours, ours))) {
            return true;
        }
    }
    return false;
}

static void name_add(const void *ctx, struct suppressions *all, struct suppression s)
{
    s.known = !s.name || rule_find(s.name) || (s.theirs && theirs_are(s.name, NULL));
    all->items = mem_room(ctx, all->items, struct suppression, all->count + 1);
    if (s.file) {
        all->whole = mem_room(ctx, all->whole, size_t, all->whole_count + 1);
        all->whole[all->whole_count++] = all->count;
    }
    all->items[all->count++] = s;
}

/* The list "a, b reason": names up to the first that has no comma behind it. */
static void names_add(const void *ctx, struct suppressions *all, const char *list,
                      struct suppression like)
{
    const char *p = list + strspn(list, " :\t\r\n");
    if (*p == '\0') { /* squawk's without names means all; ours has to say which */
        like.name = like.theirs ? NULL : "";
        name_add(ctx, all, like);
        return;
    }
    for (int i = 0; i < NAMES_MAX; i++) {
        size_t n = strcspn(p, " ,\t\r\n");
        bool every = n == 3 && memcmp(p, "all", 3) == 0;
        like.name = every ? NULL : mem_textn(ctx, p, n);
        name_add(ctx, all, like);
        p += n + strspn(p + n, " \t");
        if (*p != ',') {
            return;
        }
        p += strspn(p, ", \t");
    }
}

static bool marked(const char *comment, const char *mark, const char **rest)
{
    size_t n = strlen(mark);
    bool same =
        strncmp(comment, mark, n) == 0 && (comment[n] == '\0' || strchr(" :\t\r\n", comment[n]));
    *rest = same ? comment + n : NULL;
    return same;
}

static void comment_read(const void *ctx, struct suppressions *all, const struct sql_comment *c)
{
    const char *rest;
    struct suppression s = { .line = c->line };
    if (text_starts(c->text, "flotilla:")) {
        const char *word = c->text + strlen("flotilla:");
        word += strspn(word, " \t");
        s.file = marked(word, "ignore-file", &rest);
        if (s.file || marked(word, "ignore", &rest)) {
            names_add(ctx, all, rest, s);
        }
        return;
    }
    s.theirs = true;
    s.file = marked(c->text, "squawk-ignore-file", &rest);
    if (s.file || marked(c->text, "squawk-ignore", &rest)) {
        names_add(ctx, all, rest, s);
    }
}

struct suppressions *suppressions_read(const void *ctx, const struct script *script)
{
    struct suppressions *all = NULL;
    for (size_t i = 0; i < script->comment_count; i++) {
        const char *text = script->comments[i].text;
        if (text_starts(text, "flotilla:") || text_starts(text, "squawk-ignore")) {
            all = all ? all : mem_new(ctx, struct suppressions);
            all->script = script;
            comment_read(all, all, &script->comments[i]);
        }
    }
    return all;
}

/* How many comments begin before the line: they stand in the order of their lines. */
static size_t comments_before(const struct script *script, int line)
{
    size_t low = 0, high = script->comment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (script->comments[middle].line < line) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The first line of the comments that stand right above the statement: a block counts as one. */
static int line_before(const struct script *script, const struct statement *s)
{
    int line = s->line - 1;
    for (size_t i = comments_before(script, s->line); i > 0; i--) {
        const struct sql_comment *c = &script->comments[i - 1];
        if (!c->own_line || c->line != line) {
            break;
        }
        line--;
    }
    return line + 1;
}

static bool names(const struct suppression *s, const struct rule *rule)
{
    return !s->name || text_eq(s->name, rule->id) || (s->theirs && theirs_are(s->name, rule->id));
}

static size_t items_before(const struct suppressions *all, int line)
{
    size_t low = 0, high = all->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all->items[middle].line < line) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool suppressed(struct suppressions *all, const struct statement *statement,
                const struct rule *rule)
{
    bool any = false;
    if (!all) {
        return false;
    }
    for (size_t i = 0; i < all->whole_count; i++) {
        struct suppression *s = &all->items[all->whole[i]];
        if (names(s, rule)) {
            s->used = any = true;
        }
    }
    for (size_t i = items_before(all, line_before(all->script, statement));
         i < all->count && all->items[i].line <= statement->end_line; i++) {
        struct suppression *s = &all->items[i];
        if (!s->file && names(s, rule)) {
            s->used = any = true;
        }
    }
    return any;
}
