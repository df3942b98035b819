#include <string.h>

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/graph/graph.h"

const struct catalog *graph_catalog(const struct graph *graph, const char *service)
{
    for (size_t i = 0; i < graph->catalog_count; i++)
        if (text_eq(graph->catalogs[i].service, service))
            return graph->catalogs[i].catalog;
    return NULL;
}

static bool is_plain(const struct graph *graph, const struct graph_object *o)
{
    SCOPE(tmp);
    const struct catalog *c = graph_catalog(graph, o->service);

    return text_eq(o->schema, c ? catalog_default_schema(tmp, c) : "public");
}

const char *graph_object_text(const void *ctx, const struct graph *graph,
                              const struct graph_object *object)
{
    const char *columns[1] = { object->column };
    struct object_name name = {
        .service = object->service,
        .schema = is_plain(graph, object) ? NULL : object->schema,
        .name = object->name,
        .columns = columns,
        .column_count = object->column ? 1 : 0,
    };

    if (!object->name)
        return mem_text(ctx, object->service);
    return object_name_text(ctx, &name);
}

static bool no_service(const void *ctx, const struct graph *graph, const char *name,
                       struct error *err)
{
    const char *near = text_nearest(name, graph->services, graph->service_count);

    (void)ctx;
    fail(err, ERROR_NOT_FOUND, "there is no service \"%s\"", name);
    return near ? fail_hint(err, "did you mean \"%s\"?", near)
                : fail_hint(err, "write SERVICE:TABLE(COLUMN), with a service of the manifest");
}

static bool no_table(const void *ctx, const struct catalog *c, const struct object_name *name,
                     struct error *err)
{
    const char **names = mem_array(ctx, const char *, c->relation_count);

    for (size_t i = 0; i < c->relation_count; i++)
        names[i] = c->relations[i].name;
    const char *near = text_nearest(name->name, names, c->relation_count);
    fail(err, ERROR_NOT_FOUND, "service %s has no table or view %s", name->service,
         object_name_join(ctx, name->schema, name->name));
    return near ? fail_hint(err, "did you mean \"%s:%s\"?", name->service, near)
                : fail_hint(err, "`flotilla inspect --service %s` lists them", name->service);
}

static bool no_column(const void *ctx, const struct relation *r, const struct object_name *name,
                      struct error *err)
{
    const char **names = mem_array(ctx, const char *, r->column_count);

    for (size_t i = 0; i < r->column_count; i++)
        names[i] = r->columns[i].name;
    const char *near = text_nearest(name->columns[0], names, r->column_count);
    fail(err, ERROR_NOT_FOUND, "table %s of service %s has no column \"%s\"", r->name,
         name->service, name->columns[0]);
    if (near)
        return fail_hint(err, "did you mean \"%s:%s(%s)\"?", name->service, r->name, near);
    struct text list = text_init(ctx, TEXT_LINE);
    for (size_t i = 0; i < r->column_count && list.len < 300; i++)
        text_addf(&list, "%s%s", i ? ", " : "", names[i]);
    return fail_hint(err, "it has %s", list.data);
}

static const struct function *find_function(const struct catalog *c, const struct object_name *name)
{
    for (size_t i = 0; i < c->function_count; i++)
        if (text_eq(c->functions[i].name, name->name) &&
            (!name->schema || text_eq(c->functions[i].schema, name->schema)))
            return &c->functions[i];
    return NULL;
}

/* Without a service: the only one. */
static bool set_service(const struct graph *graph, struct object_name *name, struct error *err)
{
    if (name->service)
        return true;
    if (graph->service_count == 1) {
        name->service = graph->services[0];
        return true;
    }
    fail(err, ERROR_USAGE, "\"%s\" does not say which service it is in", name->name);
    return fail_hint(err, "write SERVICE:TABLE or SERVICE:TABLE(COLUMN)");
}

bool graph_object_find(const void *ctx, const struct graph *graph, const char *text,
                       struct graph_object *out, struct error *err)
{
    SCOPE(tmp);
    struct object_name name = { 0 };

    if (!object_name_parse(ctx, text, &name, err) || !set_service(graph, &name, err))
        return false;
    const struct catalog *c = graph_catalog(graph, name.service);
    if (!c)
        return no_service(tmp, graph, name.service, err);
    if (name.column_count > 1) {
        fail(err, ERROR_USAGE, "%s: one column at a time", text);
        return fail_hint(err, "write %s:%s(%s)", name.service, name.name, name.columns[0]);
    }
    const struct relation *r = catalog_relation(c, name.schema, name.name);
    const struct function *f = r ? NULL : find_function(c, &name);
    if (!r && !f)
        return no_table(tmp, c, &name, err);
    if (r && name.column_count && !relation_column(r, name.columns[0]))
        return no_column(tmp, r, &name, err);
    *out =
        (struct graph_object){ .service = mem_text(ctx, name.service),
                               .schema = r ? r->schema : f->schema,
                               .name = r ? r->name : f->name,
                               .column = name.column_count ? mem_text(ctx, name.columns[0]) : NULL,
                               .function = f != NULL };
    return true;
}
