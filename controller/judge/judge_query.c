/* Queries, COPY, CALL. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judging.h"

/* A column among `compared` leads an index, or there is no catalog to say otherwise. */
static bool narrowed(const struct world_table *t, const struct sql_texts *compared)
{
    if (!t->known) {
        return compared->count > 0;
    }
    for (size_t i = 0; i < t->index_count; i++) {
        if (t->indexes[i].valid && t->indexes[i].columns.count > 0 &&
            sql_texts_have(compared, t->indexes[i].columns.items[0])) {
            return true;
        }
    }
    return false;
}

/* ONLY: looked into views, but not at children. */
void read_below(struct judging *g, const struct world_table *t, enum effect effect,
                enum query_use use)
{
    struct world_table *child;
    effect_take(g, effect, t, NULL);
    if (use == QUERY_NAMED || !walk_enter(g, t)) {
        return;
    }
    for (size_t i = 0; t->kind == 'v' && i < t->read_count; i++) {
        struct sql_name name = { t->reads[i].schema, t->reads[i].name };
        struct world_table *base = name.name ? world_find(g->world, name) : NULL;
        if (base && base != t) {
            read_below(g, base, effect, use);
        }
    }
    bool stores = t->kind == 'p' || t->kind == 'r';
    for (size_t i = 0; stores && use >= QUERY_PLANNED && (child = world_child_at(g->world, i));
         i++) {
        if (child != t && is_child_of(g, child, t)) {
            read_below(g, child, effect, use);
        }
    }
    walk_leave(g);
}

static bool sets_any(const struct sql_write *w, const struct sql_texts *columns)
{
    bool any = w->kind == SQL_INSERT || (w->kind == SQL_MERGE && w->inserts);
    for (size_t j = 0; j < columns->count; j++) {
        any = any || sql_texts_have(&w->columns, columns->items[j]);
    }
    return any;
}

/* Rows that refer to deleted ones are changed or at least locked. */
static void referring_rows(struct judging *g, const struct world_table *t,
                           const struct world_table *other)
{
    for (size_t j = 0; !other->gone && j < other->constraint_count; j++) {
        const struct world_constraint *k = &other->constraints[j];
        if (k->kind == 'f' && other != t && table_is(t, g->world, k->ref)) {
            bool acts = k->on_delete == 'c' || k->on_delete == 'n' || k->on_delete == 'd';
            effect_take(g, acts ? EFFECT_WRITE : EFFECT_KEY_SHARE, other, NULL);
        }
    }
}

/* Rows of other tables that foreign keys look at or change. */
static void foreign_rows(struct judging *g, const struct world_table *t, const struct sql_write *w)
{
    struct world_table *other;
    for (size_t i = 0; i < t->constraint_count && w->kind != SQL_DELETE; i++) {
        const struct world_constraint *k = &t->constraints[i];
        if (k->kind == 'f' && sets_any(w, &k->columns)) {
            effect_take(g, EFFECT_KEY_SHARE, world_find(g->world, k->ref), NULL);
        }
    }
    for (size_t i = 0; w->deletes && (other = world_at(g->world, i)); i++) {
        referring_rows(g, t, other);
    }
}

static struct world_table *sequence_named(struct judging *g, const char *name)
{
    struct world_table *sequence = world_table(g->world, name_split(g->ctx, name));
    if (sequence && !sequence->known) {
        sequence->kind = 'S';
    }
    return sequence;
}

/* Columns that an INSERT leaves out take their numbers. */
static void numbers_taken(struct judging *g, const struct world_table *t, const struct sql_write *w)
{
    bool inserts = w->kind == SQL_INSERT && w->columns.count > 0;
    for (size_t i = 0; inserts && i < t->column_count; i++) {
        const struct world_column *c = &t->columns[i];
        if (sql_texts_have(&w->columns, c->name)) {
            continue;
        }
        if (c->identity) {
            effect_take(g, EFFECT_SEQUENCE_VALUE, sequence_of(g, t, c->name), NULL);
        }
        for (size_t k = 0; k < c->sequences.count; k++) {
            struct sql_name name = name_split(g->ctx, c->sequences.items[k]);
            effect_take(g, EFFECT_SEQUENCE_VALUE, world_find(g->world, name), NULL);
        }
    }
}

/* What a view shows: the table, when there is one only. */
static struct world_table *shown(struct judging *g, const struct world_table *view)
{
    struct world_table *base = NULL;
    for (size_t i = 0; view->kind == 'v' && i < view->read_count; i++) {
        struct sql_name name = { view->reads[i].schema, view->reads[i].name };
        struct world_table *t = name.name ? world_find(g->world, name) : NULL;
        if (t && base && t != base) {
            return NULL;
        }
        base = t ? t : base;
    }
    return base;
}

static void write_take(struct judging *g, const struct sql_write *w, const struct world_table *t,
                       enum query_use use)
{
    bool scans = use == QUERY_RUN && w->kind != SQL_INSERT && !narrowed(t, &w->compared);
    enum effect effect = scans ? EFFECT_WRITE_SCAN : EFFECT_WRITE;
    struct world_table *base = shown(g, t);
    if (w->only || use < QUERY_PLANNED || (w->kind == SQL_INSERT && t->kind == 'r')) {
        effect_take(g, effect, t, NULL);
    } else {
        effect_below(g, effect, t, NULL);
    }
    if (base && use > QUERY_NAMED && walk_enter(g, t)) {
        write_take(g, w, base, use);
        walk_leave(g);
    }
    if (use == QUERY_RUN) {
        foreign_rows(g, t, w);
        numbers_taken(g, t, w);
    }
}

