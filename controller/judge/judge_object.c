/* DROP, RENAME, COMMENT, GRANT, triggers: statements about any object. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/judge/judge_constraint.h"

static bool refers(const struct judging *g, const struct world_table *from,
                   const struct world_table *to)
{
    for (size_t i = 0; !from->gone && i < from->constraint_count; i++) {
        if (from->constraints[i].kind == 'f' && table_is(to, g->world, from->constraints[i].ref)) {
            return true;
        }
    }
    return false;
}

static bool reads(const struct judging *g, const struct world_table *view,
                  const struct world_table *t)
{
    for (size_t i = 0; !view->gone && i < view->read_count; i++) {
        struct sql_name name = { view->reads[i].schema, view->reads[i].name };
        if (name.name && table_is(t, g->world, name)) {
            return true;
        }
    }
    return false;
}

static void parents_lock(struct judging *g, const struct world_table *t)
{
    for (size_t i = 0; i < t->parent_count; i++) {
        struct world_table *parent = world_find(g->world, t->parents[i]);
        effect_take(g, EFFECT_DROP, NULL, parent);
        effect_take(g, EFFECT_DROP, NULL, parent ? default_partition(g, parent) : NULL);
    }
}

bool is_target(const struct judging *g, const struct world_table *t)
{
    for (size_t i = 0; i < g->s->object_count; i++) {
        const struct sql_object *o = &g->s->objects[i];
        struct sql_name name = { o->schema, o->name };
        if (o->role == SQL_TARGET &&
            (o->kind == SQL_OBJECT_SCHEMA ? text_eq(t->schema, o->name)
                                          : name.name && table_is(t, g->world, name))) {
            return true;
        }
    }
    return false;
}

/* Another relation that has to do with a dropped one. */
static void drop_dependent(struct judging *g, const struct world_table *t,
                           const struct world_table *other, bool cascade)
{
    bool child = is_child_of(g, other, t), view = other->kind == 'v' || other->kind == 'm';
    if (!child && !refers(g, other, t) && !reads(g, other, t)) {
        return;
    }
    bool stays = !cascade && !other->fresh && !is_target(g, other);
    if (stays && (!child || (t->kind == 'r' && t->known))) {
        will_fail(g, "cannot drop \"%s\": \"%s\" depends on it", t->name, other->name);
    }
    if (child || (cascade && view)) {
        drop_relation(g, other, cascade);
    } else if (cascade) {
        effect_take(g, EFFECT_DROP, NULL, other);
    }
}

void drop_relation(struct judging *g, const struct world_table *t, bool cascade)
{
    struct world_table *other;
    effect_take(g, EFFECT_DROP, t, NULL);
    foreign_keys_lock(g, EFFECT_DROP, t, NULL, false);
    if (t->parent_count > 0 && t->bound) {
        parents_lock(g, t);
    }
    for (size_t i = 0; (other = world_at(g->world, i)); i++) {
        if (other->kind == 'S' && !other->gone && other->owner_table.name &&
            table_is(t, g->world, other->owner_table)) {
            effect_take(g, EFFECT_DROP, other, NULL);
        }
    }
    if (walk_enter(g, t)) {
        for (size_t i = 0; (other = world_at(g->world, i)); i++) {
            if (other != t && !other->gone) {
                drop_dependent(g, t, other, cascade);
            }
        }
        walk_leave(g);
    }
    if (t->kind == 'S' && cascade && t->owner_table.name) {
        effect_take(g, EFFECT_DROP, NULL, world_find(g->world, t->owner_table));
    }
}

static struct sql_name of(const struct sql_object *o)
{
    return (struct sql_name){ o->schema, o->name };
}

static void drop_index(struct judging *g, const struct sql_object *o)
{
    struct world_index *index;
    struct world_table *t = world_index(g->world, of(o), &index);
    enum effect effect = g->s->concurrently ? EFFECT_DROP_INDEX_CONCURRENTLY : EFFECT_DROP_INDEX;
    tag_add(g, TAG_NEUTRAL);
    if (g->s->concurrently) {
        g->v->transaction = false;
        g->v->waits = "it waits for all transactions that use the table";
    }
    index_named(g, of(o), LOCK_ACCESS_EXCLUSIVE);
    if (!t) {
        return;
    }
    if (t->kind == 'p' && g->s->concurrently) {
        will_fail(g, "an index of a partitioned table cannot be dropped CONCURRENTLY");
    }
    if (index->constraint && !g->s->cascade) {
        will_fail(g, "the constraint \"%s\" needs the index: drop the constraint",
                  index->constraint);
    }
    effect_partitions(g, effect, t, NULL);
}

