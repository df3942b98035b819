/* What the server will refuse in this state: names that are missing or taken, and what hangs on
 * what is to go. Only where the picture of the database is complete enough to say so. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"
#include "controller/world/schemas.h"

/* Another sub-command of the same statement does that to the column or constraint. */
static bool beside(const struct judging *g, enum sql_alter_kind kind, const char *name)
{
    for (size_t i = 0; i < g->s->alter_count; i++) {
        const struct sql_alter *a = &g->s->alters[i];
        const char *is = a->kind == SQL_ALTER_ADD_COLUMN    ? a->definition->name
                         : a->kind == SQL_ALTER_DROP_COLUMN ? a->column
                                                            : a->name;
        if (a->kind == kind && (!name || text_eq(is, name))) {
            return true;
        }
    }
    return false;
}

static bool same_columns(const struct sql_texts *a, const struct sql_texts *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = sql_texts_have(b, a->items[i]);
    }
    return same;
}

/* A foreign key of another table that refers to these columns; null columns: to any with `one`. */
static const struct world_table *referring_to(struct judging *g, const struct world_table *t,
                                              const struct sql_texts *columns, const char *one)
{
    struct world_table *other;
    for (size_t i = 0; (other = world_at(g->world, i)); i++) {
        for (size_t k = 0; other != t && !other->gone && k < other->constraint_count; k++) {
            const struct world_constraint *f = &other->constraints[k];
            bool about = columns ? same_columns(&f->ref_columns, columns)
                                 : sql_texts_have(&f->ref_columns, one);
            if (f->kind == 'f' && about && table_is(t, g->world, f->ref)) {
                return other;
            }
        }
    }
    return NULL;
}

static void column_added(struct judging *g, const struct world_table *t, const struct sql_alter *a)
{
    const char *name = a->definition->name;
    if (t->bound) {
        will_fail(g, "cannot add a column to the partition \"%s\": add it to its parent", t->name);
    } else if (t->of_type.name) {
        will_fail(g, "cannot add a column to \"%s\": it is a table of a type", t->name);
    } else if (!a->if_not_exists && table_column(t, name) &&
               !beside(g, SQL_ALTER_DROP_COLUMN, name)) {
        will_fail(g, "column \"%s\" of relation \"%s\" already exists", name, t->name);
    }
}

static void column_dropped(struct judging *g, const struct world_table *t,
                           const struct sql_alter *a)
{
    const struct world_column *c = table_column(t, a->column);
    const struct world_table *other = a->cascade ? NULL : referring_to(g, t, NULL, a->column);
    if (c && c->inherited) {
        will_fail(g, "cannot drop the inherited column \"%s\"", a->column);
    } else if (other) {
        will_fail(g, "cannot drop column \"%s\": a foreign key of \"%s\" refers to it", a->column,
                  other->name);
    }
}

static bool in_key(const struct judging *g, const struct world_table *t, const char *column)
{
    const struct world_constraint *key = table_primary(t);
    return key && sql_texts_have(&key->columns, column) &&
           !beside(g, SQL_ALTER_DROP_CONSTRAINT, key->name);
}

/* What the column is forbids the change. */
static void column_is(struct judging *g, const struct world_table *t, const struct world_column *c,
                      const struct sql_alter *a)
{
    SCOPE(tmp);
    struct sql_texts keys = partition_columns(tmp, t);
    bool part = sql_texts_have(&keys, a->column);
    switch (a->kind) {
    case SQL_ALTER_SET_TYPE:
    case SQL_ALTER_DROP_COLUMN:
        if (part) {
            will_fail(g, "column \"%s\" is part of the partition key of \"%s\"", a->column,
                      t->name);
        } else if (a->kind == SQL_ALTER_DROP_COLUMN) {
            column_dropped(g, t, a);
        }
        break;
    case SQL_ALTER_DROP_NOT_NULL:
        if (c->identity || in_key(g, t, a->column)) {
            will_fail(g, "column \"%s\" is %s", a->column,
                      c->identity ? "an identity column" : "in the primary key");
        }
        break;
    case SQL_ALTER_SET_DEFAULT:
        if (c->generated) {
            will_fail(g, "column \"%s\" of \"%s\" is generated", a->column, t->name);
        }
        break;
    case SQL_ALTER_ADD_IDENTITY:
        if ((c->has_default || c->identity) && !beside(g, SQL_ALTER_DROP_DEFAULT, NULL)) {
            will_fail(g, "column \"%s\" of \"%s\" already has a default", a->column, t->name);
        }
        break;
    default: break;
    }
}

