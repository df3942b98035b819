/*
 * DROP. What has a family goes through it; types and sequences, which a table that was moved aside
 * may still need, are moved aside themselves: the way back is instant and exact.
 */
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"

static const char *drop_operation(enum sql_object_kind kind)
{
    switch (kind) {
    case SQL_OBJECT_TABLE: return "drop_table";
    case SQL_OBJECT_INDEX: return "drop_index";
    case SQL_OBJECT_VIEW: return "drop_view";
    case SQL_OBJECT_MATVIEW: return "drop_materialized_view";
    case SQL_OBJECT_TRIGGER: return "drop_trigger";
    case SQL_OBJECT_POLICY: return "drop_policy";
    default: return NULL;
    }
}

static struct relation *table_of_index(const struct ddl *d, const struct sql_name *name)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        struct relation *relation = &catalog->relations[i];
        if (relation_index(relation, name->name) &&
            (!name->schema || text_eq(name->schema, relation->schema))) {
            return relation;
        }
    }
    return NULL;
}

static void not_there(struct ddl *d, const struct sql_object *object)
{
    if (!d->s->if_exists) {
        (void)ddl_refuse(d, "look at `flotilla inspect` for what there is",
                         say(d->work, "there is no %s %s", sql_object_kind_name(object->kind),
                             object->column ? object->column : object->name));
    }
}

/* --- kept in the schema flotilla -------------------------------------------------------------- */

/* args: "(integer)" of a function; "" of others. */
static void move_aside(struct ddl *d, const char *keyword, const struct sql_name *what,
                       const char *args)
{
    struct work *work = d->work;
    const char *aside =
        object_name_fit(work->ctx, say(work, "dropped %s.%s", what->schema, what->name));
    const char *there = name_sql(work, what->schema, what->name);
    const char *renamed = name_sql(work, what->schema, aside);
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    step_texts_add(work->ctx, &back.before, pair_schema);
    step_texts_add(
        work->ctx, &back.before,
        say(work, "ALTER %s %s%s RENAME TO %s", keyword, there, args, ident(work, aside)));
    ddl_down(d, &back, "ALTER %s %s%s SET SCHEMA %s", keyword, name_sql(work, "flotilla", aside),
             args, ident(work, what->schema));
    ddl_down(d, &back, "ALTER %s %s%s RENAME TO %s", keyword, renamed, args,
             ident(work, what->name));
    ddl_raw(d, say(work, "ALTER %s %s%s SET SCHEMA flotilla", keyword, renamed, args), &back);
}

static void drop_type(struct ddl *d, const struct sql_object *object)
{
    struct work *work = d->work;
    const struct sql_name name = { object->schema, object->name };
    struct type *type = ddl_type(d, &name);
    if (!type) {
        not_there(d, object);
        return;
    }
    if (d->s->cascade) {
        ddl_cascade_type(d, type);
        type = ddl_type(d, &name);
    }
    const char *user = type_user(work, work->home, type);
    if (user) {
        (void)ddl_refuse(d, "change or drop that first",
                         say(work, "type %s is used by %s", type->name, user));
        return;
    }
    move_aside(d, type->kind == 'd' ? "DOMAIN" : "TYPE",
               &(struct sql_name){ type->schema, type->name }, "");
    model_drop_type(work->home, type);
}

static void drop_sequence(struct ddl *d, const struct sql_object *object)
{
    struct work *work = d->work;
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->sequence_count; i++) {
        const struct sequence *q = &catalog->sequences[i];
        if (text_eq(q->name, object->name) &&
            (!object->schema || text_eq(q->schema, object->schema))) {
            if (q->owned_table) {
                (void)ddl_refuse(d, "drop the column's default, or take OWNED BY off it, first",
                                 say(work, "sequence %s belongs to %s.%s", q->name, q->owned_table,
                                     q->owned_column));
                return;
            }
            move_aside(d, "SEQUENCE", &(struct sql_name){ q->schema, q->name }, "");
            model_drop_sequence(work->home, q);
            return;
        }
    }
    not_there(d, object);
}

/* --- functions ------------------------------------------------------------------------------- */

/* The text between the brackets behind the function's name; null: none was written. */
static const char *written_arguments(const struct ddl *d, const struct sql_object *object)
{
    const void *ctx = d->work->ctx;
    struct sql_piece piece = sql_piece_next(ctx, d->s->sql);
    for (; piece.length > 0; piece = sql_piece_next(ctx, piece.start + piece.length)) {
        const char *open = piece.start + piece.length;
        open += strspn(open, " \t\r\n");
        if (piece.word && text_eq(piece.name, object->name) && *open == '(') {
            const char *close = open;
            int depth = 0;
            do {
                depth += *close == '(' ? 1 : *close == ')' ? -1 : 0;
            } while (depth > 0 && *close++);
            return mem_textn(ctx, open + 1, (size_t)(close - open - 1));
        }
    }
    return NULL;
}

