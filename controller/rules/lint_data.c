/* Statements that move rows. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"

/* The catalog knows that the columns compared with constants are unique together. */
static bool finds_one_row(const struct world_table *t, const struct sql_texts *equal)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        bool all = x->unique && x->columns.count > 0;
        for (size_t j = 0; all && j < x->columns.count; j++) {
            all = sql_texts_have(equal, x->columns.items[j]);
        }
        if (all) {
            return true;
        }
    }
    return false;
}

static void written(struct linter *l, const struct sql_write *w)
{
    struct world_table *t = old_table(l, w->relation);
    if (w->duplicate) {
        found(l, "duplicate-assignment", NULL, "\"%s\" is set twice", w->duplicate);
    }
    if (!t || w->bounded || finds_one_row(t, &w->equal)) {
        return;
    }
    if (w->deletes) {
        found(l, "delete-unbounded", rewrite_batch(l),
              "it may delete most of \"%s\" in one transaction", t->name);
    } else if (w->kind != SQL_INSERT) {
        found(l, "backfill-unbatched", rewrite_batch(l),
              "it may write most of \"%s\" in one transaction", t->name);
    }
}

/* INSERT … SELECT counts by what it reads. */
static void copied(struct linter *l, const struct sql_query *q, const struct sql_write *w)
{
    if (w->kind != SQL_INSERT || !w->from_query || w->bounded) {
        return;
    }
    for (size_t i = 0; i < q->read_count; i++) {
        struct sql_name name = { q->reads[i].schema, q->reads[i].name };
        if (!q->reads[i].column && name.name && old_table(l, name)) {
            found(l, "backfill-unbatched", NULL, "it copies \"%s\" in one transaction", name.name);
        }
    }
}

static const struct sql_query *executed(const struct linter *l)
{
    const struct judge *j = l->judge;
    for (size_t i = j->prepared.count; i > 0; i--) {
        if (text_eq(j->prepared.items[i - 1], l->s->sub_name)) {
            return j->prepared_statements[i - 1]->query;
        }
    }
    return NULL;
}

static bool runs(const struct statement *s)
{
    return s->kind != SQL_STMT_PREPARE && s->kind != SQL_STMT_CREATE_FUNCTION &&
           (s->kind != SQL_STMT_EXPLAIN || s->analyze);
}

/* Many rows are changed; in a loop of a block batches come to the same. */
static bool many_rows(struct linter *l, const struct sql_query *q)
{
    for (size_t i = 0; i < q->write_count; i++) {
        const struct sql_write *w = &q->writes[i];
        struct world_table *t = old_table(l, w->relation);
        bool few = w->kind == SQL_INSERT ? !w->from_query || w->bounded
                                         : w->bounded || (t && finds_one_row(t, &w->equal));
        if (t && !(few && !(l->nested && w->kind != SQL_INSERT))) {
            return true;
        }
    }
    return false;
}

/* A change of rows and DDL that takes a strong lock, in one transaction. */
static void beside_ddl(struct linter *l, const struct sql_query *q)
{
    if (!in_transaction(l) || !many_rows(l, q)) {
        return;
    }
    l->wrote = true;
    if (l->strong.count > 0) {
        found(l, "backfill-with-ddl-same-txn", rewrite_apart(l),
              "\"%s\" is locked by this transaction until the last row is written",
              l->strong.items[0]);
    }
}

void lint_data(struct linter *l)
{
    const struct sql_query *q = l->s->kind == SQL_STMT_EXECUTE ? executed(l) : l->s->query;
    if (!q || !runs(l->s)) {
        return;
    }
    for (size_t i = 0; i < q->write_count; i++) {
        written(l, &q->writes[i]);
        copied(l, q, &q->writes[i]);
    }
    beside_ddl(l, q);
}
