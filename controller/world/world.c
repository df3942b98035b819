#include "controller/world/world.h"
#include "controller/world/schemas.h"

#include <string.h>
#include <uthash.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/world/names.h"
#include "controller/world/schemas.h"
#include "controller/world/world_import.h"

struct world_entry {
    const char *key;
    struct world_table *table;
    bool dropped; /* another of the name was */
    UT_hash_handle hh;
};

struct assumed {
    const char *table;
    int64_t rows;
};

struct world {
    const struct catalog *catalog;
    const char *schema;
    struct world_entry *by_key;
    struct world_table **tables;
    size_t count;
    struct world_table **children; /* those that ever had a parent */
    size_t child_count;
    struct names *index_names; /* to their tables */
    struct names *function_names;
    struct world_type **types;
    size_t type_count;
    struct world_function **functions;
    size_t function_count;
    struct schemas schemas; /* that the script has touched */
    struct assumed *assumed;
    size_t assumed_count;
    unsigned ids;
};

static int world_end(struct world *world)
{
    struct world_entry *e, *next;
    HASH_ITER(hh, world->by_key, e, next) {
        HASH_DEL(world->by_key, e);
    }
    return 0;
}

static void key_set(struct world *w, struct world_table *t)
{
    struct world_entry *e, *old;
    const char *key = t->key = table_key(w, t);
    HASH_FIND_STR(w->by_key, key, old);
    if (old) {
        old->dropped = old->dropped || (old->table->gone && text_eq(old->key, old->table->key));
        old->table = t;
        return;
    }
    e = mem_new(w, struct world_entry);
    e->key = key;
    e->table = t;
    HASH_ADD_KEYPTR(hh, w->by_key, e->key, strlen(e->key), e);
}

static struct world_table *entry_table(const struct world_entry *e, const char *schema,
                                       const char *name)
{
    return e && !e->table->gone && text_eq(e->table->schema, schema) &&
                   text_eq(e->table->name, name)
               ? e->table
               : NULL;
}

static struct world_table *key_find_long(struct world *w, const char *schema, const char *name)
{
    SCOPE(tmp);
    struct world_entry *e;
    const char *key = mem_printf(tmp, "%s.%s", schema, name);
    HASH_FIND_STR(w->by_key, key, e);
    return entry_table(e, schema, name);
}

static struct world_table *key_find(struct world *w, const char *schema, const char *name)
{
    enum { LONG = 256 }; /* two names of 63 bytes and a dot fit; longer ones need not be fast */
    struct world_entry *e;
    char key[LONG];
    size_t a = strlen(schema), b = strlen(name);
    if (a + b + 1 > LONG) {
        return key_find_long(w, schema, name);
    }
    memcpy(key, schema, a);
    key[a] = '.';
    memcpy(key + a + 1, name, b);
    HASH_FIND(hh, w->by_key, key, a + b + 1, e);
    return entry_table(e, schema, name);
}

/* The table by its name, else all tables. */
static void rows_tell(const struct world *w, struct world_table *t)
{
    SCOPE(tmp);
    const char *key = table_key(tmp, t);
    const struct assumed *said = NULL;
    for (size_t i = 0; i < w->assumed_count; i++) {
        const char *name = w->assumed[i].table;
        if (text_eq(name, t->name) || text_eq(name, key)) {
            said = &w->assumed[i];
            break;
        }
        said = text_eq(name, "*") ? &w->assumed[i] : said;
    }
    t->rows = said ? said->rows : t->rows;
    t->rows_told = said != NULL;
}

unsigned world_id(struct world *w)
{
    return ++w->ids;
}

struct world_table *world_make(struct world *w, struct sql_name name, char kind)
{
    struct world_table *t = mem_new(w, struct world_table);
    t->schema = mem_text(w, name.schema ? name.schema : w->schema);
    t->name = mem_text(w, name.name);
    t->kind = kind;
    t->rows = t->bytes = kind == 'S' ? 1 : -1;
    t->id = world_id(w);
    w->tables = mem_room(w, w->tables, struct world_table *, w->count + 1);
    w->tables[w->count++] = t;
    key_set(w, t);
    return t;
}

static bool temporary_schema(const char *schema)
{
    return text_eq(schema, "pg_temp");
}

struct world_table *world_find(struct world *w, struct sql_name name)
{
    if (!name.name) {
        return NULL;
    }
    if (name.schema) {
        return key_find(w, name.schema, name.name);
    }
    struct world_table *t = key_find(w, "pg_temp", name.name);
    t = t ? t : key_find(w, w->schema, name.name);
    t = t ? t : key_find(w, "public", name.name);
    struct relation *r = !t && w->catalog ? catalog_relation(w->catalog, NULL, name.name) : NULL;
    return r ? key_find(w, r->schema, name.name) : t;
}