static struct catalog_texts split(const struct work *work, const char *list)
{
    const char **items = NULL;
    size_t count = 0;
    int depth = 0;
    const char *start = list;
    for (const char *at = list;; at++) {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (*at == 0 || (*at == ',' && depth == 0)) {
            const char *item = mem_textn(work->ctx, start, (size_t)(at - start));
            if (item[strspn(item, " \t\r\n")]) {
                items = mem_room(work->ctx, items, const char *, count + 1);
                items[count++] = item;
            }
            start = at + 1;
        }
        if (*at == 0) {
            return (struct catalog_texts){ items, count };
        }
    }
}

/* "a integer" of the catalog and "int" or "a int4" as written. */
static bool argument_is(const struct work *work, const char *known, const char *written)
{
    const char *type = type_name(work, work->home, written), *space = strchr(written, ' ');
    const char *behind = space ? type_name(work, work->home, space + 1) : type;
    const char *last = strrchr(known, ' ');
    return text_ends(known, type) || text_ends(known, behind) || type_same(work, known, type) ||
           type_same(work, last ? last + 1 : known, type);
}

static bool arguments_are(const struct work *work, const struct function *f, const char *written)
{
    struct catalog_texts known = split(work, f->arguments ? f->arguments : "");
    struct catalog_texts wanted = split(work, written);
    if (known.count != wanted.count) {
        return false;
    }
    for (size_t i = 0; i < known.count; i++) {
        if (!argument_is(work, known.items[i], wanted.items[i])) {
            return false;
        }
    }
    return true;
}

/* The one that is meant; null when there is none, or it cannot be told. */
static const struct function *function_meant(const struct ddl *d, const struct sql_object *object,
                                             size_t *count)
{
    const struct work *work = d->work;
    const char *written = written_arguments(d, object);
    const struct function *only = model_function(work->home, object->schema, object->name, count);
    if (*count <= 1 && (!written || !only || !d->s->if_exists)) {
        return only;
    }
    for (size_t i = 0; i < work->home->catalog->function_count && written; i++) {
        const struct function *f = &work->home->catalog->functions[i];
        if (text_eq(f->name, object->name) &&
            (!object->schema || text_eq(f->schema, object->schema)) &&
            arguments_are(work, f, written)) {
            return f;
        }
    }
    return NULL;
}

static const char *trigger_with(const struct work *work, const struct function *f)
{
    const char *name = say(work, "%s.%s", f->schema, f->name);
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        for (size_t k = 0; k < catalog->relations[i].trigger_count; k++) {
            if (text_eq(catalog->relations[i].triggers[k].function, name)) {
                return catalog->relations[i].triggers[k].name;
            }
        }
    }
    return NULL;
}

static void drop_function(struct ddl *d, const struct sql_object *object)
{
    struct work *work = d->work;
    size_t count;
    const struct function *f = function_meant(d, object, &count);
    if (!f && (count == 0 || d->s->if_exists)) {
        not_there(d, object);
        return;
    }
    if (!f || f->kind == 'a') {
        struct ddl_back back = { .phase = PHASE_CONTRACT };
        ddl_back_functions(d, &(struct sql_name){ object->schema, object->name }, &back);
        ddl_raw(d, d->s->sql, &back);
        return;
    }
    if (d->s->cascade) {
        ddl_cascade_function(d, f);
    }
    const char *user = trigger_with(work, f);
    if (user && d->guarded) {
        return;
    }
    if (user) {
        (void)ddl_refuse(d, "drop the trigger first",
                         say(work, "function %s is used by trigger %s", f->name, user));
        return;
    }
    bool made = work_is_made(work, say(work, "function %s.%s", f->schema, f->name));
    move_aside(d, f->kind == 'p' ? "PROCEDURE" : "FUNCTION",
               &(struct sql_name){ f->schema, f->name },
               made ? "" : say(work, "(%s)", f->arguments ? f->arguments : ""));
    model_drop_function(work->home, f);
}

/* --- typed ----------------------------------------------------------------------------------- */

static void typed(struct ddl *d, const struct sql_object *object)
{
    struct work *work = d->work;
    const struct sql_name named = { object->schema, object->name };
    const struct relation *relation =
        d->s->object == SQL_OBJECT_INDEX ? table_of_index(d, &named) : ddl_relation(d, &named);
    bool on_table = d->s->object == SQL_OBJECT_TRIGGER || d->s->object == SQL_OBJECT_POLICY;
    json_t *fields = json_object();
    if (d->s->object == SQL_OBJECT_INDEX || on_table || d->s->object == SQL_OBJECT_TABLE) {
        json_set_text(fields, "table", relation_key(work, relation));
    }
    if (d->s->object != SQL_OBJECT_TABLE) {
        json_set_text(fields, "name",
                      on_table ? object->column
                               : object_name_join(work->ctx, relation->schema, object->name));
    }
    if (d->s->cascade && !on_table && d->s->object != SQL_OBJECT_INDEX) {
        ddl_cascade_column(d, relation, NULL);
    }
    ddl_intent(d, drop_operation(d->s->object), fields);
}