static bool type_named(const char *type, struct sql_name name)
{
    size_t n = strcspn(type, "([");
    const char *dot = memchr(type, '.', n);
    const char *last = dot ? dot + 1 : type;
    return strlen(name.name) == n - (size_t)(last - type) &&
           memcmp(last, name.name, strlen(name.name)) == 0;
}

/* Columns of the type go along with it. */
static void drop_type(struct judging *g, struct sql_name name)
{
    struct world_table *t = world_find(g->world, name);
    effect_take(g, EFFECT_DROP, t && t->kind == 'c' ? t : NULL, NULL);
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (!t->gone && t->of_type.name && sql_name_eq(t->of_type, name) && g->s->cascade) {
            drop_relation(g, t, true);
        }
        for (size_t j = 0; !t->gone && j < t->column_count; j++) {
            if (!t->columns[j].type || !type_named(t->columns[j].type, name)) {
                continue;
            }
            if (g->s->cascade) {
                effect_take(g, EFFECT_DROP, NULL, t);
                tag_add(g, TAG_DESTRUCTIVE);
            } else if (g->s->object != SQL_OBJECT_EXTENSION) {
                will_fail(g, "cannot drop type \"%s\": column \"%s\" of \"%s\" has it", name.name,
                          t->columns[j].name, t->name);
            }
        }
    }
}

static void drop_function(struct judging *g, struct sql_name name)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        for (size_t j = 0; !t->gone && j < t->trigger_count; j++) {
            const char *f = t->triggers[j].function;
            if (!f || !type_named(f, name)) {
                continue;
            }
            if (g->s->cascade) {
                effect_take(g, EFFECT_DROP, NULL, t);
            } else {
                will_fail(g, "the trigger \"%s\" on \"%s\" depends on it", t->triggers[j].name,
                          t->name);
            }
        }
    }
}

static void drop_schema(struct judging *g, const char *schema)
{
    struct world_table *t;
    tag_add(g, TAG_DESTRUCTIVE);
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (!t->gone && text_eq(t->schema, schema)) {
            if (g->s->cascade) {
                drop_relation(g, t, true);
            } else {
                will_fail(g, "schema \"%s\" is not empty", schema);
            }
        }
    }
    if (g->s->cascade && !world_has_catalog(g->world)) {
        not_seen(g, "what schema \"%s\" holds is not known without a catalog", schema);
    }
}

/* Foreign tables of a server, of all servers of a wrapper that came with an extension. */
static void drop_server(struct judging *g, const char *server)
{
    struct world_table *t;
    for (size_t i = 0; g->s->cascade && (t = world_at(g->world, i)); i++) {
        if (!t->gone && text_eq(t->server, server)) {
            effect_take(g, EFFECT_DROP, t, NULL);
            tag_add(g, TAG_DESTRUCTIVE);
        }
    }
}

static void drop_extension(struct judging *g, struct sql_name name)
{
    const struct catalog *c = world_catalog(g->world);
    drop_type(g, name);
    for (size_t i = 0; c && i < c->server_count; i++) {
        if (text_eq(c->servers[i].wrapper, name.name)) {
            drop_server(g, c->servers[i].name);
        }
    }
}

/* On a table that the catalog knows, IF EXISTS of what is not there takes no lock. */
static void drop_part(struct judging *g, const struct sql_object *o)
{
    struct world_table *t = table_of(g, of(o), g->s->if_exists);
    bool there = !t || !t->known || !world_has_catalog(g->world);
    for (size_t i = 0; t && o->kind == SQL_OBJECT_TRIGGER && i < t->trigger_count; i++) {
        there = there || text_eq(t->triggers[i].name, o->column);
    }
    there = there || (o->kind == SQL_OBJECT_POLICY && table_has_policy(t, o->column)) ||
            (o->kind == SQL_OBJECT_RULE && sql_texts_have(&t->rules, o->column));
    if (there) {
        effect_take(g, EFFECT_TABLE_METADATA, t, NULL);
    } else if (!g->s->if_exists) {
        will_fail(g, "%s \"%s\" of \"%s\" does not exist", sql_object_kind_name(o->kind), o->column,
                  t->name);
    }
}

