#include "controller/check/trail.h"

#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"
#include "controller/check/trail_check.h"
#include "controller/sql/token.h"
#include "controller/world/world_apply.h"

struct trail *trail_new(const void *ctx, struct world *world)
{
    struct trail *trail = mem_new(ctx, struct trail);
    trail->ctx = trail;
    trail->world = world;
    return trail;
}

static struct trail_fact *add(struct trail *t, enum trail_kind kind)
{
    t->items = mem_room(t->ctx, t->items, struct trail_fact, t->count + 1);
    struct trail_fact *f = &t->items[t->count++];
    *f = (struct trail_fact){ .kind = kind, .step = t->step, .back = t->back };
    return f;
}

const char *trail_key(const struct trail *t, enum sql_object_kind kind, struct sql_name name,
                      const char *sub)
{
    const char *schema = name.schema ? name.schema : world_schema(t->world);
    if (!sub || kind == SQL_OBJECT_COLUMN) {
        return mem_printf(t->ctx, "%s.%s", schema, name.name ? name.name : "");
    }
    const struct world_table *table = world_find(t->world, name);
    return table ? mem_printf(t->ctx, "%u/%s", table->id, sub)
                 : mem_printf(t->ctx, "%s.%s/%s", schema, name.name ? name.name : "", sub);
}

/* Kinds that share a space of names. */
static enum sql_object_kind plain_kind(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_SEQUENCE: return SQL_OBJECT_TABLE;
    case SQL_OBJECT_PROCEDURE:
    case SQL_OBJECT_ROUTINE: return SQL_OBJECT_FUNCTION;
    case SQL_OBJECT_DOMAIN: return SQL_OBJECT_TYPE;
    default: return kind;
    }
}

static bool is_object(const struct trail_fact *f, enum sql_object_kind kind, const char *key)
{
    return (f->kind == TRAIL_MADE || f->kind == TRAIL_UNMADE) && f->object == plain_kind(kind) &&
           text_eq(f->key, key);
}

/* What takes the name of something that was there before stands for it. */
static struct trail_fact *object(struct trail *t, enum trail_kind kind, enum sql_object_kind o,
                                 const char *key)
{
    bool theirs = kind == TRAIL_UNMADE && !trail_made(t, o, key);
    for (size_t i = 0; i < t->count; i++) {
        theirs = theirs || (is_object(&t->items[i], o, key) && t->items[i].theirs);
    }
    struct trail_fact *f = add(t, theirs ? TRAIL_UNMADE : kind);
    f->object = plain_kind(o);
    f->key = key;
    f->theirs = theirs;
    f->ours = kind == TRAIL_MADE;
    return f;
}

static const struct trail_fact *last(const struct trail *t, enum sql_object_kind kind,
                                     const char *key)
{
    for (size_t i = t->count; i-- > 0;) {
        if (is_object(&t->items[i], kind, key)) {
            return &t->items[i];
        }
    }
    return NULL;
}

const struct trail_fact *trail_made(const struct trail *t, enum sql_object_kind kind,
                                    const char *key)
{
    const struct trail_fact *f = last(t, kind, key);
    return f && f->kind == TRAIL_MADE ? f : NULL;
}

const struct trail_fact *trail_find(const struct trail *t, enum trail_kind kind, unsigned table,
                                    unsigned column)
{
    for (size_t i = t->count; i-- > 0;) {
        const struct trail_fact *f = &t->items[i];
        if (f->kind == kind && (!table || f->table == table) && (!column || f->column == column)) {
            return f;
        }
    }
    return NULL;
}

/* --- statements ------------------------------------------------------------------------------ */

static void function_made(struct trail *t, const struct statement *s)
{
    const char *key = trail_key(t, SQL_OBJECT_FUNCTION, s->name, NULL);
    const struct trail_fact *before = last(t, SQL_OBJECT_FUNCTION, key);
    if (!world_function(t->world, s->name) || (before && before->kind == TRAIL_UNMADE)) {
        object(t, TRAIL_MADE, SQL_OBJECT_FUNCTION, key);
    }
    struct trail_fact *body = add(t, TRAIL_BODY);
    body->key = key;
    body->text = s->body->text;
}