static void column_named(struct judging *g, const struct world_table *t, const struct sql_alter *a)
{
    const struct world_column *c = table_column(t, a->column);
    if (c) {
        column_is(g, t, c, a);
    } else if (!a->if_exists && !beside(g, SQL_ALTER_ADD_COLUMN, a->column)) {
        will_fail(g, "column \"%s\" of relation \"%s\" does not exist", a->column, t->name);
    }
}

static bool unique_on(const struct world_table *t, const struct sql_texts *columns)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        if (x->unique && !x->partial && !x->expression && same_columns(&x->columns, columns)) {
            return true;
        }
    }
    return false;
}

static void using_index(struct judging *g, const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->index_count; i++) {
        const struct world_index *x = &t->indexes[i];
        if (!text_eq(x->name, name)) {
            continue;
        }
        if (x->partial || x->expression || !x->unique) {
            will_fail(g, "the index \"%s\" is %s", name,
                      x->partial      ? "partial"
                      : x->expression ? "on expressions"
                                      : "not unique");
        }
        return;
    }
    will_fail(g, "index \"%s\" does not exist on \"%s\"", name, t->name);
}

static bool is_added(const struct judging *g, const char *column)
{
    for (size_t i = 0; i < g->s->alter_count; i++) {
        const struct sql_column *c = g->s->alters[i].definition;
        if (c && text_eq(c->name, column)) {
            return true;
        }
    }
    return false;
}

/* A column of the constraint that is not there. */
static const char *missing_in(const struct judging *g, const struct world_table *t,
                              const struct sql_constraint *k)
{
    static const char *const always[] = { "tableoid", "ctid", "xmin", "xmax", "cmin", "cmax" };
    const struct sql_texts *columns = k->expression ? &k->expression->columns : &k->columns;
    for (size_t i = 0; t->known && t->kind != 'f' && i < columns->count; i++) {
        const char *name = columns->items[i];
        bool there = table_column(t, name) || is_added(g, name) || text_eq(name, t->name);
        for (size_t k2 = 0; k2 < sizeof always / sizeof *always; k2++) {
            there = there || text_eq(always[k2], name);
        }
        if (!there) {
            return name;
        }
    }
    return NULL;
}

static void constraint_added(struct judging *g, const struct world_table *t,
                             const struct sql_constraint *k)
{
    const char *missing = missing_in(g, t, k);
    const struct world_constraint *key = table_primary(t);
    const struct world_table *ref = k->kind == 'f' ? world_find(g->world, k->ref) : NULL;
    if (k->name && table_constraint(t, k->name) && !beside(g, SQL_ALTER_DROP_CONSTRAINT, k->name)) {
        will_fail(g, "constraint \"%s\" of \"%s\" already exists", k->name, t->name);
    } else if (k->kind == 'p' && key && !beside(g, SQL_ALTER_DROP_CONSTRAINT, key->name)) {
        will_fail(g, "\"%s\" has a primary key already", t->name);
    } else if (k->using_index) {
        using_index(g, t, k->using_index);
    } else if (ref && ref->known && k->ref_columns.count > 0 && !unique_on(ref, &k->ref_columns)) {
        will_fail(g, "nothing makes the referenced columns of \"%s\" unique", ref->name);
    } else if (missing && world_has_catalog(g->world)) {
        will_fail(g, "column \"%s\" of \"%s\" does not exist", missing, t->name);
    }
}

