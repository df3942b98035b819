/* Evidence that lies in other steps of the plan: what they proved, built, or will. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"
#include "controller/judge/judge_constraint.h"

static const char *by_step(struct checking *c, const char *what, size_t step)
{
    return mem_printf(c->ctx, "%s %s", what, checked_id(c, step));
}

static const struct trail_fact *named(const struct trail *trail, enum trail_kind kind,
                                      unsigned table, const char *name)
{
    for (size_t i = trail->count; i-- > 0;) {
        const struct trail_fact *f = &trail->items[i];
        if (f->kind == kind && f->table == table && text_eq(f->name, name)) {
            return f;
        }
    }
    return NULL;
}

/* --- constraints ------------------------------------------------------------------------------ */

/* The check, of those that stand, by which the server knows that there is no null. */
static const struct world_constraint *proof_of(struct checking *c, const struct world_table *t,
                                               const char *column)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        struct world_constraint *k = &t->constraints[i];
        constraint_prepare(c->mirror->world, k);
        if (k->validated && sql_texts_have(&k->not_null, column)) {
            return k;
        }
    }
    return NULL;
}

static bool is_proven(struct checking *c, const struct statement *s, const struct world_table *t,
                      const char *column, const char **said)
{
    struct judging g = { .ctx = c->ctx, .judge = c->mirror, .world = c->mirror->world, .s = s };
    const struct world_constraint *k = proof_of(c, t, column);
    const struct trail_fact *f = k ? named(c->now, TRAIL_PROVEN, t->id, k->name) : NULL;
    if (!column_proven(&g, t, column)) {
        return false;
    }
    *said = f   ? mem_printf(c->ctx, "\"%s\", validated by %s", k->name, checked_id(c, f->step))
            : k ? mem_printf(c->ctx, "\"%s\", which was there before", k->name)
                : "it is NOT NULL already";
    return true;
}

enum answer evidence_proven(struct checking *c, const char *rule, const struct statement *s,
                            const char **said)
{
    (void)rule;
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && !t->fresh && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->kind == SQL_ALTER_SET_NOT_NULL) {
            if (!is_proven(c, s, t, a->column, said)) {
                return ANSWER_NO;
            }
            answer = ANSWER_YES;
        }
    }
    return answer;
}

static bool is_later(const struct checking *c, const struct trail_fact *f)
{
    return f->back == c->back && (c->back ? f->step < c->step : f->step > c->step);
}

/* Added NOT VALID here, validated in a transaction to come. */
enum answer evidence_later(struct checking *c, const char *rule, const struct statement *s,
                           const char **said)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    char kind = text_eq(rule, "fk-validating") ? 'f' : 'c';
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct sql_constraint *k = s->alters[i].constraint;
        if (s->alters[i].kind != SQL_ALTER_ADD_CONSTRAINT || k->kind != kind) {
            continue;
        }
        answer = ANSWER_NO;
        for (size_t n = 0; k->not_valid && n < c->all->count && answer == ANSWER_NO; n++) {
            const struct trail_fact *f = &c->all->items[n];
            if (f->kind == TRAIL_PROVEN && f->table == t->id && text_eq(f->name, k->name) &&
                is_later(c, f)) {
                *said = by_step(c, "validated by", f->step);
                answer = ANSWER_YES;
            }
        }
        if (answer == ANSWER_NO) {
            return ANSWER_NO;
        }
    }
    return answer;
}

enum answer evidence_earlier(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    (void)rule;
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        const struct trail_fact *f = named(c->now, TRAIL_UNPROVEN, t->id, a->name);
        const struct trail_fact *filled = trail_find(c->now, TRAIL_BACKFILLED, t->id, 0);
        if (a->kind != SQL_ALTER_VALIDATE_CONSTRAINT) {
            continue;
        }
        if (f && f->step == c->step && f->back == c->back) {
            return ANSWER_NO;
        }
        *said = f ? by_step(c, "added by", f->step) : "it was there before the plan";
        if (f && filled && !c->back) {
            *said =
                mem_printf(c->ctx, "%s, after the backfill %s", *said, checked_id(c, filled->step));
        }
        return ANSWER_YES;
    }
    return ANSWER_NOT_MINE;
}