static void trigger_made(struct trail *t, const struct statement *s)
{
    struct trail_fact *f = object(t, TRAIL_MADE, SQL_OBJECT_TRIGGER,
                                  trail_key(t, SQL_OBJECT_TRIGGER, s->name, s->sub_name));
    const struct world_table *table = world_find(t->world, s->name);
    f->table = table ? table->id : 0;
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        if (o->kind == SQL_OBJECT_FUNCTION) {
            f->calls =
                trail_key(t, SQL_OBJECT_FUNCTION, (struct sql_name){ o->schema, o->name }, NULL);
        }
    }
}

static void index_made(struct trail *t, const struct statement *s)
{
    const struct sql_index *x = s->create_index;
    const struct world_table *table = world_find(t->world, x->table);
    struct world_index *old = NULL;
    if (!table || !x->name) {
        return;
    }
    struct sql_name name = { table->schema, x->name };
    if (world_index(t->world, name, &old)) {
        return;
    }
    object(t, TRAIL_MADE, SQL_OBJECT_INDEX, trail_key(t, SQL_OBJECT_INDEX, name, NULL));
    struct trail_fact *f = add(t, TRAIL_INDEXED);
    f->table = table->id;
    f->name = x->name;
    f->key = trail_key(t, SQL_OBJECT_TABLE, (struct sql_name){ table->schema, table->name }, NULL);
    f->concurrently = x->concurrently;
    for (size_t i = 0; i < x->key_count && !x->where && x->keys[i].column; i++) {
        sql_texts_add(t->ctx, &f->columns, x->keys[i].column);
    }
}

static void constraint_added(struct trail *t, const struct statement *s,
                             const struct sql_constraint *k)
{
    const struct world_table *table = world_find(t->world, s->name);
    if (!table || !k->name) {
        return;
    }
    object(t, TRAIL_MADE, SQL_OBJECT_CONSTRAINT,
           trail_key(t, SQL_OBJECT_CONSTRAINT, s->name, k->name));
    if (k->using_index) { /* the index takes the constraint's name */
        object(t, TRAIL_MADE, SQL_OBJECT_INDEX,
               trail_key(t, SQL_OBJECT_INDEX, (struct sql_name){ table->schema, k->name }, NULL));
    }
    if (k->not_valid) {
        struct trail_fact *f = add(t, TRAIL_UNPROVEN);
        f->table = table->id;
        f->name = k->name;
    }
}

static void altered(struct trail *t, const struct statement *s)
{
    const struct world_table *table = world_find(t->world, s->name);
    for (size_t i = 0; table && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        const struct world_column *c = a->column ? table_column(table, a->column) : NULL;
        struct trail_fact *f;
        if (a->kind == SQL_ALTER_ADD_CONSTRAINT) {
            constraint_added(t, s, a->constraint);
        } else if (a->kind == SQL_ALTER_VALIDATE_CONSTRAINT) {
            f = add(t, TRAIL_PROVEN);
            f->table = table->id;
            f->name = a->name;
        } else if (a->kind == SQL_ALTER_DROP_CONSTRAINT) {
            object(t, TRAIL_UNMADE, SQL_OBJECT_CONSTRAINT,
                   trail_key(t, SQL_OBJECT_CONSTRAINT, s->name, a->name));
        } else if (a->kind == SQL_ALTER_DROP_COLUMN && c) {
            f = add(t, TRAIL_DROPPED);
            f->table = table->id;
            f->column = c->id;
            f->name = c->name;
        }
    }
}

static void renamed(struct trail *t, const struct statement *s)
{
    enum sql_object_kind kind = s->object;
    if (kind == SQL_OBJECT_COLUMN || !s->name.name) {
        return;
    }
    bool of_table = s->sub_name != NULL;
    struct sql_name to = { s->kind == SQL_STMT_SET_SCHEMA ? s->new_name : s->name.schema,
                           s->kind == SQL_STMT_SET_SCHEMA ? s->name.name : s->new_name };
    const char *from_key = trail_key(t, kind, s->name, s->sub_name);
    const char *to_key =
        of_table ? trail_key(t, kind, s->name, s->new_name) : trail_key(t, kind, to, NULL);
    const struct trail_fact *made = last(t, kind, from_key);
    size_t step = made && made->ours ? made->step : t->step;
    enum trail_kind now = made && made->ours ? TRAIL_MADE : TRAIL_UNMADE;
    object(t, TRAIL_UNMADE, kind, from_key);
    object(t, now, kind, to_key)->step = step;
}

