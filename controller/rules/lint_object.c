/* Indexes, new tables, maintenance, drops. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/rules/linting.h"
#include "controller/rules/rewrite.h"
#include "controller/world/schemas.h"

/* The statement with CONCURRENTLY put behind the given words. */
static const char *concurrently(struct linter *l, const char *words)
{
    const char *sql = l->s->sql;
    size_t n = 0;
    for (const char *w = words; *w != '\0';) {
        size_t k = strcspn(w, " ");
        n += strspn(sql + n, " \t\r\n");
        if (strncasecmp(sql + n, w, k) != 0) {
            return NULL;
        }
        n += k;
        w += k + (w[k] == ' ');
    }
    return mem_printf(l->ctx, "%.*s CONCURRENTLY%s;", (int)n, sql, sql + n);
}

static struct world_index *index_there(struct linter *l, const struct world_table *t,
                                       const struct sql_index *x)
{
    struct world_index *there = NULL;
    if (x->name) {
        world_index(l->world, (struct sql_name){ t->schema, x->name }, &there);
    }
    return x->if_not_exists ? there : NULL;
}

static void created_concurrently(struct linter *l, const struct world_table *t,
                                 const struct world_index *there)
{
    const struct sql_index *x = l->s->create_index;
    found(l, "index-build-load", NULL, "building an index reads all of \"%s\"", t->name);
    if (there && !there->valid) {
        found(l, "invalid-index-leftover",
              mem_printf(l->ctx, "DROP INDEX CONCURRENTLY %s;\n%s;",
                         sql_of(l->ctx, (struct sql_name){ x->table.schema, x->name }), l->s->sql),
              "\"%s\" exists but is invalid: IF NOT EXISTS would leave it so", x->name);
    }
    if (!x->name) {
        found(l, "unnamed-object", NULL, "the index has no name: it cannot be retried");
    }
}

static void created(struct linter *l)
{
    const struct sql_index *x = l->s->create_index;
    struct world_table *t = old_table(l, x->table);
    if (!t) {
        return;
    }
    const struct world_index *there = index_there(l, t, x);
    bool nothing = there && there->valid;
    /* Without a catalog ONLY is taken at its word: it makes sense on a partitioned table alone. */
    bool parent = x->only && (t->kind == 'p' || !t->known);
    if (!x->concurrently && !nothing && !parent) {
        found(l, "index-create-blocking",
              t->kind == 'p' ? rewrite_partitioned_index(l, t)
                             : concurrently(l, x->unique ? "CREATE UNIQUE INDEX" : "CREATE INDEX"),
              "nobody can write to \"%s\" while the index is built", t->name);
    }
    if (x->concurrently) {
        created_concurrently(l, t, there);
    }
}

static void reindexed(struct linter *l)
{
    const struct statement *s = l->s;
    struct world_index *x = NULL;
    const struct world_table *t =
        s->object == SQL_OBJECT_INDEX && s->name.name ? world_index(l->world, s->name, &x) : NULL;
    bool fresh = (s->object == SQL_OBJECT_TABLE && s->name.name && !old_table(l, s->name)) ||
                 (t && (t->fresh || x->fresh));
    if (s->concurrently && !fresh) {
        found(l, "index-build-load", NULL, "building an index reads all of its table");
    }
    if (!s->concurrently && !fresh) {
        const char *words = text_eq(s->text, "index")    ? "REINDEX INDEX"
                            : text_eq(s->text, "table")  ? "REINDEX TABLE"
                            : text_eq(s->text, "schema") ? "REINDEX SCHEMA"
                                                         : "REINDEX DATABASE";
        found(l, "reindex-blocking", concurrently(l, words),
              "nobody can write to the table, or read by the index, while it is built anew");
    }
}

/* DROP INDEX IF EXISTS of one that the catalog does not have. */
static bool index_absent(const struct linter *l, const struct world_table *t)
{
    return l->s->if_exists && world_has_catalog(l->world) && l->s->name.name && !t;
}

static void index_dropped(struct linter *l)
{
    const struct statement *s = l->s;
    struct world_index *x = NULL;
    const struct world_table *t = s->name.name ? world_index(l->world, s->name, &x) : NULL;
    if (index_absent(l, t) || (t && (t->fresh || x->fresh))) {
        return;
    }
    if (!s->concurrently) {
        found(l, "index-drop-blocking",
              s->object_count == 1 && !s->cascade ? concurrently(l, "DROP INDEX") : NULL,
              "the table is locked for everybody while its index is dropped");
    }
    if ((!x || x->valid) && !(s->name.name && made_later(l, SQL_OBJECT_INDEX, s->name))) {
        found(l, "index-dropped-perf", NULL, "queries that use \"%s\" become scans",
              s->name.name ? s->name.name : "the indexes");
    }
}