static void constraint_named(struct judging *g, const struct world_table *t,
                             const struct sql_alter *a)
{
    const struct world_constraint *k = table_constraint(t, a->name);
    const struct world_table *other;
    if (!k) {
        if (!a->if_exists && !beside(g, SQL_ALTER_ADD_CONSTRAINT, NULL)) {
            will_fail(g, "constraint \"%s\" of relation \"%s\" does not exist", a->name, t->name);
        }
    } else if (a->kind == SQL_ALTER_DROP_CONSTRAINT && !a->cascade &&
               (k->kind == 'p' || k->kind == 'u') &&
               (other = referring_to(g, t, &k->columns, NULL))) {
        will_fail(g, "cannot drop \"%s\": a foreign key of \"%s\" depends on it", a->name,
                  other->name);
    } else if (a->kind == SQL_ALTER_VALIDATE_CONSTRAINT && !strchr("cfn", k->kind)) {
        will_fail(g, "\"%s\" is neither a check nor a foreign key", a->name);
    }
}

static bool has_trigger(const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->trigger_count; i++) {
        if (text_eq(t->triggers[i].name, name)) {
            return true;
        }
    }
    return text_starts(name, "RI_ConstraintTrigger_");
}

static void sub_command(struct judging *g, const struct world_table *t, const struct sql_alter *a)
{
    const struct world_table *parent;
    bool catalog = world_has_catalog(g->world) && !t->fresh;
    switch (a->kind) {
    case SQL_ALTER_ADD_COLUMN: column_added(g, t, a); break;
    case SQL_ALTER_ADD_CONSTRAINT: constraint_added(g, t, a->constraint); break;
    case SQL_ALTER_DROP_CONSTRAINT:
    case SQL_ALTER_ALTER_CONSTRAINT:
    case SQL_ALTER_VALIDATE_CONSTRAINT:
        if (catalog) { /* the server's own names are guessed in a script */
            constraint_named(g, t, a);
        }
        break;
    case SQL_ALTER_ENABLE_TRIGGER:
    case SQL_ALTER_DISABLE_TRIGGER:
        if (catalog && !a->all && !has_trigger(t, a->name)) {
            will_fail(g, "trigger \"%s\" of \"%s\" does not exist", a->name, t->name);
        }
        break;
    case SQL_ALTER_RULE_STATE:
        if (catalog && !sql_texts_have(&t->rules, a->name) && !text_eq(a->name, "_RETURN")) {
            will_fail(g, "rule \"%s\" of \"%s\" does not exist", a->name, t->name);
        }
        break;
    case SQL_ALTER_SET_OPTIONS:
        if (t->kind == 'p') {
            will_fail(g, "the partitioned table \"%s\" has no storage: set it on its partitions",
                      t->name);
        }
        break;
    case SQL_ALTER_NO_INHERIT:
        parent = world_find(g->world, a->other);
        if (parent && !is_child_of(g, t, parent)) {
            will_fail(g, "\"%s\" does not inherit from \"%s\"", t->name, parent->name);
        }
        break;
    default:
        if (a->column && t->kind != 'v') {
            column_named(g, t, a);
        }
        break;
    }
}

static void alter_table(struct judging *g)
{
    const struct world_table *t = world_find(g->world, g->s->name);
    for (size_t i = 0; t && t->known && g->s->object != SQL_OBJECT_INDEX && i < g->s->alter_count;
         i++) {
        sub_command(g, t, &g->s->alters[i]);
    }
}

static void renamed(struct judging *g)
{
    const struct statement *s = g->s;
    const struct world_table *t = world_find(g->world, s->name);
    if (!t || !t->known || s->kind != SQL_STMT_RENAME) {
        return;
    }
    if (s->object == SQL_OBJECT_COLUMN && t->kind != 'v' && t->kind != 'm') {
        if (!table_column(t, s->sub_name)) {
            will_fail(g, "column \"%s\" of \"%s\" does not exist", s->sub_name, t->name);
        } else if (table_column(t, s->new_name)) {
            will_fail(g, "column \"%s\" of \"%s\" already exists", s->new_name, t->name);
        }
    } else if (s->object == SQL_OBJECT_TABLE || s->object == SQL_OBJECT_VIEW) {
        struct sql_name to = { t->schema, s->new_name };
        const struct world_table *taken = world_find(g->world, to);
        if (taken && taken->known) {
            will_fail(g, "relation \"%s\" already exists", s->new_name);
        }
    }
}

