#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "agents/base/json.h"
#include "agents/base/mem.h"
#include "agents/base/text.h"
#include "controller/desk/catalogs.h"
#include "controller/session/session.h"
#include "controller/terminal/near.h"

enum {
    THREADS_MOST = 16, /* hosts asked at once */
};

/* One database to read. What a thread fills hangs on `owner`, which is its own until it ends. */
struct visit {
    const struct instance *instance;
    const char *key; /* of the host: one session for all of its databases */
    bool done;       /* another visit to the same host has taken it along */
    struct catalog *catalog;
    struct error err;
    void *owner;
};

struct round {
    struct visit *visits;
    size_t count;
    atomic_size_t next;
};

static bool visit_one(struct session *session, struct visit *visit, struct error *err)
{
    SCOPE(tmp);
    json_t *args = json_own(tmp, json_pack("{s:s}", "database", visit->instance->agent_database));
    json_t *result = NULL;

    if (!session_call(session, tmp, &(struct call){ .op = OP_INSPECT, .args = args }, &result, err))
        return false;
    return catalog_from_json(visit->owner, json_object_get(result, "catalog"), &visit->catalog,
                             err);
}

/* All visits to the host of the first one, over one session. */
static void visit_host(struct round *round, size_t first)
{
    SCOPE(tmp);
    struct session *session = NULL;
    struct error err = { 0 };
    bool open = session_open(tmp, round->visits[first].instance, NULL, &session, &err);

    for (size_t i = first; i < round->count; i++) {
        struct visit *visit = &round->visits[i];

        if (!text_eq(visit->key, round->visits[first].key))
            continue;
        if (open)
            visit->done = visit_one(session, visit, &visit->err);
        else
            visit->err = err;
        if (!visit->done)
            fail_in(&visit->err, "service %s, instance %s", visit->instance->service,
                    visit->instance->name);
    }
    session_close(session);
}

static bool is_first_of_host(const struct round *round, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (text_eq(round->visits[i].key, round->visits[at].key))
            return false;
    return true;
}

static void *visit_hosts(void *data)
{
    struct round *round = data;

    for (size_t i; (i = atomic_fetch_add(&round->next, 1)) < round->count;)
        if (is_first_of_host(round, i))
            visit_host(round, i);
    return NULL;
}

static void run_round(struct round *round)
{
    pthread_t threads[THREADS_MOST];
    size_t count = round->count < THREADS_MOST ? round->count : THREADS_MOST, started = 0;

    while (started < count && pthread_create(&threads[started], NULL, visit_hosts, round) == 0)
        started++;
    if (started == 0)
        visit_hosts(round);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void plan_visits(const void *ctx, const struct catalogs_wanted *wanted,
                        const struct catalogs *out, struct round *round)
{
    for (size_t i = 0; i < out->fleet->service_count; i++) {
        const struct service *service = &out->fleet->services[i];
        const struct instance *const *instances = NULL;

        if (wanted->flags->service && !text_eq(service->name, wanted->flags->service))
            continue;
        size_t count = service_instances(ctx, service, out->environment, &instances);
        bool all = wanted->all_instances || text_eq(wanted->all_of, service->name);
        for (size_t j = 0; j < count && (j == 0 || all); j++) {
            round->visits = mem_room(ctx, round->visits, struct visit, round->count + 1);
            round->visits[round->count++] = (struct visit){
                .instance = instances[j],
                .key = session_key(ctx, instances[j]),
                .owner = mem_scope(),
            };
        }
    }
}

static bool no_service(const void *ctx, const struct catalogs_wanted *wanted,
                       const struct catalogs *out, struct error *err)
{
    const struct fleet *fleet = out->fleet;
    const char *wish = wanted->flags->service;
    struct step_texts names = { 0 };

    if (!wish || fleet_service(fleet, wish))
        return fail(err, ERROR_NOT_FOUND, "%s: no service has an instance in environment %s",
                    fleet->path, out->environment);
    for (size_t i = 0; i < fleet->service_count; i++)
        step_texts_add(ctx, &names, fleet->services[i].name);
    fail(err, ERROR_NOT_FOUND, "%s: there is no service \"%s\"", fleet->path, wish);
    return near_hint(err, wish, &names);
}

static bool collect(const void *ctx, struct round *round, struct catalogs *out, struct error *err)
{
    size_t failed = 0;

    out->items = mem_array(ctx, struct service_catalog, round->count);
    for (size_t i = 0; i < round->count; i++) {
        struct visit *visit = &round->visits[i];

        talloc_steal(ctx, visit->owner);
        if (!visit->done && failed++ == 0)
            *err = visit->err;
        if (visit->done)
            out->items[out->count++] =
                (struct service_catalog){ visit->instance->service, visit->instance->name,
                                          visit->catalog };
    }
    return failed < 2 ? failed == 0
                      : fail_in(err, "%zu of %zu databases could not be read; the first", failed,
                                round->count);
}

bool catalogs_from_fleet(const void *ctx, const struct catalogs_wanted *wanted,
                         struct catalogs *out, struct error *err)
{
    struct round round = { 0 };

    if (!fleet_environment(out->fleet, wanted->flags->env, &out->environment, err))
        return false;
    plan_visits(ctx, wanted, out, &round);
    if (round.count == 0)
        return no_service(ctx, wanted, out, err);
    run_round(&round);
    return collect(ctx, &round, out, err);
}