static bool dropped(struct world *w, struct sql_name name)
{
    SCOPE(tmp);
    struct world_entry *e;
    const char *schema = name.schema ? name.schema : w->schema;
    const char *key = mem_printf(tmp, "%s.%s", schema, name.name);
    HASH_FIND_STR(w->by_key, key, e);
    return e && (e->dropped || (e->table->gone && text_eq(e->table->name, name.name) &&
                                text_eq(e->table->schema, schema)));
}

static bool system_schema(struct sql_name name)
{
    return text_eq(name.schema, "pg_catalog") || text_eq(name.schema, "information_schema") ||
           (!name.schema && text_starts(name.name, "pg_"));
}

struct world_table *world_table(struct world *w, struct sql_name name)
{
    struct world_table *t = world_find(w, name);
    if (t || !name.name || w->catalog || system_schema(name) || dropped(w, name)) {
        return t;
    }
    t = world_make(w, name, 'r');
    t->rows = -1;
    rows_tell(w, t);
    return t;
}

struct world_table *world_at(struct world *w, size_t i)
{
    return i < w->count ? w->tables[i] : NULL;
}

struct world_table *world_child_at(struct world *w, size_t i)
{
    return i < w->child_count ? w->children[i] : NULL;
}

void world_note_child(struct world *w, struct world_table *t)
{
    if (!t->child) {
        t->child = true;
        w->children = mem_room(w, w->children, struct world_table *, w->child_count + 1);
        w->children[w->child_count++] = t;
    }
}

void world_note_index(struct world *w, struct world_table *t, const struct world_index *index)
{
    names_add(w->index_names, index->name, t);
}

void world_rename(struct world *w, struct world_table *t, struct sql_name to)
{
    t->schema = mem_text(w, to.schema ? to.schema : t->schema);
    t->name = mem_text(w, to.name ? to.name : t->name);
    key_set(w, t);
}

static bool named(const struct world *w, const char *schema, const char *name,
                  struct sql_name wanted)
{
    if (!text_eq(name, wanted.name)) {
        return false;
    }
    return wanted.schema ? text_eq(schema, wanted.schema)
                         : text_eq(schema, w->schema) || text_eq(schema, "public");
}

struct world_type *world_type(struct world *w, struct sql_name name)
{
    for (size_t i = w->type_count; i > 0; i--) {
        struct world_type *t = w->types[i - 1];
        if (!t->gone && named(w, t->schema, t->name, name)) {
            return t;
        }
    }
    return NULL;
}

struct world_type *world_type_at(struct world *w, size_t i)
{
    return i < w->type_count ? w->types[i] : NULL;
}

struct world_type *world_make_type(struct world *w, struct sql_name name, char kind)
{
    struct world_type *t = mem_new(w, struct world_type);
    t->schema = mem_text(w, name.schema ? name.schema : w->schema);
    t->name = mem_text(w, name.name);
    t->kind = kind;
    w->types = mem_room(w, w->types, struct world_type *, w->type_count + 1);
    w->types[w->type_count++] = t;
    return t;
}

bool world_type_constrained(struct world *w, const struct world_type *type)
{
    for (int depth = 0; type && type->kind == 'd' && depth < 16; depth++) {
        const char *dot = type->base ? strchr(type->base, '.') : NULL;
        SCOPE(tmp);
        struct sql_name base = {
            dot ? mem_textn(tmp, type->base, (size_t)(dot - type->base)) : NULL,
            dot ? dot + 1 : type->base,
        };
        if (type->constrained) {
            return true;
        }
        type = base.name ? world_type(w, base) : NULL;
    }
    return false;
}

struct world_function *world_function(struct world *w, struct sql_name name)
{
    size_t count;
    void *const *list = names_of(w->function_names, name.name, &count);
    for (size_t i = count; i > 0; i--) {
        struct world_function *f = list[i - 1];
        if (named(w, f->schema, f->name, name)) {
            return f;
        }
    }
    return NULL;
}

struct world_function *world_make_function(struct world *w, struct sql_name name)
{
    struct world_function *f = mem_new(w, struct world_function);
    f->schema = mem_text(w, name.schema ? name.schema : w->schema);
    f->name = mem_text(w, name.name);
    names_add(w->function_names, f->name, f);
    w->functions = mem_room(w, w->functions, struct world_function *, w->function_count + 1);
    w->functions[w->function_count++] = f;
    return f;
}

/* In one schema there is one index of a name; of several schemas the oldest table's counts. */
struct world_table *world_index(struct world *w, struct sql_name name, struct world_index **index)
{
    size_t count;
    struct world_table *found = NULL;
    void *const *list = names_of(w->index_names, name.name, &count);
    *index = NULL;
    for (size_t i = 0; i < count; i++) {
        struct world_table *t = list[i];
        for (size_t j = 0; !t->gone && (!found || t->id < found->id) && j < t->index_count; j++) {
            if (named(w, t->indexes[j].schema, t->indexes[j].name, name)) {
                *index = &t->indexes[j];
                found = t;
                break;
            }
        }
    }
    return found;
}

