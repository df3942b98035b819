/* The fleet that a manifest becomes: what is inherited, defaults, lookups. What is refused is
 * tested by tests/golden/manifest. */
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "agents/base/file.h"
#include "controller/manifest/fleet.h"

static struct fleet *loaded(void *ctx, const char *content)
{
    char path[] = "/tmp/flotilla-fleet.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct error err;
    struct fleet *fleet = NULL;
    assert_ok(file_write_fd(fd, content, strlen(content), &err), err);
    close(fd);
    bool good = fleet_load(ctx, path, &fleet, NULL, &err);
    unlink(path);
    assert_ok(good, err);
    return fleet;
}

static const char head[] = "version: 1\nfleet: shop\n"
                           "owners:\n  b: { members: [kim, ana] }\n  a: { members: [ana, raj] }\n";

static const struct instance *first(const struct fleet *fleet, const char *service)
{
    struct service *s = fleet_service(fleet, service);
    assert_non_null(s);
    assert_true(s->instance_count > 0);
    return &s->instances[0];
}

static void fills_in_defaults(void **state)
{
    struct fleet *fleet =
        loaded(*state, mem_printf(*state, "%s%s", head,
                                  "environments: [p]\n"
                                  "services:\n"
                                  "  users:\n"
                                  "    owners: [a]\n"
                                  "    instances: { p: [ { name: u, host: h } ] }\n"));
    const struct instance *i = first(fleet, "users");
    assert_int_equal(i->transport, TRANSPORT_SSH);
    assert_int_equal(i->port, 22);
    assert_string_equal(i->user, "flotilla");
    assert_string_equal(i->agent_command, "flotilla-agent");
    assert_string_equal(i->agent_database, "users");
    assert_string_equal(i->service, "users");
    assert_string_equal(i->environment, "p");
    assert_null(i->identity);
    assert_null(i->known_hosts);
    assert_null(i->agent_config);
    assert_int_equal(i->line, 10);
    assert_string_equal(fleet->allowed_signers, "/tmp/allowed_signers");
    const struct fleet_policy *p = &fleet_service(fleet, "users")->policy;
    assert_int_equal(p->lock_budget_ms, 200);
    assert_int_equal(p->lock_timeout_ms, 150);
    assert_int_equal(p->rehearse, REHEARSE_REQUIRED);
    assert_int_equal(p->need_expand, 1);
    assert_int_equal(p->need_contract, 2);
    assert_false(p->auto_promote);
}

static void inherits(void **state)
{
    struct fleet *fleet = loaded(
        *state,
        mem_printf(*state, "%s%s", head,
                   "environments: [p]\n"
                   "defaults:\n"
                   "  ssh: { user: dba, identity: keys/id, known_hosts: /etc/known }\n"
                   "  policy: { lock_budget: 100ms, approvals: { contract: 1 } }\n"
                   "services:\n"
                   "  users:\n"
                   "    owners: [a, b]\n"
                   "    ssh: { user: users-dba }\n"
                   "    policy: { approvals: { contract: 3 }, lock_budget: 1s }\n"
                   "    instances: { p: [ { name: u, host: h, port: 2222 },\n"
                   "      { name: v, transport: local, host: ignored, agent_config: a.yaml },\n"
                   "      { name: w, host: h2, transport: openssh, ssh: { user: other } } ] }\n"
                   "  orders: { owners: [a], instances: { p: [ { name: o, host: h } ] } }\n"));
    const struct instance *u = first(fleet, "users");
    assert_string_equal(u[0].user, "users-dba");
    assert_string_equal(u[0].identity, "/tmp/keys/id");
    assert_string_equal(u[0].known_hosts, "/etc/known");
    assert_int_equal(u[0].port, 2222);
    assert_int_equal(u[1].transport, TRANSPORT_LOCAL);
    assert_null(u[1].host);
    assert_string_equal(u[1].agent_config, "/tmp/a.yaml");
    assert_string_equal(u[2].user, "other");
    assert_int_equal(u[2].port, 0);
    assert_string_equal(first(fleet, "orders")->user, "dba");
    const struct fleet_policy *p = &fleet_service(fleet, "users")->policy;
    assert_int_equal(p->need_contract, 3);
    assert_int_equal(p->lock_budget_ms, 1000);
    /* A budget below the usual timeout takes the timeout along: three quarters. */
    assert_int_equal(fleet_service(fleet, "orders")->policy.lock_timeout_ms, 75);
    assert_int_equal(fleet_service(fleet, "orders")->policy.need_contract, 1);
}

static void finds(void **state)
{
    struct fleet *fleet = loaded(
        *state, mem_printf(*state, "%s%s", head,
                           "environments: [p, q]\n"
                           "services:\n"
                           "  z: { owners: [a, b], instances: { q: [ { name: z, host: h } ],\n"
                           "       p: [ { name: z, host: h2 }, { name: y, host: h3 } ] },\n"
                           "       references: [\"t(a, b) -> c:public.u(x, y)\"],\n"
                           "       consumes: [ { from: \"c:u\", columns: [x] } ] }\n"
                           "  c: { owners: [a], instances: { p: [ { name: c, host: h } ] } }\n"));
    assert_string_equal(fleet->services[0].name, "c");
    assert_null(fleet_service(fleet, "m"));
    assert_null(fleet_owner(fleet, "c"));
    struct service *z = fleet_service(fleet, "z");
    const char *const *people = NULL;
    assert_int_equal(service_approvers(*state, fleet, z, &people), 3);
    assert_string_equal(people[2], "kim");
    const struct instance *const *instances = NULL;
    assert_int_equal(service_instances(*state, z, "p", &instances), 2);
    assert_string_equal(instances[1]->name, "y");
    assert_int_equal(service_instances(*state, z, "x", &instances), 0);
    assert_int_equal(z->reference_count, 1);
    assert_string_equal(z->references[0].from.service, "z");
    assert_string_equal(z->references[0].to.service, "c");
    assert_string_equal(z->references[0].to.columns[1], "y");
    assert_string_equal(z->consumes[0].from.columns[0], "x");
    const char *environment = NULL;
    struct error err;
    assert_ok(fleet_environment(fleet, "q", &environment, &err), err);
    assert_string_equal(environment, "q");
    assert_fails(fleet_environment(fleet, NULL, &environment, &err), err, ERROR_USAGE,
                 "has several environments");
    assert_string_equal(err.hint, "choose one with --env: p, q");
    assert_fails(fleet_environment(fleet, "r", &environment, &err), err, ERROR_USAGE,
                 "there is no environment \"r\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(fills_in_defaults),
        test_with_ctx(inherits),
        test_with_ctx(finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