static void dropped(struct trail *t, const struct statement *s)
{
    for (size_t i = 0; i < s->object_count; i++) {
        const struct sql_object *o = &s->objects[i];
        object(t, TRAIL_UNMADE, o->kind,
               trail_key(t, o->kind, (struct sql_name){ o->schema, o->name }, o->column));
    }
}

struct world_column *trail_column(struct trail *t, struct world_table *table, const char *name)
{
    struct world_column *c = table_column(table, name);
    if (!c && !table->known && !world_has_catalog(t->world) && name) {
        struct sql_column made = { .name = mem_text(t->ctx, name) };
        world_add_column(t->world, table, &made);
        c = table_column(table, name);
        c->fresh = false;
    }
    return c;
}

void trail_mention(struct trail *t, const struct statement *s)
{
    bool column = s->kind == SQL_STMT_RENAME && s->object == SQL_OBJECT_COLUMN;
    struct world_table *table =
        (column || s->kind == SQL_STMT_ALTER_TABLE) && s->name.name && s->object != SQL_OBJECT_INDEX
            ? world_table(t->world, s->name)
            : NULL;
    if (table && column) {
        trail_column(t, table, s->sub_name);
    }
    for (size_t i = 0; table && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        if (a->column && a->kind != SQL_ALTER_ADD_COLUMN) {
            trail_column(t, table, a->column);
        }
    }
}

void trail_before(struct trail *t, const struct statement *s)
{
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_TABLE_AS:
    case SQL_STMT_CREATE_MATVIEW:
    case SQL_STMT_CREATE_VIEW:
    case SQL_STMT_CREATE_SEQUENCE:
        if (s->name.name && !world_find(t->world, s->name)) {
            object(t, TRAIL_MADE, SQL_OBJECT_TABLE, trail_key(t, SQL_OBJECT_TABLE, s->name, NULL));
        }
        break;
    case SQL_STMT_CREATE_TYPE:
    case SQL_STMT_CREATE_ENUM:
    case SQL_STMT_CREATE_DOMAIN:
        object(t, TRAIL_MADE, SQL_OBJECT_TYPE, trail_key(t, SQL_OBJECT_TYPE, s->name, NULL));
        break;
    case SQL_STMT_CREATE_SCHEMA:
        object(t, TRAIL_MADE, SQL_OBJECT_SCHEMA, trail_key(t, SQL_OBJECT_SCHEMA, s->name, NULL));
        break;
    case SQL_STMT_CREATE_STATISTICS:
        object(t, TRAIL_MADE, SQL_OBJECT_STATISTICS,
               trail_key(t, SQL_OBJECT_STATISTICS, s->name, NULL));
        break;
    case SQL_STMT_CREATE_POLICY:
        object(t, TRAIL_MADE, SQL_OBJECT_POLICY,
               trail_key(t, SQL_OBJECT_POLICY, s->name, s->sub_name));
        break;
    case SQL_STMT_CREATE_FUNCTION: function_made(t, s); break;
    case SQL_STMT_CREATE_TRIGGER: trigger_made(t, s); break;
    case SQL_STMT_CREATE_INDEX: index_made(t, s); break;
    case SQL_STMT_ALTER_TABLE: altered(t, s); break;
    case SQL_STMT_RENAME:
    case SQL_STMT_SET_SCHEMA: renamed(t, s); break;
    case SQL_STMT_DROP: dropped(t, s); break;
    default: break;
    }
}

void trail_after(struct trail *t, const struct statement *s)
{
    const struct world_table *table =
        s->kind == SQL_STMT_ALTER_TABLE ? world_find(t->world, s->name) : NULL;
    for (size_t i = 0; table && i < s->alter_count; i++) {
        const struct sql_alter *a = &s->alters[i];
        const struct world_column *c = a->column ? table_column(table, a->column) : NULL;
        if (a->kind == SQL_ALTER_ADD_COLUMN && c && c->fresh) {
            struct trail_fact *f = add(t, TRAIL_ADDED);
            f->table = table->id;
            f->column = c->id;
            f->name = c->name;
        }
    }
}