struct world *world_new(const void *ctx, const struct catalog *catalog)
{
    struct world *w = mem_new(ctx, struct world);
    talloc_set_destructor(w, world_end);
    w->catalog = catalog;
    w->schema = catalog ? catalog_default_schema(w, catalog) : "public";
    w->index_names = names_new(w);
    w->function_names = names_new(w);
    if (catalog) {
        world_import(w, catalog);
    }
    return w;
}

void world_assume_rows(struct world *w, const char *table, int64_t rows)
{
    w->assumed = mem_room(w, w->assumed, struct assumed, w->assumed_count + 1);
    w->assumed[w->assumed_count++] = (struct assumed){ mem_text(w, table), rows };
    for (size_t i = 0; i < w->count; i++) {
        rows_tell(w, w->tables[i]);
    }
}

bool world_has_catalog(const struct world *w)
{
    return w->catalog != NULL;
}

const struct catalog *world_catalog(const struct world *w)
{
    return w->catalog;
}

static bool catalog_has_schema(const struct world *w, const char *name)
{
    for (size_t i = 0; w->catalog && i < w->catalog->schema_count; i++) {
        if (text_eq(w->catalog->schemas[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool world_has_schema(const struct world *w, const char *name)
{
    enum schema_state state = schemas_state(&w->schemas, name);
    return state == SCHEMA_UNTOUCHED ? catalog_has_schema(w, name) : state != SCHEMA_GONE;
}

bool world_schema_taken(const struct world *w, const char *name)
{
    enum schema_state state = schemas_state(&w->schemas, name);
    return state == SCHEMA_FRESH || (state != SCHEMA_GONE && catalog_has_schema(w, name));
}

const void *world_context(const struct world *w)
{
    return w;
}

const char *world_schema(const struct world *w)
{
    return w->schema;
}

void world_set_schema(struct world *w, const char *schema)
{
    w->schema = mem_text(w, temporary_schema(schema) ? "public" : schema);
}

void world_note_schema(struct world *w, const char *schema, enum schema_state state)
{
    schemas_note(w, &w->schemas, schema, state);
}

bool world_schema_fresh(const struct world *w, const char *schema)
{
    return schemas_state(&w->schemas, schema) == SCHEMA_FRESH;
}

static void table_settle(struct world_table *t)
{
    t->fresh = false;
    for (size_t i = 0; i < t->column_count; i++) {
        t->columns[i].fresh = false;
    }
    for (size_t i = 0; i < t->constraint_count; i++) {
        t->constraints[i].fresh = false;
    }
    for (size_t i = 0; i < t->index_count; i++) {
        t->indexes[i].fresh = false;
    }
}

void world_settle_remade(struct world *w)
{
    for (size_t i = 0; i < w->count; i++) {
        for (size_t k = 0; w->tables[i]->fresh && k < w->count; k++) {
            const struct world_table *old = w->tables[k];
            if (old->gone && !old->fresh && text_eq(old->name, w->tables[i]->name) &&
                text_eq(old->schema, w->tables[i]->schema)) {
                table_settle(w->tables[i]);
            }
        }
    }
}

void world_settle(struct world *w)
{
    schemas_settle(&w->schemas);
    for (size_t i = 0; i < w->count; i++) {
        table_settle(w->tables[i]);
    }
    for (size_t i = 0; i < w->type_count; i++) {
        w->types[i]->fresh = w->types[i]->made_here = false;
        w->types[i]->added.count = 0;
    }
    for (size_t i = 0; i < w->function_count; i++) {
        w->functions[i]->fresh = false;
    }
}

struct world_column *table_column(const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++) {
        if (text_eq(t->columns[i].name, name)) {
            return &t->columns[i];
        }
    }
    return NULL;
}

struct world_constraint *table_constraint(const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        if (text_eq(t->constraints[i].name, name)) {
            return &t->constraints[i];
        }
    }
    return NULL;
}

struct world_constraint *table_primary(const struct world_table *t)
{
    for (size_t i = 0; i < t->constraint_count; i++) {
        if (t->constraints[i].kind == 'p') {
            return &t->constraints[i];
        }
    }
    return NULL;
}

bool table_has_policy(const struct world_table *t, const char *name)
{
    for (size_t i = 0; i < t->policy_count; i++) {
        if (text_eq(t->policies[i].name, name)) {
            return true;
        }
    }
    return false;
}

bool table_policy_uses(const struct world_table *t, const char *column)
{
    for (size_t i = 0; i < t->policy_count; i++) {
        if (sql_texts_have(&t->policies[i].columns, column)) {
            return true;
        }
    }
    return false;
}

const char *table_key(const void *ctx, const struct world_table *t)
{
    return mem_printf(ctx, "%s.%s", t->schema, t->name);
}

bool table_is(const struct world_table *t, const struct world *w, struct sql_name name)
{
    return !t->gone && named(w, t->schema, t->name, name);
}