static void drop_statistics(struct judging *g, const char *name)
{
    struct world_table *t;
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (sql_texts_have(&t->statistics, name)) {
            effect_take(g, EFFECT_DROP_STATISTICS, t, NULL);
        }
    }
}

static void drop_table(struct judging *g, const struct sql_object *o)
{
    struct world_table *t = table_of(g, of(o), g->s->if_exists);
    bool table = o->kind == SQL_OBJECT_TABLE;
    if (t && t->fresh) {
        tag_add(g, TAG_NEUTRAL);
    } else {
        tag_add(g, table ? TAG_DESTRUCTIVE | TAG_CONTRACT : TAG_CONTRACT);
    }
    if (t && (t->known || !g->s->if_exists || !world_has_catalog(g->world))) {
        drop_relation(g, t, g->s->cascade);
    }
}

static void drop_one(struct judging *g, const struct sql_object *o)
{
    switch (o->kind) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_SEQUENCE: drop_table(g, o); return;
    case SQL_OBJECT_INDEX: drop_index(g, o); return;
    case SQL_OBJECT_TRIGGER:
    case SQL_OBJECT_POLICY:
    case SQL_OBJECT_RULE: drop_part(g, o); break;
    case SQL_OBJECT_SERVER: drop_server(g, o->name); break;
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN: drop_type(g, of(o)); break;
    case SQL_OBJECT_EXTENSION: drop_extension(g, of(o)); break;
    case SQL_OBJECT_FUNCTION:
    case SQL_OBJECT_ROUTINE: drop_function(g, of(o)); break;
    case SQL_OBJECT_SCHEMA: drop_schema(g, o->name); break;
    case SQL_OBJECT_STATISTICS: drop_statistics(g, o->name); break;
    default: break;
    }
    tag_add(g, TAG_CONTRACT);
}

void judge_drop(struct judging *g)
{
    for (size_t i = 0; i < g->s->object_count; i++) {
        drop_one(g, &g->s->objects[i]);
    }
}

void judge_rename(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, TAG_CONTRACT);
    switch (s->object) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_SEQUENCE:
    case SQL_OBJECT_CONSTRAINT:
    case SQL_OBJECT_TRIGGER:
    case SQL_OBJECT_POLICY:
    case SQL_OBJECT_RULE: {
        struct world_index *index; /* ALTER TABLE index RENAME is accepted */
        struct world_table *t = world_find(g->world, s->name);
        if (!(t && t->known) && world_index(g->world, s->name, &index)) {
            return;
        }
        t = table_of(g, s->name, s->if_exists);
        if (t && t->known) {
            g->v->tags = t->fresh ? TAG_NEUTRAL : g->v->tags;
        }
        effect_take(g, EFFECT_RENAME, t, NULL);
        break;
    }
    case SQL_OBJECT_COLUMN:
        effect_below(g, EFFECT_RENAME, table_of(g, s->name, s->if_exists), NULL);
        break;
    case SQL_OBJECT_INDEX:
        g->v->tags = TAG_NEUTRAL;
        index_named(g, s->name, LOCK_SHARE_UPDATE_EXCLUSIVE);
        break;
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_ATTRIBUTE: composite_take(g, s->name, s->object == SQL_OBJECT_ATTRIBUTE); break;
    default: break;
    }
}

void judge_owner(struct judging *g)
{
    tag_add(g, TAG_NEUTRAL);
}

void judge_comment(struct judging *g)
{
    tag_add(g, TAG_NEUTRAL);
    switch (g->s->object) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_COLUMN:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_SEQUENCE:
        effect_take(g, EFFECT_COMMENT, table_of(g, g->s->name, false), NULL);
        break;
    case SQL_OBJECT_INDEX: index_named(g, g->s->name, LOCK_SHARE_UPDATE_EXCLUSIVE); break;
    case SQL_OBJECT_CONSTRAINT:
    case SQL_OBJECT_TRIGGER:
    case SQL_OBJECT_POLICY:
    case SQL_OBJECT_RULE:
        effect_take(g, EFFECT_COMMENT_CONSTRAINT, table_of(g, g->s->name, false), NULL);
        break;
    default: break;
    }
}