static void write_lock(struct judging *g, const struct sql_write *w, enum query_use use)
{
    bool runs = use == QUERY_RUN;
    struct world_table *t = table_of(g, w->relation, false);
    if (!t) {
        return;
    }
    g->v->full_scan = g->v->full_scan || (runs && w->kind == SQL_INSERT && w->from_query &&
                                          !w->bounded && !t->fresh && !t->known);
    write_take(g, w, t, use);
}

/* Functions of the server that came with a version, unless there is one of that name here. */
static void functions_since(struct judging *g, const struct sql_query *q)
{
    static const struct {
        const char *name;
        int version;
    } known[] = {
        { "any_value", 16 },    { "json_arrayagg", 16 }, { "json_objectagg", 16 },
        { "json_scalar", 17 },  { "json_value", 17 },    { "json_query", 17 },
        { "json_exists", 17 },  { "json", 17 },          { "json_serialize", 17 },
        { "merge_action", 17 },
    };
    for (size_t i = 0; i < q->functions.count; i++) {
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            if (text_eq(q->functions.items[i], known[k].name) &&
                !world_function(g->world, (struct sql_name){ NULL, known[k].name })) {
                needs_version(g, known[k].version);
            }
        }
    }
}

void query_locks(struct judging *g, const struct sql_query *q, enum query_use use)
{
    bool scans = use == QUERY_RUN;
    functions_since(g, q);
    for (size_t i = 0; i < q->read_count; i++) {
        const struct sql_object *o = &q->reads[i];
        struct sql_name name = { o->schema, o->name };
        struct world_table *t = !o->column && o->name ? table_of(g, name, false) : NULL;
        if (t) {
            bool all = scans && !narrowed(t, &q->compared);
            read_below(g, t, all ? EFFECT_READ_SCAN : EFFECT_READ,
                       o->only && use > QUERY_REWRITTEN ? QUERY_REWRITTEN : use);
        }
    }
    for (size_t i = 0; i < q->row_locks.count; i++) {
        effect_take(g, EFFECT_LOCK_ROWS,
                    table_of(g, name_split(g->ctx, q->row_locks.items[i]), false), NULL);
    }
    for (size_t i = 0; i < q->sequences.count; i++) {
        effect_take(g, EFFECT_SEQUENCE_VALUE, sequence_named(g, q->sequences.items[i]), NULL);
    }
    for (size_t i = 0; i < q->write_count; i++) {
        write_lock(g, &q->writes[i], use);
    }
}

static void functions_run(struct judging *g, const struct sql_query *q)
{
    for (size_t i = 0; i < q->functions.count; i++) {
        struct world_function *f =
            world_function(g->world, name_split(g->ctx, q->functions.items[i]));
        if (f) {
            function_prepare(g->world, f);
        }
        for (size_t j = 0; f && f->body && j < f->body->count; j++) {
            nested_judge(g, &f->body->statements[j]);
        }
    }
}

static unsigned write_tags(struct judging *g, const struct sql_write *w)
{
    const struct world_table *t = world_find(g->world, w->relation);
    if (t && (t->fresh || t->temporary)) {
        return TAG_ADDITIVE;
    }
    if (w->deletes) {
        return TAG_DESTRUCTIVE;
    }
    return w->kind == SQL_INSERT && !w->from_query && !w->conflict ? TAG_ADDITIVE : TAG_BACKFILL;
}

void judge_query(struct judging *g)
{
    const struct statement *s = g->s;
    bool runs =
        s->kind != SQL_STMT_PREPARE && !s->cursor && (s->kind != SQL_STMT_EXPLAIN || s->analyze);
    if (!s->query) {
        return;
    }
    query_locks(g, s->query,
                runs                          ? QUERY_RUN
                : s->kind == SQL_STMT_PREPARE ? QUERY_REWRITTEN
                                              : QUERY_PLANNED);
    if (runs) {
        for (size_t i = 0; i < s->query->write_count; i++) {
            tag_add(g, write_tags(g, &s->query->writes[i]));
        }
        functions_run(g, s->query);
    }
}

void judge_execute(struct judging *g)
{
    const struct judge *j = g->judge;
    for (size_t i = j->prepared.count; i > 0; i--) {
        const struct statement *inner = j->prepared_statements[i - 1];
        if (text_eq(j->prepared.items[i - 1], g->s->sub_name) && inner->query) {
            query_locks(g, inner->query, QUERY_RUN);
            for (size_t k = 0; k < inner->query->write_count; k++) {
                tag_add(g, write_tags(g, &inner->query->writes[k]));
            }
            return;
        }
    }
    not_seen(g, "the prepared statement \"%s\" is not in the script", g->s->sub_name);
}

void judge_copy(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, s->from ? TAG_ADDITIVE : TAG_NEUTRAL);
    if (s->query) {
        query_locks(g, s->query, QUERY_RUN);
    }
    const struct world_table *t = s->from ? NULL : world_find(g->world, s->name);
    if (t && t->kind == 'm') {
        needs_version(g, 18);
    }
    effect_take(g, s->from ? EFFECT_WRITE : EFFECT_READ_SCAN, table_of(g, s->name, false), NULL);
}

void judge_call(struct judging *g)
{
    struct world_function *f = world_function(g->world, g->s->name);
    if (f) {
        function_prepare(g->world, f);
    }
    if (f && f->commits) {
        g->v->transaction = false;
    }
    for (size_t i = 0; f && f->body && i < f->body->count; i++) {
        nested_judge(g, &f->body->statements[i]);
    }
    if (!f || !f->body) {
        not_seen(g, "what the procedure does is not in the script");
    } else if (f->opaque) {
        not_seen(g, "what the procedure does cannot be seen: %.100s", f->opaque);
    }
}
