/* Evidence for taking things away: who needs them no more, and where their content is kept. */
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/check/checking.h"

/* Where to, when the service's word is there too. */
static const char *with_word(struct checking *c, const char *what, size_t step)
{
    const struct trail_fact *word = checked_word(c);
    return word ? mem_printf(c->ctx, "%s %s; word given in %s", what, checked_id(c, step),
                             checked_id(c, word->step))
                : NULL;
}

/* --- columns ---------------------------------------------------------------------------------- */

typedef bool column_fn(struct checking *c, const struct world_table *t,
                       const struct world_column *column, const char **said);

/* Each column that a sub-command of the kind is about. */
static enum answer each_column(struct checking *c, const struct statement *s,
                               enum sql_alter_kind kind, column_fn *fn, const char **said)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct world_column *column = NULL;
        if (s->alters[i].kind == kind) {
            column = table_column(t, s->alters[i].column);
            if (!column || !fn(c, t, column, said)) {
                return ANSWER_NO;
            }
            answer = ANSWER_YES;
        }
    }
    return answer;
}

static const struct trail_fact *kept(const struct checking *c, unsigned table, unsigned column)
{
    for (size_t i = c->now->count; i-- > 0;) {
        const struct trail_fact *f = &c->now->items[i];
        if (f->kind == TRAIL_KEPT && f->table == table && (!f->column || f->column == column)) {
            return f;
        }
    }
    return NULL;
}

static bool column_kept(struct checking *c, const struct world_table *t,
                        const struct world_column *column, const char **said)
{
    const struct trail_fact *f = kept(c, t->id, column->id);
    *said = f ? with_word(c, "kept by", f->step) : NULL;
    return *said != NULL;
}

static bool column_copied(struct checking *c, const struct world_table *t,
                          const struct world_column *column, const char **said)
{
    const struct checked_pair *p = checked_pair(c, column->id);
    (void)t;
    *said = p ? with_word(c,
                          mem_printf(c->ctx, "the same as \"%s\", proven by",
                                     p->a == column->id ? p->name_b : p->name_a),
                          p->step)
              : NULL;
    return *said != NULL;
}

/* Without a catalog the way back tells: it makes the column generated again. */
static bool comes_back_generated(const struct checking *c, const char *column)
{
    for (size_t i = 0; i < c->other->count; i++) {
        const struct statement *s = &c->other->statements[i];
        for (size_t k = 0; k < s->alter_count; k++) {
            const struct sql_alter *a = &s->alters[k];
            if (a->kind == SQL_ALTER_ADD_COLUMN && text_eq(a->column, column)) {
                return a->definition->generated;
            }
        }
    }
    return false;
}

static bool column_derived(struct checking *c, const struct world_table *t,
                           const struct world_column *column, const char **said)
{
    const struct trail_fact *word = checked_word(c);
    bool generated = column->generated || (!t->known && comes_back_generated(c, column->name));
    *said = word ? mem_printf(c->ctx, "word given in %s", checked_id(c, word->step)) : NULL;
    return word && generated;
}

static bool column_own(struct checking *c, const struct world_table *t,
                       const struct world_column *column, const char **said)
{
    const struct trail_fact *f = trail_find(c->now, TRAIL_ADDED, t->id, column->id);
    *said = f ? mem_printf(c->ctx, "added by %s", checked_id(c, f->step)) : NULL;
    return f != NULL;
}

static bool column_goes(struct checking *c, const struct world_table *t,
                        const struct world_column *column, const char **said)
{
    const struct trail_fact *f = checked_dropped_later(c, column->id);
    (void)t;
    *said = f ? with_word(c, "dropped by", f->step) : NULL;
    return *said != NULL;
}

/* --- snapshots -------------------------------------------------------------------------------- */

/* Each table that the statement empties or drops is kept whole. */
static enum answer tables_kept(struct checking *c, const struct statement *s, bool word,
                               const char **said)
{
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        const struct world_table *t = checked_table(c, (struct sql_name){ o->schema, o->name });
        const struct trail_fact *f = t ? kept(c, t->id, 0) : NULL;
        *said = !f     ? NULL
                : word ? with_word(c, "kept by", f->step)
                       : mem_printf(c->ctx, "kept by %s", checked_id(c, f->step));
        if (!*said || c->back) {
            return ANSWER_NO;
        }
        answer = ANSWER_YES;
    }
    return answer;
}