/* Nothing of that name in any schema: the search path may hold more than one. */
static bool no_index(struct judging *g, struct sql_name name)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        for (size_t k = 0; k < t->index_count; k++) {
            if (text_eq(t->indexes[k].name, name.name)) {
                return false;
            }
        }
    }
    return world_has_catalog(g->world) && name.name && !text_starts(name.name, "pg_");
}

static void clustered(struct judging *g)
{
    const struct world_table *t = world_find(g->world, g->s->name);
    bool any = g->s->sub_name != NULL;
    for (size_t i = 0; t && i < t->index_count; i++) {
        any = any || t->indexes[i].clustered;
    }
    if (t && t->known && world_has_catalog(g->world) && !t->fresh && !any) {
        will_fail(g, "\"%s\" was never clustered: name an index", t->name);
    } else if (g->s->sub_name && no_index(g, (struct sql_name){ NULL, g->s->sub_name })) {
        will_fail(g, "index \"%s\" does not exist", g->s->sub_name);
    }
}

static void sequence_dropped(struct judging *g, struct sql_name name)
{
    struct world_table *t, *sequence = world_find(g->world, name);
    for (size_t i = 0; sequence && !g->s->cascade && (t = world_at(g->world, i)); i++) {
        for (size_t k = 0; !t->gone && k < t->column_count; k++) {
            const struct sql_texts *used = &t->columns[k].sequences;
            for (size_t n = 0; n < used->count; n++) {
                if (table_is(sequence, g->world, name_split(g->ctx, used->items[n]))) {
                    will_fail(g, "the default of \"%s\".\"%s\" needs the sequence \"%s\"", t->name,
                              t->columns[k].name, sequence->name);
                }
            }
        }
    }
}

static bool no_schema(const struct judging *g, const char *name)
{
    return world_has_catalog(g->world) && !world_has_schema(g->world, name) &&
           !text_starts(name, "pg_") && !text_eq(name, "public");
}

static void dropped(struct judging *g)
{
    for (size_t i = 0; i < g->s->object_count; i++) {
        const struct sql_object *o = &g->s->objects[i];
        struct sql_name name = { o->schema, o->name };
        if (o->kind == SQL_OBJECT_SEQUENCE) {
            sequence_dropped(g, name);
        } else if (o->kind == SQL_OBJECT_INDEX && !g->s->if_exists && no_index(g, name)) {
            will_fail(g, "index \"%s\" does not exist", o->name);
        } else if (o->kind == SQL_OBJECT_SCHEMA && !g->s->if_exists && no_schema(g, o->name)) {
            will_fail(g, "schema \"%s\" does not exist", o->name);
        }
    }
}

static void domain(struct judging *g)
{
    const struct sql_alter *a = &g->s->alters[0];
    const struct world_type *t = world_type(g->world, g->s->name);
    if (t && t->known && a->kind == SQL_ALTER_DROP_CONSTRAINT && !a->if_exists &&
        !sql_texts_have(&t->checks, a->name)) {
        will_fail(g, "constraint \"%s\" of domain \"%s\" does not exist", a->name, t->name);
    }
}

void judge_refusal(struct judging *g)
{
    const struct statement *s = g->s;
    const struct world_table *old;
    switch (s->kind) {
    case SQL_STMT_ALTER_TABLE: alter_table(g); break;
    case SQL_STMT_ALTER_DOMAIN: domain(g); break;
    case SQL_STMT_RENAME: renamed(g); break;
    case SQL_STMT_CLUSTER:
        if (s->name.name) {
            clustered(g);
        }
        break;
    case SQL_STMT_DROP: dropped(g); break;
    case SQL_STMT_REINDEX:
        if (s->object == SQL_OBJECT_INDEX && no_index(g, s->name)) {
            will_fail(g, "index \"%s\" does not exist", s->name.name);
        }
        break;
    case SQL_STMT_CREATE_VIEW:
        old = s->or_replace || s->temporary ? NULL : world_find(g->world, s->name);
        if (old && old->known) {
            will_fail(g, "relation \"%s\" already exists", old->name);
        }
        break;
    default: break;
    }
}
