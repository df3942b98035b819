#include "controller/desk/targets.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/document.h"
#include "controller/terminal/near.h"

static bool unknown_service(const struct fleet *fleet, const char *name, struct error *err)
{
    SCOPE(tmp);
    struct step_texts names = { 0 };
    for (size_t i = 0; i < fleet->service_count; i++)
        step_texts_add(tmp, &names, fleet->services[i].name);
    fail(err, ERROR_NOT_FOUND, "the fleet %s has no service \"%s\"", fleet->name,
         text_printable(tmp, name));
    return near_hint(err, name, &names);
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
    if (!document_manifest(ctx, flags->manifest, &t.fleet, err))
        return false;
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