static enum answer rows_kept(struct checking *c, const struct statement *s, const char **said)
{
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; s->query && i < s->query->write_count; i++) {
        const struct sql_write *w = &s->query->writes[i];
        const struct world_table *t = w->deletes ? checked_table(c, w->relation) : NULL;
        const struct trail_fact *f = t ? kept(c, t->id, 0) : NULL;
        if (w->deletes && (!f || c->back)) {
            return ANSWER_NO;
        }
        if (w->deletes) {
            *said = mem_printf(c->ctx, "kept by %s", checked_id(c, f->step));
            answer = ANSWER_YES;
        }
    }
    return answer;
}

enum answer evidence_snapshot(struct checking *c, const char *rule, const struct statement *s,
                              const char **said)
{
    if (text_eq(rule, "drop-column")) {
        return each_column(c, s, SQL_ALTER_DROP_COLUMN, column_kept, said);
    }
    if (text_eq(rule, "delete-unbounded")) {
        return rows_kept(c, s, said);
    }
    bool mine = text_eq(rule, "truncate") ? s->kind == SQL_STMT_TRUNCATE : s->kind == SQL_STMT_DROP;
    return mine ? tables_kept(c, s, s->kind == SQL_STMT_DROP, said) : ANSWER_NOT_MINE;
}

enum answer evidence_copy(struct checking *c, const char *rule, const struct statement *s,
                          const char **said)
{
    (void)rule;
    return each_column(c, s, SQL_ALTER_DROP_COLUMN, column_copied, said);
}

enum answer evidence_derived(struct checking *c, const char *rule, const struct statement *s,
                             const char **said)
{
    (void)rule;
    return each_column(c, s, SQL_ALTER_DROP_COLUMN, column_derived, said);
}

/* --- words ------------------------------------------------------------------------------------ */

enum answer evidence_word(struct checking *c, const char *rule, const struct statement *s,
                          const char **said)
{
    const struct trail_fact *word = checked_word(c);
    (void)rule;
    if (s->kind != SQL_STMT_DROP) {
        return ANSWER_NOT_MINE;
    }
    if (!word || !text_starts(checked_id(c, c->step), "contract/") || c->other->count == 0 ||
        s->cascade) {
        return ANSWER_NO;
    }
    *said = mem_printf(c->ctx, "word given in %s", checked_id(c, word->step));
    return ANSWER_YES;
}

/* --- names ------------------------------------------------------------------------------------ */

/* Within the transaction the other column takes this one's name. */
static bool takes_name(const struct checking *c, const struct statement *s, const char *other,
                       const char *name)
{
    for (size_t i = 0; i < c->script->count; i++) {
        const struct statement *o = c->script->statements[i].statement;
        if (o->kind == SQL_STMT_RENAME && o->object == SQL_OBJECT_COLUMN && o != s &&
            sql_name_eq(o->name, s->name) && text_eq(o->sub_name, other) &&
            text_eq(o->new_name, name)) {
            return true;
        }
    }
    return false;
}

enum answer evidence_exchange(struct checking *c, const char *rule, const struct statement *s,
                              const char **said)
{
    (void)rule;
    if (s->kind != SQL_STMT_RENAME || s->object != SQL_OBJECT_COLUMN) {
        return ANSWER_NOT_MINE;
    }
    const struct world_table *t = checked_table(c, s->name);
    const struct world_column *column = t ? table_column(t, s->sub_name) : NULL;
    const struct checked_pair *p = column ? checked_pair(c, column->id) : NULL;
    if (!p || !checked_step(c)->transaction) {
        return ANSWER_NO;
    }
    const char *mine = p->a == column->id ? p->name_a : p->name_b;
    const char *other = p->a == column->id ? p->name_b : p->name_a;
    if (!text_eq(s->new_name, other) && !takes_name(c, s, other, mine)) {
        return ANSWER_NO;
    }
    *said = with_word(c, mem_printf(c->ctx, "with \"%s\", proven equal by", other), p->step);
    return *said ? ANSWER_YES : ANSWER_NO;
}

