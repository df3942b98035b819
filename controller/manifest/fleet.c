#include "controller/manifest/fleet.h"

#include "agents/base/mem.h"
#include "agents/base/text.h"

/* Owners and services are sorted by name. */
#define FIND(list, count, wanted)                                \
    do {                                                         \
        size_t low = 0;                                          \
        size_t high = (count);                                   \
        while (low < high) {                                     \
            size_t middle = low + (high - low) / 2;              \
            int order = text_cmp((wanted), (list)[middle].name); \
            if (order == 0)                                      \
                return &(list)[middle];                          \
            if (order < 0)                                       \
                high = middle;                                   \
            else                                                 \
                low = middle + 1;                                \
        }                                                        \
        return NULL;                                             \
    } while (0)

struct service *fleet_service(const struct fleet *fleet, const char *name)
{
    FIND(fleet->services, fleet->service_count, name);
}

struct owner *fleet_owner(const struct fleet *fleet, const char *name)
{
    FIND(fleet->owners, fleet->owner_count, name);
}

bool fleet_environment(const struct fleet *fleet, const char *wanted, const char **out,
                       struct error *err)
{
    SCOPE(tmp);
    if (!wanted && fleet->environment_count == 1) {
        *out = fleet->environments[0];
        return true;
    }
    struct text list = text_init(tmp, TEXT_LINE);
    for (size_t i = 0; i < fleet->environment_count; i++) {
        if (text_eq(fleet->environments[i], wanted)) {
            *out = fleet->environments[i];
            return true;
        }
        text_addf(&list, "%s%s", i ? ", " : "", fleet->environments[i]);
    }
    if (wanted)
        fail(err, ERROR_USAGE, "there is no environment \"%s\" in %s", text_printable(tmp, wanted),
             fleet->path);
    else
        fail(err, ERROR_USAGE, "%s has several environments", fleet->path);
    return fail_hint(err, "choose one with --env: %s", list.data);
}

static bool is_listed(const char *const *list, size_t count, const char *s)
{
    for (size_t i = 0; i < count; i++)
        if (text_eq(list[i], s))
            return true;
    return false;
}

size_t service_approvers(const void *ctx, const struct fleet *fleet, const struct service *service,
                         const char *const **out)
{
    const char **people = NULL;
    size_t count = 0;
    for (size_t i = 0; i < service->owner_count; i++) {
        const struct owner *owner = fleet_owner(fleet, service->owners[i]);
        for (size_t k = 0; owner && k < owner->member_count; k++) {
            if (is_listed(people, count, owner->members[k]))
                continue;
            people = mem_room(ctx, people, const char *, count + 1);
            people[count++] = owner->members[k];
        }
    }
    *out = people;
    return count;
}

size_t service_instances(const void *ctx, const struct service *service, const char *environment,
                         const struct instance *const **out)
{
    const struct instance **list = mem_array(ctx, const struct instance *, service->instance_count);
    size_t count = 0;
    for (size_t i = 0; i < service->instance_count; i++)
        if (text_eq(service->instances[i].environment, environment))
            list[count++] = &service->instances[i];
    *out = list;
    return count;
}