void lint_index(struct linter *l)
{
    const struct statement *s = l->s;
    if (s->kind == SQL_STMT_CREATE_INDEX) {
        created(l);
        if (!s->create_index->unique && s->create_index->key_count > 3) {
            found(l, "index-too-wide", NULL, "the index has %zu columns",
                  s->create_index->key_count);
        }
    } else if (s->kind == SQL_STMT_REINDEX) {
        reindexed(l);
    } else if (s->kind == SQL_STMT_DROP && s->object == SQL_OBJECT_INDEX) {
        index_dropped(l);
    }
}

static void keys(struct linter *l, const struct sql_constraint *list, size_t count)
{
    for (size_t i = 0; i < count && !l->lock_timeout && !l->local_lock_timeout; i++) {
        if (list[i].kind == 'f' && !sql_name_eq(list[i].ref, l->s->name) &&
            old_table(l, list[i].ref)) {
            found(l, "fk-parent-lock", rewrite_limited(l, "lock_timeout", "2s"),
                  "\"%s\" is locked against writers", list[i].ref.name);
        }
    }
}

static void parents(struct linter *l)
{
    const struct statement *s = l->s;
    const struct sql_table *table = s->table;
    struct world_table *parent =
        table->partition_of.name ? old_table(l, table->partition_of) : NULL;
    if (parent) {
        const char *name = sql_of(l->ctx, s->name), *of = sql_of(l->ctx, table->partition_of);
        found(l, "partition-create-parent-lock",
              mem_printf(l->ctx,
                         "CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS);\n"
                         "ALTER TABLE %s ATTACH PARTITION %s %s;",
                         name, of, of, name, table->bound ? table->bound : "DEFAULT"),
              "\"%s\" is locked for everybody", parent->name);
    }
    for (size_t c = 0; c < table->column_count; c++) {
        keys(l, table->columns[c].constraints, table->columns[c].constraint_count);
    }
    keys(l, table->constraints, table->constraint_count);
}

static bool reads_large(struct linter *l, const struct sql_query *q)
{
    for (size_t i = 0; q && i < q->read_count; i++) {
        struct sql_name name = { q->reads[i].schema, q->reads[i].name };
        if (!q->reads[i].column && name.name && old_table(l, name)) {
            return !q->bounded && !l->small;
        }
    }
    return false;
}

static void filled(struct linter *l)
{
    const struct sql_query *q = l->s->query;
    const struct world_table *there = l->s->if_not_exists ? world_find(l->world, l->s->name) : NULL;
    bool aside = l->s->temporary && q && q->where; /* what a script works on */
    if (reads_large(l, q) && !aside && l->s->table->with_data && !(there && there->known)) {
        found(l, "create-table-as-large",
              l->s->kind == SQL_STMT_CREATE_TABLE_AS
                  ? rewrite_with(l, "WITH NO DATA", "WITH DATA", true)
                  : NULL,
              "\"%s\" is filled by one statement", l->s->name.name);
    }
}

void lint_create(struct linter *l)
{
    const struct statement *s = l->s;
    switch (s->kind) {
    case SQL_STMT_CREATE_TABLE: parents(l); break;
    case SQL_STMT_CREATE_TABLE_AS: filled(l); break;
    case SQL_STMT_REFRESH_MATVIEW:
        if (!s->concurrently && old_table(l, s->name)) {
            found(l, "matview-refresh-blocking", concurrently(l, "REFRESH MATERIALIZED VIEW"),
                  "readers of \"%s\" wait until it is filled", s->name.name);
        }
        break;
    case SQL_STMT_VACUUM:
    case SQL_STMT_CLUSTER:
        if ((s->kind == SQL_STMT_CLUSTER || s->full) && (!s->name.name || old_table(l, s->name))) {
            found(l, "heap-compaction-blocking", NULL,
                  "the table is written anew while nobody can use it");
        }
        break;
    case SQL_STMT_MOVE_ALL:
        found(l, "table-rewrite-other", NULL, "every table of the tablespace is copied");
        break;
    case SQL_STMT_CREATE_DOMAIN:
        if (s->type->not_null || s->type->constraint_count > 0) {
            found(l, "domain-constraint-create", NULL, "the domain has a constraint");
        }
        break;
    default: break;
    }
}

/* The catalog knows of no such thing: DROP … IF EXISTS does nothing. */
static bool absent(struct linter *l, const struct sql_object *o)
{
    struct sql_name name = { o->schema, o->name };
    struct world_index *x;
    if (!l->s->if_exists || !world_has_catalog(l->world)) {
        return false;
    }
    switch (o->kind) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_VIEW:
    case SQL_OBJECT_MATVIEW:
    case SQL_OBJECT_FOREIGN_TABLE:
    case SQL_OBJECT_SEQUENCE: return !world_find(l->world, name);
    case SQL_OBJECT_INDEX: return !world_index(l->world, name, &x);
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN: return !world_type(l->world, name);
    case SQL_OBJECT_FUNCTION:
    case SQL_OBJECT_PROCEDURE:
    case SQL_OBJECT_ROUTINE: return !world_function(l->world, name);
    case SQL_OBJECT_TRIGGER: {
        const struct world_table *t = world_find(l->world, name);
        bool any = false;
        for (size_t i = 0; t && i < t->trigger_count; i++) {
            any = any || text_eq(t->triggers[i].name, o->column);
        }
        return !any;
    }
    default: return false;
    }
}