/* The object ends in the schema where the plan puts things aside. */
static bool put_aside(const struct checking *c, const struct statement *s)
{
    const char *name = s->kind == SQL_STMT_RENAME ? s->new_name : s->name.name;
    for (size_t i = c->index; i < c->script->count; i++) {
        const struct statement *o = c->script->statements[i].statement;
        if (o->kind == SQL_STMT_SET_SCHEMA && o->object == s->object &&
            text_eq(o->name.name, name) && text_eq(o->new_name, "flotilla")) {
            return checked_step(c)->transaction;
        }
    }
    return false;
}

/* A table's users have to say so; what holds no rows goes when a person promotes contract. */
static enum answer aside(struct checking *c, const struct statement *s, const char **said)
{
    const struct trail_fact *word = checked_word(c);
    bool table = s->object == SQL_OBJECT_TABLE || s->object == SQL_OBJECT_MATVIEW;
    bool contract = text_starts(checked_id(c, c->step), "contract/");
    *said = word ? mem_printf(c->ctx, "word given in %s", checked_id(c, word->step)) : NULL;
    return (word || (contract && !table && !c->back)) && put_aside(c, s) ? ANSWER_YES : ANSWER_NO;
}

enum answer evidence_tombstone(struct checking *c, const char *rule, const struct statement *s,
                               const char **said)
{
    if (s->kind != SQL_STMT_RENAME && s->kind != SQL_STMT_SET_SCHEMA) {
        return ANSWER_NOT_MINE;
    }
    if (!text_eq(rule, "rename-column")) {
        return aside(c, s, said);
    }
    const struct world_table *t = checked_table(c, s->name);
    const struct world_column *column = t ? table_column(t, s->sub_name) : NULL;
    return column && column_goes(c, t, column, said) ? ANSWER_YES : ANSWER_NO;
}

/* --- what goes along -------------------------------------------------------------------------- */

static bool any_goes(struct checking *c, const struct world_table *t, const struct sql_texts *names,
                     const char **said)
{
    for (size_t i = 0; t && i < names->count; i++) {
        const struct world_column *column = table_column(t, names->items[i]);
        if (column && column_goes(c, t, column, said)) {
            return true;
        }
    }
    return false;
}

static bool object_goes(struct checking *c, const struct sql_object *o, const char **said)
{
    struct sql_name name = { o->schema, o->name };
    struct world_index *x = NULL;
    const struct world_table *t = NULL;
    if (o->kind == SQL_OBJECT_INDEX) {
        t = world_index(c->mirror->world, name, &x);
        if (x) {
            index_prepare(c->mirror->world, x);
        }
        return x && (any_goes(c, t, &x->columns, said) || any_goes(c, t, &x->uses, said));
    }
    const struct world_table *sequence =
        o->kind == SQL_OBJECT_SEQUENCE ? checked_table(c, name) : NULL;
    t = sequence ? checked_table(c, sequence->owner_table) : NULL;
    struct sql_texts owner = { sequence ? (const char **)&sequence->owner_column : NULL, 1 };
    return t && sequence->owner_column && any_goes(c, t, &owner, said);
}

static enum answer each_object(struct checking *c, const struct statement *s,
                               bool fn(struct checking *c, const struct sql_object *o,
                                       const char **said),
                               const char **said)
{
    if (s->kind != SQL_STMT_DROP || s->object_count == 0) {
        return ANSWER_NOT_MINE;
    }
    for (size_t i = 0; i < s->object_count; i++) {
        if (!fn(c, &s->objects[i], said)) {
            return ANSWER_NO;
        }
    }
    return ANSWER_YES;
}

