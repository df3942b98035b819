/* Schemas, extensions, types, servers, sequences, functions. */
#include <string.h>

#include "agents/agent/clone_list.h"
#include "agents/base/mem.h"
#include "agents/base/name.h"
#include "agents/base/text.h"

/* "name rest" with the name quoted: constraints of domains, attributes of composite types. */
static const char *named_rest(const void *ctx, const char *s)
{
    size_t n = strcspn(s, " ");
    return mem_printf(ctx, "%s%s", text_quote_ident(ctx, mem_textn(ctx, s, n)), s + n);
}

static const char *literals(const void *ctx, const struct catalog_texts *list)
{
    struct text t = text_init(ctx, TEXT_SQL);
    for (size_t i = 0; i < list->count; i++)
        text_addf(&t, "%s%s", i ? ", " : "", text_quote_literal(ctx, list->items[i]));
    return t.data;
}

static void domain_add(struct clone_list *list, const struct type *type, const char *name)
{
    struct text t = text_init(list, TEXT_SQL);
    if (type->default_expr)
        text_addf(&t, " DEFAULT %s", type->default_expr);
    if (type->not_null)
        text_add(&t, " NOT NULL");
    for (size_t i = 0; i < type->constraints.count; i++)
        text_addf(&t, " CONSTRAINT %s", named_rest(list, type->constraints.items[i]));
    clone_add(list, true, name, "CREATE DOMAIN %s AS %s%s", name, type->base, t.data);
}

static void type_add(struct clone_list *list, const struct type *type)
{
    const char *name = object_name_sql(list, type->schema, type->name);
    struct text t = text_init(list, TEXT_SQL);
    switch (type->kind) {
    case 'e':
        clone_add(list, true, name, "CREATE TYPE %s AS ENUM (%s)", name,
                  literals(list, &type->labels));
        break;
    case 'd': domain_add(list, type, name); break;
    case 'c':
        for (size_t i = 0; i < type->attributes.count; i++)
            text_addf(&t, "%s%s", i ? ", " : "", named_rest(list, type->attributes.items[i]));
        clone_add(list, true, name, "CREATE TYPE %s AS (%s)", name, t.data);
        break;
    case 'r':
        clone_add(list, true, name, "CREATE TYPE %s AS RANGE (SUBTYPE = %s)", name, type->base);
        break;
    default: break;
    }
}

/* They look at the server: no table is made of them, and the scratch role may not make them. */
static bool only_watches(const char *extension)
{
    static const char *const names[] = { "amcheck",          "pageinspect",        "pg_buffercache",
                                         "pg_cron",          "pg_freespacemap",    "pg_prewarm",
                                         "pg_qualstats",     "pg_repack",          "pg_stat_kcache",
                                         "pg_stat_monitor",  "pg_stat_statements", "pg_visibility",
                                         "pg_wait_sampling", "pg_walinspect",      "pgaudit",
                                         "pgstattuple" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq(extension, names[i]))
            return true;
    return false;
}

void clone_schemas(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->schema_count; i++)
        if (!text_eq(c->schemas[i].name, "flotilla"))
            clone_add(list, true, c->schemas[i].name, "CREATE SCHEMA IF NOT EXISTS %s",
                      text_quote_ident(list, c->schemas[i].name));
    for (size_t i = 0; i < c->extension_count; i++)
        if (!only_watches(c->extensions[i].name))
            clone_add(list, false, c->extensions[i].name,
                      "CREATE EXTENSION IF NOT EXISTS %s WITH SCHEMA %s",
                      text_quote_ident(list, c->extensions[i].name),
                      text_quote_ident(list, c->extensions[i].schema));
    for (size_t i = 0; i < c->type_count; i++)
        type_add(list, &c->types[i]);
    /* Without options: nothing in a rehearsal may lead to another host. */
    for (size_t i = 0; i < c->server_count; i++)
        clone_add(list, false, c->servers[i].name, "CREATE SERVER %s FOREIGN DATA WRAPPER %s",
                  text_quote_ident(list, c->servers[i].name),
                  text_quote_ident(list, c->servers[i].wrapper));
}

void clone_sequences(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->sequence_count; i++) {
        const struct sequence *s = &c->sequences[i];
        const char *name = object_name_sql(list, s->schema, s->name);
        if (s->identity || text_eq(s->schema, "flotilla"))
            continue;
        clone_add(list, true, name,
                  "CREATE SEQUENCE %s AS %s INCREMENT %lld MINVALUE %lld MAXVALUE %lld START %lld"
                  " CACHE %lld%s",
                  name, s->type, (long long)s->increment, (long long)s->min, (long long)s->max,
                  (long long)s->start, (long long)s->cache, s->cycle ? " CYCLE" : "");
    }
}

/* Functions in languages that the scratch role may not use are left out; what needs them will say
 * so. */
void clone_functions(struct clone_list *list)
{
    const struct catalog *c = list->catalog;
    for (size_t i = 0; i < c->function_count; i++) {
        const struct function *f = &c->functions[i];
        if (f->definition && !text_eq(f->schema, "flotilla"))
            clone_add(list, false,
                      mem_printf(list, "function %s.%s(%s)", f->schema, f->name, f->arguments),
                      "%s", f->definition);
    }
}