/* --- indexes ---------------------------------------------------------------------------------- */

static bool is_unique(const struct sql_constraint *k, const char *rule)
{
    return k->kind == (text_eq(rule, "pk-blocking") ? 'p' : 'u');
}

/* A primary key makes its columns NOT NULL: they are read unless that is known. */
static bool is_proven_key(struct checking *c, const struct statement *s,
                          const struct world_table *t, const struct sql_constraint *k)
{
    struct judging g = { .ctx = c->ctx, .judge = c->mirror, .world = c->mirror->world, .s = s };
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        for (size_t n = 0; text_eq(x->name, k->using_index) && n < x->columns.count; n++) {
            if (!column_proven(&g, t, x->columns.items[n])) {
                return false;
            }
        }
    }
    return true;
}

enum answer evidence_built(struct checking *c, const char *rule, const struct statement *s,
                           const char **said)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && !t->fresh && i < s->alter_count; i++) {
        const struct sql_constraint *k = s->alters[i].constraint;
        if (s->alters[i].kind != SQL_ALTER_ADD_CONSTRAINT || !is_unique(k, rule)) {
            continue;
        }
        const struct trail_fact *f =
            k->using_index ? named(c->now, TRAIL_INDEXED, t->id, k->using_index) : NULL;
        if (!k->using_index || (f && !f->concurrently) ||
            (k->kind == 'p' && !is_proven_key(c, s, t, k))) {
            return ANSWER_NO;
        }
        *said = f ? by_step(c, "built by", f->step) : "it was there before the plan";
        answer = ANSWER_YES;
    }
    return answer;
}

/* PostgreSQL takes no index for the key of a partitioned table: ONLY is its way there. */
enum answer evidence_shell(struct checking *c, const char *rule, const struct statement *s,
                           const char **said)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct sql_constraint *k = s->alters[i].constraint;
        if (s->alters[i].kind == SQL_ALTER_ADD_CONSTRAINT && is_unique(k, rule)) {
            *said = mem_printf(c->ctx, "%s has no rows of its own", t->name);
            return s->only && t->kind == 'p' ? ANSWER_YES : ANSWER_NO;
        }
    }
    return ANSWER_NOT_MINE;
}

/* Keys of a statement that adds foreign keys: the table is there only afterwards when it makes
 * it.*/
static bool leads(const struct sql_texts *index, const struct sql_texts *columns)
{
    size_t found = 0;
    for (size_t i = 0; i < columns->count && i < index->count; i++) {
        found += sql_texts_have(columns, index->items[i]);
    }
    return columns->count > 0 && found == columns->count;
}

static bool indexed(struct checking *c, unsigned table, const char *key,
                    const struct sql_texts *columns, const char **said)
{
    for (size_t i = 0; i < c->all->count; i++) {
        const struct trail_fact *f = &c->all->items[i];
        bool same = table ? f->table == table : text_eq(f->key, key);
        if (f->kind == TRAIL_INDEXED && !f->back && same && f->concurrently &&
            leads(&f->columns, columns)) {
            *said = by_step(c, "built by", f->step);
            return true;
        }
    }
    return false;
}

typedef bool key_fn(struct checking *c, const struct statement *s, const struct sql_constraint *k,
                    const char **said);

struct keys {
    const struct sql_constraint *items[32];
    size_t count;
    bool more; /* than fit */
};

static void key_add(struct keys *keys, const struct sql_constraint *k)
{
    if (k && k->kind == 'f') {
        keys->more = keys->more || keys->count == sizeof keys->items / sizeof *keys->items;
        if (!keys->more) {
            keys->items[keys->count++] = k;
        }
    }
}