void judge_grant(struct judging *g)
{
    enum effect effect = effect_of_grant(g->judge->version);
    tag_add(g, g->s->kind == SQL_STMT_GRANT ? TAG_ADDITIVE : TAG_CONTRACT);
    for (size_t i = 0; lock_row(effect)->mode && i < g->s->object_count; i++) {
        if (g->s->objects[i].kind == SQL_OBJECT_TABLE ||
            g->s->objects[i].kind == SQL_OBJECT_SEQUENCE) {
            effect_take(g, effect, table_of(g, of(&g->s->objects[i]), false), NULL);
        }
    }
}

void judge_trigger(struct judging *g)
{
    const struct statement *s = g->s;
    struct world_table *t = table_of(g, s->name, false);
    tag_add(g, s->kind == SQL_STMT_CREATE_POLICY || s->kind == SQL_STMT_ALTER_POLICY
                   ? TAG_CONTRACT
                   : TAG_ADDITIVE);
    if (s->kind == SQL_STMT_CREATE_TRIGGER) {
        effect_partitions(g, EFFECT_CREATE_TRIGGER, t, NULL);
    } else {
        effect_take(g, s->kind == SQL_STMT_CREATE_RULE ? EFFECT_CREATE_RULE : EFFECT_POLICY, t,
                    NULL);
    }
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].role == SQL_REFERENCED && s->objects[i].kind == SQL_OBJECT_TABLE) {
            effect_take(g, EFFECT_CREATE_TRIGGER, NULL, table_of(g, of(&s->objects[i]), false));
        }
    }
    if (s->query && s->kind != SQL_STMT_CREATE_TRIGGER) {
        query_locks(g, s->query, QUERY_NAMED);
    }
}

/* SET replaces the list: the tables that leave it are locked like those that come. */
static void publication_left(struct judging *g)
{
    const struct catalog *c = world_catalog(g->world);
    for (size_t i = 0; c && i < c->publication_count; i++) {
        const struct publication *p = &c->publications[i];
        for (size_t j = 0; text_eq(p->name, g->s->name.name) && j < p->tables.count; j++) {
            SCOPE(tmp);
            const char *item = p->tables.items[j];
            const char *name = mem_textn(tmp, item, strcspn(item, "("));
            effect_take(g, EFFECT_PUBLICATION, world_find(g->world, name_split(tmp, name)), NULL);
        }
    }
}

void judge_published(struct judging *g)
{
    const struct statement *s = g->s;
    tag_add(g, s->drops ? TAG_CONTRACT : TAG_ADDITIVE);
    if (s->full) {
        publication_left(g);
    }
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].kind == SQL_OBJECT_TABLE) {
            effect_take(
                g, s->kind == SQL_STMT_CREATE_STATISTICS ? EFFECT_STATISTICS : EFFECT_PUBLICATION,
                table_of(g, of(&s->objects[i]), false), NULL);
        }
    }
}

void judge_enum(struct judging *g)
{
    tag_add(g, g->s->add_value ? TAG_ADDITIVE : TAG_CONTRACT);
}

static bool owned(const struct statement *s, const char *role)
{
    for (size_t i = 0; i < s->object_count; i++) {
        if (text_eq(s->objects[i].name, role)) {
            return true;
        }
    }
    return false;
}

void judge_owned(struct judging *g)
{
    struct world_table *t;
    bool drops = g->s->kind == SQL_STMT_DROP_OWNED;
    tag_add(g, drops ? TAG_DESTRUCTIVE | TAG_CONTRACT : TAG_NEUTRAL);
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (!t->gone && t->role && owned(g->s, t->role)) {
            effect_take(g, drops ? EFFECT_DROP : EFFECT_TABLE_METADATA, t, NULL);
        }
    }
    if (!world_has_catalog(g->world)) {
        not_seen(g, "what the role owns is not known without a catalog");
    }
}

void judge_schema_wide(struct judging *g)
{
    struct world_table *t;
    tag_add(g, TAG_NEUTRAL);
    for (size_t i = 0; (t = world_at(g->world, i)); i++) {
        if (!t->gone && t->tablespace && text_eq(t->tablespace, g->s->name.name)) {
            effect_take(g, EFFECT_TABLE_MOVE, t, NULL);
        }
    }
    if (!world_has_catalog(g->world) || text_eq(g->s->name.name, "pg_default")) {
        not_seen(g, "which tables lie in the tablespace is not known");
    }
}