/* --- steps that are no statements ------------------------------------------------------------ */

static struct world_table *relation_of(const struct trail *t, const char *relation)
{
    SCOPE(tmp);
    struct object_name name = { 0 };
    struct error ignored;
    return relation && object_name_parse(tmp, relation, &name, &ignored)
               ? world_table(t->world, (struct sql_name){ name.schema, name.name })
               : NULL;
}

static void kept(struct trail *t, const struct step_snapshot *snapshot)
{
    struct world_table *table = relation_of(t, snapshot->of);
    for (size_t i = 0; table && i <= snapshot->columns.count; i++) {
        bool whole = snapshot->columns.count == 0;
        const struct world_column *c =
            i < snapshot->columns.count ? trail_column(t, table, snapshot->columns.items[i]) : NULL;
        if (whole || c) {
            struct trail_fact *f = add(t, TRAIL_KEPT);
            f->table = table->id;
            f->column = c ? c->id : 0;
        }
    }
}

/* A generated column is what its expression says: who equals the one equals the other. */
static const struct world_column *generated_by(const struct world_table *table,
                                               const struct trail_equality *e)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const struct world_column *c = &table->columns[i];
        if (c->generate && !text_eq(c->name, e->left) && strstr(e->expression, c->generate)) {
            return c;
        }
    }
    return NULL;
}

static void equal_add(struct trail *t, const struct world_table *table,
                      const struct world_column *a, const struct world_column *b)
{
    if (a && b) {
        struct trail_fact *f = add(t, TRAIL_EQUAL);
        f->table = table->id;
        f->column = a->id;
        f->other = b->id;
    }
}

static void verified(struct trail *t, const char *check)
{
    SCOPE(tmp);
    struct trail_equality e;
    struct world_table *table =
        trail_check_equality(tmp, check, &e) ? world_table(t->world, e.relation) : NULL;
    if (table && trail_column(t, table, e.left) && trail_column(t, table, e.right)) {
        const struct world_column *a = table_column(table, e.left);
        equal_add(t, table, a, table_column(table, e.right));
        equal_add(t, table, a, generated_by(table, &e));
    }
}

void trail_step(struct trail *t, const struct step *step)
{
    switch (step->kind) {
    case STEP_SNAPSHOT: kept(t, &step->snapshot); break;
    case STEP_VERIFY: verified(t, step->check); break;
    case STEP_ACKNOWLEDGE: add(t, TRAIL_WORD)->name = step->from; break;
    case STEP_BACKFILL: {
        const struct world_table *table = relation_of(t, step->batch.relation);
        add(t, TRAIL_BACKFILLED)->table = table ? table->id : 0;
        break;
    }
    case STEP_STATEMENT:
    case STEP_CONCURRENTLY:
    case STEP_WAIT: break;
    }
}

/* --- synchronised columns -------------------------------------------------------------------- */

static bool names(const char *text, const char *column)
{
    SCOPE(tmp);
    const char *quoted = text_quote_ident(tmp, column);
    struct lexer lexer = { text, strlen(text), 0 };
    for (struct token k = token_next(&lexer); k.kind != TOKEN_END; k = token_next(&lexer)) {
        size_t n = k.end - k.start;
        const char *word = k.kind == TOKEN_QUOTED ? quoted : k.kind == TOKEN_WORD ? column : NULL;
        if (word && strlen(word) == n && memcmp(text + k.start, word, n) == 0) {
            return true;
        }
    }
    return false;
}

static const char *body_of(const struct trail *t, const char *key)
{
    for (size_t i = t->count; i-- > 0;) {
        if (t->items[i].kind == TRAIL_BODY && text_eq(t->items[i].key, key)) {
            return t->items[i].text;
        }
    }
    return NULL;
}

bool trail_synced(const struct trail *t, const struct world_table *table, const char *a,
                  const char *b)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct trail_fact *f = &t->items[i];
        if (f->kind != TRAIL_MADE || f->object != SQL_OBJECT_TRIGGER || f->table != table->id ||
            trail_made(t, SQL_OBJECT_TRIGGER, f->key) != f) {
            continue;
        }
        const char *body = body_of(t, f->calls);
        if (body && names(body, a) && names(body, b)) {
            return true;
        }
    }
    return false;
}
