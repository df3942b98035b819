/* CREATE TABLE, … AS, INDEX, VIEW, SEQUENCE; functions and DO blocks. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/judge/known_block.h"
#include "controller/sql/token.h"

enum { NESTED_MAX = 6 };

static void references(struct judging *g, const struct sql_constraint *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].kind == 'f' && !sql_name_eq(list[i].ref, g->s->name)) {
            effect_take(g, EFFECT_CREATE_REFERENCES, NULL, table_of(g, list[i].ref, false));
        }
    }
}

static void partition_of(struct judging *g, const struct sql_table *table)
{
    struct world_table *parent = table_of(g, table->partition_of, false);
    if (!parent) {
        return;
    }
    effect_take(g, EFFECT_CREATE_PARTITION, NULL, parent);
    struct world_table *rest = default_partition(g, parent);
    if (rest) {
        lock_take(g, rest, LOCK_ACCESS_EXCLUSIVE,
                  attach_scans(g, parent, rest, table->bound) ? "S" : "");
    }
}

static struct world_table *named(struct judging *g, const char *name)
{
    const char *dot = strchr(name, '.');
    struct sql_name of = { dot ? mem_textn(g->ctx, name, (size_t)(dot - name)) : NULL,
                           dot ? dot + 1 : name };
    return world_find(g->world, of);
}

static bool is_said(const struct sql_table *table, const char *column)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (text_eq(table->columns[i].name, column)) {
            return true;
        }
    }
    return false;
}

/* Columns of another table are copied: what their defaults take numbers from is looked at; an
 * identity gets a sequence of its own. */
static void numbers_copied(struct judging *g, struct sql_name other, struct sql_like takes)
{
    const struct statement *s = g->s;
    const struct world_table *from = world_find(g->world, other);
    for (size_t i = 0; from && i < from->column_count; i++) {
        const struct world_column *c = &from->columns[i];
        if (is_said(s->table, c->name)) {
            continue;
        }
        /* measured: since PostgreSQL 16 defaults are copied without a look */
        for (size_t k = 0; takes.defaults && g->judge->version < 16 && k < c->sequences.count;
             k++) {
            lock_take(g, named(g, c->sequences.items[k]), LOCK_ACCESS_SHARE, "");
        }
        if (takes.identity && c->identity && !s->temporary) {
            fresh_take(g, s->name.schema, mem_printf(g->ctx, "%s_%s_seq", s->name.name, c->name));
        }
    }
}

static void others_copied(struct judging *g, const struct sql_table *table)
{
    const struct sql_like defaults = { .defaults = true };
    for (size_t i = 0; i < table->like_count; i++) {
        numbers_copied(g, table->like[i], table->like_takes[i]);
    }
    for (size_t i = 0; i < table->inherit_count; i++) {
        numbers_copied(g, table->inherits[i], defaults);
    }
    if (table->partition_of.name) {
        numbers_copied(g, table->partition_of, defaults);
    }
}

void judge_create_table(struct judging *g)
{
    const struct statement *s = g->s;
    const struct sql_table *table = s->table;
    tag_add(g, TAG_ADDITIVE);
    if (world_find(g->world, s->name) && !s->temporary) {
        if (!s->if_not_exists) {
            will_fail(g, "relation \"%s\" already exists", s->name.name);
        }
        return;
    }
    if (!s->temporary) {
        fresh_take(g, s->name.schema, s->name.name);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        const struct sql_column *c = &table->columns[i];
        references(g, c->constraints, c->constraint_count);
        for (size_t k = 0; c->default_expr && k < c->default_expr->sequences.count; k++) {
            lock_take(g, named(g, c->default_expr->sequences.items[k]), LOCK_ACCESS_SHARE, "");
        }
        if ((c->serial || c->identity) && !s->temporary) {
            fresh_take(g, s->name.schema, mem_printf(g->ctx, "%s_%s_seq", s->name.name, c->name));
        }
    }
    references(g, table->constraints, table->constraint_count);
    for (size_t i = 0; i < table->like_count; i++) {
        effect_take(g, EFFECT_CREATE_LIKE, NULL, table_of(g, table->like[i], false));
    }
    for (size_t i = 0; i < table->inherit_count; i++) {
        effect_take(g, EFFECT_CREATE_INHERITS, NULL, table_of(g, table->inherits[i], false));
    }
    if (table->partition_of.name) {
        partition_of(g, table);
    }
    others_copied(g, table);
}

