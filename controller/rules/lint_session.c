/* Transactions, timeouts, locks held: rules that look along the script. */
#include <string.h>
#include <strings.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"

static bool is_data(const struct statement *s)
{
    return s->kind >= SQL_STMT_SELECT && s->kind <= SQL_STMT_COPY;
}

/* It waits in a way that lets others go on, and what a timeout cuts short stays behind, pending. */
static bool detaches_online(const struct statement *s)
{
    return s->alter_count == 1 && s->alters[0].concurrently;
}

/* The strongest lock on a relation that existed before, that DDL takes. */
static const struct verdict_lock *strongest(const struct linter *l)
{
    const struct verdict_lock *best = NULL;
    for (size_t i = 0; i < l->v->lock_count && !is_data(l->s) && !detaches_online(l->s); i++) {
        const struct verdict_lock *lock = &l->v->locks[i];
        if (!lock->fresh && lock_blocks_writes(lock->mode) && (!best || lock->mode > best->mode)) {
            best = lock;
        }
    }
    return best;
}

/* DROP INDEX and REINDEX of an index that nobody described lock a table that is not known. */
static bool locks_unseen(const struct linter *l)
{
    struct world_index *x = NULL;
    const struct statement *s = l->s;
    return (s->kind == SQL_STMT_DROP || s->kind == SQL_STMT_REINDEX) &&
           s->object == SQL_OBJECT_INDEX && !s->concurrently && l->v->lock_count == 0 &&
           !world_has_catalog(l->world) && !(s->name.name && world_index(l->world, s->name, &x));
}

static bool writes(const struct statement *s)
{
    return s->query && s->query->write_count > 0;
}

static void lock_timeout(struct linter *l, const struct verdict_lock *lock)
{
    if (l->lock_timeout || l->local_lock_timeout || l->lock_timeout_said || l->s->nowait) {
        return;
    }
    l->lock_timeout_said = true;
    found(l, "missing-lock-timeout", mem_printf(l->ctx, "SET lock_timeout = '2s';\n%s;", l->s->sql),
          lock ? "it waits without limit for %s on %s, and everybody waits behind it"
               : "it waits without limit for its lock (%s%s), and everybody waits behind it",
          lock                             ? lock_mode_name(lock->mode)
          : l->s->kind == SQL_STMT_REINDEX ? lock_mode_name(LOCK_SHARE)
                                           : lock_mode_name(LOCK_ACCESS_EXCLUSIVE),
          lock ? lock->relation : " on the index's table");
}

static void timeouts(struct linter *l)
{
    const struct verdict_lock *lock = strongest(l);
    bool waits = lock || locks_unseen(l);
    bool works = waits || (is_data(l->s) ? writes(l->s) : l->v->full_scan || l->v->rewrite);
    if (waits) {
        lock_timeout(l, lock);
    }
    if (works && !l->statement_timeout && !l->local_statement_timeout &&
        !l->statement_timeout_said) {
        l->statement_timeout_said = true;
        found(l, "missing-statement-timeout", rewrite_limited(l, "statement_timeout", "1min"),
              "nothing limits how long it runs");
    }
}

static bool held(const struct linter *l, const char *relation)
{
    return sql_texts_have(&l->strong, relation);
}

/* Work that lengthens the time for which earlier locks of the transaction are held. */
static void after_lock(struct linter *l)
{
    if (!in_transaction(l) || l->strong.count == 0 || l->s->kind == SQL_STMT_TRANSACTION) {
        return;
    }
    bool other = false;
    for (size_t i = 0; i < l->v->lock_count && !l->after_said; i++) {
        const struct verdict_lock *lock = &l->v->locks[i];
        other = other || (!lock->fresh && !is_data(l->s) && !held(l, lock->relation) &&
                          lock_blocks_writes(lock->mode));
    }
    if (other || l->v->full_scan || l->v->rewrite) {
        l->after_said = true;
        found(l, "stmt-after-strong-lock", rewrite_apart(l),
              "%s has been locked by this transaction and waits for this statement too",
              l->strong.items[0]);
    }
}

static void nesting(struct linter *l)
{
    const struct statement *s = l->s;
    bool open = l->judge->transaction, runner = l->judge->assumed;
    bool reopens = l->judge->runner && !runner;
    bool ends = s->transaction == SQL_COMMIT || s->transaction == SQL_ROLLBACK;
    if (s->transaction == SQL_BEGIN && (open || runner)) {
        found(l, "txn-nesting", NULL, "a transaction is open already%s",
              runner ? " (the runner's)" : "");
    } else if (ends && !open && !reopens) {
        found(l, "txn-nesting", NULL,
              runner ? "it ends the transaction that the runner opened"
                     : "there is no transaction to end");
    }
}

