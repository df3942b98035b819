/*
 * The fleet: what a manifest says, checked. fleet_load() reports every error of a file in one run,
 * each as file:line:column; a struct fleet that exists is consistent (references resolve, owners
 * exist, host names can be neither options nor shell words).
 *
 * Paths in it are absolute or relative to the manifest's folder, already joined. Everything is
 * owned by the context it was loaded into and never changes.
 */
#ifndef CONTROLLER_MANIFEST_FLEET_H
#define CONTROLLER_MANIFEST_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/base/error.h"
#include "agents/base/name.h"

enum transport { TRANSPORT_SSH, TRANSPORT_OPENSSH, TRANSPORT_LOCAL };
enum rehearse { REHEARSE_REQUIRED, REHEARSE_OPTIONAL, REHEARSE_OFF };
enum on_failure { ON_FAILURE_STOP, ON_FAILURE_PAUSE, ON_FAILURE_COMPENSATE };

struct fleet_policy {
    int64_t lock_budget_ms;  /* longest time an application's statement may wait: 200 */
    int64_t lock_timeout_ms; /* 150 */
    enum rehearse rehearse;
    int need_expand, need_migrate, need_contract, need_destructive; /* 1 1 2 2 */
    bool auto_promote; /* contract starts without `promote` */
    enum on_failure on_failure;
};

struct owner {
    const char *name;
    const char **members; /* signers, as in allowed_signers */
    size_t member_count;
    int line;
};

struct instance {
    const char *name;
    const char *service;
    const char *environment;
    const char *host;           /* null for TRANSPORT_LOCAL */
    int port;                   /* ssh: 22 unless said; openssh: 0 leaves it to ssh_config */
    const char *agent_database; /* default: the service's name */
    enum transport transport;
    const char *user;     /* ssh: "flotilla" unless said; openssh: null leaves it to ssh_config */
    const char *identity; /* null: ssh-agent, or what ssh_config says */
    const char *push_identity; /* key that may upload agents; null: identity */
    const char *known_hosts;   /* null: the user's own */
    const char *agent_config;  /* local: path of agent.yaml; else null */
    const char *agent_command; /* default "flotilla-agent" */
    int line;
};

/* `references: [ "orders(user_id) -> users:users(id)" ]` */
struct reference {
    struct object_name from, to; /* service always filled in */
    int line;
};

/* `consumes: [ {from: "users:users", columns: [email], via: events} ]` */
struct consume {
    struct object_name from; /* columns filled in */
    const char *via;
    int line;
};

struct service {
    const char *name;
    const char **owners; /* names of struct owner */
    size_t owner_count;
    struct instance *instances; /* of all environments */
    size_t instance_count;
    const char *health_sql, *health_http;
    struct reference *references;
    size_t reference_count;
    struct consume *consumes;
    size_t consume_count;
    struct fleet_policy policy; /* the fleet's, overridden by the service's own */
    int line;
};

/* Which model turns words into intents; provider is null when the manifest says nothing. The key
 * itself is never in the manifest. */
struct fleet_llm {
    const char *provider;
    const char *base_url, *model, *api_key_env;
    int64_t timeout_ms; /* 0: the provider's default */
};

struct fleet {
    const char *path;   /* of the manifest, as given */
    const char *folder; /* of the manifest */
    const char *name;
    struct owner *owners; /* by name */
    size_t owner_count;
    const char **environments; /* in the manifest's order */
    size_t environment_count;
    struct service *services; /* by name */
    size_t service_count;
    struct fleet_policy policy;
    const char *allowed_signers; /* path */
    struct fleet_llm llm;
};

/* Loads and checks. On failure err holds the first error and *problems (may be null) the whole
 * list as text, one "file:line:column: what, hint" a line. Teams too small for the approvals that
 * are asked of them are errors too: such a gate could never open. */
bool fleet_load(const void *ctx, const char *path, struct fleet **out, const char **problems,
                struct error *err) MUSTCHECK;

struct service *fleet_service(const struct fleet *fleet, const char *name);
struct owner *fleet_owner(const struct fleet *fleet, const char *name);

/* The environment to work on: `wanted`, or the only one; else ERROR_USAGE listing them. */
bool fleet_environment(const struct fleet *fleet, const char *wanted, const char **out,
                       struct error *err) MUSTCHECK;

/* The people who may approve for a service (members of its owners, each once). */
size_t service_approvers(const void *ctx, const struct fleet *fleet, const struct service *service,
                         const char *const **out);

/* The instances of a service in an environment. */
size_t service_instances(const void *ctx, const struct service *service, const char *environment,
                         const struct instance *const **out);

#endif