void judge_create_as(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_ADDITIVE);
    if (s->if_not_exists && world_find(g->world, s->name)) {
        return;
    }
    if (!s->temporary) {
        fresh_take(g, s->name.schema, s->name.name);
    }
    if (s->query) {
        query_locks(g, s->query, s->table->with_data ? QUERY_RUN : QUERY_NAMED);
    }
}

void judge_create_view(struct judging *g)
{
    const struct statement *s = g->s;
    /* Without a catalog OR REPLACE is taken at its word: there is one already. */
    bool may_be = s->or_replace && !s->temporary;
    struct world_table *old = may_be ? world_table(g->world, s->name) : NULL;
    if (old && !old->known && old->kind == 'r') {
        old->kind = 'v';
    }
    tag_add(g, old && !old->fresh ? TAG_CONTRACT : TAG_ADDITIVE);
    if (old) {
        effect_take(g, EFFECT_CREATE_VIEW, old, NULL);
    } else if (!s->temporary) {
        fresh_take(g, s->name.schema, s->name.name);
    }
    if (s->query) {
        query_locks(g, s->query, QUERY_NAMED);
    }
}

static enum effect index_effect(struct judging *g, const struct world_table *t)
{
    const struct sql_index *index = g->s->create_index;
    struct world_index *old = NULL;
    struct sql_name name = { t->schema, index->name };
    bool exists = index->name && world_index(g->world, name, &old);
    if (exists && index->if_not_exists) {
        return index->concurrently ? EFFECT_CREATE_INDEX_CONCURRENTLY_NOTHING
                                   : EFFECT_CREATE_INDEX_NOTHING;
    }
    if (exists) {
        will_fail(g, "relation \"%s\" already exists", index->name);
    }
    return index->concurrently ? EFFECT_CREATE_INDEX_CONCURRENTLY : EFFECT_CREATE_INDEX;
}

void judge_create_index(struct judging *g)
{
    const struct sql_index *index = g->s->create_index;
    struct world_table *t = table_of(g, index->table, false);
    tag_add(g, TAG_ADDITIVE);
    if (index->concurrently) {
        g->v->transaction = false;
        g->v->waits = "it waits for every transaction in the database that is older than it";
    }
    if (!t) {
        return;
    }
    if (index->unique && !t->fresh) {
        tag_add(g, TAG_CONTRACT);
    }
    if (index->concurrently && t->kind == 'p') {
        will_fail(g, "an index on a partitioned table cannot be created CONCURRENTLY");
    }
    enum effect effect = index_effect(g, t);
    if (index->only && !t->known && effect == EFFECT_CREATE_INDEX) {
        lock_take(g, t, LOCK_SHARE, ""); /* a partitioned table, which has no rows of its own */
    } else if (index->only) {
        effect_take(g, effect, t, NULL);
    } else {
        effect_partitions(g, effect, t, NULL);
    }
}

/* Anything but whose it is: the server writes the sequence anew (alter_sequence_restart …). */
static bool changes_counting(const struct statement *s)
{
    static const char *const words[] = { "RESTART", "INCREMENT", "MINVALUE", "MAXVALUE",
                                         "START",   "CACHE",     "CYCLE",    "AS" };
    SCOPE(tmp);
    struct tokens t = tokens_of(tmp, s->sql, 0, strlen(s->sql));
    for (size_t i = 3; i < t.count; i++) {
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            if (tokens_are(&t, i, words[k])) {
                return true;
            }
        }
    }
    return false;
}