/* What this change has made has no users and no rows of anybody's. */
static void drop_made(struct ddl *d, const struct sql_object *object, struct relation *relation)
{
    struct ddl_back back = { .phase = PHASE_EXPAND };
    (void)object;
    ddl_down(d, &back, "SELECT 'nothing to undo: what is dropped was made by this change'");
    ddl_raw(d, d->s->sql, &back);
    if (d->s->object == SQL_OBJECT_TABLE || d->s->object == SQL_OBJECT_VIEW ||
        d->s->object == SQL_OBJECT_MATVIEW) {
        model_drop_relation(d->work, d->work->home, relation);
    }
}

/* One of a list, as a statement of its own. */
static const char *drop_sql(const struct ddl *d, const struct sql_object *object)
{
    const struct statement *s = d->s;
    const struct sql_name name = { object->schema, object->name };
    struct text kind = text_init(d->work->ctx, TEXT_LINE);
    for (const char *c = sql_object_kind_name(s->object); *c; c++) {
        text_addc(&kind, (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c));
    }
    return say(d->work, "DROP %s %s%s%s%s%s", kind.data, s->if_exists ? "IF EXISTS " : "",
               object->column ? ident(d->work, object->column) : "", object->column ? " ON " : "",
               ddl_name(d, &name), s->cascade ? " CASCADE" : "");
}

static void drop_one(struct ddl *d, const struct sql_object *object)
{
    const struct sql_name name = { object->schema, object->name };
    struct relation *relation =
        d->s->object == SQL_OBJECT_INDEX ? table_of_index(d, &name) : ddl_relation(d, &name);
    if (d->s->object == SQL_OBJECT_TYPE || d->s->object == SQL_OBJECT_DOMAIN) {
        drop_type(d, object);
    } else if (d->s->object == SQL_OBJECT_SEQUENCE) {
        drop_sequence(d, object);
    } else if (d->s->object == SQL_OBJECT_FUNCTION || d->s->object == SQL_OBJECT_PROCEDURE ||
               d->s->object == SQL_OBJECT_ROUTINE) {
        drop_function(d, object);
    } else if (!relation) {
        not_there(d, object);
    } else if (ddl_made(d, relation)) {
        drop_made(d, object, relation);
    } else {
        typed(d, object);
    }
}

/* The other names of a list go in statements of their own. */
static bool several(const struct statement *s)
{
    size_t targets = 0;
    for (size_t i = 0; i < s->object_count; i++) {
        targets += s->objects[i].role == SQL_TARGET;
    }
    return targets > 1;
}

/* Reads the other, or references it. */
static bool needs(const struct ddl *d, const struct relation *relation,
                  const struct relation *other)
{
    const char *prefix = say(d->work, "%s.", relation_key(d->work, other));
    for (size_t i = 0; i < relation->reads.count; i++) {
        if (text_starts(relation->reads.items[i], prefix)) {
            return true;
        }
    }
    for (size_t i = 0; i < relation->constraint_count; i++) {
        const struct constraint *key = &relation->constraints[i];
        if (key->kind == 'f' && text_eq(key->ref_table, other->name) &&
            text_eq(key->ref_schema, other->schema)) {
            return true;
        }
    }
    return false;
}

/* One list may name them in any order; one after the other, what needs others goes first. */
static void sort_targets(const struct ddl *d, struct sql_object *objects, size_t count)
{
    for (size_t rounds = count * count, i = 0; i < count && rounds > 0; i++, rounds--) {
        const struct sql_name name = { objects[i].schema, objects[i].name };
        const struct relation *other =
            objects[i].role == SQL_TARGET ? ddl_relation(d, &name) : NULL;
        for (size_t k = i + 1; other && k < count; k++) {
            const struct sql_name later = { objects[k].schema, objects[k].name };
            const struct relation *relation =
                objects[k].role == SQL_TARGET ? ddl_relation(d, &later) : NULL;
            if (relation && relation != other && needs(d, relation, other)) {
                const struct sql_object first = objects[k];
                objects[k] = objects[i];
                objects[i--] = first;
                break;
            }
        }
    }
}

void ddl_drop(struct ddl *d)
{
    const struct statement *s = d->s;
    bool known = drop_operation(s->object) || s->object == SQL_OBJECT_TYPE ||
                 s->object == SQL_OBJECT_DOMAIN || s->object == SQL_OBJECT_SEQUENCE ||
                 s->object == SQL_OBJECT_FUNCTION || s->object == SQL_OBJECT_PROCEDURE ||
                 s->object == SQL_OBJECT_ROUTINE;
    if (!known) {
        ddl_drop_raw(d);
        return;
    }
    bool list = several(s);
    struct sql_object *objects = mem_array(d->work->ctx, struct sql_object, s->object_count);
    mem_copy(objects, s->objects, s->object_count * sizeof *objects);
    if (list && s->object != SQL_OBJECT_INDEX) {
        sort_targets(d, objects, s->object_count);
    }
    for (size_t i = 0; i < s->object_count; i++) {
        struct statement one = *s;
        if (objects[i].role != SQL_TARGET || !objects[i].name) {
            continue;
        }
        if (list && !strchr("FPR", sql_object_kind_name(s->object)[0] - 32)) {
            one.sql = drop_sql(d, &objects[i]);
        }
        struct ddl inner = *d;
        inner.s = &one;
        drop_one(&inner, &objects[i]);
    }
}