bool made_here(struct linter *l, const struct sql_object *o)
{
    struct sql_name name = { o->schema, o->name };
    const struct world_table *t = world_find(l->world, name);
    const struct world_type *type = world_type(l->world, name);
    const struct world_function *f = world_function(l->world, name);
    switch (o->kind) {
    case SQL_OBJECT_TYPE:
    case SQL_OBJECT_DOMAIN: return type && type->fresh;
    case SQL_OBJECT_FUNCTION:
    case SQL_OBJECT_PROCEDURE:
    case SQL_OBJECT_ROUTINE: return f && f->fresh;
    case SQL_OBJECT_SCHEMA: return world_schema_fresh(l->world, o->name);
    default: return t && (t->fresh || t->temporary);
    }
}

static void dropped(struct linter *l, const struct sql_object *o)
{
    struct sql_name name = { o->schema, o->name };
    if (made_here(l, o) || absent(l, o)) {
        return;
    }
    switch (o->kind) {
    case SQL_OBJECT_TABLE:
    case SQL_OBJECT_FOREIGN_TABLE:
        found(l, "drop-table", NULL, "the rows of \"%s\" are gone", o->name);
        if (made_later(l, SQL_OBJECT_TABLE, name)) {
            found(l, "force-recreate", NULL, "\"%s\" is made again further down", o->name);
        }
        break;
    case SQL_OBJECT_SCHEMA:
        found(l, "drop-schema", NULL, "everything in \"%s\" is gone", o->name);
        break;
    case SQL_OBJECT_INDEX:
    case SQL_OBJECT_ROLE:
    case SQL_OBJECT_TABLESPACE:
    case SQL_OBJECT_DATABASE: break;
    case SQL_OBJECT_POLICY:
        found(l, "policy-change", NULL, "a policy of \"%s\" goes away", o->name);
        break;
    case SQL_OBJECT_TRIGGER:
        if (made_later(l, SQL_OBJECT_TRIGGER, name)) {
            break;
        }
        found(l, "drop-object", NULL, "the trigger \"%s\" goes away", o->column);
        break;
    default:
        found(l, "drop-object", NULL, "the %s \"%s\" goes away", sql_object_kind_name(o->kind),
              o->name ? o->name : "");
        break;
    }
}

static void columns_dropped(struct linter *l)
{
    struct world_table *t = old_table(l, l->s->name);
    for (size_t i = 0; t && i < l->s->alter_count; i++) {
        const struct sql_alter *a = &l->s->alters[i];
        const struct world_column *c = a->column ? table_column(t, a->column) : NULL;
        bool absent = !c && a->if_exists && t->known && world_has_catalog(l->world);
        if (a->kind == SQL_ALTER_DROP_COLUMN && !(c && c->fresh) && !absent) {
            found(l, "drop-column", NULL, "the values of \"%s\" are gone", a->column);
        }
        if (a->cascade) {
            found(l, "drop-cascade", NULL, "CASCADE takes along whatever depends on it");
        }
    }
}

void lint_drop(struct linter *l)
{
    const struct statement *s = l->s;
    bool all_fresh = s->object_count > 0;
    switch (s->kind) {
    case SQL_STMT_DROP:
        for (size_t i = 0; i < s->object_count; i++) {
            all_fresh = all_fresh && (made_here(l, &s->objects[i]) || absent(l, &s->objects[i]));
            dropped(l, &s->objects[i]);
        }
        if (s->cascade && !all_fresh) {
            found(l, "drop-cascade", NULL, "CASCADE takes along whatever depends on it");
        }
        break;
    case SQL_STMT_ALTER_TABLE: columns_dropped(l); break;
    case SQL_STMT_DROP_OWNED:
        found(l, "drop-owned", NULL, "everything that the role owns here is dropped");
        break;
    case SQL_STMT_TRUNCATE:
        for (size_t i = 0; i < s->object_count; i++) {
            if (!made_here(l, &s->objects[i])) {
                found(l, "truncate", rewrite_batch(l), "all rows of \"%s\" are gone",
                      s->objects[i].name);
                all_fresh = false;
            }
        }
        if (s->cascade && !all_fresh) {
            found(l, "truncate-cascade", NULL, "tables that refer to it are emptied too");
        }
        break;
    case SQL_STMT_DATABASE:
        if (s->drops) {
            found(l, "drop-database", NULL, "the database \"%s\" is gone", s->name.name);
        }
        break;
    default: break;
    }
}
