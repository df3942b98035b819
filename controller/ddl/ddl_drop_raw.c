/* DROP of what no family takes: schemas, extensions, rules, statistics, publications. */
#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/ddl/ddl.h"
#include "controller/work/around.h"

static void schema_back(struct ddl *d, const char *name, struct ddl_back *back)
{
    struct work *work = d->work;
    const struct catalog *catalog = work->home->catalog;
    for (size_t i = 0; i < catalog->schema_count; i++) {
        const struct schema *schema = &catalog->schemas[i];
        if (text_eq(schema->name, name)) {
            ddl_down(d, back, "CREATE SCHEMA %s AUTHORIZATION %s", ident(work, name),
                     ident(work, schema->owner));
            grants_sql(work, &schema->acl, say(work, "ON SCHEMA %s", ident(work, name)), NULL,
                       &back->down);
        }
    }
}

static void extension_back(struct ddl *d, const char *name, struct ddl_back *back)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->extension_count && !d->s->cascade; i++) {
        const struct extension *e = &catalog->extensions[i];
        if (text_eq(e->name, name)) {
            ddl_down(d, back, "CREATE EXTENSION %s SCHEMA %s VERSION %s", ident(d->work, name),
                     ident(d->work, e->schema), literal(d->work, e->version));
        }
    }
}

/* "CREATE RULE name AS …", "CREATE STATISTICS schema.name …": the one of that name. */
static bool named(const struct ddl *d, const char *definition, const char *name)
{
    struct sql_piece p = sql_piece_next(d->work->ctx, definition);
    for (int i = 0; i < 6 && p.length > 0; i++) {
        if (p.word && text_eq(p.name, name)) {
            return true;
        }
        p = sql_piece_next(d->work->ctx, p.start + p.length);
    }
    return false;
}

static void definition_back(struct ddl *d, const struct sql_object *o, struct ddl_back *back)
{
    const struct catalog *catalog = d->work->home->catalog;
    bool rule = d->s->object == SQL_OBJECT_RULE;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const struct relation *r = &catalog->relations[i];
        const struct catalog_texts *list = rule ? &r->rules : &r->statistics;
        for (size_t k = 0; k < list->count && (!rule || text_eq(r->name, o->name)); k++) {
            if (named(d, list->items[k], rule ? o->column : o->name)) {
                ddl_down(d, back, "%s", list->items[k]);
            }
        }
    }
}

static void publication_back(struct ddl *d, const char *name, struct ddl_back *back)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->publication_count; i++) {
        const struct publication *p = &catalog->publications[i];
        struct text tables = text_init(d->work->ctx, TEXT_SQL);
        if (!text_eq(p->name, name)) {
            continue;
        }
        for (size_t k = 0; k < p->tables.count; k++) {
            const char *entry = published_sql(d->work, p, k);
            text_addf(&tables, "%s%s", k ? ", " : " FOR TABLE ", entry);
        }
        ddl_down(d, back, "CREATE PUBLICATION %s%s WITH (publish = %s)", ident(d->work, name),
                 p->all_tables ? " FOR ALL TABLES" : tables.data, literal(d->work, p->publish));
    }
}

static void one_back(struct ddl *d, const struct sql_object *o, struct ddl_back *back)
{
    switch (d->s->object) {
    case SQL_OBJECT_SCHEMA: schema_back(d, o->name, back); break;
    case SQL_OBJECT_EXTENSION: extension_back(d, o->name, back); break;
    case SQL_OBJECT_RULE:
    case SQL_OBJECT_STATISTICS: definition_back(d, o, back); break;
    case SQL_OBJECT_PUBLICATION: publication_back(d, o->name, back); break;
    default: break;
    }
}

/* A schema with all that is in it is only called something else. */
static void schema_aside(struct ddl *d, const char *name)
{
    struct work *work = d->work;
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    const char *aside = object_name_fit(work->ctx, say(work, "flotilla dropped %s", name));
    ddl_down(d, &back, "ALTER SCHEMA %s RENAME TO %s", ident(work, aside), ident(work, name));
    ddl_raw(d, say(work, "ALTER SCHEMA %s RENAME TO %s", ident(work, name), ident(work, aside)),
            &back);
    work_note(work, "info", "kept-aside",
              "schema %s is kept as \"%s\" until `flotilla agent clean` finds it old enough", name,
              aside);
}

static bool schema_there(const struct ddl *d, const char *name)
{
    const struct catalog *catalog = d->work->home->catalog;
    for (size_t i = 0; i < catalog->schema_count; i++) {
        if (text_eq(catalog->schemas[i].name, name)) {
            return true;
        }
    }
    return false;
}

void ddl_drop_raw(struct ddl *d)
{
    const struct statement *s = d->s;
    struct ddl_back back = { .phase = PHASE_CONTRACT };
    bool schema = s->object == SQL_OBJECT_SCHEMA && s->name.name;
    if (schema && s->if_exists && !schema_there(d, s->name.name)) {
        return;
    }
    if (schema && s->cascade && schema_there(d, s->name.name)) {
        schema_aside(d, s->name.name);
        return;
    }
    for (size_t i = 0; i < s->object_count; i++) {
        if (s->objects[i].role == SQL_TARGET && s->objects[i].name) {
            one_back(d, &s->objects[i], &back);
        }
    }
    if (!back.down.count && s->if_exists) {
        back.why = say(d->work, "what DROP %s takes off cannot be made again",
                       sql_object_kind_name(s->object));
    }
    ddl_raw(d, s->sql, &back);
}