static void keys_collect(const struct statement *s, struct keys *keys)
{
    const struct sql_table *made = s->kind == SQL_STMT_CREATE_TABLE ? s->table : NULL;
    for (size_t i = 0; s->kind == SQL_STMT_ALTER_TABLE && i < s->alter_count; i++) {
        key_add(keys,
                s->alters[i].kind == SQL_ALTER_ADD_CONSTRAINT ? s->alters[i].constraint : NULL);
    }
    for (size_t i = 0; made && i < made->constraint_count; i++) {
        key_add(keys, &made->constraints[i]);
    }
    for (size_t i = 0; made && i < made->column_count; i++) {
        for (size_t k = 0; k < made->columns[i].constraint_count; k++) {
            key_add(keys, &made->columns[i].constraints[k]);
        }
    }
}

/* Each foreign key that the statement adds. */
static enum answer each_key(struct checking *c, const struct statement *s, key_fn *fn,
                            const char **said)
{
    struct keys keys = { .count = 0 };
    keys_collect(s, &keys);
    for (size_t i = 0; i < keys.count; i++) {
        if (!fn(c, s, keys.items[i], said)) {
            return ANSWER_NO;
        }
    }
    return keys.more ? ANSWER_NO : keys.count ? ANSWER_YES : ANSWER_NOT_MINE;
}

static bool key_indexed(struct checking *c, const struct statement *s,
                        const struct sql_constraint *k, const char **said)
{
    const struct world_table *t = checked_table(c, s->name);
    const char *key = trail_key(c->now, SQL_OBJECT_TABLE, s->name, NULL);
    return indexed(c, t ? t->id : 0, key, &k->columns, said);
}

enum answer evidence_indexed(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    (void)rule;
    return each_key(c, s, key_indexed, said);
}

static bool was_before(const struct checking *c, struct sql_name table,
                       const struct sql_constraint *k)
{
    const struct relation *r = c->options->catalog
                                   ? catalog_relation(c->options->catalog, table.schema, table.name)
                                   : NULL;
    for (size_t i = 0; r && i < r->constraint_count; i++) {
        if (r->constraints[i].kind == 'f' && text_eq(r->constraints[i].name, k->name)) {
            return true;
        }
    }
    return false;
}

/* The columns that these replace, as far as they replace any. */
static struct sql_texts twins(struct checking *c, const struct world_table *t,
                              const struct sql_texts *columns, bool *any)
{
    struct sql_texts out = { NULL, 0 };
    *any = false;
    for (size_t i = 0; i < columns->count; i++) {
        const struct world_column *own = table_column(t, columns->items[i]);
        const struct checked_pair *p = own ? checked_pair(c, own->id) : NULL;
        const char *twin = p ? (p->a == own->id ? p->name_b : p->name_a) : columns->items[i];
        *any = *any || p;
        sql_texts_add(c->ctx, &out, twin);
    }
    return out;
}

/* The columns have a foreign key and no index that begins with them. */
static bool has_bare_key(const struct world_table *t, const struct sql_texts *columns)
{
    bool has_key = false;
    for (size_t i = 0; i < t->constraint_count; i++) {
        const struct sql_texts *of = &t->constraints[i].columns;
        has_key = has_key || (t->constraints[i].kind == 'f' && of->count == columns->count &&
                              leads(of, columns));
    }
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        if (x->valid && !x->partial && leads(&x->columns, columns)) {
            return false;
        }
    }
    return has_key;
}

static bool key_as_before(struct checking *c, const struct statement *s,
                          const struct sql_constraint *k, const char **said)
{
    const struct world_table *t = checked_table(c, s->name);
    bool any = false;
    if (c->back && was_before(c, s->name, k)) {
        *said = "it was so before the plan";
        return true;
    }
    if (!t) {
        return false;
    }
    struct sql_texts old = twins(c, t, &k->columns, &any);
    if (!any || !has_bare_key(t, &old)) {
        return false;
    }
    *said = mem_printf(c->ctx, "\"%s\" has none", old.items[0]);
    return true;
}

enum answer evidence_as_before(struct checking *c, const char *rule, const struct statement *s,
                               const char **said)
{
    (void)rule;
    return each_key(c, s, key_as_before, said);
}