static enum answer each_constraint(struct checking *c, const struct statement *s,
                                   bool fn(struct checking *c, const struct world_table *t,
                                           const struct world_constraint *k, const char **said),
                                   const char **said)
{
    const struct world_table *t =
        s->kind == SQL_STMT_ALTER_TABLE ? checked_table(c, s->name) : NULL;
    enum answer answer = ANSWER_NOT_MINE;
    for (size_t i = 0; t && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->kind == SQL_ALTER_DROP_CONSTRAINT) {
            const struct world_constraint *k = table_constraint(t, a->name);
            if (!k || !fn(c, t, k, said)) {
                return ANSWER_NO;
            }
            answer = ANSWER_YES;
        }
    }
    return answer;
}

static bool constraint_goes(struct checking *c, const struct world_table *t,
                            const struct world_constraint *k, const char **said)
{
    return any_goes(c, t, &k->columns, said);
}

static bool constraint_own(struct checking *c, const struct world_table *t,
                           const struct world_constraint *k, const char **said)
{
    struct sql_name name = { t->schema, t->name };
    const struct trail_fact *f = trail_made(
        c->now, SQL_OBJECT_CONSTRAINT, trail_key(c->now, SQL_OBJECT_CONSTRAINT, name, k->name));
    *said = f ? mem_printf(c->ctx, "added by %s", checked_id(c, f->step)) : NULL;
    return f != NULL;
}

static enum answer each_default(struct checking *c, const struct statement *s, column_fn *fn,
                                const char **said)
{
    enum answer set = each_column(c, s, SQL_ALTER_SET_DEFAULT, fn, said);
    enum answer drop =
        set == ANSWER_NO ? ANSWER_NO : each_column(c, s, SQL_ALTER_DROP_DEFAULT, fn, said);
    return drop == ANSWER_NOT_MINE ? set : drop;
}

enum answer evidence_goes_along(struct checking *c, const char *rule, const struct statement *s,
                                const char **said)
{
    if (text_eq(rule, "drop-constraint")) {
        return each_constraint(c, s, constraint_goes, said);
    }
    if (text_eq(rule, "drop-not-null")) {
        return each_column(c, s, SQL_ALTER_DROP_NOT_NULL, column_goes, said);
    }
    if (text_eq(rule, "default-change")) {
        return each_default(c, s, column_goes, said);
    }
    return each_object(c, s, object_goes, said);
}

/* --- what the plan made itself ---------------------------------------------------------------- */

static bool object_own(struct checking *c, const struct sql_object *o, const char **said)
{
    struct sql_name name = { o->schema, o->name };
    const struct trail_fact *f =
        trail_made(c->now, o->kind, trail_key(c->now, o->kind, name, o->column));
    *said = f ? mem_printf(c->ctx, "made by %s", checked_id(c, f->step)) : NULL;
    return f != NULL;
}

static enum answer function_own(struct checking *c, const struct statement *s, const char **said)
{
    struct sql_object o = { .kind = SQL_OBJECT_FUNCTION,
                            .schema = s->name.schema,
                            .name = s->name.name };
    return s->kind != SQL_STMT_CREATE_FUNCTION ? ANSWER_NOT_MINE
           : object_own(c, &o, said)           ? ANSWER_YES
                                               : ANSWER_NO;
}

enum answer evidence_own(struct checking *c, const char *rule, const struct statement *s,
                         const char **said)
{
    if (text_eq(rule, "drop-column")) { /* what was written into it would be lost forward */
        return c->back ? each_column(c, s, SQL_ALTER_DROP_COLUMN, column_own, said) : ANSWER_NO;
    }
    if (text_eq(rule, "drop-table") || text_eq(rule, "drop-schema")) {
        return c->back ? each_object(c, s, object_own, said) : ANSWER_NO;
    }
    if (text_eq(rule, "drop-constraint")) {
        return each_constraint(c, s, constraint_own, said);
    }
    if (text_eq(rule, "drop-not-null")) {
        return each_column(c, s, SQL_ALTER_DROP_NOT_NULL, column_own, said);
    }
    if (text_eq(rule, "default-change")) {
        return each_default(c, s, column_own, said);
    }
    return text_eq(rule, "function-change") ? function_own(c, s, said)
                                            : each_object(c, s, object_own, said);
}
