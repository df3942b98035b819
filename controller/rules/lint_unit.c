/* The transactions that a runner puts around statements. */
#include "agents/base/text.h"
#include "controller/rules/linting.h"

/* What no server runs inside of a transaction, as far as the statement alone tells. */
static bool forbidden(const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_INDEX:
    case SQL_STMT_DROP:
    case SQL_STMT_REINDEX: return s->concurrently;
    case SQL_STMT_VACUUM:
    case SQL_STMT_ALTER_SYSTEM:
    case SQL_STMT_CREATE_SUBSCRIPTION: return true;
    case SQL_STMT_DISCARD: return s->full;
    case SQL_STMT_DATABASE:
    case SQL_STMT_TABLESPACE:
        return text_eq(s->text, "create") || text_eq(s->text, "drop") ||
               text_eq(s->text, "tablespace");
    default: return false;
    }
}

static bool wrapped(const struct linter *l, enum lint_wrap wrap, size_t end)
{
    size_t count = 0, outside = 0, own = 0;
    for (size_t i = l->index; i < l->script->count; i++) {
        const struct statement *s = &l->script->statements[i];
        if (s->offset >= end) {
            break;
        }
        count++;
        outside += forbidden(s);
        own += s->kind == SQL_STMT_TRANSACTION;
    }
    switch (wrap) {
    case WRAP_ALL: return true;
    case WRAP_SEVERAL: return count > 1 && own == 0; /* a BEGIN in it takes the message over */
    case WRAP_MIXED: return outside < count;
    default: return false;
    }
}

void lint_unit_enter(struct linter *l)
{
    const struct lint_options *o = l->options;
    size_t before = l->unit;
    while (l->unit < o->unit_count && o->units[l->unit].start <= l->s->offset) {
        l->unit++;
    }
    if (l->unit > before) {
        size_t end = l->unit < o->unit_count ? o->units[l->unit].start : l->script->length;
        bool was = l->judge->assumed, now = wrapped(l, o->units[l->unit - 1].wrap, end);
        if (was || now) {
            lint_transaction_over(l);
        }
        judge_assume_transaction(l->judge, now);
    }
}