static void transactions(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_TRANSACTION) {
        if (!l->nested) {
            nesting(l);
        }
    } else if (!l->v->transaction && in_transaction(l)) {
        found(l, "txn-forbidden", rewrite_outside(l),
              "the server refuses it inside of a transaction%s",
              l->judge->assumed && !l->judge->transaction ? " (the runner opens one)" : "");
    }
}

static bool waits_at_will(const struct linter *l)
{
    return !l->lock_timeout && !l->local_lock_timeout && !l->s->nowait;
}

/* Rows were changed first, and now the DDL keeps them and its own lock to the end. */
static void after_rows(struct linter *l, const struct verdict_lock *lock)
{
    if (l->wrote && lock && in_transaction(l) && l->s->kind != SQL_STMT_LOCK) {
        found(l, "backfill-with-ddl-same-txn", rewrite_apart(l),
              "many rows were changed in this transaction: \"%s\" is locked on top of that",
              lock->relation);
    }
}

void lint_session(struct linter *l)
{
    const struct verdict_lock *lock = strongest(l);
    transactions(l);
    if (l->s->kind == SQL_STMT_LOCK && lock && waits_at_will(l)) {
        found(l, "explicit-lock", rewrite_limited(l, "lock_timeout", "2s"),
              "%s on %s, waited for without limit", l->s->text, lock->relation);
    }
    timeouts(l);
    after_rows(l, lock);
    after_lock(l);
}

static bool off(const struct statement *s)
{
    const char *v = s->values.count > 0 ? s->values.items[0] : "";
    return s->kind == SQL_STMT_RESET || text_eq(v, "0") || text_eq(v, "0s") || text_eq(v, "0ms") ||
           text_eq(v, "-1") || *v == '\0';
}

static void setting(struct linter *l, const struct statement *s)
{
    bool lock = strcasecmp(s->setting, "lock_timeout") == 0 || *s->setting == '\0';
    bool statement = strcasecmp(s->setting, "statement_timeout") == 0 || *s->setting == '\0';
    bool on = !off(s);
    if (s->local && !in_transaction(l)) { /* a warning, and nothing set */
        return;
    }
    if (lock) {
        *(s->local ? &l->local_lock_timeout : &l->lock_timeout) = on;
        l->local_lock_timeout = l->local_lock_timeout && on;
        l->lock_timeout_said = l->lock_timeout_said && !on;
    }
    if (statement) {
        *(s->local ? &l->local_statement_timeout : &l->statement_timeout) = on;
        l->statement_timeout_said = l->statement_timeout_said && !on;
    }
}

/* SELECT set_config('lock_timeout', '2s', …) */
static void set_config(struct linter *l, const struct statement *s)
{
    if (s->kind == SQL_STMT_SELECT && s->query &&
        sql_texts_have(&s->query->functions, "set_config") && strstr(s->sql, "lock_timeout")) {
        l->lock_timeout = true;
    }
}

void lint_transaction_over(struct linter *l)
{
    l->strong.count = l->not_valid.count = 0;
    l->wrote = l->after_said = l->local_lock_timeout = l->local_statement_timeout = false;
}

static void remember(struct linter *l, const struct statement *s, const struct verdict *v)
{
    for (size_t i = 0; i < v->lock_count && !is_data(s); i++) {
        const struct verdict_lock *lock = &v->locks[i];
        if (!lock->fresh && lock_blocks_writes(lock->mode) && !held(l, lock->relation)) {
            sql_texts_add(l->ctx, &l->strong, lock->relation);
        }
    }
    for (size_t i = 0; i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->kind == SQL_ALTER_ADD_CONSTRAINT && a->constraint->not_valid && a->name) {
            sql_texts_add(l->ctx, &l->not_valid, a->name);
        }
    }
}

void lint_session_step(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_SET || s->kind == SQL_STMT_RESET) {
        setting(l, s);
    } else if (s->kind == SQL_STMT_DISCARD && s->full) {
        l->lock_timeout = l->statement_timeout = false;
    } else if (s->kind == SQL_STMT_TRANSACTION && s->transaction != SQL_SAVEPOINT) {
        lint_transaction_over(l);
        l->begin_line = s->transaction == SQL_BEGIN ? s->line : 0;
    } else if (in_transaction(l)) {
        remember(l, s, l->v);
    }
    set_config(l, s);
    bool run = s->kind == SQL_STMT_ALTER_TABLE && l->last_alter &&
               sql_name_eq(s->name, l->last_alter->name);
    l->merge_said = l->merge_said && run;
    l->last_alter = s->kind == SQL_STMT_ALTER_TABLE ? s : NULL;
}

void lint_session_end(struct linter *l)
{
    for (size_t i = l->script->count; i > 0 && l->judge->transaction; i--) {
        const struct statement *s = &l->script->statements[i - 1];
        if (s->kind == SQL_STMT_TRANSACTION && s->transaction == SQL_BEGIN) {
            l->index = i - 1;
            found(l, "txn-uncommitted", NULL, "the transaction that begins here is never ended");
            return;
        }
    }
}