void judge_sequence(struct judging *g)
{
    const struct statement *s = g->s;
    bool create = s->kind == SQL_STMT_CREATE_SEQUENCE;
    tag_add(g, create ? TAG_ADDITIVE : TAG_NEUTRAL);
    if (create) {
        if (!s->temporary && !world_find(g->world, s->name)) {
            fresh_take(g, s->name.schema, s->name.name);
        }
    } else {
        struct world_table *sequence = table_of(g, s->name, s->if_exists);
        if (sequence && !sequence->known && sequence->kind == 'r') {
            sequence->kind = 'S';
        }
        effect_take(g, EFFECT_ALTER_SEQUENCE, sequence, NULL);
        g->v->new_sequence = sequence && !sequence->fresh && changes_counting(s);
    }
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].role == SQL_REFERENCED) {
            effect_take(
                g, EFFECT_ALTER_SEQUENCE, NULL,
                table_of(g, (struct sql_name){ s->objects[i].schema, s->objects[i].name }, false));
        }
    }
}

static void nested_locks(struct judging *g, const struct verdict *v)
{
    for (size_t i = 0; i < v->lock_count; i++) {
        const struct verdict_lock *from = &v->locks[i];
        const char *dot = strchr(from->relation, '.');
        struct sql_name name = { mem_textn(g->ctx, from->relation, (size_t)(dot - from->relation)),
                                 dot + 1 };
        const struct world_table *t = world_find(g->world, name);
        char flags[3] = { from->rewrite ? 'R' : '-', from->scan ? 'S' : '-', '\0' };
        if (t) {
            lock_take(g, t, from->mode, flags);
        } else {
            fresh_take(g, name.schema, name.name);
        }
    }
}

void nested_judge(struct judging *g, const struct statement *inner)
{
    struct verdict *v = NULL;
    struct error err;
    struct judge *judge = g->judge;
    if (judge->nesting >= NESTED_MAX || judge->budget-- <= 0) {
        not_seen(g, "statements inside of statements nest too deep");
        return;
    }
    judge->nesting++;
    bool good = statement_foresee(g->ctx, judge, inner, &v, &err);
    judge->nesting--;
    if (!good) {
        return;
    }
    nested_locks(g, v);
    for (size_t i = 0; i < v->index_lock_count; i++) {
        const char *dot = strchr(v->index_locks[i].relation, '.');
        index_take(g,
                   mem_textn(g->ctx, v->index_locks[i].relation,
                             (size_t)(dot - v->index_locks[i].relation)),
                   dot + 1, v->index_locks[i].mode);
    }
    g->v->rewrite = g->v->rewrite || v->rewrite;
    g->v->full_scan = g->v->full_scan || v->full_scan;
    g->v->ms = g->v->ms < 0 || v->ms < 0 ? -1 : g->v->ms + v->ms;
    g->v->rows = g->v->rows < 0 || v->rows < 0 ? -1 : v->rows > g->v->rows ? v->rows : g->v->rows;
    tag_add(g, v->tags);
    if (!v->transaction && inner->kind != SQL_STMT_TRANSACTION) {
        will_fail(g, "it cannot run inside of a function or DO block: %.60s", inner->sql);
    }
    if (v->unknown) {
        not_seen(g, "%s", v->unknown);
    }
    needs_version(g, v->min_version);
}

static void function_made(struct judging *g)
{
    const struct statement *s = g->s;
    const struct sql_body *body = s->body;
    tag_add(g, TAG_ADDITIVE);
    if (s->query) {
        query_locks(g, s->query, QUERY_NAMED);
    }
    /* The body of an SQL function is looked up when it is made, that of others when it runs. */
    for (size_t i = 0; text_eq(body->language, "sql") && body->script && i < body->script->count;
         i++) {
        const struct sql_query *q = body->script->statements[i].query;
        if (q) {
            query_locks(g, q, QUERY_NAMED);
        }
    }
}

void judge_body(struct judging *g)
{
    const struct sql_body *body = g->s->body;
    if (g->s->kind == SQL_STMT_CREATE_FUNCTION) {
        function_made(g);
        return;
    }
    for (size_t i = 0; body->script && i < body->script->count; i++) {
        nested_judge(g, &body->script->statements[i]);
    }
    if (body->opaque) {
        not_seen(g, "the DO block cannot be read: %s", body->opaque);
        judge_unread(g);
    } else if (body->dynamic.count > 0 && !known_block(body->text)) {
        not_seen(g, "it executes computed text: %.100s", body->dynamic.items[0]);
    }
    if (body->commits) {
        g->v->transaction = false;
    }
}
