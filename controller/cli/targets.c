#include "controller/cli/targets.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

static bool unknown_service(const struct fleet *fleet, const char *name, struct error *err)
{
    SCOPE(tmp);
    const char **names = mem_array(tmp, const char *, fleet->service_count);
    for (size_t i = 0; i < fleet->service_count; i++)
        names[i] = fleet->services[i].name;
    const char *near = text_nearest(name, names, fleet->service_count);
    fail(err, ERROR_NOT_FOUND, "the fleet %s has no service \"%s\"", fleet->name,
         text_printable(tmp, name));
    if (near)
        return fail_hint(err, "did you mean \"%s\"?", near);
    return fail_hint(err, "`flotilla validate %s` checks the manifest", fleet->path);
}

static void add_service(const void *ctx, struct targets *t, const struct service *service)
{
    const struct instance *const *found = NULL;
    size_t count = service_instances(ctx, service, t->environment, &found);
    t->items = mem_room(ctx, t->items, const struct instance *, t->count + count);
    for (size_t i = 0; i < count; i++)
        t->items[t->count++] = found[i];
}

bool targets_load(const void *ctx, const struct flags *flags, struct targets *out,
                  struct error *err)
{
    struct targets t = { 0 };
    if (!fleet_load(ctx, flags->manifest, &t.fleet, NULL, err))
        return fail_hint(err, "`flotilla validate %s` shows every error of the file",
                         flags->manifest);
    if (!fleet_environment(t.fleet, flags->env, &t.environment, err))
        return false;
    if (flags->service && !fleet_service(t.fleet, flags->service))
        return unknown_service(t.fleet, flags->service, err);
    for (size_t i = 0; i < t.fleet->service_count; i++)
        if (!flags->service || text_eq(flags->service, t.fleet->services[i].name))
            add_service(ctx, &t, &t.fleet->services[i]);
    if (t.count == 0) {
        fail(err, ERROR_NOT_FOUND, "%s%s has no instance in environment %s",
             flags->service ? "service " : "the fleet", flags->service ? flags->service : "",
             t.environment);
        return fail_hint(err, "add instances to %s, or choose another --env", flags->manifest);
    }
    *out = t;
    return true;
}

const char *target_host(const struct instance *target)
{
    return target->transport == TRANSPORT_LOCAL ? "local" : target->host;
}
